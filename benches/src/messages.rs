//! Three messages as raw structs, for serde and for protobuf, and packets that carry them in each format.

use std::fmt::Debug;
use std::hint::black_box;

use bytes::{BufMut, BytesMut};
use netcore::body::RawBody;
use netcore::{Describe, Header, Packet, PacketId, PacketType, Raw};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::hand::Malformed;

pub mod proto {
    //! What `proto/samples.proto` compiles to.
    #![allow(missing_docs, reason = "the fields are those of the .proto file")]
    include!(concat!(env!("OUT_DIR"), "/netcore.samples.rs"));
}

/// Where a player is, and how fast: 28 bytes raw.
#[derive(Raw, Describe, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Move {
    /// Who.
    pub id: u32,
    /// Where.
    pub x: f32,
    /// Where.
    pub y: f32,
    /// Where.
    pub z: f32,
    /// How fast.
    pub vx: f32,
    /// How fast.
    pub vy: f32,
    /// How fast.
    pub vz: f32,
}

/// A line of chat.
#[derive(Raw, Describe, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ChatLine {
    /// Who says it.
    pub user_id: u64,
    /// Under which name.
    #[raw(len = u8)]
    pub name: String,
    /// What.
    #[raw(len = u16)]
    pub text: String,
}

/// All that a player carries.
#[derive(Raw, Describe, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Inventory {
    /// One by one.
    #[raw(count = u16)]
    pub items: Vec<Item>,
}

/// One thing that a player carries.
#[derive(Raw, Describe, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Item {
    /// What.
    pub item_id: u32,
    /// How many.
    pub count: u32,
    /// Where.
    pub slot: u32,
    /// Whether it is in use.
    pub equipped: bool,
}

/// The messages in raw bodies.
#[derive(Packet, Clone, Debug, PartialEq)]
pub enum RawPacket {
    /// A [`Move`].
    #[packet(id = 1)]
    Move(Move),
    /// A [`ChatLine`].
    #[packet(id = 2)]
    Chat(ChatLine),
    /// An [`Inventory`].
    #[packet(id = 3)]
    Inventory(Inventory),
}

/// The messages in MessagePack with maps.
#[derive(Packet, Clone, Debug, PartialEq)]
#[packet(format = MsgPack)]
pub enum MsgPackPacket {
    /// A [`Move`].
    #[packet(id = 1)]
    Move(Move),
    /// A [`ChatLine`].
    #[packet(id = 2)]
    Chat(ChatLine),
    /// An [`Inventory`].
    #[packet(id = 3)]
    Inventory(Inventory),
}

/// The messages in MessagePack with arrays.
#[derive(Packet, Clone, Debug, PartialEq)]
#[packet(format = MsgPackArray)]
pub enum MsgPackArrayPacket {
    /// A [`Move`].
    #[packet(id = 1)]
    Move(Move),
    /// A [`ChatLine`].
    #[packet(id = 2)]
    Chat(ChatLine),
    /// An [`Inventory`].
    #[packet(id = 3)]
    Inventory(Inventory),
}

/// The messages in protobuf.
#[derive(Packet, Clone, Debug, PartialEq)]
#[packet(format = Protobuf)]
pub enum ProtobufPacket {
    /// A [`Move`].
    #[packet(id = 1)]
    Move(proto::Move),
    /// A [`ChatLine`].
    #[packet(id = 2)]
    Chat(proto::ChatLine),
    /// An [`Inventory`].
    #[packet(id = 3)]
    Inventory(proto::Inventory),
}

/// What a team writes around a bare library: a body is decoded by its id into the enum, and encoded out of it.
///
/// The enum's own `decode` and `encode_body` are held against it. What the format costs by itself is what a value alone
/// costs through [`Format`](netcore::body::Format), held against the library alone.
pub trait ById: Packet {
    /// What the library returns for a body that it refuses.
    type Refused;

    /// Reads the body that `id` announces. An id that is not known has no packet and no error of the library's.
    ///
    /// # Errors
    /// Those of the library.
    fn read(id: PacketId, body: &[u8]) -> Result<Self, Option<Self::Refused>>;

    /// Writes the body, and says whether that went well. `scratch` is kept from one to the next.
    fn write(&self, scratch: &mut Vec<u8>, to: &mut BytesMut) -> bool;
}

