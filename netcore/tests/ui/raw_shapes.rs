use netcore::Raw;

#[derive(Raw)]
enum NoTag {
    A,
}

#[derive(Raw)]
#[raw(tag = u8)]
enum SameTags {
    A = 1,
    B = 2,
    #[raw(tag = 1)]
    C,
    #[raw(tag = 0)]
    D,
    E,
}

#[derive(Raw)]
#[raw(tag = u8)]
enum TooHigh {
    A = 255,
    #[raw(tag = 256)]
    B,
    #[raw(tag = -1)]
    C,
}

#[derive(Raw)]
#[raw(tag = u64)]
enum BadTag {
    A,
}

#[derive(Raw)]
#[raw(tag = u8)]
enum NoLiteral {
    A = 1 + 1,
    #[raw(tag = ONE)]
    B,
    #[raw(number = 1)]
    C,
}

#[derive(Raw)]
#[raw(tag = u8)]
enum Empty {}

#[derive(Raw)]
union Both {
    a: u32,
    b: f32,
}

#[derive(Raw)]
struct WithType<T> {
    value: T,
}

#[derive(Raw)]
struct WithConst<const N: usize> {
    value: [u8; N],
}

fn main() {}
