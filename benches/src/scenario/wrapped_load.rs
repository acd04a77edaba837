//! The load of the scenarios under TLS and behind WebSocket: one thread, a task for each connection.
//!
//! Of WebSocket it knows the heads of frames only. It sends each packet as a message, with a mask of zeros, so that a
//! window is one prepared slice; what comes back may be cut into messages anyhow.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::process;
use super::wrapped_server::{Certificate, Kind};
use crate::hand;

/// What to send, and where to.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// What it speaks.
    pub kind: Kind,
    /// Its certificate.
    pub certificate: Certificate,
    /// So many connections.
    pub connections: usize,
    /// So many packets under way on each.
    pub window: usize,
    /// Bytes of each packet's body.
    pub body: usize,
    /// Before it is measured.
    pub warm_up: Duration,
    /// While it is measured.
    pub time: Duration,
}

/// What came of it.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Measured {
    /// Packets that came back, a second.
    pub packets: f64,
    /// The server's time on a core for each, in nanoseconds, where the system tells.
    pub nanos: Option<f64>,
    /// The share of the time that the server spent on a core.
    pub server_busy: Option<f64>,
    /// The share that the load did.
    pub load_busy: Option<f64>,
}

impl Load {
    /// Runs it.
    ///
    /// # Errors
    /// When a connection breaks, or what comes back is not what was sent.
    pub fn run(&self) -> io::Result<Measured> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let count = Arc::new(AtomicU64::new(0));
            let mut peers = JoinSet::new();
            for _ in 0..self.connections {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                let (body, window, count) = (self.body, self.window, count.clone());
                if self.kind.is_tls() {
                    let stream = self.connector()?.connect(name()?, stream).await?;
                    peers.spawn(peer(stream, Framing::None, body, window, count));
                } else {
                    let stream = upgraded(stream).await?;
                    peers.spawn(peer(stream, Framing::WebSocket, body, window, count));
                }
            }
            tokio::select! {
                measured = self.measure(&count) => Ok(measured),
                Some(ended) = peers.join_next() => {
                    ended.map_err(io::Error::other)??;
                    Err(io::ErrorKind::UnexpectedEof.into())
                }
            }
        })
    }

    async fn measure(&self, count: &AtomicU64) -> Measured {
        tokio::time::sleep(self.warm_up).await;
        let spent = || (process::spent(self.pid), process::spent(std::process::id()));
        let (since, before, (server, load)) = (Instant::now(), count.load(Relaxed), spent());
        tokio::time::sleep(self.time).await;
        let (took, packets) = (since.elapsed().as_secs_f64(), (count.load(Relaxed) - before) as f64);
        let after = spent();
        let during = |before: Option<Duration>, after: Option<Duration>| {
            Some(after?.saturating_sub(before?).as_secs_f64())
        };
        let server = during(server, after.0);
        Measured {
            packets: packets / took,
            nanos: server.map(|server| server * 1e9 / packets),
            server_busy: server.map(|server| server / took),
            load_busy: during(load, after.1).map(|load| load / took),
        }
    }

    fn connector(&self) -> io::Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.certificate.clone().into()).map_err(io::Error::other)?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()).into())
    }
}

fn name() -> io::Result<ServerName<'static>> {
    ServerName::try_from("localhost").map_err(io::Error::other)
}

async fn upgraded(mut stream: TcpStream) -> io::Result<TcpStream> {
    stream.write_all(UPGRADE.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    if head.starts_with(b"HTTP/1.1 101") { Ok(stream) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    None,
    WebSocket,
}

/// Keeps a window of packets under way.
async fn peer<S>(
    mut stream: S,
    framing: Framing,
    body: usize,
    window: usize,
    count: Arc<AtomicU64>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut packet = hand::head(2, body).to_vec();
    packet.extend((0..body).map(|at| at as u8 ^ 0x5a));
    let expected = packet.repeat(2 + READ / packet.len());
    let unit = if framing == Framing::WebSocket { message(&packet) } else { packet.clone() };
    let wire = unit.repeat(window);
    let mut buffer = vec![0; READ];
    let mut frames = Frames::default();
    let mut got = 0;
    stream.write_all(&wire).await?;
    stream.flush().await?;
    loop {
        let mut len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        if framing == Framing::WebSocket {
            len = frames.payload(buffer.get_mut(..len).unwrap_or_default());
        }
        if expected.get(got..got + len) != buffer.get(..len) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes than were sent"));
        }
        let came = (got + len) / packet.len();
        got = (got + len) % packet.len();
        count.fetch_add(came as u64, Relaxed);
        let mut left = came;
        while left > 0 {
            let now = left.min(window);
            stream.write_all(wire.get(..now * unit.len()).unwrap_or_default()).await?;
            left -= now;
        }
        stream.flush().await?;
    }
}

/// A client's message of one frame.
fn message(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x82];
    match u16::try_from(payload.len()) {
        Ok(len @ 0..126) => bytes.push(0x80 | len as u8),
        Ok(len) => {
            bytes.push(0x80 | 126);
            bytes.extend(len.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// A server's frames, taken apart.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    left: usize,
}

impl Frames {
    /// Leaves the payload at the front; how long it is.
    fn payload(&mut self, bytes: &mut [u8]) -> usize {
        let (mut from, mut to) = (0, 0);
        while let Some(byte) = bytes.get(from).copied() {
            if self.left > 0 {
                let len = self.left.min(bytes.len() - from);
                bytes.copy_within(from..from + len, to);
                (from, to, self.left) = (from + len, to + len, self.left - len);
                continue;
            }
            self.head.push(byte);
            from += 1;
            let len = |bytes: &[u8]| bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
            match self.head.as_slice() {
                [_, 126, rest @ ..] if rest.len() == 2 => self.left = len(rest),
                [_, 127, rest @ ..] if rest.len() == 8 => self.left = len(rest),
                [_, 126 | 127, ..] | [_] | [] => continue,
                [_, len, ..] => self.left = usize::from(*len),
            }
            self.head.clear();
        }
        to
    }
}

const READ: usize = 64 * 1024;
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
