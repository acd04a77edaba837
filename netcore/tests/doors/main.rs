//! Doors whose connections begin with something else than packets: PROXY headers, TLS, WebSocket; over real sockets, and
//! in memory on a stopped clock.

mod common;
mod handshakes;
mod proxy;
