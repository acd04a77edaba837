//! The bare libraries, in their fastest use.

use bytes::{BufMut, BytesMut};
use netcore::{Header, Packet, PacketId, PacketType};
use serde::Serialize;

use super::{Message, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket, RawPacket};
use crate::hand::Malformed;

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
