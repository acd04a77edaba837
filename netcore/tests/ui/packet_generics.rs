use netcore::Packet;

#[derive(Packet)]
enum WithType<T> {
    #[packet(id = 1)]
    Ping(T),
}

#[derive(Packet)]
enum WithLifetime<'a> {
    #[packet(id = 1)]
    Ping(&'a u8),
}

fn main() {}
