//! MessagePack bodies, by `rmp_serde`.

use std::{cell::RefCell, io::Cursor};

use bytes::BytesMut;
use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};
use serde::ser::Serialize;

use super::msgpack_bounds::{Bounded, Bounds};
use super::{BodyError, Format, Reader};

/// MessagePack with structs written as maps: keys are field names.
///
/// It reads maps in any order, with unknown keys, and arrays too; integers of any width, and `bin` where text is due.
/// Any type with serde's two derives is a body; add [`Describe`](crate::Describe) to have it in the schema.
///
/// # Limits
/// `MAX_DEPTH` is how deep lists, maps and enums may lie within each other, 32 by default and 256 at most, since each
/// level takes some of the reading thread's stack: more does not compile. `MAX_LEN` is the most items
/// or bytes of any of them, 65,530 by default: `#[packet(format = MsgPack<8, 1000>)]`. Memory follows the bytes that
/// came: a list that claims four billion items gets room for 64 before the first of them is read. An item of one byte
/// still becomes a value of its type's size, so that a list may take (items × `size_of` the item) bytes of memory; where
/// that is much, lower `MAX_LEN` or give the packet a `max`.
///
/// What is longer is not sent either: the peer would close for it. How deep a value lies is looked at by who reads it,
/// as it is the type's doing, and by the sender only where a body is longer than `MAX_LEN`.
///
/// ```compile_fail,E0080
/// use netcore::{Frame, Packet};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 1, format = MsgPack<257>)]
///     Enter { room: i32 },
/// }
///
/// let frame = Frame::from_packet(&ToServer::Enter { room: 1 });
/// ```
///
/// # Errors
/// [`BodyErrorKind::Format`](super::BodyErrorKind::Format), with `rmp_serde`'s error as its source.
///
/// ```
/// use netcore::{Describe, Frame, Packet};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Describe, Debug, PartialEq)]
/// #[serde(rename_all = "PascalCase")]
/// struct Login {
///     user_name: String,
///     age: u8,
/// }
///
/// #[derive(Packet, Debug, PartialEq)]
/// #[packet(format = MsgPack)]
/// enum ToServer {
///     #[packet(id = 701)]
///     Login(Login),
///     /// A struct variant is a map of its fields.
///     #[packet(id = 721, format = MsgPack<4, 100>)]
///     Enter { room: i32 },
/// }
///
/// let login = ToServer::Login(Login { user_name: "ann".into(), age: 7 });
/// let frame = Frame::from_packet(&login)?;
/// assert_eq!(&frame.body[..], b"\x82\xa8UserName\xa3ann\xa3Age\x07");
/// assert_eq!(ToServer::from_frame(&frame)?, login);
///
/// // Another order, a key that is not known, and a wider number are read too.
/// let frame = Frame::new(721, &b"\x82\xa3new\xc0\xa4room\xcd\0\x07"[..]);
/// assert_eq!(ToServer::from_frame(&frame)?, ToServer::Enter { room: 7 });
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MsgPack<const MAX_DEPTH: u16 = 32, const MAX_LEN: usize = 65_530>;

/// MessagePack with structs written as arrays: shorter, and bound to the order of the fields. It reads what
/// [`MsgPack`] reads, within the same limits.
///
/// Without names there is no telling which field is missing: a body that leaves one out when it is written
/// (`skip_serializing_if`) does not decode.
///
/// ```
/// use netcore::{Frame, MsgPackArray, Packet};
///
/// #[derive(Packet, Debug, PartialEq)]
/// #[packet(format = MsgPackArray)]
/// enum ToServer {
///     #[packet(id = 721)]
///     Enter { room: i32, spectator: bool },
/// }
///
/// let enter = ToServer::Enter { room: 7, spectator: false };
/// let frame = Frame::from_packet(&enter)?;
/// assert_eq!(&frame.body[..], b"\x92\x07\xc2");
/// assert_eq!(ToServer::from_frame(&frame)?, enter);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MsgPackArray<const MAX_DEPTH: u16 = 32, const MAX_LEN: usize = 65_530>;

impl<T, const MAX_DEPTH: u16, const MAX_LEN: usize> Format<T> for MsgPack<MAX_DEPTH, MAX_LEN>
where
    T: Serialize + DeserializeOwned,
{
    const NAME: &'static str = "msgpack";
    const SHARES: bool = false;

    fn encode(value: &T, dst: &mut BytesMut) -> Result<(), BodyError> {
        Self::write(value, dst)
    }

    fn decode(body: &mut Reader<'_>) -> Result<T, BodyError> {
        read(body, bounds::<MAX_DEPTH, MAX_LEN>())
    }
}

impl<T, const MAX_DEPTH: u16, const MAX_LEN: usize> Format<T> for MsgPackArray<MAX_DEPTH, MAX_LEN>
where
    T: Serialize + DeserializeOwned,
{
    const NAME: &'static str = "msgpack-array";
    const SHARES: bool = false;

    fn encode(value: &T, dst: &mut BytesMut) -> Result<(), BodyError> {
        Self::write(value, dst)
    }

    fn decode(body: &mut Reader<'_>) -> Result<T, BodyError> {
        read(body, bounds::<MAX_DEPTH, MAX_LEN>())
    }
}

