//! The game as its clients see it, byte by byte.
//!
//! What goes out and comes back is written by hand, in `lobby::testing::wire` and in `wire.rs`, from the wire's own page and
//! not by the server's encoders.

#![forbid(unsafe_code)]

mod account;
mod clients;
mod clock;
mod deadlines;
mod game;
mod judgement;
mod leaving;
mod memory;
mod process;
mod scenario;
mod several;
mod soak;
mod wire;
