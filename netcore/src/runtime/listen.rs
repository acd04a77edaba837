//! From a listening socket to sessions.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;
use tracing::{debug, warn};

use super::address;
use super::door::TcpSettings;
use super::house::House;
use super::incoming::Arrivals;
use super::keepalive;
use super::link::Transport;
use super::memory::MemoryListener;

/// Binds a door's socket.
pub(super) async fn bind(address: &str, settings: TcpSettings) -> io::Result<TcpListener> {
    if let Err(why) = address::host(address) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it {why}")));
    }
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
        match accept(&listener, settings).await {
            Ok((stream, address)) => {
                pause = FIRST_PAUSE;
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
        // As what an incoming door is handed: a session over each transport is code of its own.
        house.arrive::<Box<dyn Transport>>(Box::new(stream), None, door);
    }
}

pub(super) async fn accept_incoming<In, Out>(house: Arc<House<In, Out>>, door: usize, mut arrivals: Arrivals)
where
    In: Send + 'static,
    Out: Send + Sync + 'static,
{
    while let Some((stream, address)) = arrivals.next().await {
        house.arrive(stream, address, door);
    }
}

/// One connection, with its settings.
async fn accept(listener: &TcpListener, settings: TcpSettings) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = listener.accept().await?;
    set(&stream, settings);
    // An IPv4 peer at an IPv6 socket is an IPv4 peer.
    Ok((stream, SocketAddr::new(address.ip().to_canonical(), address.port())))
}

/// Fails only for a connection that is gone already, which its session will find out.
fn set(stream: &TcpStream, settings: TcpSettings) {
    let _ = stream.set_nodelay(settings.nodelay);
    keepalive::set(stream, settings.keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(bytes) = settings.unsent {
        let _ = SockRef::from(stream).set_tcp_notsent_lowat(bytes);
    }
}

fn is_about_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Door, Frame};

    /// Both ends of a connection through this door.
    async fn connected(door: Door<Frame, Frame>) -> (TcpListener, TcpStream, TcpStream) {
        let listener = bind("127.0.0.1:0", door.tcp).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, from) = accept(&listener, door.tcp).await.unwrap();
        assert_eq!(from, client.local_addr().unwrap());
        (listener, client, accepted)
    }

    fn door() -> Door<Frame, Frame> {
        Door::tcp("127.0.0.1:0")
    }

    #[tokio::test]
    async fn by_default_packets_do_not_wait_and_a_dead_peer_is_looked_for() {
        let (listener, client, accepted) = connected(door()).await;
        assert!(accepted.nodelay().unwrap());
        assert!(!client.nodelay().unwrap(), "what the system has, so that the door made the difference");
        let socket = SockRef::from(&accepted);
        assert!(socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(45));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
        }
        assert_eq!(SockRef::from(&listener).reuse_address().unwrap(), cfg!(not(windows)));
    }

    #[tokio::test]
    async fn a_doors_settings_are_those_of_its_sockets() {
        let (_, _, accepted) = connected(door().nodelay(false).keepalive(None)).await;
        assert!(!accepted.nodelay().unwrap());
        assert!(!SockRef::from(&accepted).keepalive().unwrap());
        let (_, _, accepted) = connected(door().keepalive(Duration::from_secs(2))).await;
        assert!(SockRef::from(&accepted).keepalive().unwrap());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn keepalive_is_in_whole_seconds_that_the_system_takes() {
        for (asked, time, interval) in
            [(2_000, 2, 1), (1, 1, 1), (12_345_000, 12_345, 4_115), (u64::MAX, 32_767, 32_767)]
        {
            let (_, _, accepted) = connected(door().keepalive(Duration::from_millis(asked))).await;
            let socket = SockRef::from(&accepted);
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(time));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(interval));
        }
    }

    #[tokio::test]
    async fn the_systems_buffers_are_as_large_as_the_door_says() {
        let sizes = |stream: &TcpStream| {
            let socket = SockRef::from(stream);
            (socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap())
        };
        let (_, _, small) = connected(door().buffers(16 * 1024, 8 * 1024)).await;
        let (_, _, large) = connected(door().buffers(64 * 1024, 48 * 1024)).await;
        // Linux doubles what it is asked for, for its own bookkeeping.
        let times = if cfg!(target_os = "linux") { 2 } else { 1 };
        assert_eq!(sizes(&small), (16 * 1024 * times, 8 * 1024 * times));
        assert_eq!(sizes(&large), (64 * 1024 * times, 48 * 1024 * times));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_system_takes_no_more_unsent_than_the_door_says() {
        let takes = async |door| {
            let (_, _client, accepted) = connected(door).await;
            let mut taken = 0;
            while let Ok(len) = accepted.try_write(&[0; 1024]) {
                taken += len;
            }
            taken
        };
        // What the peer's own buffer holds is sent.
        let (little, much) = (takes(door().unsent(4096)).await, takes(door()).await);
        assert!(little + 500_000 < much, "{little} bytes, and {much}");
    }

    #[tokio::test]
    async fn a_port_can_be_had_again_while_old_connections_linger() {
        use tokio::io::AsyncReadExt;

        let mut again = None;
        // The system may have given the port away meanwhile, but not each time.
        for _ in 0..5 {
            let (listener, mut client, accepted) = connected(door()).await;
            let address = listener.local_addr().unwrap().to_string();
            // Who closes first keeps the connection for a minute, in TIME_WAIT.
            drop((accepted, listener));
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
            drop(client);
            again = bind(&address, door().tcp).await.ok();
            if again.is_some() {
                break;
            }
        }
        assert!(again.is_some(), "a port of connections that linger cannot be had");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn no_more_wait_to_be_accepted_than_the_backlog() {
        let waiting = async |backlog, tries: usize, patience| {
            let listener = bind("127.0.0.1:0", door().backlog(backlog).tcp).await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut waiting = Vec::new();
            while waiting.len() < tries {
                match tokio::time::timeout(patience, TcpStream::connect(address)).await {
                    Ok(Ok(stream)) => waiting.push(stream),
                    Ok(Err(_)) | Err(_) => break,
                }
            }
            waiting.len()
        };
        // Linux lets one more in than it was told, and tells the rest nothing.
        let few = waiting(2, 30, Duration::from_secs(2)).await;
        assert!((1..=4).contains(&few), "{few} wait");
        assert_eq!(waiting(64, 30, Duration::from_secs(20)).await, 30);
    }
}
