//! One way into a game.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::BytesMut;

use super::backlog;
use super::encoding::{Encode, Encoding, Writes};
use super::handshake::Handshake;
use super::incoming::{self, Arrivals, Incoming};
use super::keepalive;
use super::memory::{self, MemoryConnector, MemoryListener};
use super::peer::Notice;
use super::{Adapter, Binary, Hello, HelloIds, PlainText, Proxy, Stats, Text, TextProtocol};
use crate::Packet;
use crate::session::{CloseReason, Limits, Slow, Spoken};

/// One way into a game: a transport, the protocol that is spoken there, and its limits. A server has as many as it likes,
/// all into one game.
///
/// ```
/// use netcore::{Door, Frame, Limits};
///
/// let raw: Door<Frame, Frame> = Door::tcp("127.0.0.1:11020").name("raw").limits(Limits::new().queue(64 * 1024));
/// let text: Door<String, String> = Door::lines("[::1]:10001").nodelay(false);
/// ```
///
/// # TCP
/// `TCP_NODELAY` is on, since a game's packets must not wait for each other; `SO_REUSEADDR` is on, so that a server can be
/// started again at once (but not on Windows, where it would let two share a port); keep-alive probes after 45 s of
/// silence; the backlog is 1,024 connections; the buffers are the system's.
pub struct Door<In, Out> {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) adapter: Arc<dyn Adapter<In, Out>>,
    encode: Arc<dyn Encode<Out>>,
    pub(super) limits: Limits,
    pub(super) notice: Option<Words<Out>>,
    pub(super) tcp: TcpSettings,
    handshake: Handshake,
    hello: Option<Hello>,
}

type Words<Out> = Arc<dyn Fn(CloseReason) -> Option<Out> + Send + Sync>;

pub(super) enum Place {
    Tcp(String),
    Memory(MemoryListener),
    Incoming(Arrivals),
}

/// How a door's sockets are set.
#[derive(Clone, Copy, Debug)]
pub(super) struct TcpSettings {
    pub(super) nodelay: bool,
    pub(super) keepalive: Option<Duration>,
    pub(super) backlog: u32,
    pub(super) send_buffer: Option<u32>,
    pub(super) recv_buffer: Option<u32>,
    pub(super) unsent: Option<u32>,
}

impl<In: 'static, Out: 'static> Door<In, Out> {
    /// TCP at `address` (`HOST:PORT`, `[IPv6]:PORT`; port 0: the system picks one), with framed packets.
    #[must_use]
    pub fn tcp(address: impl ToString) -> Self
    where
        In: Packet,
        Out: Packet,
    {
        Self::tcp_with(address, Binary::new())
    }

    /// TCP at `address`, with what `adapter` speaks.
    #[must_use]
    pub fn tcp_with(address: impl ToString, adapter: impl Adapter<In, Out>) -> Self {
        Self::new("tcp", Place::Tcp(address.to_string()), adapter)
    }

    /// TCP at `address`, with lines of text. They are for people who type: unless [`limits`](Self::limits) sets one, there
    /// is no deadline for the first line, nor for finishing one.
    #[must_use]
    pub fn text<P>(address: impl ToString, text: Text<P>) -> Self
    where
        P: TextProtocol<In = In, Out = Out>,
    {
        Self::new("text", Place::Tcp(address.to_string()), text)
    }

    /// TCP at `address`, with lines of text that are the game's own types: a `String` is heard, and what can be shown is
    /// said. Otherwise as [`text`](Self::text).
    #[must_use]
    pub fn lines(address: impl ToString) -> Self
    where
        Out: fmt::Display,
        PlainText<Out>: TextProtocol<In = In, Out = Out>,
    {
        Self::text(address, Text::new(PlainText::new()))
    }

    /// A door in memory, for tests and simulations, and what connects to it. Up to [`backlog`](Self::backlog) connections
    /// wait to be accepted.
    ///
    /// On a paused clock a worker wants [`Host::Task`](crate::Host::Task): one on a thread of its own keeps real time.
    #[must_use]
    pub fn memory(adapter: impl Adapter<In, Out>) -> (Self, MemoryConnector) {
        let (listener, connector) = memory::listener(backlog::DEFAULT as usize);
        (Self::new("memory", Place::Memory(listener), adapter), connector)
    }

