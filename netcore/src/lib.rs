//! Placeholder
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "protobuf-build")]
pub mod build;
#[cfg(feature = "testing")]
pub mod testing;
mod wire;

/// How a value becomes the bytes of a body.
pub use wire::{body, schema};

pub use netcore_derive::{Describe, Packet, Raw};
#[cfg(feature = "protobuf")]
pub use wire::body::Protobuf;
pub use wire::body::{BodyError, Raw};
#[cfg(feature = "msgpack")]
pub use wire::body::{MsgPack, MsgPackArray};
pub use wire::schema::{Describe, Schema};
pub use wire::{
    Batch, CodecError, EncodeError, Frame, FrameCodec, FrameError, Header, LineCodec, LineError, Packet,
    PacketCodec, PacketError, PacketId, PacketType, Packets, StreamError,
};

#[doc(hidden)]
pub mod derive;
