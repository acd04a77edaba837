//! For tests of servers with rooms: what goes over the wire, written by hand; scripts of several clients over real sockets;
//! clients in memory on a paused clock.

// It is test code, although no test module: what goes wrong here fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod memory;
pub mod script;
pub mod wire;
