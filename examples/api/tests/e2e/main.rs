//! The real binary over real sockets, with each store.

#![forbid(unsafe_code)]

mod accounts;
mod client;
mod codes;
mod defaults;
mod document;
mod flags;
mod hostile;
mod http;
mod matches;
mod readme;
mod seats;
mod secrets;
mod servers;
mod several;
mod shutdown;
mod tokens;
mod world;
