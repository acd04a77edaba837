//! The HTTP API beside the game servers, as a library: what a game server or a player says to it, and how.
//!
//! A game server redeems the tokens of its users and keeps its place in the list that users are placed by:
//!
//! ```no_run
//! use api::{Client, Load, RedeemError, Registration, Rooms};
//!
//! # async fn game() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("http://127.0.0.1:8000")?.key("the key that the API server has, too")?;
//!
//! // Registers, says every few seconds how full it is, registers anew when the API server had forgotten it.
//! let server = Registration::new(4000).door("raw", "10.0.0.7:11024").rooms(Rooms { first: 0, count: 1000, seats: 4 });
//! let reporter = client.keep_registered("baccarat", server);
//! reporter.load(Load { users: 1, occupied: vec![(0, 1)], ..Load::default() });
//!
//! match client.redeem("ann", "Zm9vYmFyYmF6cXV4").await {
//!     Ok(user) => reporter.entered(user.id),
//!     Err(RedeemError::BadToken) => println!("not let in"),
//!     Err(error) => println!("try again later: {error}"),
//! }
//! reporter.end().await;
//! # Ok(()) }
//! ```
//!
//! A player, or a bot, signs up, logs in, and asks where to play: [`Client::log_in`], [`Player::seat`], [`Player::find_match`].
//!
//! Every call has a deadline ([`Client::timeout`]) and is a future of its own, `Send` and `'static` when the client is
//! cloned into it: in a game's logic it is work for the background, and its result a message.
//!
//! # Features
//! `server`, on by default, is the server. A game server depends on this crate without default features.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod client;
mod error;
mod object;
mod player;
mod reporter;
#[cfg(feature = "server")]
pub mod server;
mod wire;

pub use client::Client;
pub use error::{ApiError, RedeemError, UrlError};
pub use player::Player;
pub use reporter::Reporter;
pub use wire::{
    Credentials, Failure, Health, Lease, Listing, Load, Member, Queue, Redeem, Refusal, Registration, Rooms,
    Seat, Session, Standing, Token, User, Wish,
};
