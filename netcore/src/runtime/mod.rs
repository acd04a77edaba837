//! Sessions on tokio: doors, adapters, the three ways to run a game, server and client.

mod adapter;
mod address;
mod background;
mod backlog;
mod bell;
mod caps;
mod client;
pub mod cluster;
mod connection;
mod context;
mod door;
mod encoding;
mod everyone;
#[cfg(any(feature = "tls", feature = "websocket"))]
mod excerpt;
mod groups;
mod handshake;
pub(crate) mod hello;
mod house;
mod incoming;
mod input;
mod keepalive;
mod link;
mod listen;
mod logic;
pub mod memory;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics/off.rs"]
mod metrics;
#[cfg(feature = "compress")]
mod packed;
mod panicked;
mod peer;
mod queue;
mod registry;
mod relay;
mod relief;
mod requests;
mod rooms;
mod running;
mod sender;
mod sending;
mod server;
mod shared;
mod slots;
mod spare;
mod stage;
mod stats;
mod task;
mod teller;
mod text;
mod time;
mod timers;
mod traffic;
mod transport;
mod turn;
mod work;
mod worker;

pub use adapter::{Adapter, Binary};
pub use address::NoAddress;
pub use client::{
    Away, Client, ClientError, ClientEvent, ClientOptions, ClientReceiver, ClientSender, ConnectStage,
    LoginRefused, NotSent, Reconnect, ReconnectStats, ReconnectingClient, RequestError, TryError, Unsent,
};
pub use connection::Connection;
pub use context::Context;
pub use door::Door;
pub use groups::GroupId;
pub use hello::{Hello, HelloError, HelloIds, Mismatch};
pub use incoming::Incoming;
pub use logic::{AfterPanic, LateTick, Logic, Tick};
#[cfg(feature = "compress")]
pub use packed::Packed;
pub use queue::Full;
pub use relay::Relay;
pub use rooms::{EnterError, Room, Rooms, Seat};
pub use running::{Report, Running, Stopper};
pub use sender::{SendError, Sender};
pub use server::{Host, Server, ServerError};
pub use stats::Snapshot;
pub(crate) use stats::Stats;
pub use task::Outcome;
#[cfg(feature = "testing")]
pub use task::serve_one;
pub use teller::Teller;
pub use text::{Lines, PlainText, Text, TextProtocol};
pub use timers::TimerId;
#[cfg(feature = "websocket")]
pub use transport::WebSocket;
#[cfg(feature = "tls")]
pub use transport::{ClientTls, Tls, TlsError};
pub use transport::{NotANetwork, Proxy};
#[cfg(feature = "testing")]
pub(crate) use transport::{Parsed, Pieces, frames_in_pieces, parse_proxy_header};
