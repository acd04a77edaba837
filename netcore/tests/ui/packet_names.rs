//! Two variants whose constants would have one name.

use netcore::Packet;

#[derive(Packet)]
enum Packets {
    #[packet(id = 1)]
    FooBar,
    #[packet(id = 2)]
    Foo_Bar,
}

fn main() {}
