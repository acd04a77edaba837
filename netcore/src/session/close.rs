//! Why a session closed.

use std::io;
use std::time::Duration;

use super::{HelloFault, ProxyFault, TlsFault, WebSocketFault};
use crate::{FrameError, InflateError, PacketId};

/// Why a session closed. Every close has exactly one.
///
/// [`code`](Self::code) is a number for the wire, which is sent only where a door has a close notice, and
/// [`label`](Self::label) a word for logs and metrics. Both are stable: a new reason gets a new code.
///
/// ```
/// use netcore::{CloseReason, FrameError};
///
/// let reason = CloseReason::Frame(FrameError::SizeBelowHeader { size: 3 });
/// assert_eq!((reason.code(), reason.label()), (10, "frame"));
/// assert_eq!(reason.to_string(), "packet size 3 is less than the 5 bytes of the header");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
// A `Result` lays a reason over a packet, and the compiler copies the packet in the pieces that the reason has: with a
// narrower number first, in pieces that are odd, and do not fit those in which the packet is read.
#[repr(u64)]
pub enum CloseReason {
    /// The peer closed its side, between two packets.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::ErrorKind),

    /// The peer's stream does not frame.
    #[error(transparent)]
    Frame(FrameError),
    /// The peer sent a packet whose body does not decode, and the game did not take it upon itself.
    #[error("the body of packet {0} does not decode")]
    Malformed(PacketId),
    /// The peer sent a packet id that the game does not know, and the game did not take it upon itself.
    #[error("packet id {0} is not known")]
    Unknown(PacketId),
    /// The peer sent a compressed body that does not inflate, or not within its limit.
    #[error("the compressed body of packet {0}: {1}")]
    Inflate(PacketId, InflateError),
    /// The peer sent a line that cannot be, on a door that cannot tell it so.
    #[error("a line that cannot be read")]
    BadLine,
    /// The peer did not begin with a hello, where the door asks for one.
    #[error(transparent)]
    Hello(HelloFault),
    /// The peer was built with other packets.
    #[error("the peer speaks of other packets, or has them in another version")]
    Version,
    /// The connection did not begin with the PROXY header that its door asks for.
    #[error(transparent)]
    Proxy(ProxyFault),
    /// The peer does not speak TLS, or broke it.
    #[error(transparent)]
    Tls(TlsFault),
    /// The peer does not speak WebSocket, or broke it.
    #[error(transparent)]
    WebSocket(WebSocketFault),

    /// Nothing whole came after the connection was made.
    #[error("no packet within {0:?} of connecting (`first_packet`)")]
    FirstPacket(Duration),
    /// The game did not admit the session in time.
    #[error("not logged in within {0:?} of connecting (`login`)")]
    Login(Duration),
    /// A packet was begun and not finished.
    #[error("a packet was not whole within {0:?} (`unfinished`)")]
    Unfinished(Duration),
    /// Nothing was received.
    #[error("nothing received for {0:?} (`idle`)")]
    Idle(Duration),
    /// What the door's transport begins with was not done in time.
    #[error("the handshake was not done within {0:?} (`handshake_within`)")]
    Handshake(Duration),

    /// More packets a second than allowed.
    #[error("more packets a second than allowed (`packets`)")]
    PacketRate,
    /// More bytes a second than allowed.
    #[error("more bytes a second than allowed (`bytes`)")]
    ByteRate,
    /// More tiny packets a second than allowed.
    #[error("more tiny packets a second than allowed (`tiny`)")]
    TinyRate,
    /// Compressed bodies inflate to more bytes a second than allowed.
    #[error("compressed bodies inflate to more bytes a second than allowed (`inflated_rate`)")]
    InflateRate,
    /// More bytes or packets than a session may send before it is admitted.
    #[error("too much was sent before log-in (`admission`)")]
    Admission,

    /// The peer reads too slowly: its queue is full.
    #[error("the queue to the peer is over {0} bytes (`queue`)")]
    QueueFull(usize),
    /// The peer does not read: bytes wait for it and none went out.
    #[error("the peer took nothing for {0:?} (`stall`)")]
    Stalled(Duration),
    /// All sessions together have too much queued, and this one was among those with the most, with the packet that it was to
    /// have.
    #[error("the queues of all sessions are over their bound, and this one is among the longest")]
    ServerQueueFull,
    /// We closed, and the peer did not take all that was still to go out. A server's session keeps the reason for which it
    /// closed, and counts in [`closes_cut`](crate::Snapshot::closes_cut); a client's [`close`](crate::Client::close) says
    /// this.
    #[error("not all that was still to be sent went out within {0:?} of the close (`flush`)")]
    Unflushed(Duration),

