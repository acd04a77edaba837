//! Attributes where nothing reads them.

use bytes::Bytes;
use netcore::{Frame, Packet, Raw};

#[derive(Packet)]
#[raw(big_endian)]
enum ToServer {
    #[packet(id = 1)]
    #[raw(big_endian)]
    Go { x: u16 },
    #[packet(id = 2)]
    #[raw(rest)]
    Relay(#[raw(rest)] Bytes),
    #[packet(id = 3)]
    Say {
        #[packet(max = 3)]
        #[raw(len = u8)]
        text: String,
    },
    #[packet(id = 7, max = 8, max = 9)]
    Twice { x: u16 },
    #[packet(other)]
    #[raw(rest)]
    Other(Frame),
}

#[derive(Packet)]
#[packet(format = MsgPack)]
#[serde(rename_all = "camelCase")]
enum ToClient {
    #[packet(id = 1)]
    #[serde(rename_all = "camelCase")]
    Enter { room_id: u32 },
}

#[derive(Raw)]
struct Twice {
    #[raw(len = u8, max = 3, max = 9)]
    text: String,
    #[raw(fixed = 8, trim = end, trim = both)]
    name: String,
    #[raw(count = u8, item(len = u8), item(len = u16))]
    names: Vec<String>,
}

#[derive(Raw)]
#[raw(tag = u8, tag = u16)]
enum TwoTags {
    #[raw(tag = 1, tag = 2)]
    A,
}

#[derive(Raw, Clone, Copy)]
#[repr(C, packed)]
struct Packed {
    id: u8,
    x: f32,
}

fn main() {}
