use netcore::Packet;

#[derive(Packet)]
struct Ping {
    at: u32,
}

fn main() {}