macro_rules! by_id {
    ($($packet:ident: $refused:ty, $read:expr, $write:expr;)*) => {$(
        impl ById for $packet {
            type Refused = $refused;

            #[inline(always)]
            fn read(id: PacketId, body: &[u8]) -> Result<Self, Option<Self::Refused>> {
                match id.0 {
                    1 => Ok(Self::Move($read(body)?)),
                    2 => Ok(Self::Chat($read(body)?)),
                    3 => Ok(Self::Inventory($read(body)?)),
                    _ => Err(None),
                }
            }

            #[inline]
            fn write(&self, scratch: &mut Vec<u8>, to: &mut BytesMut) -> bool {
                match self {
                    Self::Move(message) => $write(message, scratch, to),
                    Self::Chat(message) => $write(message, scratch, to),
                    Self::Inventory(message) => $write(message, scratch, to),
                }
            }
        }
    )*};
}

by_id! {
    RawPacket: Malformed, Message::read_by_hand, raw;
    MsgPackPacket: rmp_serde::decode::Error, rmp_serde::from_slice, msgpack;
    MsgPackArrayPacket: rmp_serde::decode::Error, rmp_serde::from_slice, msgpack_array;
    ProtobufPacket: prost::DecodeError, prost::Message::decode, protobuf;
}

#[inline]
fn raw<M: Message>(message: &M, _: &mut Vec<u8>, to: &mut BytesMut) -> bool {
    message.write_by_hand(to);
    true
}

#[inline]
fn msgpack<M: Message>(message: &M, scratch: &mut Vec<u8>, to: &mut BytesMut) -> bool {
    msgpack_by_scratch(message, scratch, to).is_ok()
}

#[inline]
fn msgpack_array<M: Message>(message: &M, scratch: &mut Vec<u8>, to: &mut BytesMut) -> bool {
    msgpack_array_by_scratch(message, scratch, to).is_ok()
}

#[inline]
fn protobuf<M: prost::Message>(message: &M, _: &mut Vec<u8>, to: &mut BytesMut) -> bool {
    message.encode(to).is_ok()
}

/// A message in all its forms.
pub trait Message: RawBody + Serialize + DeserializeOwned + Clone + Debug + PartialEq {
    /// Its protobuf form.
    type Proto: prost::Message + Default + Clone + PartialEq;
    /// Its id in every set of packets.
    const ID: u16;
    /// Its name in the reports.
    const NAME: &'static str;

    /// The message that is measured.
    fn sample() -> Self;
    /// The same in protobuf.
    fn proto(self) -> Self::Proto;
    /// The same as a packet with a raw body.
    fn raw(self) -> RawPacket;
    /// The same as a packet in MessagePack with maps.
    fn msgpack(self) -> MsgPackPacket;
    /// The same as a packet in MessagePack with arrays.
    fn msgpack_array(self) -> MsgPackArrayPacket;
    /// The same as a packet in protobuf.
    fn protobuf(self) -> ProtobufPacket;

    /// Writes the raw body, by hand.
    fn write_by_hand(&self, to: &mut BytesMut);
    /// Reads the raw body, by hand.
    ///
    /// # Errors
    /// [`Malformed`].
    fn read_by_hand(body: &[u8]) -> Result<Self, Malformed>;
}

macro_rules! forms {
    ($variant:ident($proto:ident), $id:literal, $name:literal) => {
        type Proto = proto::$proto;
        const ID: u16 = $id;
        const NAME: &'static str = $name;

        fn raw(self) -> RawPacket {
            RawPacket::$variant(self)
        }

        fn msgpack(self) -> MsgPackPacket {
            MsgPackPacket::$variant(self)
        }

        fn msgpack_array(self) -> MsgPackArrayPacket {
            MsgPackArrayPacket::$variant(self)
        }

        fn protobuf(self) -> ProtobufPacket {
            ProtobufPacket::$variant(self.proto())
        }
    };
}

impl Message for Move {
    forms!(Move(Move), 1, "move");

    fn sample() -> Self {
        Self { id: 70_001, x: 12.5, y: -3.25, z: 900.125, vx: 0.5, vy: 0.0, vz: -1.75 }
    }

    fn proto(self) -> proto::Move {
        let Self { id, x, y, z, vx, vy, vz } = self;
        proto::Move { id, x, y, z, vx, vy, vz }
    }

