use netcore::Packet;

#[derive(Packet)]
enum ToServer {
    #[packet(id = 1)]
    Say { text: String },
    #[packet(id = 2)]
    Shout(String),
}

fn main() {}
