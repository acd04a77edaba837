#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| netcore::testing::fuzz::websocket_frames(data));
