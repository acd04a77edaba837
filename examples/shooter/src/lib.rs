//! The shooter: an arena of 800 × 600 px for people in a browser, programs over lines of text, game clients over packets,
//! and bots.
//!
//! [`Arena`] is the game without a network. [`Game`] puts it behind [`doors`], all of which speak of the same [`Event`]s;
//! [`http`] serves the [`page`].

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod arena;
pub mod bots;
pub mod doors;
mod game;
pub mod geometry;
pub mod http;
mod packets;
pub mod page;
pub mod rules;
mod text;

pub use arena::Arena;
pub use bots::Bots;
pub use game::Game;
pub use geometry::Vec2;
pub use packets::{Event, Kind};
pub use rules::Rules;
pub use text::TextLines;
