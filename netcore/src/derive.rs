//! What the derive macros call. Not part of the API: it changes without notice.

pub use bytes::BytesMut;
#[cfg(feature = "msgpack")]
pub use serde;

/// What the code of a raw field calls.
pub mod fields {
    pub use crate::wire::body::raw_fields::*;
    pub use crate::wire::body::raw_lists::*;
    pub use crate::wire::body::raw_text::*;
}

pub use crate::wire::body::{
    BigEndian, BodyErrorKind, Endian, FixedSink, Format, LittleEndian, RawBody, Reader, Sink,
};
pub use crate::wire::schema::{
    By, Enum, Field, Form, Int, Len, OpaqueBody, PacketSchema, Probe, Shared, Struct, Type, Variant,
    check_replies, check_reply,
};

use crate::wire::header_out;
use crate::{
    BodyError, EncodeError, Frame, Header, Packet, PacketError, PacketErrorKind, PacketId, PacketType,
};

/// Reads one packet's body and judges its length.
// Always inlined: each call between the body and the packet is a move of the value through memory.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "only the derive calls it")]
pub fn decoded<T, R>(
    header: Header,
    name: &'static str,
    max: usize,
    ignore_extra: bool,
    mut body: Reader<'_>,
    refused: &mut Option<PacketError>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, BodyError>,
    make: impl FnOnce(T) -> R,
) -> Option<R> {
    let error = if body.remaining() > max {
        too_long(body.remaining(), max)
    } else {
        match read(&mut body) {
            Ok(value) if ignore_extra || body.remaining() == 0 => return Some(make(value)),
            Ok(_) => trailing(body.remaining()),
            Err(error) => error,
        }
    };
    refuse(refused, malformed(header, name, error))
}

