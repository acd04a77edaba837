//! Doors whose connections begin with something else than packets: PROXY headers, TLS, WebSocket; over real sockets, and
//! in memory on a stopped clock.

#[cfg(feature = "tls")]
mod certificates;
mod common;
#[cfg(any(feature = "tls", feature = "websocket"))]
mod foreign;
mod handshakes;
mod incoming;
mod lent;
#[cfg(all(feature = "tls", feature = "websocket"))]
mod names;
mod proxy;
#[cfg(all(feature = "tls", feature = "websocket"))]
mod slow_reader;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_words;
#[cfg(feature = "websocket")]
mod websocket;
#[cfg(feature = "websocket")]
mod websocket_client;
#[cfg(feature = "websocket")]
mod websocket_ends;
#[cfg(feature = "websocket")]
mod websocket_full;
#[cfg(feature = "websocket")]
mod websocket_wrongs;
#[cfg(all(feature = "tls", feature = "websocket"))]
mod words;
#[cfg(all(feature = "tls", feature = "websocket"))]
mod wss;
