use netcore::Raw;

#[derive(Raw)]
struct Nothing;

#[derive(Raw)]
struct List {
    #[raw(count = u32)]
    items: Vec<Nothing>,
}

fn main() {}
