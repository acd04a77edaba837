//! The packets of the vectors: derived, with nothing written by hand but how a byte string and a 128-bit number look
//! in JSON.

use std::collections::BTreeMap;

use netcore::{Describe, Packet, Raw};
use serde::{Deserialize, Serialize};

/// What a room server's client sends, in raw bodies.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) enum Request {
    #[packet(id = 201)]
    Ping { number: i16 },
    #[packet(id = 701)]
    Login {
        // Bytes: an id that is not UTF-8 is an invalid id, not a body that does not decode.
        #[raw(fixed = 16, trim = both)]
        #[serde(with = "hex")]
        user_id: Vec<u8>,
        #[raw(fixed = 16)]
        #[serde(with = "hex")]
        password: Vec<u8>,
    },
    #[packet(id = 721)]
    RoomEnter { room: i32 },
    #[packet(id = 726, ignore_extra)]
    RoomLeave,
    #[packet(id = 731)]
    RoomChat {
        #[raw(len = i16)]
        text: String,
    },
    #[packet(id = 741)]
    RoomRelay {
        #[raw(rest)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
    #[packet(id = 751, ignore_extra)]
    GameStart,
    #[packet(id = 761, ignore_extra)]
    GameBet { side: i8 },
}

/// What a room server sends, in raw bodies.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) enum Answer {
    #[packet(id = 202)]
    Pong { number: i16 },
    #[packet(id = 203)]
    Error { code: i16 },
    #[packet(id = 702)]
    Login { result: i16 },
    #[packet(id = 722)]
    RoomEnter { result: i16, room: i32, room_user_id: u64 },
    #[packet(id = 723)]
    RoomUserList {
        #[raw(count = i8)]
        users: Vec<User>,
    },
    #[packet(id = 724)]
    RoomNewUser(User),
    #[packet(id = 727)]
    RoomLeave { result: i16 },
    #[packet(id = 728)]
    RoomLeaveUser { room_user_id: u64 },
    #[packet(id = 732)]
    RoomChat { result: i16 },
    #[packet(id = 733)]
    RoomChatNotice {
        room_user_id: u64,
        #[raw(len = i16)]
        text: String,
    },
    #[packet(id = 742)]
    RoomRelayNotice {
        room_user_id: u64,
        #[raw(rest)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
    #[packet(id = 752)]
    GameStart { result: i16 },
    #[packet(id = 753)]
    GameStartNotice,
    #[packet(id = 762)]
    GameBet { result: i16 },
    #[packet(id = 763)]
    GameBetNotice { room_user_id: u64, side: i8 },
    #[packet(id = 764)]
    GameResult { banker: [i8; 3], player: [i8; 3], player_score: i8, banker_score: i8, result: i8 },
}

#[derive(Raw, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) struct User {
    room_user_id: u64,
    #[raw(len = i8, max = 16)]
    id: String,
}

