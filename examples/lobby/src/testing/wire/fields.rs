//! Fields of the three formats, built byte by byte.

pub(super) fn raw_user(user: u64, name: &str) -> Vec<u8> {
    [&user.to_le_bytes()[..], &raw_name(name)].concat()
}

pub(super) fn raw_name(name: &str) -> Vec<u8> {
    [&[name.len() as u8], name.as_bytes()].concat()
}

pub(super) fn raw_text(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [&(text.len() as i16).to_le_bytes()[..], text].concat()
}

pub(super) fn protobuf_user(user: u64, name: &str) -> Vec<u8> {
    [varint(1, user), bytes(2, name)].concat()
}

/// A MessagePack text.
pub fn text(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    let len = text.len() as u8;
    let head = if len < 32 { vec![0xa0 | len] } else { vec![0xd9, len] };
    [&head, text].concat()
}

/// How a MessagePack list of so many begins, as short as it can.
pub(super) fn list(len: usize) -> Vec<u8> {
    if len < 16 { vec![0x90 | len as u8] } else { [&[0xdc][..], &(len as u16).to_be_bytes()].concat() }
}

/// A MessagePack integer, as short as it can be.
pub fn int(number: u64) -> Vec<u8> {
    match number {
        0..=127 => vec![number as u8],
        128..=255 => vec![0xcc, number as u8],
        256..=65_535 => [&[0xcd][..], &(number as u16).to_be_bytes()].concat(),
        _ => panic!("not in these tests"),
    }
}

/// A protobuf field with a number, left out if it is 0.
pub fn varint(field: u8, number: u64) -> Vec<u8> {
    if number == 0 { Vec::new() } else { [vec![field << 3], base128(number)].concat() }
}

/// A protobuf field with bytes, left out if there are none.
pub fn bytes(field: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    if bytes.is_empty() {
        return Vec::new();
    }
    [&[field << 3 | 2], &base128(bytes.len() as u64)[..], bytes].concat()
}

fn base128(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
