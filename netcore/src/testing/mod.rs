//! What the tests, fuzz targets and benches of this crate share. It promises no stability.
// A check that fails must stop the fuzzer, and a panic is how.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod fuzz;
mod fuzz_bodies;
mod fuzz_compress;
mod fuzz_hello;
mod fuzz_outbox;
mod fuzz_session;
mod fuzz_streams;
mod fuzz_transports;
mod ops;

pub use crate::session::Pipe;
pub use crate::session::pair::{Pair, Side};

pub use crate::runtime::serve_one;
