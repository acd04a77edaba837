//! Typed packets over a five-byte header: the packet layer for game servers and clients.
//!
//! A game declares what each side may say as an enum. netcore turns a stream of bytes, however it was cut, into values of
//! that enum, and back:
//!
//! ```
//! use bytes::BytesMut;
//! use netcore::{Packet, PacketCodec};
//!
//! #[derive(Packet, Debug, PartialEq)]
//! enum ToServer {
//!     #[packet(id = 1)]
//!     Move { x: f32, y: f32 },
//!     #[packet(id = 2)]
//!     Say { #[raw(len = u16, max = 126)] text: String },
//! }
//!
//! #[derive(Packet, Debug, PartialEq)]
//! enum ToClient {
//!     #[packet(id = 3)]
//!     Said { user: u64, #[raw(len = u16)] text: String },
//! }
//!
//! // The two ends of a connection; a socket would stand between them.
//! let client = PacketCodec::<ToClient, ToServer>::new();
//! let mut server = PacketCodec::<ToServer, ToClient>::new();
//! let mut wire = BytesMut::new();
//! client.encode_packet(&ToServer::Say { text: "hello".into() }, &mut wire)?;
//! client.encode_packet(&ToServer::Move { x: 1.0, y: 2.0 }, &mut wire)?;
//!
//! // TCP cuts where it likes. What is whole comes out, the rest waits in the buffer.
//! let late = wire.split_off(15);
//! let packets: Result<Vec<_>, _> = server.packets(&mut wire).collect();
//! assert_eq!(packets?, [ToServer::Say { text: "hello".into() }]);
//! wire.unsplit(late);
//! let packets: Result<Vec<_>, _> = server.packets(&mut wire).collect();
//! assert_eq!(packets?, [ToServer::Move { x: 1.0, y: 2.0 }]);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is where
//! - [`Packet`] and its derive: one direction's set of packets. [`PacketCodec`] reads and writes them, alone or under
//!   [`tokio_util::codec::Framed`].
//! - [`Raw`](struct@Raw) and its derive: bodies laid out to the byte. [`body`] has the other formats and the trait for one's own.
//! - [`FrameCodec`] and [`Frame`]: packets whose bodies nobody looks into. [`LineCodec`]: lines of text.
//! - [`schema`]: what the packets look like, as a value: documentation, fingerprint, comparison.
//!
//! # What always holds
//! - Any bytes give packets or one named error; nothing panics, loops or allocates by a length that a peer only claims.
//! - A framing error ([`FrameError`]) ends the stream, after the good packets before it. A malformed or unknown packet
//!   ([`PacketError`]) is a value, and the stream goes on behind it.
//! - What cannot be sent is refused before a byte of it is written ([`EncodeError`]).
//!
//! # Features
//! `msgpack`, `protobuf`, `protobuf-build`, `runtime`; none is on by default. `testing` is for this crate's own tests.

#![forbid(unsafe_code)]
// A peer's bytes go through this code: an index or an unwrap would be a way to stop the server.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "protobuf-build")]
pub mod build;
#[doc(hidden)]
pub mod derive;
#[cfg(feature = "runtime")]
mod runtime;
#[cfg(feature = "runtime")]
mod session;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod wire;

pub use wire::{body, schema};

pub use netcore_derive::{Describe, Packet, Raw};
#[cfg(feature = "runtime")]
pub use runtime::{
    Adapter, AfterPanic, Binary, Client, ClientError, ClientOptions, ClientReceiver, ClientSender,
    Connection, Context, Door, EnterError, Full, GroupId, Host, LateTick, Lines, Logic, PlainText, Report,
    RequestError, Room, Rooms, Running, Seat, SendError, Sender, Server, ServerError, Snapshot, Stopper,
    Teller, Text, TextProtocol, Tick, TimerId, memory,
};
#[cfg(feature = "runtime")]
pub use session::{
    CloseReason, Counts, Decode, Fault, FaultKind, Heartbeat, Inbound, Limits, Outbox, Over, Rate, Session,
    SessionId, Slow, Verdict,
};
#[cfg(feature = "protobuf")]
pub use wire::body::Protobuf;
pub use wire::body::{BodyError, Raw};
#[cfg(feature = "msgpack")]
pub use wire::body::{MsgPack, MsgPackArray};
pub use wire::schema::{Describe, Schema};
pub use wire::{
    Batch, CodecError, EncodeError, Frame, FrameCodec, FrameError, Header, LineCodec, LineError, Packet,
    PacketCodec, PacketError, PacketErrorKind, PacketId, PacketType, Packets,
};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
