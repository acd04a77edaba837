//! For tests of servers with rooms: what goes over the wire, written by hand; scripts of several clients over real sockets;
//! clients in memory on a paused clock.

// It is test code, although no test module: what goes wrong here fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod memory;
pub mod script;
pub mod wire;

/// What each server with rooms takes where its flags say nothing else.
pub const DEFAULTS: [(&str, &str); 12] = [
    ("--rooms", "1000"),
    ("--first-room", "0"),
    ("--room-users", "4"),
    ("--max-packet", "1024"),
    ("--login-ms", "60000"),
    ("--enter-ms", "0"),
    ("--ping-ms", "0"),
    ("--requests-per-second", "100"),
    ("--workers", "1"),
    ("--api-ms", "5000"),
    ("--api-logins", "256"),
    ("--api-coming", "8192"),
];
