//! Streams that somebody else has accepted.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};

use super::backlog::{self, Entry, Refused};
use super::link::Transport;

/// Hands streams in at a [`Door::incoming`](crate::Door::incoming). Cheap to clone.
///
/// With an HTTP server that serves a page and its WebSocket on one port, the door is given
/// [`WebSocket::upgraded`](crate::WebSocket::upgraded), and the stream comes from that server's own upgrade. With axum,
/// hyper and hyper-util:
///
/// ```ignore
/// async fn socket(State(page): State<Page>, ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request) -> Response<String> {
///     let answer = page.websocket.answer(&request);
///     if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
///         tokio::spawn(async move {
///             if let Ok(upgraded) = hyper::upgrade::on(request).await {
///                 let _full = page.incoming.enter(TokioIo::new(upgraded), Some(from));
///             }
///         });
///     }
///     answer
/// }
/// ```
#[derive(Clone)]
pub struct Incoming(Entry<Arrival>);

/// Where they come out.
pub(super) type Arrivals = backlog::Arrivals<Arrival>;

/// A stream, and where it comes from.
pub(super) type Arrival = (Box<dyn Transport>, Option<SocketAddr>);

pub(super) fn channel(backlog: usize) -> (Incoming, Arrivals) {
    let (queue, arrivals) = backlog::channel(backlog);
    (Incoming(queue), arrivals)
}

impl Incoming {
    /// Hands a stream in. Its session begins as one of a socket does, with the door's handshake if it has one; `from` is
    /// the peer's address, for the cap per address and the game to know.
    ///
    /// A write of the session that has begun to go out is gone on with by the same bytes, and a flush follows when there is
    /// nothing more to write. What the stream holds back is not among what is queued, and has no deadline
    /// ([`Limits::stall`](crate::Limits::stall)) before the stream takes no more.
    ///
    /// # Errors
    /// `ConnectionRefused` when too many wait to be let in ([`Door::backlog`](crate::Door::backlog)), or when the server is
    /// gone. The stream is dropped then.
    pub fn enter<S>(&self, stream: S, from: Option<SocketAddr>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let refused = |why| Err(io::Error::new(io::ErrorKind::ConnectionRefused, why));
        let from = from.map(|from| SocketAddr::new(from.ip().to_canonical(), from.port()));
        match self.0.enter((Box::new(stream), from)) {
            Ok(()) => Ok(()),
            Err(Refused::Full) => refused("too many streams wait at the door"),
            Err(Refused::Gone) => refused("nobody is behind the door"),
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Incoming")
    }
}
