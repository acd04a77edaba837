use netcore::Raw;

#[derive(Raw)]
struct Unknown {
    #[raw(length = u16)]
    text: String,
}

#[derive(Raw)]
struct TwoEnds {
    #[raw(len = u16, rest)]
    text: String,
}

#[derive(Raw)]
struct RestInFront {
    #[raw(rest)]
    text: String,
    at: u32,
}

#[derive(Raw)]
struct NoSuchField {
    #[raw(len_in = size)]
    text: String,
    size: u8,
}

#[derive(Raw)]
struct LengthByPosition(u8, #[raw(len_in = 0)] String);

#[derive(Raw)]
#[raw(crate = "netcore")]
struct CrateAsText {
    size: u8,
}

#[derive(Raw)]
struct BadLength {
    #[raw(len = u64)]
    text: String,
}

#[derive(Raw)]
struct NumberAsLength {
    #[raw(len = 16)]
    text: String,
}

#[derive(Raw)]
struct MaxAlone {
    #[raw(max = 16)]
    text: String,
}

#[derive(Raw)]
struct MaxOfFixed {
    #[raw(fixed = 16, max = 8)]
    text: String,
}

#[derive(Raw)]
struct ItemOfText {
    #[raw(len = u8, item(len = u8))]
    text: String,
}

#[derive(Raw)]
struct ItemOfRestText {
    #[raw(rest, item(len = u8))]
    text: String,
}

#[derive(Raw)]
struct ItemWithoutEnd {
    #[raw(count = u8, item(rest))]
    texts: Vec<String>,
}

#[derive(Raw)]
struct TrimAlone {
    #[raw(trim = end)]
    text: String,
}

#[derive(Raw)]
struct TrimOfLen {
    #[raw(len = u8, trim = both)]
    text: String,
}

#[derive(Raw)]
struct TrimLeft {
    #[raw(fixed = 16, trim = left)]
    text: String,
}

#[derive(Raw)]
struct CountOfText {
    #[raw(count = u8)]
    text: String,
}

#[derive(Raw)]
#[raw(little_endian)]
struct UnknownOnType {
    at: u32,
}

#[derive(Raw)]
#[raw(tag = u8)]
struct Tagged {
    at: u32,
}

fn main() {}
