//! What the derive macros call. Not part of the API: it changes without notice.

pub use bytes::BytesMut;
#[cfg(feature = "msgpack")]
pub use serde;

pub use crate::wire::body::raw_fields as fields;
pub use crate::wire::body::{
    BigEndian, BodyErrorKind, Endian, FixedSink, Format, LittleEndian, RawBody, Reader, Sink,
};
pub use crate::wire::schema::{
    By, Enum, Field, Form, Int, Len, OpaqueBody, PacketSchema, Probe, Shared, Struct, Type, Variant,
};

use crate::{BodyError, Frame, Header, PacketError, PacketErrorKind};

#[cfg(feature = "msgpack")]
pub mod msgpack {
    //! Writing a struct variant's fields, of which the caller has references.
    pub use crate::wire::body::msgpack::{write, write_array};
}

/// Reads one packet's body and judges its length.
#[inline]
pub fn decoded<P>(
    header: Header,
    name: &'static str,
    max: usize,
    ignore_extra: bool,
    mut body: Reader<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<P, BodyError>,
) -> Result<P, PacketError> {
    if body.remaining() > max {
        return Err(malformed(header, name, too_long(body.remaining(), max)));
    }
    match read(&mut body) {
        Ok(packet) if ignore_extra || body.remaining() == 0 => Ok(packet),
        Ok(_) => Err(malformed(header, name, trailing(body.remaining()))),
        Err(error) => Err(malformed(header, name, error)),
    }
}

/// Writes one packet's body and judges its length.
#[inline]
pub fn encoded(
    name: &'static str,
    max: usize,
    dst: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let start = dst.len();
    let written = match write(dst) {
        Ok(()) if dst.len() - start > max => Err(too_long(dst.len() - start, max)),
        written => written,
    };
    written.map_err(|error| error.within(name))
}

/// The frame that a catch-all variant holds. It is copied: an unknown packet is rare, and not worth sharing the buffer.
pub fn frame(header: Header, mut body: Reader<'_>) -> Frame {
    let bytes = body.take_rest();
    Frame { id: header.id, kind: header.kind, body: body.to_bytes(bytes) }
}

#[cold]
fn too_long(len: usize, max: usize) -> BodyError {
    BodyError::new(BodyErrorKind::TooLong { len, max })
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
