//! What answers a packet, and the request number in front of it.

use netcore::{Frame, Packet, Raw};

#[derive(Raw)]
struct Login {
    room: u16,
}

struct Own;

#[derive(Packet)]
enum Replies {
    #[packet(id = 1, reply = 70000)]
    TooHigh,
    #[packet(id = 2, reply = -1)]
    TooLow,
    #[packet(id = 3, reply = Replies::TOO_LOW_ID)]
    NoLiteral,
    #[packet(id = 4, reply = 5, reply = 6)]
    Twice,
    #[packet(other, reply = 7)]
    Unknown(Frame),
}

#[derive(Packet)]
enum NumberedOther {
    #[packet(other, numbered)]
    Unknown(Frame),
}

#[derive(Packet)]
enum Numbers {
    #[packet(id = 1, numbered)]
    Nothing,
    #[packet(id = 2, numbered)]
    NoNumber(Login),
    #[packet(id = 3, numbered)]
    OtherType(u64, Login),
    #[packet(id = 4, numbered)]
    OtherName { number: u32, room: u16 },
    #[packet(id = 5, numbered)]
    OtherTypeOfName { request: u16, room: u16 },
    #[packet(id = 6, numbered)]
    NotFirst { room: u16, request: u32 },
    #[packet(id = 7, numbered)]
    TwoBodies(u32, u16, u16),
    #[packet(id = 8, numbered, format = Protobuf)]
    Message { request: u32, text: String },
    #[packet(id = 9, numbered, format = Own)]
    OwnFormat { request: u32, text: String },
    #[packet(id = 10, numbered, format = MsgPack)]
    Renamed {
        #[serde(rename = "Request")]
        request: u32,
        text: String,
    },
    #[packet(id = 11, numbered)]
    WithAttribute(#[raw(len = u8)] u32, Login),
    #[packet(id = 12, numbered)]
    NumberAsLength {
        request: u32,
        #[raw(len_in = request)]
        text: String,
    },
    #[packet(id = 13, numbered)]
    Empty {},
    #[packet(id = 14, numbered, format = MsgPack)]
    RawAttribute(u32, #[raw(len = u8)] String),
}

fn main() {}
