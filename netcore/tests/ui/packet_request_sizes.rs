//! A request number counts in the size of a layout.

use netcore::Packet;

#[derive(Packet)]
enum Sizes {
    #[packet(id = 1, numbered)]
    OverTheWire(u32, [u8; 65_527]),
    #[packet(id = 2, numbered, max = 7)]
    OverItsOwn { request: u32, at: u32 },
    #[packet(id = 3, numbered, max = 3, format = MsgPack)]
    NoRoom(u32, String),
    #[packet(id = 4, numbered)]
    Fits(u32, [u8; 65_526]),
}

fn main() {}
