#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| netcore::testing::fuzz::proxy_header(data));