    /// The server has as many sessions as it may.
    #[error("the server is full (`max_sessions`)")]
    ServerFull,
    /// The peer's address has as many sessions as it may.
    #[error("too many sessions from this address (`max_per_address`)")]
    AddressFull,
    /// The server has as many handshakes under way as it may.
    #[error("too many handshakes are under way (`max_handshakes`)")]
    Handshakes,
    /// The server shuts down.
    #[error("the server shuts down")]
    Stopping,
    /// The game's code panicked over it.
    #[error("the game's code panicked")]
    Panicked,
    /// The game closed it, or its task came to an end.
    #[error("closed by the game")]
    Ended,
    /// The game closed it, for a reason of its own, which it has numbered: from 100 on, since the numbers below are
    /// netcore's. One of those is told to nobody as a reason of netcore's: its [`code`](Self::code) is that of
    /// [`Ended`](Self::Ended), and the log says so.
    #[error("closed by the game, with code {0}")]
    Game(u16),
}

impl CloseReason {
    /// The reason as a number: 1 to 99 for netcore's own, the game's own code, from 100 on, for [`Game`](Self::Game).
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.about().0
    }

    /// The reason as a word.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        self.about().1
    }

    /// All labels, in the order of [`index`](Self::index).
    #[must_use]
    pub const fn labels() -> &'static [&'static str] {
        &LABELS
    }

    /// Whether the other side did what it must not, so that an operator may want to look at its address.
    #[must_use]
    pub const fn is_peers_fault(&self) -> bool {
        matches!(self.code(), 10..40)
    }

    /// Whether the game gave it a number that is netcore's.
    pub(crate) const fn is_misnumbered(&self) -> bool {
        matches!(self, Self::Game(..GAMES_OWN))
    }

    /// Whether the peer does not take what waits for it, so that to wait for that is in vain.
    pub(crate) const fn is_cut(&self) -> bool {
        matches!(self, Self::Stalled(_) | Self::Unflushed(_))
    }

    /// The place of the label in [`labels`](Self::labels).
    #[must_use]
    pub const fn index(&self) -> usize {
        self.about().2
    }

    // The only place where a reason gets its code and its label: one without them does not compile.
    const fn about(&self) -> (u16, &'static str, usize) {
        let (code, index) = match self {
            Self::PeerClosed => (1, 0),
            Self::Broken(_) => (2, 1),
            Self::Frame(_) => (10, 2),
            Self::Malformed(_) => (11, 3),
            Self::Unknown(_) => (12, 4),
            Self::BadLine => (13, 5),
            Self::Inflate(..) => (14, 6),
            Self::Hello(_) => (15, 7),
            Self::Version => (16, 8),
            Self::Proxy(_) => (17, 9),
            Self::Tls(_) => (18, 10),
            Self::WebSocket(_) => (19, 11),
            Self::FirstPacket(_) => (20, 12),
            Self::Login(_) => (21, 13),
            Self::Unfinished(_) => (22, 14),
            Self::Idle(_) => (23, 15),
            Self::Handshake(_) => (24, 16),
            Self::PacketRate => (30, 17),
            Self::ByteRate => (31, 18),
            Self::TinyRate => (32, 19),
            Self::Admission => (33, 20),
            Self::InflateRate => (34, 21),
            Self::QueueFull(_) => (40, 22),
            Self::Stalled(_) => (41, 23),
            Self::ServerQueueFull => (42, 24),
            Self::Unflushed(_) => (43, 25),
            Self::ServerFull => (50, 26),
            Self::AddressFull => (51, 27),
            Self::Handshakes => (52, 28),
            Self::Stopping => (60, 29),
            Self::Panicked => (61, 30),
            Self::Ended => (62, 31),
            // A peer that knows netcore's numbers would take it for something that did not happen.
            Self::Game(..GAMES_OWN) => (62, 32),
            Self::Game(code) => (*code, 32),
        };
        #[allow(clippy::indexing_slicing, reason = "a wrong index does not pass the test below")]
        (code, LABELS[index], index)
    }
}

impl From<FrameError> for CloseReason {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Inflate { error: InflateError::OverRate, .. } => Self::InflateRate,
            FrameError::Inflate { id, error } => Self::Inflate(id, error),
            error => Self::Frame(error),
        }
    }
}

impl From<ProxyFault> for CloseReason {
    fn from(fault: ProxyFault) -> Self {
        Self::Proxy(fault)
    }
}

impl From<TlsFault> for CloseReason {
    fn from(fault: TlsFault) -> Self {
        Self::Tls(fault)
    }
}

impl From<WebSocketFault> for CloseReason {
    fn from(fault: WebSocketFault) -> Self {
        Self::WebSocket(fault)
    }
}

impl From<io::ErrorKind> for CloseReason {
    fn from(kind: io::ErrorKind) -> Self {
        Self::Broken(kind)
    }
}

/// The first number that is a game's own.
const GAMES_OWN: u16 = 100;

const LABELS: [&str; 33] = [
    "peer_closed",
    "broken",
    "frame",
    "malformed",
    "unknown",
    "bad_line",
    "inflate",
    "hello",
    "version",
    "proxy",
    "tls",
    "websocket",
    "first_packet",
    "login",
    "unfinished",
    "idle",
    "handshake",
    "packet_rate",
    "byte_rate",
    "tiny_rate",
    "admission",
    "inflate_rate",
    "queue_full",
    "stalled",
    "server_queue_full",
    "unflushed",
    "server_full",
    "address_full",
    "handshakes",
    "stopping",
    "panicked",
    "ended",
    "game",
];

#[cfg(test)]
mod tests;