    /// A door for streams that somebody else accepts, an HTTP server say, and what hands them in. Up to
    /// [`backlog`](Self::backlog) wait to be let in.
    ///
    /// ```
    /// use netcore::{Binary, Client, Connection, Door, Frame, SendError, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (door, incoming) = Door::incoming(Binary::new());
    /// let server = Server::new().door(door).serve(async |mut peer: Connection<Frame, Frame>| {
    ///     while let Some(frame) = peer.recv().await? {
    ///         peer.send(&frame)?;
    ///     }
    ///     Ok::<_, SendError>(())
    /// });
    /// let server = server.await?;
    ///
    /// let (near, far) = tokio::io::duplex(1024);
    /// incoming.enter(far, "203.0.113.7:51234".parse().ok())?;
    /// let mut client = Client::<Frame, Frame>::options().over(near);
    /// client.send(&Frame::new(1, "hello"))?;
    /// assert_eq!(client.recv().await?, Some(Frame::new(1, "hello")));
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn incoming(adapter: impl Adapter<In, Out>) -> (Self, Incoming) {
        let (incoming, arrivals) = incoming::channel(backlog::DEFAULT as usize);
        (Self::new("incoming", Place::Incoming(arrivals), adapter), incoming)
    }

    fn new(name: &str, place: Place, adapter: impl Adapter<In, Out>) -> Self {
        let tcp = TcpSettings {
            nodelay: true,
            keepalive: keepalive::DEFAULT,
            backlog: backlog::DEFAULT,
            send_buffer: None,
            recv_buffer: None,
            unsent: None,
        };
        let adapter = Arc::new(adapter);
        let encode = Arc::new(Writes(adapter.clone(), PhantomData));
        Self {
            name: name.to_owned(),
            place,
            adapter,
            encode,
            limits: Limits::new(),
            notice: None,
            tcp,
            handshake: Handshake::new(),
            hello: None,
        }
        .limits(Limits::new())
    }

