//! Why a hello failed.

use std::io;

use super::Mismatch;
use crate::PacketId;
use crate::runtime::transport;
use crate::session::{CloseReason, HelloFault};

/// Both sides did not get as far as a session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// They speak of different packets.
    #[error("{0}")]
    Version(Box<Mismatch>),
    /// What the other side said is no hello.
    #[error(transparent)]
    Fault(#[from] HelloFault),
    /// The other side closed the connection in the middle of it.
    #[error(
        "the other side closed the connection during the hello: it may have none (`Door::hello`, `ClientOptions::hello`)"
    )]
    Closed,
    /// The connection broke in the middle of it.
    #[error("the connection broke during the hello")]
    Io(#[source] io::Error),
    /// Its packet ids are not free.
    #[error(transparent)]
    Ids(#[from] HelloIds),
}

/// The packet ids of a hello are not free: a mistake of ours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelloIds {
    /// One is a packet of the game.
    #[error(
        "the hello takes the packet ids {first} to {}, and {id} is the game's `{name}`: give it others with `Hello::first_id`",
        .first.saturating_add(3)
    )]
    Taken {
        /// The first of the hello's.
        first: u16,
        /// The one that is taken.
        id: PacketId,
        /// The packet's name.
        name: String,
    },
    /// They would go beyond the last that there is.
    #[error("the hello takes four packet ids, and {first} is not the first of four (`Hello::first_id`)")]
    TooHigh {
        /// The first of them.
        first: u16,
    },
}

impl HelloError {
    /// Why a server closes the connection over it.
    #[must_use]
    pub fn reason(&self) -> CloseReason {
        match self {
            Self::Version(_) => CloseReason::Version,
            Self::Fault(fault) => CloseReason::Hello(*fault),
            Self::Closed => CloseReason::PeerClosed,
            Self::Io(error) => transport::reason(error),
            Self::Ids(_) => CloseReason::Ended,
        }
    }
}

impl From<io::Error> for HelloError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}
