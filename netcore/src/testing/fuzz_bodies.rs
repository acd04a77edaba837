//! Bodies of every format, a whole enum of packets, and schemas: what decodes is written and read again without change.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::body::{BigEndian, BodyError, Format, LittleEndian, RawBody, Reader};
use crate::{Describe, Frame, MsgPack, MsgPackArray, Packet, Protobuf, Raw, Schema};

/// Raw bodies of every kind of field, in both byte orders.
pub fn raw_bodies(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    match which % 6 {
        0 => raw::<Numbers, LittleEndian>(body),
        1 => raw::<Numbers, BigEndian>(body),
        2 => raw::<Texts, LittleEndian>(body),
        3 => raw::<Lists, LittleEndian>(body),
        4 => raw::<Choice, LittleEndian>(body),
        _ => raw::<Held, BigEndian>(body),
    }
}

fn raw<T: RawBody<E>, E: crate::body::Endian>(body: &[u8]) {
    let shared = Bytes::copy_from_slice(body);
    let mut from = Reader::shared(&shared);
    let Ok(value) = T::read(&mut from) else { return };
    let used = body.len() - from.remaining();
    let (min, max) = T::TYPE.sizes();
    assert!(used >= min && max.is_none_or(|max| used <= max), "{used} bytes are not {min} to {max:?}");
    assert_eq!(min, T::MIN);
    let mut again = BytesMut::new();
    value.write(&mut again).unwrap();
    // Padding that was not zeros all through is the one thing that may change, and that only once.
    let mut third = BytesMut::new();
    T::read(&mut Reader::new(&again)).unwrap().write(&mut third).unwrap();
    assert_eq!(again, third);
    assert_eq!(again.len(), used);
}

#[derive(Raw, Debug)]
#[raw(crate = crate)]
struct Numbers {
    b: u8,
    c: i16,
    d: u32,
    e: i64,
    f: u128,
    g: f32,
    h: f64,
    i: bool,
    j: [u16; 3],
    k: [Point; 2],
    l: Option<Point>,
}

#[derive(Raw, Debug, Clone, PartialEq)]
#[raw(crate = crate)]
struct Point {
    x: i16,
    y: i16,
}

#[derive(Raw, Debug)]
#[raw(crate = crate)]
struct Texts {
    #[raw(fixed = 4)]
    fixed: String,
    #[raw(fixed = 4, trim = both)]
    trimmed: Bytes,
    #[raw(len = i8, max = 20)]
    short: String,
    #[raw(len = u16)]
    bytes: Vec<u8>,
    #[raw(len = u8)]
    maybe: Option<String>,
    #[raw(rest, max = 100)]
    rest: Bytes,
}

#[derive(Raw, Debug)]
#[raw(crate = crate)]
struct Lists {
    #[raw(count = i8)]
    points: Vec<Point>,
    #[raw(count = u32, item(len = u8))]
    names: Vec<String>,
    #[raw(count = u16, max = 3, item(count = u8))]
    grid: Vec<Vec<u8>>,
    #[raw(rest)]
    rest: Vec<Choice>,
}

#[derive(Raw, Debug)]
#[raw(crate = crate, tag = i16)]
enum Choice {
    Nothing,
    #[raw(tag = -2)]
    Point(Point),
    Named {
        #[raw(len = u8)]
        name: String,
    },
}

#[derive(Raw, Debug)]
#[raw(crate = crate)]
struct Held {
    names: i16,
    size: u8,
    #[raw(count_in = names, item(fixed = 3))]
    list: Vec<String>,
    #[raw(len_in = size)]
    text: String,
}

/// MessagePack bodies: nested, recursive, with unknown keys, read as maps and as arrays.
pub fn msgpack_bodies(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    match which % 3 {
        0 => format::<MsgPack, Message>(body),
        1 => format::<MsgPackArray, Message>(body),
        _ => format::<MsgPack<4, 16>, Tree>(body),
    }
}

#[derive(Serialize, Deserialize, Describe, Debug)]
#[describe(crate = crate)]
#[serde(rename_all = "PascalCase")]
struct Message {
    user_id: String,
    result: i64,
    #[serde(default)]
    unique_ids: Vec<u64>,
    #[serde(default)]
    extra: Option<BTreeMap<String, f64>>,
    #[serde(default)]
    #[describe(recursive)]
    tree: Option<Tree>,
}

#[derive(Serialize, Deserialize, Debug)]
enum Tree {
    Leaf,
    Branch(Box<Tree>),
    Fork(Vec<Tree>),
    Named { name: String, inner: Box<Tree> },
}

