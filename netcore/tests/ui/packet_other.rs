use netcore::{Frame, Packet};

#[derive(Packet)]
enum Two {
    #[packet(other)]
    First(Frame),
    #[packet(other)]
    Second(Frame),
}

#[derive(Packet)]
enum WithId {
    #[packet(other, id = 4)]
    Unknown(Frame),
}

#[derive(Packet)]
enum WithMax {
    #[packet(other, max = 4)]
    Unknown(Frame),
}

#[derive(Packet)]
enum Shapes {
    #[packet(other)]
    Unknown,
}

#[derive(Packet)]
enum Named {
    #[packet(other)]
    Unknown { frame: Frame },
}

fn main() {}
