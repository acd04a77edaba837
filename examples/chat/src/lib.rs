//! The chat server: rooms that people reach with `nc`, and game clients with raw structs, MessagePack or protobuf.
//!
//! The rooms are [`lobby`]'s. What is here is what a chat adds to them: the [`text`] door, and the game that is played in
//! every room, dice and votes ([`Talk`]). [`server`] puts the doors in front of it.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod doors;
mod said;
mod talk;
pub mod text;
mod vote;

pub use doors::{Doors, InMemory, Logic, in_memory, server};
pub use talk::{Command, Happening, Talk, VOTE_TIME};
