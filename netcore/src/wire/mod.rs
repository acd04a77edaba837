//! Bytes in, bytes out: no sockets, no tasks, no clock.
//!
//! ```text
//!  bytes ──▶ FrameCodec ──▶ Frame ──▶ Packet (by id) ──▶ Format (Raw, MsgPack, Protobuf, …) ──▶ the game's own value
//! ```
//!
//! The wire itself is specified in `proto/WIRE.md`; a check in the code quotes its section.

mod batch;
pub mod body;
mod codec;
#[cfg(feature = "compress")]
mod compress;
mod error;
mod foreign;
mod frame;
mod header;
mod line;
mod packet;
mod packet_codec;
mod packets;
pub mod schema;

pub use batch::{Batch, FrameRef, Frames};
pub use codec::FrameCodec;
pub(crate) use codec::header_out;
#[cfg(feature = "compress")]
pub use compress::Compress;
#[cfg(all(feature = "compress", feature = "runtime"))]
pub(crate) use compress::{Claim, inflated};
pub use error::{CodecError, EncodeError, FrameError, InflateError, PacketError, PacketErrorKind};
pub use frame::Frame;
pub use header::{Header, PacketId, PacketType};
pub use line::{LineCodec, LineError};
pub use packet::Packet;
pub use packet_codec::PacketCodec;
pub use packets::Packets;

use body::BodyError;
