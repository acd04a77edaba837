use netcore::Packet;

#[derive(Packet)]
enum ToServer {
    #[packet(other)]
    Unknown(Vec<u8>),
}

fn main() {}
