//! Formats that are almost netcore's own, and names that are no type's.

use netcore::Packet;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Login {
    user: String,
}

#[derive(Packet)]
#[packet(format = msgpak)]
enum OfTheEnum {
    #[packet(id = 1)]
    Login(Login),
    #[packet(id = 2)]
    Say {
        #[serde(rename = "Text")]
        text: String,
    },
}

#[derive(Packet)]
enum OfPackets {
    #[packet(id = 1, format = MessagePack)]
    Login { user: String },
    #[packet(id = 2, format = MsgPackArry)]
    Say { text: String },
    #[packet(id = 3, format = protobuf)]
    Chat(Login),
    #[packet(id = 4, format = RAW, numbered)]
    Enter { request: u32, room: u16 },
    #[packet(id = 5, format = json)]
    Leave { why: String },
    #[packet(id = 6, format = "MsgPack")]
    Quoted(Login),
}

fn main() {}
