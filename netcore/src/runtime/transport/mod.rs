//! What stands between a socket and a session: PROXY headers, TLS, WebSocket.

mod proxy;
mod proxy_header;

pub use proxy::{NotANetwork, Proxy};
#[cfg(feature = "testing")]
pub(crate) use proxy_header::{Parsed, parse};