/// Protobuf bodies.
pub fn protobuf_bodies(data: &[u8]) {
    format::<Protobuf, Inventory>(data);
}

#[derive(Clone, PartialEq, prost::Message, Describe)]
#[describe(crate = crate)]
struct Inventory {
    #[prost(string, tag = "1")]
    owner: String,
    #[prost(message, repeated, tag = "2")]
    items: Vec<Item>,
    #[prost(bytes = "bytes", tag = "3")]
    seal: Bytes,
    #[prost(btree_map = "string, uint32", tag = "4")]
    prices: BTreeMap<String, u32>,
    #[prost(message, optional, boxed, tag = "5")]
    inner: Option<Box<Inventory>>,
}

#[derive(Clone, PartialEq, prost::Message, Describe)]
#[describe(crate = crate)]
struct Item {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(sint64, tag = "2")]
    count: i64,
    #[prost(double, tag = "3")]
    weight: f64,
}

/// What decodes is written, read and written again without change.
fn format<F: Format<T>, T>(body: &[u8]) {
    let shared = Bytes::copy_from_slice(body);
    let by_share = F::decode(&mut Reader::shared(&shared));
    let by_copy = F::decode(&mut Reader::new(body));
    assert_eq!(by_share.is_ok(), by_copy.is_ok());
    let (Ok(by_share), Ok(by_copy)) = (by_share, by_copy) else { return };
    let first = encode::<F, T>(&by_share).unwrap();
    assert_eq!(first, encode::<F, T>(&by_copy).unwrap());
    let mut from = Reader::new(&first);
    let again = F::decode(&mut from).unwrap();
    assert_eq!(from.remaining(), 0);
    assert_eq!(first, encode::<F, T>(&again).unwrap());
}

fn encode<F: Format<T>, T>(value: &T) -> Result<BytesMut, BodyError> {
    let mut out = BytesMut::new();
    F::encode(value, &mut out).map(|()| out)
}

/// An enum of packets in three formats: any frame is a packet, or an error, and a packet is written as it is read.
pub fn derived_enum(data: &[u8]) {
    let Some(([which, low, high], body)) = data.split_first_chunk() else { return };
    let ids = Game::SCHEMA.packets.iter().map(|packet| packet.id.0);
    let known: Vec<u16> = ids.collect();
    let any = u16::from_le_bytes([*low, *high]);
    let id = known.get(usize::from(*which) % (known.len() + 1)).copied().unwrap_or(any);
    let frame = Frame::new(id, Bytes::copy_from_slice(body));
    let Ok(packet) = Game::from_frame(&frame) else { return };
    let first = Frame::from_packet(&packet).unwrap();
    assert_eq!(first.id, packet.id());
    let again = Frame::from_packet(&Game::from_frame(&first).unwrap()).unwrap();
    assert_eq!(first, again);
}

#[derive(Packet, Debug)]
#[packet(crate = crate)]
enum Game {
    #[packet(id = 1)]
    Ping,
    #[packet(id = 2)]
    Move { x: f32, y: f32, at: [i16; 2] },
    #[packet(id = 3, max = 40)]
    Say {
        #[raw(len = u16, max = 30)]
        text: String,
    },
    #[packet(id = 4, ignore_extra)]
    Side(i8),
    #[packet(id = 5)]
    Relay(#[raw(rest)] Bytes),
    #[packet(id = 6)]
    Texts(Texts),
    #[packet(id = 7, format = MsgPack)]
    Message(Message),
    #[packet(id = 8, format = MsgPack)]
    Login {
        #[serde(rename = "UserID")]
        user: String,
        #[serde(rename = "UserPW", default)]
        password: Option<String>,
    },
    #[packet(id = 9, format = MsgPackArray)]
    Score { user: u32, points: Vec<i32> },
    #[packet(id = 10, format = Protobuf)]
    Inventory(Inventory),
    #[packet(other)]
    Unknown(Frame),
}

/// A compact schema from a peer: read, shown, compared, written again without change.
pub fn schemas(data: &[u8]) {
    let Ok(schema) = Schema::from_compact(data) else { return };
    assert_eq!(schema.to_compact().unwrap(), data);
    assert_eq!(schema.compare(&schema), None);
    let _ = (schema.to_text(), schema.to_markdown());
    let ours = Game::SCHEMA;
    assert_eq!(schema.compare(ours).is_none(), schema.fingerprint() == ours.fingerprint());
    assert_eq!(ours.compare(&schema).is_none(), schema.compare(ours).is_none());
}

/// The compact form of a schema that has everything, to start a search from.
#[must_use]
pub fn schema_seed() -> Vec<u8> {
    Game::SCHEMA.to_compact().unwrap()
}
