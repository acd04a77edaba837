use netcore::Raw;

#[derive(Raw)]
struct Node {
    value: u8,
    next: Option<Box<Node>>,
}

fn main() {}