    #[inline]
    fn write_by_hand(&self, to: &mut BytesMut) {
        let Self { id, x, y, z, vx, vy, vz } = self;
        let mut body = [0; 28];
        let floats = [x, y, z, vx, vy, vz].map(|float| float.to_bits());
        for (slot, number) in body.as_chunks_mut().0.iter_mut().zip([*id].into_iter().chain(floats)) {
            *slot = number.to_le_bytes();
        }
        to.extend_from_slice(&body);
    }

    #[inline]
    fn read_by_hand(body: &[u8]) -> Result<Self, Malformed> {
        let ([id, x, y, z, vx, vy, vz], []) = body.as_chunks() else { return Err(Malformed) };
        let float = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        Ok(Self {
            id: u32::from_le_bytes(*id),
            x: float(x),
            y: float(y),
            z: float(z),
            vx: float(vx),
            vy: float(vy),
            vz: float(vz),
        })
    }
}

impl Message for ChatLine {
    forms!(Chat(ChatLine), 2, "chat");

    fn sample() -> Self {
        Self {
            user_id: 9_000_000_017,
            name: "Brunhild the Third".into(),
            text: "meet me at the old mill before dusk, and bring the map".into(),
        }
    }

    fn proto(self) -> proto::ChatLine {
        let Self { user_id, name, text } = self;
        proto::ChatLine { user_id, name, text }
    }

    #[inline]
    fn write_by_hand(&self, to: &mut BytesMut) {
        let Self { user_id, name, text } = self;
        // What is over its length is cut by no peer: the sample fits.
        let (name_len, text_len) = (name.len() as u8, text.len() as u16);
        to.reserve(11 + name.len() + text.len());
        to.extend_from_slice(&user_id.to_le_bytes());
        to.extend_from_slice(&name_len.to_le_bytes());
        to.extend_from_slice(name.as_bytes());
        to.extend_from_slice(&text_len.to_le_bytes());
        to.extend_from_slice(text.as_bytes());
    }

    #[inline]
    fn read_by_hand(body: &[u8]) -> Result<Self, Malformed> {
        let read = || {
            let (user_id, rest) = body.split_first_chunk()?;
            let (name_len, rest) = rest.split_first()?;
            let (name, rest) = rest.split_at_checked(usize::from(*name_len))?;
            let (text_len, rest) = rest.split_first_chunk()?;
            let (text, []) = rest.split_at_checked(usize::from(u16::from_le_bytes(*text_len)))? else {
                return None;
            };
            Some(Self {
                user_id: u64::from_le_bytes(*user_id),
                name: std::str::from_utf8(name).ok()?.to_owned(),
                text: std::str::from_utf8(text).ok()?.to_owned(),
            })
        };
        read().ok_or(Malformed)
    }
}

impl Message for Inventory {
    forms!(Inventory(Inventory), 3, "inventory");

    fn sample() -> Self {
        let item =
            |slot: u32| Item { item_id: 1000 + slot * 37, count: slot % 20 + 1, slot, equipped: slot < 8 };
        Self { items: (0..50).map(item).collect() }
    }

    fn proto(self) -> proto::Inventory {
        let item = |Item { item_id, count, slot, equipped }| proto::Item { item_id, count, slot, equipped };
        proto::Inventory { items: self.items.into_iter().map(item).collect() }
    }

    #[inline]
    fn write_by_hand(&self, to: &mut BytesMut) {
        to.reserve(2 + self.items.len() * 13);
        to.extend_from_slice(&(self.items.len() as u16).to_le_bytes());
        for Item { item_id, count, slot, equipped } in &self.items {
            let mut item = [0; 13];
            for (slot, number) in item.as_chunks_mut().0.iter_mut().zip([item_id, count, slot]) {
                *slot = number.to_le_bytes();
            }
            item[12] = u8::from(*equipped);
            to.extend_from_slice(&item);
        }
    }

