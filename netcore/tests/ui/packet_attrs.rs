use netcore::Packet;

#[derive(Packet)]
#[packet(formats = MsgPack)]
enum ToServer {
    #[packet(id = 1, size = 4)]
    Ping,
    #[packet(id = 2, format = MsgPack, format = Raw)]
    Pong,
    #[packet]
    Bare,
}

fn main() {}