/// Every kind of raw field.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) enum Kinds {
    #[packet(id = 1)]
    Unsigned {
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        #[serde(with = "decimal")]
        e: u128,
    },
    #[packet(id = 2)]
    Signed {
        a: i8,
        b: i16,
        c: i32,
        d: i64,
        #[serde(with = "decimal")]
        e: i128,
    },
    #[packet(id = 3)]
    Floats { single: f32, double: f64 },
    #[packet(id = 4)]
    Bool { flag: bool },
    #[packet(id = 5)]
    Arrays { points: [[i16; 2]; 2], flags: [bool; 3] },
    #[packet(id = 6)]
    Options {
        number: Option<u16>,
        #[raw(len = u8)]
        text: Option<String>,
    },
    #[packet(id = 7)]
    Nested { from: Point, to: Point },
    #[packet(id = 8)]
    Tagged { shape: Shape },
    #[packet(id = 9)]
    SignedTag { step: Step },
    #[packet(id = 10)]
    TextLen {
        #[raw(len = u8)]
        a: String,
        #[raw(len = u16)]
        b: String,
        #[raw(len = u32)]
        c: String,
    },
    #[packet(id = 11)]
    TextSignedLen {
        #[raw(len = i8)]
        a: String,
        #[raw(len = i16)]
        b: String,
        #[raw(len = i32)]
        c: String,
    },
    #[packet(id = 12)]
    TextFixed {
        #[raw(fixed = 8)]
        name: String,
        #[raw(fixed = 4, trim = both)]
        tag: String,
    },
    #[packet(id = 13)]
    TextHeld {
        len: u16,
        kind: u8,
        #[raw(len_in = len, max = 8)]
        text: String,
    },
    #[packet(id = 14)]
    TextRest {
        kind: u8,
        #[raw(rest, max = 8)]
        text: String,
    },
    #[packet(id = 15)]
    BytesLen {
        #[raw(len = u16, max = 8)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
    #[packet(id = 16)]
    BytesRest {
        #[raw(rest)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
    #[packet(id = 17)]
    BytesFixed {
        #[raw(fixed = 4)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
    #[packet(id = 18)]
    BytesHeld {
        len: i16,
        #[raw(len_in = len)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
    #[packet(id = 19)]
    ListCounted {
        #[raw(count = u16, max = 3)]
        numbers: Vec<u32>,
    },
    #[packet(id = 20)]
    ListSignedCount {
        #[raw(count = i32)]
        shapes: Vec<Shape>,
    },
    #[packet(id = 21)]
    ListHeld {
        count: i8,
        #[raw(count_in = count)]
        points: Vec<Point>,
    },
    #[packet(id = 22)]
    ListRest {
        #[raw(rest, max = 2)]
        points: Vec<Point>,
    },
    #[packet(id = 23)]
    ListOfText {
        #[raw(count = u8, item(len = u8, max = 4))]
        names: Vec<String>,
    },
    #[packet(id = 24)]
    Big(BigEndian),
    #[packet(id = 25)]
    Empty,
    #[packet(id = 26, ignore_extra)]
    ExtraIgnored { a: u8 },
    #[packet(id = 27, max = 4)]
    Short {
        #[raw(rest)]
        text: String,
    },
}

#[derive(Raw, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) struct Point {
    x: i32,
    y: i32,
}

#[derive(Raw, Serialize, Deserialize, Debug, PartialEq)]
#[raw(tag = u8)]
pub(crate) enum Shape {
    Dot,
    Circle {
        radius: u16,
    },
    #[raw(tag = 9)]
    Label {
        #[raw(len = u8)]
        text: String,
    },
}

#[derive(Raw, Serialize, Deserialize, Debug, PartialEq)]
#[raw(tag = i16)]
pub(crate) enum Step {
    #[raw(tag = -1)]
    Back,
    Stay,
    #[raw(tag = 300)]
    Jump {
        far: i8,
    },
}

/// The order of a struct holds for what lies inside it too.
#[derive(Raw, Serialize, Deserialize, Debug, PartialEq)]
#[raw(big_endian)]
pub(crate) struct BigEndian {
    a: u16,
    b: i32,
    c: f32,
    #[raw(len = u16)]
    text: String,
    point: Point,
}

/// What a room server's client sends, in MessagePack bodies.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
#[packet(format = MsgPack)]
pub(crate) enum MsgPackRequest {
    #[packet(id = 201, format = Raw)]
    Ping { number: i16 },
    #[packet(id = 701)]
    Login {
        // A missing id is an invalid one, a missing password an empty one: neither is a body that does not decode.
        #[serde(rename = "UserID", default)]
        user_id: Option<String>,
        #[serde(rename = "UserPW", default)]
        password: Option<String>,
    },
    #[packet(id = 721)]
    RoomEnter {
        // Wider than a room number: one outside i32 is a room that does not exist, and decodes.
        #[serde(rename = "RoomNumber")]
        room: i64,
    },
    #[packet(id = 726, ignore_extra)]
    RoomLeave,
    #[packet(id = 731)]
    RoomChat {
        #[serde(rename = "Msg")]
        text: String,
    },
    #[packet(id = 741, format = Raw)]
    RoomRelay {
        #[raw(rest)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
}

/// What a room server sends, in MessagePack bodies.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
#[packet(format = MsgPack)]
pub(crate) enum MsgPackAnswer {
    #[packet(id = 202, format = Raw)]
    Pong { number: i16 },
    #[packet(id = 203)]
    Error {
        #[serde(rename = "ErrorCode")]
        code: i16,
    },
    #[packet(id = 702)]
    Login {
        #[serde(rename = "Result")]
        result: i16,
    },
    #[packet(id = 722)]
    RoomEnter {
        #[serde(rename = "Result")]
        result: i16,
        #[serde(rename = "RoomUserUniqueId")]
        room_user_id: u64,
    },
    #[packet(id = 723)]
    RoomUserList {
        #[serde(rename = "UserCount")]
        count: i32,
        #[serde(rename = "UniqueId")]
        room_user_ids: Vec<u64>,
        #[serde(rename = "ID")]
        ids: Vec<String>,
    },
    #[packet(id = 724)]
    RoomNewUser {
        #[serde(rename = "UniqueId")]
        room_user_id: u64,
        #[serde(rename = "ID")]
        id: String,
    },
    #[packet(id = 727)]
    RoomLeave {
        #[serde(rename = "Result")]
        result: i16,
    },
    #[packet(id = 728)]
    RoomLeaveUser {
        #[serde(rename = "UserUniqueId")]
        room_user_id: u64,
    },
    #[packet(id = 732)]
    RoomChat {
        #[serde(rename = "Result")]
        result: i16,
    },
    #[packet(id = 733)]
    RoomChatNotice {
        #[serde(rename = "UserUniqueId")]
        room_user_id: u64,
        #[serde(rename = "Msg")]
        text: String,
    },
    #[packet(id = 742, format = Raw)]
    RoomRelayNotice {
        room_user_id: u64,
        #[raw(rest)]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
}

/// The messages of `proto/samples.proto`, under ids of their own.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
#[packet(format = Protobuf)]
pub(crate) enum Sample {
    #[packet(id = 1)]
    Move(Move),
    #[packet(id = 2)]
    ChatLine(ChatLine),
    #[packet(id = 3)]
    Inventory(Inventory),
}

#[derive(Clone, PartialEq, prost::Message, Describe, Serialize, Deserialize)]
pub(crate) struct Move {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(float, tag = "2")]
    x: f32,
    #[prost(float, tag = "3")]
    y: f32,
    #[prost(float, tag = "4")]
    z: f32,
    #[prost(float, tag = "5")]
    vx: f32,
    #[prost(float, tag = "6")]
    vy: f32,
    #[prost(float, tag = "7")]
    vz: f32,
}

#[derive(Clone, PartialEq, prost::Message, Describe, Serialize, Deserialize)]
pub(crate) struct ChatLine {
    #[prost(uint64, tag = "1")]
    user_id: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    text: String,
}

#[derive(Clone, PartialEq, prost::Message, Describe, Serialize, Deserialize)]
pub(crate) struct Inventory {
    #[prost(message, repeated, tag = "1")]
    items: Vec<Item>,
}

#[derive(Clone, PartialEq, prost::Message, Describe, Serialize, Deserialize)]
pub(crate) struct Item {
    #[prost(uint32, tag = "1")]
    item_id: u32,
    #[prost(uint32, tag = "2")]
    count: u32,
    #[prost(uint32, tag = "3")]
    slot: u32,
    #[prost(bool, tag = "4")]
    equipped: bool,
}

/// Types that contain themselves, and each other.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
#[packet(format = MsgPack)]
pub(crate) enum Recursive {
    #[packet(id = 1)]
    Tree(Tree),
}

#[derive(Describe, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) struct Tree {
    name: String,
    #[describe(recursive)]
    grafts: BTreeMap<String, Tree>,
    fruits: Vec<Fruit>,
}

#[derive(Describe, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) struct Fruit {
    #[describe(recursive)]
    inner: Option<Box<Fruit>>,
    #[describe(recursive)]
    seeds: Vec<Tree>,
}

/// Request numbers in front of bodies of every format.
#[derive(Packet, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) enum Numbered {
    #[packet(id = 24, numbered)]
    Big(u32, BigEndian),
    #[packet(id = 201, reply = 202, numbered)]
    Ping { request: u32 },
    #[packet(id = 202, numbered)]
    Pong { request: u32 },
    #[packet(id = 701, reply = 702, numbered, format = MsgPack)]
    Login {
        request: u32,
        #[serde(rename = "UserID")]
        user_id: String,
    },
    #[packet(id = 702, numbered, format = MsgPackArray)]
    LoggedIn { request: u32, result: i16 },
    #[packet(id = 721, reply = 722, numbered)]
    RoomEnter { request: u32, room: i32 },
    #[packet(id = 722, numbered, max = 8, ignore_extra)]
    RoomEntered {
        request: u32,
        #[raw(len = u8)]
        topic: String,
    },
    #[packet(id = 733, numbered, format = Protobuf)]
    ChatLine(u32, ChatLine),
}

/// The worked example of WIRE §6.
#[derive(Packet)]
#[allow(dead_code)]
pub(crate) enum Example {
    #[packet(id = 731)]
    Chat {
        #[raw(len = i16, max = 126)]
        text: String,
    },
}

/// Bytes as a hex string.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::super::values::to_hex(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        super::super::values::from_hex(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("not hex"))
    }
}

/// A number as a decimal string.
mod decimal {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(number: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| D::Error::custom("not a number"))
    }
}
