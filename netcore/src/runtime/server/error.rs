//! Why a server does not start, in words for a person.

use std::io;

use crate::runtime::address::no_name;
use crate::{HeartbeatError, HelloIds, LimitsError};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It has no door.
    #[error("the server has no door, so nobody could come in: add one with `Server::door`")]
    NoDoor,
    /// A door cannot listen at its address.
    #[error("cannot listen on {address} ({door}): {}", in_words(.source))]
    Bind {
        /// The door's name.
        door: String,
        /// Its address as it was given.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// A door's hello has packet ids that are not free.
    #[error("{door}: {source}")]
    Hello {
        /// The door's name.
        door: String,
        /// Which ones.
        source: HelloIds,
    },
    /// A door's heartbeat would not do what it is for.
    #[error("{door}: {source}")]
    Heartbeat {
        /// The door's name.
        door: String,
        /// Why.
        source: HeartbeatError,
    },
    /// Within a door's limits, no session could do what it is for.
    #[error("{door}: {source}")]
    Limits {
        /// The door's name.
        door: String,
        /// Which one, and why.
        source: LimitsError,
    },
    /// The system has no thread for a worker.
    #[error("cannot start a worker's thread")]
    Thread(#[source] io::Error),
}

/// Why a socket does not listen, for a person.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the address is already in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        io::ErrorKind::PermissionDenied => "the system does not permit it".to_owned(),
        _ if is_short_of_files(error) => "this process may open no more files: raise `ulimit -n`".to_owned(),
        _ => no_name(error).map_or_else(|| error.to_string(), str::to_owned),
    }
}

fn is_short_of_files(error: &io::Error) -> bool {
    // `EMFILE`, the same number on all unixes.
    cfg!(unix) && error.raw_os_error() == Some(24)
}
