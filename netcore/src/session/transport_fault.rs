//! What can be wrong below the packets.

/// What is wrong with the PROXY header that a connection begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyFault {
    /// The connection comes from an address that is not among the trusted ones.
    #[error("the connection does not come from a trusted proxy (`Proxy::trusting`)")]
    Untrusted,
    /// It begins with something else.
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    /// It begins like one and is none.
    #[error("the PROXY header cannot be read")]
    Malformed,
    /// It is longer than allowed.
    #[error("the PROXY header says that it has {0} bytes, more than allowed (`Proxy::max_header`)")]
    TooLong(usize),
}

/// What is wrong with a peer's TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// What came is not TLS.
    #[error("what came is not TLS")]
    NotTls,
    /// The two sides have no version, cipher or protocol in common.
    #[error("no version of TLS or cipher in common")]
    Incompatible,
    /// The peer does not take our certificate, or gave up for a reason of its own: it sent an alert.
    #[error("the peer ended TLS with an alert")]
    Alert,
    /// The peer's certificate is not one that we take.
    #[error("the peer's certificate is not valid here")]
    Certificate,
    /// Records that cannot be: a broken signature, a message out of its place.
    #[error("the peer broke the TLS protocol")]
    Broken,
}

/// What is wrong with a peer's WebSocket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketFault {
    /// What came is not an HTTP request for a WebSocket, or was not answered as one.
    #[error("what came is no WebSocket upgrade")]
    NotUpgrade,
    /// The request asks for another path than the door's.
    #[error("no WebSocket at that path (`WebSocket::path`)")]
    Path,
    /// The page that it comes from is not one of those allowed.
    #[error("a page of that origin may not connect (`WebSocket::origins`)")]
    Origin,
    /// The request does not offer the protocol that the door speaks.
    #[error("the WebSocket protocol is not offered (`WebSocket::protocol`)")]
    Protocol,
    /// A text message, where packets are binary.
    #[error("a WebSocket text message, where only binary ones are taken")]
    Text,
    /// A message that is longer than allowed.
    #[error("a WebSocket message of more than {0} bytes (`WebSocket::max_message`)")]
    TooLarge(u64),
    /// Pings and other frames without content, too many in a row.
    #[error("too many WebSocket frames without content")]
    Flood,
    /// Frames that cannot be: not masked, out of order, with bits that mean nothing.
    #[error("the peer broke the WebSocket protocol")]
    Broken,
}
