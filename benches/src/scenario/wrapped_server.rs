//! Echo servers under TLS and behind WebSocket: netcore's, and what a team would write on tokio-rustls and
//! tokio-tungstenite alone.

use std::error::Error;
use std::io;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, future};
use netcore::{Door, Frame, Limits, Relay, Running, Server, Tls, WebSocket};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::echo_server::{READ, each, echo};
use super::process;

/// A kind of server.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// tokio-rustls: reads into a buffer and writes what was read.
    Rustls,
    /// netcore under TLS, a task a session, packets as frames.
    NetcoreTls,
    /// The same, packets passed on as they came.
    RelayTls,
    /// tokio-tungstenite: the stream of messages forwarded into its sink.
    Tungstenite,
    /// netcore behind WebSocket, a task a session, packets as frames.
    NetcoreWebSocket,
    /// The same, packets passed on as they came.
    RelayWebSocket,
}

impl Kind {
    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rustls => "tokio-rustls alone",
            Self::NetcoreTls => "netcore, TLS",
            Self::RelayTls => "netcore, TLS, relayed",
            Self::Tungstenite => "tokio-tungstenite alone",
            Self::NetcoreWebSocket => "netcore, WebSocket",
            Self::RelayWebSocket => "netcore, WebSocket, relayed",
        }
    }

    /// Whether it is under TLS; else it is behind WebSocket.
    #[must_use]
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Rustls | Self::NetcoreTls | Self::RelayTls)
    }
}

/// A certificate for `localhost` and its key, in DER, which server and load know.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Certificate {
    /// Vouches for itself.
    pub certificate: Vec<u8>,
    /// PKCS #8.
    pub key: Vec<u8>,
}

impl Certificate {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        Ok(Self { certificate: made.cert.der().to_vec(), key: made.signing_key.serialize_der() })
    }
}

/// Serves until the process is not needed any more.
///
/// # Errors
/// When it cannot listen.
pub fn run(kind: Kind, certificate: &Certificate) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut running = None;
        let address = match kind {
            Kind::Rustls => {
                let acceptor = acceptor(certificate)?;
                each(move |stream| rustls(stream, acceptor.clone())).await?
            }
            Kind::Tungstenite => each(tungstenite).await?,
            _ => running.insert(netcore(kind, certificate).await?).addr(),
        };
        process::serve_until_done(address).await
    })
}

fn acceptor(certificate: &Certificate) -> Result<TlsAcceptor, Box<dyn Error>> {
    let key = PrivateKeyDer::try_from(certificate.key.clone())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.certificate.clone().into()], key)?;
    Ok(Arc::new(config).into())
}

async fn rustls(stream: TcpStream, acceptor: TlsAcceptor) -> io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut buffer = vec![0; READ];
    loop {
        let len = stream.read(&mut buffer).await?;
        let read = buffer.get(..len).filter(|read| !read.is_empty());
        let Some(read) = read else { return Ok(()) };
        stream.write_all(read).await?;
        stream.flush().await?;
    }
}

async fn tungstenite(stream: TcpStream) -> io::Result<()> {
    let socket = tokio_tungstenite::accept_async(stream).await.map_err(io::Error::other)?;
    let (sink, stream) = socket.split();
    let binary = stream.try_filter(|message| future::ready(message.is_binary()));
    binary.forward(sink).await.map_err(io::Error::other)
}

async fn netcore(kind: Kind, certificate: &Certificate) -> Result<Running, Box<dyn Error>> {
    if matches!(kind, Kind::RelayTls | Kind::RelayWebSocket) {
        let server = server(Door::tcp_with("127.0.0.1:0", Relay::new()), kind, certificate)?;
        return Ok(server.serve(echo).await?);
    }
    Ok(server::<Frame>(Door::tcp("127.0.0.1:0"), kind, certificate)?.serve(echo).await?)
}

/// The defaults, but for the bounds that the load itself would meet.
fn server<P: Send + Sync + 'static>(
    door: Door<P, P>,
    kind: Kind,
    certificate: &Certificate,
) -> Result<Server<P, P>, Box<dyn Error>> {
    let door = door.limits(Limits::new().queue(1024 * 1024).backpressure(true));
    let door = if kind.is_tls() {
        door.tls(Tls::from_der([certificate.certificate.clone()], certificate.key.clone())?)
    } else {
        door.websocket(WebSocket::new())
    };
    Ok(Server::new().max_per_address(usize::MAX).door(door))
}
