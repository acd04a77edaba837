//! Sessions on tokio: doors, adapters, the three ways to run a game, server and client.

mod adapter;
mod client;
pub mod cluster;
mod connection;
mod context;
mod door;
mod groups;
mod house;
mod link;
mod listen;
mod logic;
pub mod memory;
mod peer;
mod pool;
mod queue;
mod registry;
mod requests;
mod rooms;
mod running;
mod server;
mod shared;
mod slots;
mod stats;
mod text;
mod timers;
mod turn;
mod worker;

pub use adapter::{Adapter, Binary};
pub use client::{Client, ClientError, ClientOptions, ClientReceiver, ClientSender, RequestError};
pub use connection::{Connection, SendError, Sender};
pub use context::Context;
pub use door::Door;
pub use groups::GroupId;
#[cfg(feature = "testing")]
pub use house::serve_one;
pub use logic::{AfterPanic, LateTick, Logic, Tick};
pub use queue::Full;
pub use rooms::{EnterError, Room, Rooms, Seat};
pub use running::{Report, Running, Stopper, Teller};
pub use server::{Host, Server, ServerError};
pub use stats::Snapshot;
pub(crate) use stats::Stats;
pub use text::{Lines, PlainText, Text, TextProtocol};
pub use timers::TimerId;