    #[inline]
    fn read_by_hand(body: &[u8]) -> Result<Self, Malformed> {
        let (count, rest) = body.split_first_chunk().ok_or(Malformed)?;
        let (items, []) = rest.as_chunks::<13>() else { return Err(Malformed) };
        if items.len() != usize::from(u16::from_le_bytes(*count)) {
            return Err(Malformed);
        }
        let item = |bytes: &[u8; 13]| {
            let ([item_id, count, slot], [equipped]) = bytes.as_chunks() else { return Err(Malformed) };
            let equipped = match equipped {
                0 => false,
                1 => true,
                _ => return Err(Malformed),
            };
            let number = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
            Ok(Item { item_id: number(item_id), count: number(count), slot: number(slot), equipped })
        };
        let mut read = Vec::with_capacity(items.len());
        for bytes in items {
            read.push(item(bytes)?);
        }
        Ok(Self { items: read })
    }
}

/// Takes the value out of its `Result` and shows it to the optimizer. The error is taken too, as by a server that tells
/// of it: a `Result` that is left to be dropped as a whole keeps even a good value from being taken apart.
#[inline(always)]
pub fn taken<T, E>(decoded: Result<T, E>) -> bool {
    match decoded {
        Ok(value) => {
            black_box(&value);
            true
        }
        Err(error) => {
            drop(error);
            false
        }
    }
}

/// As [`taken`], and all fields of the value are used, as a game does that matches on its packets.
#[inline(always)]
pub fn used<T: Used, E>(decoded: Result<T, E>) -> bool {
    match decoded {
        Ok(value) => {
            black_box(value.sum());
            true
        }
        Err(error) => {
            drop(error);
            false
        }
    }
}

/// A message all of whose fields can be used.
pub trait Used {
    /// The sum of all numbers and of the lengths of all texts: the least that can be done with every field.
    fn sum(&self) -> u64;
}

impl Used for Move {
    #[inline]
    fn sum(&self) -> u64 {
        [self.x, self.y, self.z, self.vx, self.vy, self.vz]
            .into_iter()
            .fold(u64::from(self.id), |sum, float| sum.wrapping_add(u64::from(float.to_bits())))
    }
}

impl Used for ChatLine {
    #[inline]
    fn sum(&self) -> u64 {
        self.user_id.wrapping_add((self.name.len() + self.text.len()) as u64)
    }
}

impl Used for Inventory {
    #[inline]
    fn sum(&self) -> u64 {
        let one = |item: &Item| item.item_id ^ item.count ^ item.slot ^ u32::from(item.equipped);
        self.items.iter().fold(0, |sum, item| sum.wrapping_add(u64::from(one(item))))
    }
}

impl Used for RawPacket {
    #[inline]
    fn sum(&self) -> u64 {
        match self {
            Self::Move(message) => message.sum(),
            Self::Chat(message) => message.sum(),
            Self::Inventory(message) => message.sum(),
        }
    }
}

/// The header in front of a body of `len` bytes.
#[must_use]
pub fn header<M: Message>(len: usize) -> Option<Header> {
    Header::new(PacketId(M::ID), PacketType::NORMAL, len).ok()
}

/// `rmp_serde` into a `Vec` that is kept, which is then copied: its fastest way into a send buffer.
///
/// # Errors
/// Those of `rmp_serde`.
#[inline]
pub fn msgpack_by_scratch<T: Serialize>(
    value: &T,
    scratch: &mut Vec<u8>,
    to: &mut BytesMut,
) -> Result<(), rmp_serde::encode::Error> {
    scratch.clear();
    value.serialize(&mut rmp_serde::Serializer::new(&mut *scratch).with_struct_map())?;
    to.extend_from_slice(scratch);
    Ok(())
}

/// The same with structs as arrays.
///
/// # Errors
/// Those of `rmp_serde`.
#[inline]
pub fn msgpack_array_by_scratch<T: Serialize>(
    value: &T,
    scratch: &mut Vec<u8>,
    to: &mut BytesMut,
) -> Result<(), rmp_serde::encode::Error> {
    scratch.clear();
    value.serialize(&mut rmp_serde::Serializer::new(&mut *scratch))?;
    to.extend_from_slice(scratch);
    Ok(())
}