    /// Its name: in logs and errors, and for the game ([`Context::door_name`](crate::Context::door_name)).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The bounds of each session that comes through it, in place of those it has. What they do not set is the default:
    /// where [lines](Spoken::Lines) are spoken, over whichever transport, `first_packet` and `unfinished` stay off.
    ///
    /// ```
    /// use std::time::Duration;
    /// use netcore::{Door, Limits};
    ///
    /// // People may take their time, up to ten minutes.
    /// let limits = Limits::new().idle(Duration::from_secs(600));
    /// let door: Door<String, String> = Door::lines("127.0.0.1:10001").limits(limits);
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = match self.adapter.spoken() {
            Spoken::Lines => limits.of_people(),
            _ => limits,
        };
        self
    }

    /// Each connection begins with a PROXY header, v1 or v2, in which a proxy in front of the server says whose it is. The
    /// session then has that address, and [`Server::max_per_address`](crate::Server::max_per_address) counts it.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.handshake.proxy = Some(proxy);
        self
    }

    /// TLS from the first byte on.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: super::Tls) -> Self {
        self.handshake.tls = Some(tls);
        self
    }

    /// WebSocket, over TLS if the door has that too.
    #[cfg(feature = "websocket")]
    #[must_use]
    pub fn websocket(mut self, websocket: super::WebSocket) -> Self {
        self.handshake.websocket = Some(websocket);
        self
    }

    /// Each connection begins with a hello, in which both sides compare their packets: a client of another version is
    /// refused, in words. Its clients must have it on too.
    #[must_use]
    pub fn hello(mut self, hello: Hello) -> Self {
        self.hello = Some(hello);
        self
    }

    /// How long what stands before the session may take, all together: a PROXY header, TLS, WebSocket, a hello. 10 s unless
    /// set.
    #[must_use]
    pub fn handshake_within(mut self, time: Duration) -> Self {
        self.handshake.within = time;
        self
    }

    /// The last packet to a peer whose session closes, made from the reason, for a protocol that has one. It is sent after
    /// everything that was sent before; also to who is refused because the server is full, unless the door begins with
    /// TLS or WebSocket: no packet can be sent there before that is done, and who is refused is refused sooner; a WebSocket
    /// without TLS answers with 503 and why. So many of the refused are told at a time as
    /// [`Server::max_refusals`](crate::Server::max_refusals) says; in a flood the others see the connection close.
    #[must_use]
    pub fn close_notice(
        mut self,
        words: impl Fn(CloseReason) -> Option<Out> + Send + Sync + 'static,
    ) -> Self {
        self.notice = Some(Arc::new(words));
        self
    }

    /// Whether small packets go out at once (the default), or may wait for each other.
    #[must_use]
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.tcp.nodelay = nodelay;
        self
    }

    /// After how long a silence TCP itself looks whether the peer is still there, in whole seconds from 1 to 32,767; `None`:
    /// never.
    #[must_use]
    pub fn keepalive(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.tcp.keepalive = time.into();
        self
    }

    /// How many connections may wait to be accepted: 1,024 unless set. One more is refused: by the system over TCP; by
    /// [`connect`](MemoryConnector::connect) in memory, and by [`enter`](Incoming::enter) where streams are handed in, both
    /// of which let one wait at least.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        let most = usize::try_from(connections).unwrap_or(usize::MAX);
        match &self.place {
            Place::Tcp(_) => self.tcp.backlog = connections,
            Place::Memory(listener) => listener.set_backlog(most),
            Place::Incoming(arrivals) => arrivals.set_most(most),
        }
        self
    }

    /// The sizes of the system's buffers for each socket, in bytes; `None` leaves them to the system.
    #[must_use]
    pub fn buffers(mut self, send: impl Into<Option<u32>>, receive: impl Into<Option<u32>>) -> Self {
        self.tcp.send_buffer = send.into();
        self.tcp.recv_buffer = receive.into();
        self
    }

    /// How many bytes the system may have taken for each socket and not sent yet (`TCP_NOTSENT_LOWAT`, on Linux and Android;
    /// elsewhere it does nothing). `None`, the default: it takes up to megabytes for a peer that does not read, and hands them
    /// all over when it reads again. With 16 KiB, say, what waits for such a peer is in its queue, where
    /// [`Slow::Latest`](crate::Slow::Latest) keeps it fresh and [`Limits::stall`] sees that nothing goes out. A fast line
    /// loses nothing by it.
    #[must_use]
    pub fn unsent(mut self, bytes: impl Into<Option<u32>>) -> Self {
        self.tcp.unsent = bytes.into();
        self
    }

    /// What comes before a session.
    pub(super) fn take_handshake(&mut self) -> Result<Handshake, HelloIds> {
        let mut handshake = std::mem::replace(&mut self.handshake, Handshake::new());
        if let Some(hello) = self.hello {
            hello.check()?;
            handshake.greeting = Some(hello.greeting(&self.name));
        }
        Ok(handshake)
    }

    pub(super) fn encoding(&self, slow: Option<fn(&Out) -> Slow>) -> Encoding<Out> {
        Encoding { encode: self.encode.clone(), slow, door: self.name.as_str().into() }
    }

    /// The door's last words, encoded.
    pub(super) fn notice(&self, stats: Arc<Stats>) -> Option<Notice> {
        let (words, encode) = (self.notice.clone()?, self.encode.clone());
        Some(Arc::new(move |reason, dst: &mut BytesMut| {
            // The game's code, but called by everyone who closes a session: a panic must not pass through them.
            let encoded = catch_unwind(AssertUnwindSafe(|| match words(reason) {
                Some(packet) => encode.encode(&packet, dst).map_err(|error| error.to_string()),
                None => Ok(()),
            }));
            let error = match encoded {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(panic) => {
                    stats.panics.fetch_add(1, Relaxed);
                    format!("panicked: {}", super::panicked::words(&*panic))
                }
            };
            tracing::error!(error, "a close notice cannot be made");
            dst.clear();
        }))
    }
}

impl<In, Out> fmt::Debug for Door<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .field("tcp", &self.tcp)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
