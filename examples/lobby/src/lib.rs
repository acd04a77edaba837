//! What the room servers share: requests and events, codes, log-in, rooms with user ids, whispers and invitations, and
//! the three binary formats that they come in.
//!
//! [`Lobby`] is the logic. It hears [`Request`]s and says [`Event`]s; a door's adapter ([`raw`], [`msgpack`],
//! [`protobuf`], or a text protocol of the server's own) is between these and the wire. What is played in the rooms is a
//! [`Game`]: further requests and events, a table for each room, timers.
//!
//! # Judgement
//! Whatever the format, a request is judged in one order: logged in → id known → in a room → state of the game → body →
//! value. The first that fails is answered, and nothing else happens. A body that does not decode and an id that is not
//! known therefore reach the logic in order with the rest.
//!
//! # Workers
//! Rooms are spread over the workers by their number; a session moves to its room's worker, with all that it sent behind
//! the request to enter. Names, taken seats and invitations are known to all workers, in the [`Directory`].

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod code;
mod directory;
mod event;
mod game;
mod gate;
mod invite;
mod lobby;
mod login;
mod message;
mod name;
mod people;
mod rate;
mod request;
mod seats;
mod settings;
mod whisper;

pub mod client;
pub mod msgpack;
pub mod protobuf;
pub mod raw;

pub use code::Code;
pub use directory::Directory;
pub use event::{Event, Outcome, Who};
pub use game::{Game, Play};
pub use gate::{Gate, Open, Verdict};
pub use lobby::Lobby;
pub use message::Message;
pub use name::Name;
pub use request::Request;
pub use settings::{Settings, Shared, notice};

/// The most bytes of a chat or a whisper.
pub const CHAT_MAX: usize = 126;

/// How long an invitation stands.
pub const INVITE_TIME: std::time::Duration = std::time::Duration::from_secs(60);
