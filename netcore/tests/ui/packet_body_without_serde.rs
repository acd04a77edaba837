use netcore::Packet;

struct Plain;

#[derive(Packet)]
#[packet(format = MsgPack)]
enum ToServer {
    #[packet(id = 1)]
    Say(Plain),
}

fn main() {}
