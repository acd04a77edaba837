//! A type that takes the rest of the body can only stand last.

use netcore::{Packet, Raw};

#[derive(Raw)]
struct Tail {
    at: u8,
    #[raw(rest)]
    text: String,
}

#[derive(Raw)]
struct Inner {
    tail: Tail,
    behind: u8,
}

#[derive(Packet)]
enum Packets {
    #[packet(id = 1)]
    Counted {
        #[raw(count = u8)]
        tails: Vec<Tail>,
    },
    #[packet(id = 2)]
    Rest {
        #[raw(rest)]
        tails: Vec<Tail>,
    },
    #[packet(id = 3)]
    Maybe { tail: Option<Tail>, behind: u8 },
}

#[derive(Raw)]
struct Pair {
    tails: [Tail; 2],
}

fn main() {}
