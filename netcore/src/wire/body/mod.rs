//! How a value becomes the bytes of a body, and back.
//!
//! A [`Format`] is a type that carries no data: [`Raw`], [`MsgPack`], [`Protobuf`], or a team's own:
//!
//! ```
//! use bytes::BytesMut;
//! use netcore::{Packet, body::{BodyError, Format, Reader}};
//!
//! /// Text in capitals: one byte a letter.
//! struct Shout;
//!
//! impl Format<String> for Shout {
//!     const NAME: &'static str = "shout";
//!
//!     fn encode(value: &String, dst: &mut BytesMut) -> Result<(), BodyError> {
//!         dst.extend_from_slice(value.to_uppercase().as_bytes());
//!         Ok(())
//!     }
//!
//!     fn decode(body: &mut Reader<'_>) -> Result<String, BodyError> {
//!         std::str::from_utf8(body.take_rest()).map(str::to_owned).map_err(BodyError::format)
//!     }
//! }
//!
//! #[derive(Packet, Debug, PartialEq)]
//! #[packet(format = Shout)]
//! enum Crowd {
//!     #[packet(id = 1)]
//!     Cheer(String),
//! }
//!
//! let mut wire = BytesMut::new();
//! Crowd::Cheer("go".into()).encode(&mut wire, u16::MAX)?;
//! assert_eq!(&wire[..], b"\x07\0\x01\0\0GO");
//! # Ok::<_, netcore::EncodeError>(())
//! ```

mod error;
#[cfg(feature = "msgpack")]
pub(crate) mod msgpack;
#[cfg(feature = "msgpack")]
mod msgpack_bounds;
#[cfg(feature = "protobuf")]
mod protobuf;
mod raw;
pub(crate) mod raw_fields;
pub(crate) mod raw_lists;
pub(crate) mod raw_text;
mod raw_values;
mod reader;
mod sink;

pub use error::{BodyError, BodyErrorKind};
#[cfg(feature = "msgpack")]
pub use msgpack::{MsgPack, MsgPackArray};
#[cfg(feature = "protobuf")]
pub use protobuf::Protobuf;
pub use raw::{BigEndian, Endian, LittleEndian, Raw, RawBody};
pub use reader::Reader;
#[doc(hidden)]
pub use sink::FixedSink;
pub use sink::Sink;

use bytes::BytesMut;

/// How a `T` becomes the bytes of a body, and back. Implement it for a type of your own to add a format.
#[diagnostic::on_unimplemented(
    message = "`{T}` is no body that the format `{Self}` can carry",
    note = "a raw body derives `netcore::Raw`, a MessagePack body `serde::Serialize` and `serde::Deserialize`, a protobuf body is a prost message"
)]
pub trait Format<T> {
    /// The format's name in schemas. Two formats that write different bytes have different names.
    const NAME: &'static str;

    /// Whether a decoded `T` may keep slices of the read buffer ([`Reader::take_bytes`]). Where it says `false` the
    /// buffer need not be shared, which is cheaper: say so for a format that copies all it keeps.
    const SHARES: bool = true;

    /// Appends the value's bytes to `dst`. What was appended before an error is removed by the caller.
    ///
    /// # Errors
    /// When the value breaks a bound of its own, a text that is too long for its field for example.
    fn encode(value: &T, dst: &mut BytesMut) -> Result<(), BodyError>;

    /// Reads a value. Bytes that it leaves in `body` are an error, unless the packet allows them.
    ///
    /// An implementation neither panics on any input nor allocates by a length that it has only read: memory follows
    /// the bytes that are there.
    ///
    /// # Errors
    /// When the bytes are no `T`.
    fn decode(body: &mut Reader<'_>) -> Result<T, BodyError>;
}
