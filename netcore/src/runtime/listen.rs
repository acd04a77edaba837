//! From a listening socket to sessions.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;
use tracing::{debug, warn};

use super::door::TcpSettings;
use super::house::House;
use super::incoming::Arrivals;
use super::memory::MemoryListener;

/// Binds a door's socket.
pub(super) async fn bind(address: &str, settings: TcpSettings) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    // A name may have several addresses, of which the machine may have but one.
    for address in tokio::net::lookup_host(address).await? {
        match bind_at(address, settings) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_at(address: SocketAddr, settings: TcpSettings) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    // Before `listen`: the window's scale is agreed on in the handshake.
    if let Some(bytes) = settings.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = settings.recv_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(address)?;
    socket.listen(settings.backlog)
}

/// Accepts for ever. What fails is tried again after a pause: out of descriptors, sessions that end will free some.
pub(super) async fn accept_tcp<In, Out>(
    house: Arc<House<In, Out>>,
    door: usize,
    listener: TcpListener,
    settings: TcpSettings,
) where
    In: Send + 'static,
    Out: Send + Sync + 'static,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                pause = FIRST_PAUSE;
                set(&stream, settings);
                // An IPv4 peer at an IPv6 socket is an IPv4 peer.
                let address = SocketAddr::new(address.ip().to_canonical(), address.port());
                house.arrive(stream, Some(address), door);
            }
            // One connection was gone before it was accepted: the next may be there.
            Err(error) if is_about_one(&error) => debug!(%error, "a connection broke before it was accepted"),
            Err(error) => {
                house.count_accept_error();
                warn!(%error, ?pause, "cannot accept; trying again after a pause");
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }
}

pub(super) async fn accept_memory<In, Out>(
    house: Arc<House<In, Out>>,
    door: usize,
    mut listener: MemoryListener,
) where
    In: Send + 'static,
    Out: Send + Sync + 'static,
{
    while let Ok(stream) = listener.accept().await {
        house.arrive(stream, None, door);
    }
}

pub(super) async fn accept_incoming<In, Out>(house: Arc<House<In, Out>>, door: usize, mut arrivals: Arrivals)
where
    In: Send + 'static,
    Out: Send + Sync + 'static,
{
    while let Some((stream, address)) = arrivals.recv().await {
        house.arrive(stream, address, door);
    }
}

/// Fails only for a connection that is gone already, which its session will find out.
fn set(stream: &TcpStream, settings: TcpSettings) {
    let _ = stream.set_nodelay(settings.nodelay);
    if let Some(time) = settings.keepalive {
        let keepalive =
            TcpKeepalive::new().with_time(time).with_interval((time / 3).max(Duration::from_secs(1)));
        let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
    }
}

fn is_about_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
