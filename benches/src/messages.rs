//! Three messages as raw structs, for serde and for protobuf, and packets that carry them in each format.

mod bare;
mod used;

use std::fmt::Debug;

use bytes::BytesMut;
use netcore::body::RawBody;
use netcore::{Describe, Packet, Raw};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use bare::{ById, header, msgpack_array_by_scratch, msgpack_by_scratch, msgpack_by_writer};
pub use used::{Used, taken, used};

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

#[cfg(test)]
mod tests;
