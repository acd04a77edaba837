use netcore::Raw;

#[derive(Raw)]
struct NoEnd {
    text: String,
}

#[derive(Raw)]
struct LenOfList {
    #[raw(len = u16)]
    numbers: Vec<u32>,
}

#[derive(Raw)]
struct NotALength {
    size: f32,
    #[raw(len_in = size)]
    text: String,
}

#[derive(Raw)]
struct SizeOfThisMachine {
    size: usize,
}

struct Plain;

#[derive(Raw)]
struct Outer {
    plain: Plain,
}

fn main() {}
