use netcore::Packet;

const JOIN: u16 = 3;

#[derive(Packet)]
enum ToServer {
    #[packet(id = 1)]
    Ping,
    #[packet(id = 1)]
    Pong,
    #[packet(id = 70000)]
    TooHigh,
    #[packet(id = -1)]
    TooLow,
    #[packet(id = JOIN)]
    Join,
    #[packet(id = "4")]
    Text,
    NoId,
    #[packet(id = 5, id = 6)]
    Two,
}

fn main() {}
