//! Why there is no connection, or no answer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::ConnectStage;
use crate::PacketId;
use crate::runtime::address::no_name;
#[cfg(feature = "websocket")]
use crate::runtime::transport::websocket::NoWebSocket;
use crate::runtime::{HelloError, NoAddress, SendError};
use crate::session::{CloseReason, LimitsError};

/// There is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// What it was told to connect to cannot be an address: to try again is in vain.
    #[error("cannot connect: `{address}` {why}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        why: NoAddress,
    },
    /// Within its limits, no connection could do what it is for: to try again is in vain.
    #[error("cannot connect: {0}")]
    Limits(#[from] LimitsError),
    /// The server cannot be reached.
    #[error("cannot connect: {}", in_words(.0))]
    Connect(#[from] io::Error),
    /// It did not answer in time.
    #[error("{}", .1.late(*.0))]
    Timeout(Duration, ConnectStage),
    /// The server does not speak TLS, or its certificate is not one that we take.
    #[cfg(feature = "tls")]
    #[error("no TLS with the server: {}", crate::runtime::transport::tls_words::in_words(.0))]
    Tls(#[source] io::Error),
    /// The server does not speak WebSocket, or not this one.
    #[cfg(feature = "websocket")]
    #[error("no WebSocket with the server: {0}")]
    WebSocket(crate::CloseReason),
    /// It answered the request for a WebSocket otherwise, in HTTP.
    #[cfg(feature = "websocket")]
    #[error("no WebSocket with the server: it answered {status}{}{words}", if .words.is_empty() { "" } else { ": " })]
    Refused {
        /// HTTP's number for the answer.
        status: u16,
        /// The first words of what came with it, if that was text.
        words: String,
    },
    /// It did not get through the hello. After a [`HelloError::Version`] or a
    /// [`HelloFault::Protocol`](crate::HelloFault::Protocol), to try again is in vain.
    #[error(transparent)]
    Hello(#[from] HelloError),
}

/// A request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// No answer came in time. If it comes later, it is received like any other packet.
    #[error("no answer within {0:?} (`request_timeout`): is it a packet that the server answers?")]
    Timeout(Duration),
    /// No answer came in time, and packets wait to be received behind which it may be: the connection is not read until
    /// they are. If it comes later, it is received like any other packet.
    #[error(
        "no answer within {0:?} (`request_timeout`): {1} packets wait to be received, and what comes behind them is not \
         read: receive them, or drop the `ClientReceiver`, or set `only_answers` where the client reconnects"
    )]
    Unreceived(Duration, usize),
    /// The answer came and does not decode: what is wrong with it. Who receives hears of it, too, as a
    /// [`Fault`](crate::Fault).
    #[error("the answer came, and cannot be read: {0}")]
    Malformed(String),
    /// The connection closed before the answer came, and why. What the server said last, a refusal in packets say, is there
    /// to be received.
    #[error("the connection closed before the answer came: {0}")]
    Closed(CloseReason),
    /// The client reconnects, and there was no connection to ask over: why the last try failed, or the last connection was
    /// lost.
    #[error("there is no connection just now, so that nothing was asked{}", because(.0))]
    Away(Option<Arc<str>>),
    /// The client reconnects no more, since it was closed or has given up: why the last try failed.
    #[error("the client was closed or has given up{}", because(.0))]
    Ended(Option<Arc<str>>),
    /// The packet declares no answer: `#[packet(id = …, reply = …)]`.
    #[error("packet {0} names no answer: declare it with `reply = …`, or use `send`")]
    NoReply(PacketId),
    /// Too many requests wait for an answer.
    #[error("{0} requests wait for an answer already: wait for some before asking more")]
    TooMany(usize),
}

#[cfg(feature = "websocket")]
impl From<NoWebSocket> for ClientError {
    fn from(cause: NoWebSocket) -> Self {
        match cause {
            NoWebSocket::Reason(reason) => Self::WebSocket(reason),
            NoWebSocket::Answer { status, words } => Self::Refused { status, words },
        }
    }
}

/// The last failure, in brackets, where there is one.
pub(super) fn because(last: &Option<Arc<str>>) -> String {
    last.as_ref().map(|last| format!(" ({last})")).unwrap_or_default()
}

/// Why there is no connection, for a person.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nobody listens there: look whether the server runs, and at that port".to_owned()
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("there is no way to that address ({error}): look at the address and the network")
        }
        _ => no_name(error).map_or_else(|| error.to_string(), str::to_owned),
    }
}
