//! The same, of a `max` that only the compiler knows.

use netcore::{Packet, Raw};

const MOST: usize = 256;

type Small = u8;

#[derive(Raw)]
struct Text {
    #[raw(len = u8, max = MOST)]
    text: String,
    #[raw(count = u16, max = MOST * MOST, item(count = i8, max = MOST / 2))]
    places: Vec<Vec<u16>>,
    size: u8,
    #[raw(len_in = size, max = 2 * 200)]
    more: String,
    #[raw(len = u32, max = MOST * MOST * MOST * MOST)]
    most: String,
}

#[derive(Packet)]
enum ToServer {
    #[packet(id = 1)]
    Say(#[raw(len = u8, max = MOST)] String),
}

#[derive(Raw)]
struct Good {
    #[raw(len = u8, max = MOST - 1)]
    text: String,
    #[raw(len = u32, max = 4_294_967_295)]
    long: String,
    // Of another name for an integer nothing is known.
    size: Small,
    #[raw(len_in = size, max = MOST)]
    more: String,
}

fn main() {}
