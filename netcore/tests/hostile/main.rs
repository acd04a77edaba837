//! What hostile and broken peers do to a server over real sockets, while a healthy one plays beside them.
//!
//! Each test runs with a task a session and with one worker on a thread of its own. For each, the server must name the
//! right reason, close that session and no other, keep its memory, and let the healthy peer notice nothing.

mod closing;
mod common;
mod crowds;
mod descriptors;
mod floods;
mod framing;
mod garbage;
mod healthy;
#[cfg(feature = "compress")]
mod inflating;
mod process;
mod readers;
mod slowness;
mod strangers;
