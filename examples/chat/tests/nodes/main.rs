//! Several chat servers with the same rooms: in one process, on a paused clock, by one worker and by three each; and as
//! processes that meet by a real Redis.

#![forbid(unsafe_code)]

mod absence;
mod bounds;
mod common;
mod crowd;
#[cfg(unix)]
mod packets;
#[cfg(unix)]
mod processes;
mod shared;
