//! Why there is no connection, or no answer.

use std::io;
use std::time::Duration;

use crate::PacketId;
use crate::runtime::{HelloError, SendError};

/// There is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server cannot be reached.
    #[error("cannot connect: {}", in_words(.0))]
    Connect(#[from] io::Error),
    /// It did not answer in time.
    #[error(
        "no connection within {0:?} (`connect_timeout`): look whether the address is right, the server is not \
         overloaded, and no firewall stands between"
    )]
    Timeout(Duration),
    /// The server does not speak TLS, or its certificate is not one that we take.
    #[cfg(feature = "tls")]
    #[error("no TLS with the server")]
    Tls(#[source] io::Error),
    /// The server does not speak WebSocket, or not this one.
    #[cfg(feature = "websocket")]
    #[error("no WebSocket with the server: {0}")]
    WebSocket(crate::CloseReason),
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
    /// The connection closed before the answer came.
    #[error("the connection closed before the answer came")]
    Closed,
    /// The client reconnects, and there was no connection to ask over.
    #[error("there is no connection just now, so that nothing was asked")]
    Away,
    /// The packet declares no answer: `#[packet(id = …, reply = …)]`.
    #[error("packet {0} names no answer: declare it with `reply = …`, or use `send`")]
    NoReply(PacketId),
    /// Too many requests wait for an answer.
    #[error("{0} requests wait for an answer already: wait for some before asking more")]
    TooMany(usize),
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
        io::ErrorKind::InvalidInput => {
            format!("{error}: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020")
        }
        _ => error.to_string(),
    }
}
