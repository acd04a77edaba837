//! Names, rooms and messages that several processes share.
//!
//! A process is a *node*. Nodes meet on a [`Backplane`]: [`Memory`] for one process alone (and for tests), [`Redis`] with
//! the feature `redis` for several. Through its [`Cluster`] handle a node
//! - [publishes](Cluster::publish) messages on topics and [subscribes](Cluster::subscribe) to them;
//! - [claims](Cluster::claim) names that only one node can have, with an expiry that a dead node's names meet, and with a
//!   [cap](Bid::within) for what has a number of seats;
//! - asks [who holds](Cluster::find) a name, and [which names](Cluster::list) begin so;
//! - reserves [numbers](Cluster::next_id) that no other node has;
//! - [says](Cluster::announce) where it is and how it is, and hears [which nodes](Cluster::nodes) there are.
//!
//! No call waits. What a node is told comes as a message to the worker that asked ([`Event`]), and an answer is a future
//! ([`Asked`]) that a logic hands to [`Context::spawn`](crate::Context::spawn):
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::collections::HashMap;
//!
//! use netcore::cluster::{Claim, ClaimError, Cluster, Event, Memory};
//! use netcore::{Binary, Client, CloseReason, Context, Door, Logic, Packet, Server, SessionId};
//!
//! #[derive(Packet)]
//! enum ToServer {
//!     #[packet(id = 1)]
//!     Login { #[raw(len = u8)] name: String },
//!     #[packet(id = 2)]
//!     Say { #[raw(len = u8)] text: String },
//! }
//! #[derive(Packet, Debug, PartialEq)]
//! enum ToClient {
//!     #[packet(id = 3)]
//!     Welcome { yes: bool },
//!     #[packet(id = 4)]
//!     Said { #[raw(len = u8)] text: String },
//! }
//! enum Message {
//!     Cluster(Event),
//!     Named(SessionId, Result<Claim, ClaimError>),
//! }
//!
//! struct Chat {
//!     cluster: Cluster,
//!     names: HashMap<SessionId, Claim>,
//! }
//!
//! impl Logic for Chat {
//!     type In = ToServer;
//!     type Out = ToClient;
//!     type Message = Message;
//!
//!     fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: ToServer) {
//!         match packet {
//!             ToServer::Login { name } => {
//!                 let asked = self.cluster.claim(format!("name/{name}"));
//!                 let _ = ctx.spawn(async move { Message::Named(session, asked.await) });
//!             }
//!             ToServer::Say { text } => {
//!                 // Those of this process hear it in any case; if the others cannot, the counters say so.
//!                 let _ = self.cluster.publish("chat", text.clone());
//!                 ctx.broadcast(&ToClient::Said { text });
//!             }
//!         }
//!     }
//!
//!     fn message(&mut self, ctx: &mut Context<Self>, message: Message) {
//!         match message {
//!             // Nobody waits for it any more if the session has closed: dropped, the name is free again.
//!             Message::Named(session, claim) if ctx.has(session) => {
//!                 // It may have been lost again before it came here.
//!                 let claim = claim.ok().filter(|claim| claim.lost_to().is_none());
//!                 ctx.send(session, &ToClient::Welcome { yes: claim.is_some() });
//!                 self.names.extend(claim.map(|claim| (session, claim)));
//!             }
//!             Message::Cluster(Event::Message { body, .. }) => {
//!                 let text = String::from_utf8_lossy(&body).into_owned();
//!                 ctx.broadcast(&ToClient::Said { text });
//!             }
//!             // Another node has had the name for longer.
//!             Message::Cluster(Event::Lost { name, .. }) => {
//!                 let loser = self.names.iter().find(|(_, claim)| claim.name() == &*name);
//!                 if let Some((&session, _)) = loser {
//!                     ctx.close(session, CloseReason::Game(1003));
//!                 }
//!             }
//!             _ => {}
//!         }
//!     }
//!
//!     fn closed(&mut self, _: &mut Context<Self>, session: SessionId, _: CloseReason) {
//!         self.names.remove(&session);
//!     }
//! }
//!
//! let (cluster, starter) = Cluster::new(Memory::new());
//! cluster.subscribe("chat")?;
//! let (door, connector) = Door::memory(Binary::new());
//! let chat = Chat { cluster, names: HashMap::new() };
//! let server = Server::new().door(door).logic(chat).await?;
//! starter.start(server.teller(), Message::Cluster);
//!
//! let mut client = Client::<ToClient, ToServer>::options().over(connector.connect()?);
//! client.send(&ToServer::Login { name: "kim".into() })?;
//! assert_eq!(client.recv().await?, Some(ToClient::Welcome { yes: true }));
//! client.send(&ToServer::Login { name: "kim".into() })?;
//! assert_eq!(client.recv().await?, Some(ToClient::Welcome { yes: false }));
//! # server.shutdown().await; Ok(()) }
//! ```
//!
//! What is promised, and what happens while the backplane is away, is in the [manual](crate::manual::cluster).

mod ask;
mod backplane;
mod claim;
mod claims;
mod core;
mod driver;
mod ear;
mod event;
mod handle;
mod holding;
mod ids;
mod memory;
mod node;
mod options;
mod others;
mod outlet;
#[cfg(feature = "redis")]
mod redis;
mod stats;
mod work;

#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisError};
pub use ask::{AskError, Asked, PublishError, SubscribeError};
pub use backplane::{Answer, Backplane, Incoming, Link, LinkError, Op, Pending, Stake};
pub use claim::{Bid, Claim, ClaimError};
pub use event::Event;
pub use handle::{Cluster, Events, Starter};
pub use memory::Memory;
pub use node::{Holder, Listing, NodeId};
pub use options::Options;
pub use stats::Snapshot;

/// The names of the nodes themselves begin so. No other name can.
const NODES: &str = "@node/";
/// The most names in one listing, and the most places that a bid can count.
const MAX_LIST: usize = 1_024;
