//! The chat as its clients see it, byte by byte.
//!
//! What goes out and comes back is written by hand in `lobby::testing::wire`, from the wire's own page and not by the
//! server's encoders.

#![forbid(unsafe_code)]

mod api_server;
mod clients;
mod deadlines;
mod doors;
mod full;
mod held;
mod invites;
mod judgement;
mod listed;
mod memory;
mod mixed;
mod people;
mod process;
mod relays;
mod rooms;
mod scenario;
mod soak;
mod stalled;
mod tokens;
mod waiting;

use lobby::testing::wire;
