//! What stands between a socket and a session: PROXY headers.

mod proxy;
mod proxy_header;

pub use proxy::{NotANetwork, Proxy};