/// Reads one raw packet's body and judges its length. `exact` is what a fixed layout takes.
// An `Option`, with the error beside it: in a `Result` the error's pointer lies over two of a struct's fields, and their
// way into the packet goes through memory, with a stall where two stores are read as one.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "only the derive calls it")]
pub fn decoded_raw<T, R>(
    header: Header,
    name: &'static str,
    max: usize,
    ignore_extra: bool,
    exact: Option<usize>,
    mut body: Reader<'_>,
    refused: &mut Option<PacketError>,
    read: impl FnOnce(&mut Reader<'_>, &mut Option<BodyError>) -> Option<T>,
    make: impl FnOnce(T) -> R,
) -> Option<R> {
    // Where there is an exact length, one comparison in place of three: against the bound, before and behind the fields.
    let len = body.remaining();
    let wrong = match exact {
        Some(exact) if !ignore_extra => len != exact,
        _ => len > max,
    };
    let mut reason = None;
    let error = if wrong {
        wrong_length(len, exact, max)
    } else {
        match read(&mut body, &mut reason) {
            Some(value) if ignore_extra || body.remaining() == 0 => return Some(make(value)),
            Some(_) => trailing(body.remaining()),
            None => fields::reason(reason),
        }
    };
    refuse(refused, malformed(header, name, error))
}

/// Leaves in `refused` why there is no packet.
#[inline(always)]
pub fn refuse<R>(refused: &mut Option<PacketError>, error: PacketError) -> Option<R> {
    *refused = Some(error);
    None
}

/// Why there is no packet, as [`Packet::decode_to`] left it.
#[cold]
#[must_use]
pub fn refusal(refused: Option<PacketError>, header: Header) -> PacketError {
    // The compiler cannot see that there always is one.
    refused.unwrap_or_else(|| unknown(header))
}

/// Writes one packet's body.
#[inline]
pub fn encoded(
    name: &'static str,
    dst: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    write(dst).map_err(|error| error.within(name))
}

/// Writes one packet's body, of which no more than `max` bytes may come.
#[inline]
pub fn encoded_within(
    name: &'static str,
    max: usize,
    dst: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let start = dst.len();
    encoded(name, dst, write)?;
    match dst.len() - start {
        len if len > max => Err(too_long(len, max).within(name)),
        _ => Ok(()),
    }
}

/// Reads the request number in front of a body.
// WIRE §8: "unsigned, little-endian, whatever the order of the body behind it".
#[inline]
pub fn read_request(from: &mut Reader<'_>) -> Result<u32, BodyError> {
    match from.array() {
        Ok(number) => Ok(u32::from_le_bytes(*number)),
        Err(error) => Err(error.within("request")),
    }
}

/// Writes the request number in front of a body.
#[inline]
pub fn write_request(number: u32, to: &mut BytesMut) {
    to.extend_from_slice(&number.to_le_bytes());
}

/// Up to how many bytes a fixed layout is put together on the stack, to go to the send buffer in one piece.
pub const ONE_PIECE: usize = 1024;

/// Writes a whole packet of a fixed layout, `N` bytes with its header, in one piece, where `dst` has room for it.
// New memory is made elsewhere: were that a part of this, registers would be saved for it with every packet.
#[inline]
pub fn encode_fixed<P: Packet, const N: usize>(
    packet: &P,
    id: PacketId,
    name: &'static str,
    dst: &mut BytesMut,
    max_out: u16,
    write: impl FnOnce(&mut FixedSink<'_>) -> Result<(), BodyError>,
) -> Result<(), EncodeError> {
    if dst.capacity() - dst.len() < N {
        return encode_any(packet, dst, max_out);
    }
    let header = header_out(id, PacketType::NORMAL, N.saturating_sub(Header::LEN), max_out)?;
    let mut whole = [0; N];
    let mut to = FixedSink::new(&mut whole);
    to.put(&header.to_bytes());
    if let Err(source) = write(&mut to) {
        return Err(EncodeError::Body { id, source: source.within(name) });
    }
    dst.extend_from_slice(&whole);
    Ok(())
}

/// [`encode`] for an enum some of whose packets are written by [`encode_fixed`].
// Never inline: its registers are not theirs, either.
#[inline(never)]
pub fn encode_any<P: Packet>(packet: &P, dst: &mut BytesMut, max_out: u16) -> Result<(), EncodeError> {
    encode(packet, dst, max_out)
}

/// Writes a whole packet of any layout: header, then body.
#[inline]
pub fn encode<P: Packet>(packet: &P, dst: &mut BytesMut, max_out: u16) -> Result<(), EncodeError> {
    let begun = Begun { start: dst.len(), dst };
    begun.dst.extend_from_slice(&[0; Header::LEN]);
    if let Err(source) = packet.encode_body(begun.dst) {
        return Err(EncodeError::Body { id: packet.id(), source });
    }
    let body_len = begun.dst.len() - begun.start - Header::LEN;
    let header = header_out(packet.id(), packet.kind(), body_len, max_out)?;
    if let Some(front) = begun.dst.get_mut(begun.start..).and_then(<[u8]>::first_chunk_mut) {
        *front = header.to_bytes();
    }
    std::mem::forget(begun);
    Ok(())
}

/// A packet that is being written. Dropped before it is done, by an error or by a panic in a value's own code, it takes
/// back what was written: the rest of the send buffer belongs to other packets.
struct Begun<'a> {
    dst: &'a mut BytesMut,
    start: usize,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.dst.truncate(self.start);
    }
}

/// The frame that a catch-all variant holds. It shares the read buffer only where other packets of the enum do: an
/// unknown packet is rare, and not worth sharing it for.
pub fn frame(header: Header, mut body: Reader<'_>) -> Frame {
    let bytes = body.take_rest();
    Frame { id: header.id, kind: header.kind, body: body.to_bytes(bytes) }
}

#[cold]
fn too_long(len: usize, max: usize) -> BodyError {
    BodyError::new(BodyErrorKind::TooLong { len, max })
}

/// Why a body may not have `len` bytes: `max` is its bound, `exact` what a fixed layout takes.
#[cold]
fn wrong_length(len: usize, exact: Option<usize>, max: usize) -> BodyError {
    match exact.map(|exact| (exact, len.checked_sub(exact))) {
        Some((_, Some(extra))) if len <= max => trailing(extra),
        Some((need, None)) => BodyError::new(BodyErrorKind::Short { need, have: len }),
        _ => too_long(len, max),
    }
}

#[cold]
fn trailing(extra: usize) -> BodyError {
    BodyError::new(BodyErrorKind::Trailing { extra })
}

#[cold]
fn malformed(header: Header, name: &'static str, error: BodyError) -> PacketError {
    PacketErrorKind::Malformed { id: header.id, source: error.within(name) }.into()
}

/// The error for an id that is not in the enum.
#[cold]
#[must_use]
pub fn unknown(header: Header) -> PacketError {
    PacketErrorKind::Unknown { id: header.id }.into()
}
