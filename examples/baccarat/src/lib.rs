//! The baccarat server: rooms in which people and bots bet on punto banco.
//!
//! The rooms are [`lobby`]'s. What is here is what baccarat adds to them: the rules ([`Coup`], cards in, result out), the
//! decks that are shuffled for each game ([`Decks`]), the game in the room on the server's clock ([`Baccarat`]), and its
//! packets ([`Ask`], [`Tell`]). [`server`] puts the door in front of it.
//!
//! For the other side there is a room as one of its users sees it ([`View`]), cards on a terminal ([`picture`]), and where
//! to play, as an API server says it ([`Account`]).

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod card;
mod deck;
mod door;
mod game;
mod money;
mod packet;
mod picture;
mod place;
mod rules;
mod table;
mod view;

pub use card::Card;
pub use deck::Decks;
pub use door::{Logic, in_memory, server};
pub use game::{Baccarat, Pace, TimeUp};
pub use money::{PURSE, STAKE, gain};
pub use packet::{Ask, Side, Tell, Verdict, ask, heard};
pub use picture::picture;
pub use place::{Account, GAME, Place, PlaceError};
pub use rules::{Coup, Hand, Winner};
pub use table::Table;
pub use view::{Nonsense, Round, View, refusal};