/// `rmp_serde` straight into the send buffer.
///
/// # Errors
/// Those of `rmp_serde`.
#[inline]
pub fn msgpack_by_writer<T: Serialize>(value: &T, to: &mut BytesMut) -> Result<(), rmp_serde::encode::Error> {
    value.serialize(&mut rmp_serde::Serializer::new(to.writer()).with_struct_map())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use netcore::body::Reader;
    use netcore::schema::{By, Type};
    use netcore::{Packet, PacketId, Schema};
    use prost::Message as _;

    use super::{
        ById, ChatLine, Inventory, Message, Move, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket,
        RawPacket, header, msgpack_array_by_scratch, msgpack_by_scratch, msgpack_by_writer,
    };

    fn body<P: Packet>(packet: &P) -> BytesMut {
        let mut body = BytesMut::new();
        packet.encode_body(&mut body).unwrap();
        body
    }

    fn decode<M: Message, P: Packet>(body: &[u8]) -> P {
        P::decode(header::<M>(body.len()).unwrap(), Reader::new(body)).unwrap()
    }

    fn by_id_alike<M: Message, P: ById + PartialEq + std::fmt::Debug>(packet: P) {
        let mut to = BytesMut::new();
        assert!(packet.write(&mut Vec::new(), &mut to));
        assert_eq!(to, body(&packet));
        assert_eq!(P::read(PacketId(M::ID), &to).ok(), Some(packet));
        assert!(P::read(PacketId(99), &to).is_err());
    }

    fn alike<M: Message>() {
        let message = M::sample();
        let (mut to, mut scratch) = (BytesMut::new(), Vec::new());

        message.write_by_hand(&mut to);
        assert_eq!(to, body(&message.clone().raw()));
        assert_eq!(M::read_by_hand(&to).unwrap(), message);
        assert_eq!(decode::<M, RawPacket>(&to), message.clone().raw());
        assert!(M::read_by_hand(&to[1..]).is_err());

        to.clear();
        msgpack_by_scratch(&message, &mut scratch, &mut to).unwrap();
        assert_eq!(to, body(&message.clone().msgpack()));
        assert_eq!(rmp_serde::from_slice::<M>(&to).unwrap(), message);
        assert_eq!(decode::<M, MsgPackPacket>(&to), message.clone().msgpack());
        let mut written = BytesMut::new();
        msgpack_by_writer(&message, &mut written).unwrap();
        assert_eq!(written, to);

        to.clear();
        msgpack_array_by_scratch(&message, &mut scratch, &mut to).unwrap();
        assert_eq!(to, body(&message.clone().msgpack_array()));
        assert_eq!(decode::<M, MsgPackArrayPacket>(&to), message.clone().msgpack_array());

        to.clear();
        message.clone().proto().encode(&mut to).unwrap();
        assert_eq!(to, body(&message.clone().protobuf()));
        assert!(M::Proto::decode(&to[..]).unwrap() == message.clone().proto());
        assert_eq!(decode::<M, ProtobufPacket>(&to), message.clone().protobuf());

        by_id_alike::<M, _>(message.clone().raw());
        by_id_alike::<M, _>(message.clone().msgpack());
        by_id_alike::<M, _>(message.clone().msgpack_array());
        by_id_alike::<M, _>(message.protobuf());
    }

    #[test]
    fn every_peer_writes_and_reads_the_same() {
        alike::<Move>();
        alike::<ChatLine>();
        alike::<Inventory>();
        assert_eq!(body(&Move::sample().raw()).len(), 28);
        assert_eq!(Inventory::sample().items.len(), 50);
    }

    fn fields(schema: &Schema, packet: usize) -> Vec<(u32, String, Type)> {
        let Type::Struct(body) = &*schema.packets[packet].body else { panic!("no struct") };
        assert_eq!(body.by, By::Number);
        body.fields.iter().map(|field| (field.number, field.name.to_string(), (*field.ty).clone())).collect()
    }

    #[test]
    fn generated_messages_describe_their_fields_by_number() {
        let schema = ProtobufPacket::SCHEMA;
        let moved = fields(schema, 0);
        assert_eq!(moved.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
        assert!(matches!(moved[0].2, Type::Int(_)) && matches!(moved[6].2, Type::Float { .. }), "{moved:?}");
        let chat = fields(schema, 1);
        let names: Vec<_> = chat.iter().map(|(_, name, _)| &name[..]).collect();
        assert_eq!(names, ["user_id", "name", "text"]);
        assert!(matches!(chat[2].2, Type::Text(_)), "{chat:?}");
        let [(1, _, Type::List { item, .. })] = &fields(schema, 2)[..] else { panic!("no list") };
        let Type::Struct(item) = &**item else { panic!("items are {item:?}") };
        assert_eq!((item.by, item.fields.len()), (By::Number, 4));
    }
}
