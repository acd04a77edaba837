//! Replies of an enum that names the one that has its answers: seen by `cargo check`.

use netcore::Packet;

#[derive(Packet)]
#[packet(answered_by = ToClient)]
enum ToServer {
    #[packet(id = 701, reply = 703)]
    LogIn,
    #[packet(id = 721, reply = 731)]
    Enter,
    #[packet(id = 731, numbered, reply = 702)]
    Say(u32),
    #[packet(id = 741, reply = 702)]
    Good,
}

#[derive(Packet)]
enum ToClient {
    #[packet(id = 702)]
    LoggedIn,
}

struct NoPackets;

#[derive(Packet)]
#[packet(answered_by = NoPackets)]
enum ToNobody {
    #[packet(id = 1, reply = 2)]
    Ask,
}

#[derive(Packet)]
#[packet(answered_by = ToClient, answered_by = ToClient)]
enum Twice {
    #[packet(id = 1)]
    Tell,
}

fn main() {}
