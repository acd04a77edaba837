//! How TCP finds out that nobody is there any more.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// After so long a silence, where nothing else was asked for.
pub(super) const DEFAULT: Option<Duration> = Some(Duration::from_secs(45));

/// Fails only for a connection that is gone already, which its session will find out.
pub(super) fn set(stream: &TcpStream, time: Option<Duration>) {
    if let Some(time) = time {
        let whole = |time: Duration| time.clamp(Duration::from_secs(1), LONGEST);
        let keepalive = TcpKeepalive::new().with_time(whole(time)).with_interval(whole(time / 3));
        let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
    }
}

/// The longest that Linux takes.
const LONGEST: Duration = Duration::from_secs(32_767);
