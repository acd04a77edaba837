//! Typed packets over a five-byte header: the packet layer for game servers and clients.
//!
//! A game declares what each side may say as an enum. netcore carries the packets from the socket to the game's own code
//! and back:
//!
//! ```
//! # #[cfg(feature = "runtime")] {
//! use netcore::{Binary, Client, Connection, Door, Packet, SendError, Server};
//!
//! #[derive(Packet)]
//! enum ToServer {
//!     #[packet(id = 1, reply = 3)]
//!     Add { a: i32, b: i32 },
//! }
//!
//! #[derive(Packet, Debug, PartialEq)]
//! enum ToClient {
//!     #[packet(id = 3)]
//!     Sum { value: i32 },
//! }
//!
//! async fn session(mut peer: Connection<ToServer, ToClient>) -> Result<(), SendError> {
//!     while let Some(ToServer::Add { a, b }) = peer.recv().await? {
//!         peer.send(&ToClient::Sum { value: a.wrapping_add(b) })?;
//!     }
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // A door in memory; `Door::tcp("127.0.0.1:11020")` is one in the world.
//!     let (door, connector) = Door::memory(Binary::new());
//!     let server = Server::new().door(door).serve(session).await?;
//!
//!     let client = Client::<ToClient, ToServer>::options().over(connector.connect()?);
//!     assert_eq!(client.request(ToServer::Add { a: 3, b: 5 }).await?, ToClient::Sum { value: 8 });
//!
//!     server.shutdown().await;
//!     Ok(())
//! }
//! # main().unwrap(); }
//! ```
//!
//! The [`manual`] begins with a tutorial.
//!
//! # Three layers, each of which knows only those below it
//! **The runtime**, on tokio:
//! - [`Server`] and its [`Door`]s, [`Running`]; [`Client`], [`ReconnectingClient`]
//! - a task a session: [`Connection`]; workers: [`Logic`], [`Context`], [`Rooms`]
//! - [`Adapter`]s between a door and the game: [`Binary`], [`Text`], [`Relay`]
//! - [`Hello`]: whether both sides speak of the same packets, before a session begins
//! - [`memory`]: a transport with faults on demand
//! - [`cluster`]: names, rooms and messages that several processes share
//!
//! **The session**, a state machine without IO:
//! - [`Session`], [`Limits`], [`Rate`], [`CloseReason`]; [`Outbox`], the bounded queue to one peer, and [`Slow`], its policy
//!
//! **The wire**, bytes in and out, which is all there is without default features:
//! - [`Packet`] and its derive: one direction's set of packets. [`PacketCodec`] reads and writes them, alone or under
//!   [`tokio_util::codec::Framed`].
//! - [`Raw`](struct@Raw) and its derive: bodies laid out to the byte. [`body`] has the other formats and the trait for one's own.
//! - `Compress`, with the feature `compress`: bodies that are smaller on the wire.
//! - [`FrameCodec`] and [`Frame`]: packets whose bodies nobody looks into. [`LineCodec`]: lines of text.
//! - [`schema`]: what the packets look like, as a value: documentation, fingerprint, comparison.
//!
//! # What always holds
//! - Any bytes give packets or one named error; nothing panics, loops or allocates by a length that a peer only claims.
//! - A framing error ([`FrameError`]) ends the stream, after the good packets before it. A malformed or unknown packet
//!   is a value, and the stream goes on behind it.
//! - Everything is bounded, and each bound has a default, a setting and a counter: [`manual::bounds`].
//! - One session is handled in order, at any number of workers; a bad peer harms itself alone.
//!
//! # Features
//! `runtime` is on by default. `msgpack`, `protobuf` and `protobuf-build` add body formats, `compress` compresses
//! bodies, `tls` and `websocket` are transports, `redis` is a backplane between processes, `metrics` counts for a
//! recorder: [`manual::metrics`]. `testing` is for this crate's own tests.

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
pub mod manual;
#[cfg(feature = "runtime")]
mod runtime;
#[cfg(feature = "runtime")]
mod session;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod wire;

pub use wire::{body, schema};

/// The attributes are those of the trait [`Describe`](trait@Describe).
pub use netcore_derive::Describe;
/// The attributes are those of the trait [`Packet`](trait@Packet).
pub use netcore_derive::Packet;
/// The attributes are those of the format [`Raw`](struct@Raw).
pub use netcore_derive::Raw;
#[cfg(all(feature = "compress", feature = "runtime"))]
pub use runtime::Packed;
#[cfg(feature = "websocket")]
pub use runtime::WebSocket;
#[cfg(feature = "runtime")]
pub use runtime::{
    Adapter, AfterPanic, Away, Binary, Client, ClientError, ClientEvent, ClientOptions, ClientReceiver,
    ClientSender, ConnectStage, Connection, Context, Door, EnterError, Full, GroupId, Hello, HelloError,
    HelloIds, Host, Incoming, LateTick, Lines, Logic, LoginRefused, Mismatch, NoAddress, NotANetwork,
    NotSent, Outcome, PlainText, Proxy, Reconnect, ReconnectStats, ReconnectingClient, Relay, Report,
    RequestError, Room, Rooms, Running, Seat, SendError, Sender, Server, ServerError, Snapshot, Stopper,
    Teller, Text, TextProtocol, Tick, TimerId, TryError, Unsent, cluster, memory,
};
#[cfg(feature = "tls")]
pub use runtime::{ClientTls, Tls, TlsError};
#[cfg(feature = "runtime")]
#[doc(hidden)]
pub use session::Certain;
#[cfg(feature = "runtime")]
pub use session::{
    CloseReason, Counts, Decode, Fault, FaultKind, Heartbeat, HeartbeatError, HelloFault, Inbound, Limits,
    LimitsError, Moment, Outbox, Over, ProxyFault, Rate, Session, SessionId, Slow, Spoken, TlsFault, Verdict,
    WebSocketFault,
};
#[cfg(feature = "compress")]
pub use wire::Compress;
#[cfg(feature = "protobuf")]
pub use wire::body::Protobuf;
pub use wire::body::{BodyError, Raw};
#[cfg(feature = "msgpack")]
pub use wire::body::{MsgPack, MsgPackArray};
pub use wire::schema::{Describe, Schema};
pub use wire::{
    Batch, CodecError, EncodeError, Frame, FrameCodec, FrameError, FrameRef, Frames, Header, InflateError,
    LineCodec, LineError, Packet, PacketCodec, PacketError, PacketErrorKind, PacketId, PacketType, Packets,
};

#[cfg(all(doctest, feature = "runtime"))]
#[doc = include_str!("../../README.md")]
struct Readme;
