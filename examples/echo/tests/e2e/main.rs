//! The real binaries over real sockets, in each of the ways to run.
//!
//! Nothing here waits by the clock: a test waits for bytes, for the end of a stream or for a process to end, and every
//! such wait has an upper bound.

#![forbid(unsafe_code)]

mod flags;
mod flow;
mod framing;
mod load;
mod metrics;
mod process;
mod shutdown;
