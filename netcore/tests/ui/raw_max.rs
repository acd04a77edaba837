//! A `max` that its length could never say.

use netcore::{Packet, Raw};

#[derive(Raw)]
struct Text {
    #[raw(len = u8, max = 400)]
    text: String,
}

#[derive(Raw)]
struct Signed {
    #[raw(max = 128, len = i8)]
    bytes: Vec<u8>,
}

#[derive(Raw)]
struct OverU16 {
    #[raw(len = u16, max = 65_536usize)]
    bytes: bytes::Bytes,
}

#[derive(Raw)]
struct OverAll {
    #[raw(len = u32, max = 0x1_0000_0000)]
    text: Option<String>,
}

#[derive(Raw)]
struct Counted {
    #[raw(count = u8, max = (256))]
    places: Vec<u16>,
    #[raw(count = u8, item(len = i8, max = 200))]
    names: Vec<String>,
}

#[derive(Raw)]
struct Held {
    size: u8,
    r#type: core::primitive::i16,
    #[raw(len_in = size, max = 256)]
    text: String,
    #[raw(count_in = type, max = 40_000)]
    places: Vec<u16>,
}

#[derive(Packet)]
enum ToServer {
    #[packet(id = 1)]
    Say(#[raw(len = u8, max = 256)] String),
    #[packet(id = 2)]
    Whisper {
        #[raw(len = u8, max = 300)]
        to: String,
    },
    #[packet(id = 3, max = 70_000)]
    Shout { at: u32 },
}

fn main() {}
