use netcore::Packet;

#[derive(Packet)]
enum ToServer {
    #[packet(id = 1)]
    OverTheWire([u8; 65_531]),
    #[packet(id = 2, max = 3)]
    OverItsOwn { at: u32 },
    #[packet(id = 3, max = 65_530 + 1)]
    NoBound { at: u32 },
}

fn main() {}
