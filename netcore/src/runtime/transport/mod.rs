//! What stands between a socket and a session: PROXY headers, TLS, WebSocket.

use std::{fmt, io};

use crate::session::CloseReason;

mod proxy;
mod proxy_header;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_anyone;
#[cfg(feature = "tls")]
mod tls_stream;
#[cfg(feature = "tls")]
pub(super) mod tls_words;
#[cfg(feature = "websocket")]
pub(super) mod websocket;

pub use proxy::{NotANetwork, Proxy};
#[cfg(feature = "testing")]
pub(crate) use proxy_header::{Parsed, parse as parse_proxy_header};
#[cfg(feature = "tls")]
pub use tls::{ClientTls, Tls, TlsError};
#[cfg(feature = "websocket")]
pub use websocket::WebSocket;
#[cfg(feature = "testing")]
pub(crate) use websocket::{Pieces, frames_in_pieces};

/// A reason of a close, found out where only an [`io::Error`] can say it.
#[derive(Debug)]
pub(super) struct Named(CloseReason);

impl Named {
    #[cfg(feature = "websocket")]
    fn error(reason: CloseReason) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Self(reason))
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Named {}

/// Whether a stream goes on behind this error of reading: what a peer says against WebSocket's rules can be discarded as
/// anything else can.
pub(super) fn reads_on(error: &io::Error) -> bool {
    matches!(reason(error), CloseReason::WebSocket(_))
}

/// What broke a connection: what the transport says, or the kind of error.
#[cold]
pub(super) fn reason(error: &io::Error) -> CloseReason {
    if let Some(Named(reason)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return *reason;
    }
    #[cfg(feature = "tls")]
    if let Some(fault) = tls::fault(error) {
        return CloseReason::Tls(fault);
    }
    error.kind().into()
}
