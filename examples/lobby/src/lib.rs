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
//!
//! # The API server
//! With `--api` ([`ApiFlags`]) the tokens of an API server let users in, and nothing else does; and the server is in that
//! one's list, with its load. [`Shared::open`] and [`run`] are all that a server calls for it:
//!
//! ```no_run
//! # use lobby::{Lobby, Settings, Shared, raw};
//! # use netcore::{Binary, Door, Server, SessionId};
//! # struct Talk;
//! # impl lobby::Game for Talk {
//! #     type Command = std::convert::Infallible;
//! #     type Event = std::convert::Infallible;
//! #     type Table = ();
//! #     type Alarm = ();
//! #     fn command(&mut self, _: &mut lobby::Play<'_, Self>, _: SessionId, command: Self::Command) {
//! #         match command {}
//! #     }
//! # }
//! async fn serve(settings: Settings) -> support::Outcome {
//!     let shared = Shared::open("talk", settings)?;
//!     let door = Door::tcp_with("127.0.0.1:0", raw::door::<Talk>(Binary::new(), raw::no_packets, raw::no_words));
//!     let lobby = shared.clone();
//!     let server = Server::new().door(door.name("raw"));
//!     let running = server.workers(1, move |_| Lobby::new(lobby.clone(), Talk)).await?;
//!     lobby::run(&shared, running).await
//! }
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod api;
mod code;
mod directory;
mod event;
mod game;
mod gate;
mod held;
mod invite;
mod lobby;
mod login;
mod message;
mod name;
mod nodes;
mod people;
mod rate;
mod report;
mod request;
mod seats;
mod settings;
mod whisper;

pub mod client;
pub mod msgpack;
pub mod protobuf;
pub mod raw;
#[cfg(feature = "testing")]
pub mod testing;

pub use self::api::{ApiFlags, LogIns, Public, SetupError, run};
pub use code::Code;
pub use directory::Directory;
pub use event::{Event, Outcome, Who};
pub use game::{Game, Play};
pub use gate::{Gate, Open, Verdict};
pub use held::{Held, HoldFlags};
pub use lobby::Lobby;
pub use message::Message;
pub use name::Name;
pub use nodes::Elsewhere;
pub use request::Request;
pub use settings::{Settings, Shared, notice};

/// The most bytes of a chat or a whisper.
pub const CHAT_MAX: usize = 126;

/// How long an invitation stands.
pub const INVITE_TIME: std::time::Duration = std::time::Duration::from_secs(60);