impl<const MAX_DEPTH: u16, const MAX_LEN: usize> MsgPack<MAX_DEPTH, MAX_LEN> {
    /// What [`Format::encode`] does, for what is only written: the derive's structs of references.
    #[doc(hidden)]
    pub fn write<T: Serialize + ?Sized>(value: &T, dst: &mut BytesMut) -> Result<(), BodyError> {
        through_scratch(dst, bounds::<MAX_DEPTH, MAX_LEN>(), |scratch| {
            value.serialize(&mut rmp_serde::Serializer::new(scratch).with_struct_map())
        })
    }
}

impl<const MAX_DEPTH: u16, const MAX_LEN: usize> MsgPackArray<MAX_DEPTH, MAX_LEN> {
    /// As [`MsgPack::write`].
    #[doc(hidden)]
    pub fn write<T: Serialize + ?Sized>(value: &T, dst: &mut BytesMut) -> Result<(), BodyError> {
        through_scratch(dst, bounds::<MAX_DEPTH, MAX_LEN>(), |scratch| {
            value.serialize(&mut rmp_serde::Serializer::new(scratch))
        })
    }
}

/// The most that `MAX_DEPTH` may be. A thousand levels of an enum fit in the 2 MiB of a thread's stack, two thousand do
/// not; a program's own callers and larger types have the rest.
const DEEPEST: u16 = 256;

#[inline]
fn bounds<const MAX_DEPTH: u16, const MAX_LEN: usize>() -> Bounds {
    const {
        assert!(
            MAX_DEPTH <= DEEPEST,
            "`MAX_DEPTH` is over 256, which a thread's stack may not hold: lower it"
        );
    }
    Bounds::new(MAX_DEPTH, MAX_LEN)
}

fn read<T: DeserializeOwned>(body: &mut Reader<'_>, bounds: Bounds) -> Result<T, BodyError> {
    let bytes = body.rest();
    let mut from = rmp_serde::Deserializer::from_read_ref(bytes);
    match value::<T>(&mut from, bounds) {
        Ok(value) => {
            // This deserializer does not tell where it stands. Only at the end is there no marker for another value.
            let used = match bool::deserialize(&mut from) {
                Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => bytes.len(),
                _ => first_value(bytes, bounds)?,
            };
            body.take(used)?;
            Ok(value)
        }
        Err(error) => Err(BodyError::format(error)),
    }
}

type FromSlice<'a> = rmp_serde::Deserializer<rmp_serde::decode::ReadRefReader<'a, [u8]>>;

/// Out of line, so that the value is written where it stays until everything is judged.
#[inline(never)]
fn value<T: DeserializeOwned>(
    from: &mut FromSlice<'_>,
    bounds: Bounds,
) -> Result<T, rmp_serde::decode::Error> {
    T::deserialize(Bounded::new(from, bounds))
}

/// How many bytes the first value takes, by another deserializer, which is slower and does tell: needed only where
/// something stands behind the value.
fn first_value(bytes: &[u8], bounds: Bounds) -> Result<usize, BodyError> {
    let mut from = rmp_serde::Deserializer::new(Cursor::new(bytes));
    IgnoredAny::deserialize(Bounded::new(&mut from, bounds)).map_err(BodyError::format)?;
    Ok(usize::try_from(from.position()).unwrap_or(usize::MAX))
}

thread_local! {
    // Writing many small pieces into a `BytesMut` costs several times as much as into a `Vec` with a copy at the end.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What the scratch buffer keeps from one packet to the next: as much as a packet may have.
const SCRATCH_KEPT: usize = 64 * 1024;

fn through_scratch(
    dst: &mut BytesMut,
    bounds: Bounds,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), rmp_serde::encode::Error>,
) -> Result<(), BodyError> {
    SCRATCH.with(|kept| match kept.try_borrow_mut() {
        Ok(mut scratch) => {
            // First, since a value that panicked while it was being written left its beginning behind.
            scratch.clear();
            let written = write(&mut scratch);
            copy(written, &mut scratch, bounds, dst)
        }
        // A value that encodes another one while it is being written.
        Err(_) => {
            let mut scratch = Vec::new();
            let written = write(&mut scratch);
            copy(written, &mut scratch, bounds, dst)
        }
    })
}

#[inline]
fn copy(
    written: Result<(), rmp_serde::encode::Error>,
    scratch: &mut Vec<u8>,
    bounds: Bounds,
    dst: &mut BytesMut,
) -> Result<(), BodyError> {
    let written = match written {
        // Nothing in it can be longer than it is itself: of most bodies this is all there is to know.
        Ok(()) if bounds.may_be_over(scratch.len()) => first_value(scratch, bounds).map(drop),
        written => written.map_err(BodyError::format),
    };
    if written.is_ok() {
        dst.extend_from_slice(scratch);
    }
    if scratch.capacity() > SCRATCH_KEPT {
        *scratch = Vec::new();
    }
    written
}
