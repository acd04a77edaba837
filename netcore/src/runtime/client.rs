//! The face that a client starts from.

mod backoff;
mod events;
mod keeper;
mod reconnect;
mod reconnecting;
mod shake;
mod unsent;

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::ToSocketAddrs;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connection::{Encode, Encoding, Writes};
use super::handshake::{Shaken, Slot};
use super::link::{Link, Transport, now};
use super::metrics::{ClientMeter, RoundTrip};
use super::peer::Peer;
use super::requests::Pending;
use super::{Adapter, Binary, Connection, Hello, HelloError, SendError, Sender, Stats};
use crate::session::{CloseReason, Fault, Limits, Outbox, Session, SessionId, Slow};
use crate::{Packet, PacketId};

pub use events::{ClientEvent, TryError};
pub use reconnect::{Away, Reconnect};
pub use reconnecting::{NotSent, ReconnectStats, ReconnectingClient};
pub use unsent::Unsent;

/// A connection to a server. See [`Server`](crate::Server) for the two together.
///
/// Bytes move by themselves, in a task of the runtime. Dropping the client closes the connection after what was sent has
/// gone out; [`close`](Self::close) waits for that. `In` is what the server sends, so that the two types stand the other
/// way round than at the server.
///
/// ```
/// use netcore::{Client, Connection, Door, Packet, SendError, Server};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 1, reply = 2)]
///     Login { #[raw(fixed = 16)] name: String },
///     #[packet(id = 3)]
///     Wave,
/// }
/// #[derive(Packet, Debug, PartialEq)]
/// enum ToClient {
///     #[packet(id = 2)]
///     LoggedIn { result: i16 },
///     #[packet(id = 4)]
///     Waved,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = Server::new().door(Door::tcp("127.0.0.1:0")).serve(async |mut peer: Connection<ToServer, ToClient>| {
/// #     while let Some(packet) = peer.recv().await? {
/// #         match packet {
/// #             ToServer::Login { .. } => peer.send(&ToClient::LoggedIn { result: 1 })?,
/// #             ToServer::Wave => peer.send(&ToClient::Waved)?,
/// #         }
/// #     }
/// #     Ok::<_, SendError>(())
/// # }).await?;
/// let client = Client::<ToClient, ToServer>::connect(server.addr()).await?;
/// let answer = client.request(ToServer::Login { name: "ann".into() }).await?;
/// assert_eq!(answer, ToClient::LoggedIn { result: 1 });
///
/// // One task sends, another receives; clones of the sender may ask, too.
/// let (sender, mut receiver) = client.split();
/// let waving = tokio::spawn(async move { sender.send(&ToServer::Wave) });
/// assert_eq!(receiver.recv().await?, Some(ToClient::Waved));
/// # waving.await??;
/// # Ok(())
/// # }
/// ```
pub struct Client<In, Out> {
    receiver: ClientReceiver<In, Out>,
    sender: ClientSender<In, Out>,
    task: JoinHandle<CloseReason>,
}

/// The half that sends and asks. Cheap to clone. The connection closes when this half and its clones and the
/// [`ClientReceiver`] are all gone.
pub struct ClientSender<In, Out> {
    sender: Sender<Out>,
    pending: Arc<Pending<In>>,
    timeout: Duration,
    open: Arc<Closer<In>>,
}

/// The half that receives. Without it, what the server sends unasked is thrown away; with it, it must be received, since
/// answers wait behind what is not.
pub struct ClientReceiver<In, Out> {
    connection: Connection<In, Out>,
    _open: Arc<Closer<In>>,
}

/// How to connect.
///
/// | setting | default |
/// |---|---|
/// | [`connect_timeout`](Self::connect_timeout) | 10 s |
/// | [`request_timeout`](Self::request_timeout) | 10 s |
/// | [`limits`](Self::limits) | [`Limits`]'s, but no deadline for the first packet |
/// | [`adapter`](Self::adapter) | framed packets up to the wire's own limits |
/// | [`hello`](Self::hello) | none |
pub struct ClientOptions<In, Out> {
    connect_timeout: Duration,
    request_timeout: Duration,
    limits: Limits,
    adapter: Arc<dyn Adapter<In, Out>>,
    encode: Arc<dyn Encode<Out>>,
    #[cfg(feature = "tls")]
    tls: Option<super::ClientTls>,
    #[cfg(feature = "websocket")]
    websocket: Option<super::WebSocket>,
    hello: Option<Hello>,
    // What does not go out is kept, and what finds no room does not end the connection.
    lasting: bool,
    meter: ClientMeter,
}

/// There is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server cannot be reached.
    #[error("cannot connect: {}", in_words(.0))]
    Connect(#[from] io::Error),
    /// It did not answer in time.
    #[error(
        "no connection within {0:?} (`connect_timeout`): look whether the address is right, the server is not \
         overloaded, and no firewall stands between"
    )]
    Timeout(Duration),
    /// The server does not speak TLS, or its certificate is not one that we take.
    #[cfg(feature = "tls")]
    #[error("no TLS with the server")]
    Tls(#[source] io::Error),
    /// The server does not speak WebSocket, or not this one.
    #[cfg(feature = "websocket")]
    #[error("no WebSocket with the server: {0}")]
    WebSocket(CloseReason),
    /// It did not get through the hello. After a [`HelloError::Version`], to try again is in vain.
    #[error(transparent)]
    Hello(#[from] HelloError),
}

/// A request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// No answer came in time. If it comes later, it is received like any other packet.
    #[error("no answer within {0:?} (`request_timeout`): is it a packet that the server answers?")]
    Timeout(Duration),
    /// The connection closed before the answer came.
    #[error("the connection closed before the answer came")]
    Closed,
    /// The client reconnects, and there was no connection to ask over.
    #[error("there is no connection just now, so that nothing was asked")]
    Away,
    /// The packet declares no answer: `#[packet(id = …, reply = …)]`.
    #[error("packet {0} names no answer: declare it with `reply = …`, or use `send`")]
    NoReply(PacketId),
    /// Too many requests wait for an answer.
    #[error("{0} requests wait for an answer already: wait for some before asking more")]
    TooMany(usize),
}

/// Why there is no connection, for a person.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nobody listens there: look whether the server runs, and at that port".to_owned()
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("there is no way to that address ({error}): look at the address and the network")
        }
        io::ErrorKind::InvalidInput => {
            format!("{error}: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020")
        }
        _ => error.to_string(),
    }
}

impl<In, Out> ClientOptions<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        let (adapter, encode) = both_ways(Binary::new());
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            limits: Limits::new().first_packet(None),
            adapter,
            encode,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "websocket")]
            websocket: None,
            hello: None,
            lasting: false,
            meter: ClientMeter::default(),
        }
    }

    /// How long connecting may take.
    #[must_use]
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// How long [`Client::request`] waits for an answer.
    #[must_use]
    pub fn request_timeout(mut self, time: Duration) -> Self {
        self.request_timeout = time;
        self
    }

    /// The connection's bounds.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is spoken: framed packets with other limits, say, or those of another wire ([`Binary::map`]).
    #[must_use]
    pub fn adapter(mut self, adapter: impl Adapter<In, Out>) -> Self {
        (self.adapter, self.encode) = both_ways(adapter);
        self
    }

    /// TLS from the first byte on.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: super::ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// WebSocket, over TLS if there is that too.
    #[cfg(feature = "websocket")]
    #[must_use]
    pub fn websocket(mut self, websocket: super::WebSocket) -> Self {
        self.websocket = Some(websocket);
        self
    }

    /// Begins with a hello, in which both sides compare their packets: the server's door must have it on too.
    #[must_use]
    pub fn hello(mut self, hello: Hello) -> Self {
        self.hello = Some(hello);
        self
    }

    /// A client that connects again when the connection is lost, each time with these options.
    #[must_use]
    pub fn reconnect(self) -> Reconnect<In, Out> {
        Reconnect::new(self)
    }

    /// Connects to a server, with TLS and WebSocket if they are set. Cancel-safe: dropped, there is no connection.
    ///
    /// # Errors
    /// When there is no connection in time, or the hello was not answered by a welcome.
    pub async fn connect(self, address: impl ToSocketAddrs) -> Result<Client<In, Out>, ClientError> {
        let shaken = self.within(self.shake(address)).await?;
        Ok(match shaken {
            Shaken::Same(stream) => self.speak(stream, None),
            Shaken::Other { transport, outbox } => self.speak(transport, outbox),
        })
    }

    /// Speaks over a stream that is connected already, one in memory, say, after the [hello](Self::hello) if there is to be
    /// one. Cancel-safe: dropped, there is no connection.
    ///
    /// # Errors
    /// When the hello was not answered by a welcome, or not in time.
    pub async fn connect_over<T>(self, stream: T) -> Result<Client<In, Out>, ClientError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.within(self.greeted(stream)).await.map(|stream| self.over(stream))
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
        if let Some(hello) = &self.hello {
            hello.check().map_err(HelloError::from)?;
        }
        let limit = self.connect_timeout;
        timeout(limit, work).await.map_err(|_| ClientError::Timeout(limit))?
    }

    async fn greeted<T: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: T) -> Result<T, ClientError> {
        if let Some(hello) = &self.hello {
            hello.greet(&mut stream).await?;
        }
        Ok(stream)
    }

    /// Speaks over a stream that is connected already, at once: without a hello, or after one.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn over<T>(self, stream: T) -> Client<In, Out>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.speak(stream, None)
    }

    fn speak<T: Transport>(self, stream: T, slot: Option<Slot>) -> Client<In, Out> {
        let meter = self.meter.get(self.adapter.spoken());
        let outbox = Outbox::new(self.limits.queue).measured(meter);
        if let Some(slot) = slot {
            let _ = slot.set(outbox.clone());
        }
        if self.lasting {
            outbox.keep();
        }
        let peer = Arc::new(Peer::new(SessionId::new(0, 0), 0, None, outbox.clone(), None, None));
        let decode = self.adapter.open();
        let session = Session::new(Arc::new(self.limits), decode, outbox, now());
        let mut link = Link::new(stream, session, peer.clone(), Arc::new(Stats::default()));
        let pending = Arc::new(Pending::default());
        {
            let pending = pending.clone();
            link.inspect(Box::new(move |batch| match batch {
                Some(batch) => pending.route(batch),
                None => pending.close(),
            }));
        }
        let task = {
            let over = Over { peer: peer.clone(), pending: pending.clone(), reason: CloseReason::Panicked };
            tokio::spawn(async move {
                let mut over = over;
                over.reason = link.run().await;
                over.reason
            })
        };
        let slow: Option<fn(&Out) -> Slow> = if self.lasting { Some(|_| Slow::DropNewest) } else { None };
        let mut connection = Connection::new(peer.clone(), Encoding { encode: self.encode, slow });
        connection.stay_open();
        let open = Arc::new(Closer(peer));
        let sender = ClientSender {
            sender: connection.sender(),
            pending,
            timeout: self.request_timeout,
            open: open.clone(),
        };
        Client { receiver: ClientReceiver { connection, _open: open }, sender, task }
    }
}

impl<In, Out> Clone for ClientOptions<In, Out> {
    fn clone(&self) -> Self {
        let (adapter, encode) = (self.adapter.clone(), self.encode.clone());
        let (limits, meter) = (self.limits.clone(), self.meter.clone());
        Self {
            limits,
            adapter,
            encode,
            meter,
            #[cfg(feature = "tls")]
            tls: self.tls.clone(),
            #[cfg(feature = "websocket")]
            websocket: self.websocket.clone(),
            ..*self
        }
    }
}

impl<In, Out> Default for ClientOptions<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<In, Out> Client<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// Connects to a server, with the default [`options`](Self::options). Cancel-safe: dropped, there is no connection.
    ///
    /// # Errors
    /// When there is no connection in time.
    pub async fn connect(address: impl ToSocketAddrs) -> Result<Self, ClientError> {
        Self::options().connect(address).await
    }

    /// How to connect.
    #[must_use]
    pub fn options() -> ClientOptions<In, Out> {
        ClientOptions::new()
    }

    /// Sends a packet: it is queued at once, and goes out by itself.
    ///
    /// # Errors
    /// [`SendError`] says why it was not queued.
    pub fn send(&self, packet: &Out) -> Result<(), SendError> {
        self.sender.send(packet)
    }

    /// Waits until at most half of the queue's bound is taken, then sends.
    ///
    /// Cancel-safe: when the future is dropped, the packet was not sent.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_wait(&self, packet: &Out) -> Result<(), SendError> {
        self.sender.send_wait(packet).await
    }

    /// The next packet that is not the answer to a request; `None` when the server has closed.
    ///
    /// Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The reason of the close, when the server did not simply close; the packets before it were received.
    pub async fn recv(&mut self) -> Result<Option<In>, CloseReason> {
        self.receiver.recv().await
    }

    /// The next packet, or what came in place of one; otherwise as [`recv`](Self::recv).
    ///
    /// Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub async fn recv_any(&mut self) -> Result<Option<Result<In, Fault>>, CloseReason> {
        self.receiver.recv_any().await
    }

    /// Sends a request and waits for its answer: the packet whose id the request declares as its `reply`. Answers are
    /// matched in the order of the requests, or by their number where the packets carry one.
    ///
    /// Other packets that come meanwhile wait for [`recv`](Self::recv).
    ///
    /// Dropped before the answer came, the request stands, and its answer is received like any other packet.
    ///
    /// Where packets carry no number, an answer that never comes is a gap: the next answer is taken for it, and the request
    /// that this one was for times out. Close the connection after a timeout then, or number the requests.
    ///
    /// # Errors
    /// [`RequestError`]
    pub async fn request(&self, packet: Out) -> Result<In, RequestError> {
        self.sender.request(packet).await
    }

    /// The two halves, for two tasks.
    #[must_use]
    pub fn split(self) -> (ClientSender<In, Out>, ClientReceiver<In, Out>) {
        (self.sender, self.receiver)
    }

    /// Closes: sends what is queued, then waits for the server to close too, for the limits' `linger` at most. Why the
    /// connection ended.
    ///
    /// Not cancel-safe: dropped, the connection still closes, but nobody waits for it.
    pub async fn close(self) -> CloseReason {
        let Self { receiver, sender, task } = self;
        drop((receiver, sender));
        task.await.unwrap_or(CloseReason::Panicked)
    }
}

impl<In, Out> ClientSender<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// As [`Client::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send(&self, packet: &Out) -> Result<(), SendError> {
        self.sender.send(packet)
    }

    /// As [`Client::send_wait`]. Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn send_wait(&self, packet: &Out) -> Result<(), SendError> {
        self.sender.send_wait(packet).await
    }

    /// As [`Client::request`].
    ///
    /// # Errors
    /// As there.
    pub async fn request(&self, packet: Out) -> Result<In, RequestError> {
        self.request_within(packet, self.timeout).await
    }

    /// As [`Client::request`], with a time of its own.
    ///
    /// # Errors
    /// As there.
    pub async fn request_within(&self, mut packet: Out, time: Duration) -> Result<In, RequestError> {
        let reply = packet.reply().ok_or(RequestError::NoReply(packet.id()))?;
        let number = self.pending.numbers.fetch_add(1, Relaxed);
        packet.set_request_number(number);
        let round_trip = RoundTrip::begin(&packet);
        // Waits before it is sent: the answer may be here before the next line.
        let answer = self.pending.wait(reply, packet.request_number(), || self.sender.send(&packet))?;
        match timeout(time, answer).await {
            Ok(Ok(answer)) => {
                round_trip.end();
                Ok(answer)
            }
            Ok(Err(_)) => Err(RequestError::Closed),
            Err(_) => Err(RequestError::Timeout(time)),
        }
    }
}

impl<In, Out> ClientSender<In, Out> {
    fn outbox(&self) -> &Outbox {
        &self.open.0.outbox
    }
}

impl<In, Out> ClientReceiver<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// As [`Client::recv`]. Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn recv(&mut self) -> Result<Option<In>, CloseReason> {
        self.connection.recv().await
    }

    /// As [`Client::recv_any`]. Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn recv_any(&mut self) -> Result<Option<Result<In, Fault>>, CloseReason> {
        self.connection.recv_any().await
    }
}

/// Tells everyone who waits that the connection is over, also when a body format of the game's own has panicked.
struct Over<In: Packet> {
    peer: Arc<Peer<In>>,
    pending: Arc<Pending<In>>,
    reason: CloseReason,
}

impl<In: Packet> Drop for Over<In> {
    fn drop(&mut self) {
        self.peer.outbox.abort(self.reason);
        self.peer.end(self.reason, None);
        self.pending.close();
    }
}

/// Closes the connection when the last half is gone.
struct Closer<In>(Arc<Peer<In>>);

impl<In> Drop for Closer<In> {
    fn drop(&mut self) {
        self.0.finish(CloseReason::Ended);
    }
}

impl<In, Out> Clone for ClientSender<In, Out> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            pending: self.pending.clone(),
            timeout: self.timeout,
            open: self.open.clone(),
        }
    }
}

type BothWays<In, Out> = (Arc<dyn Adapter<In, Out>>, Arc<dyn Encode<Out>>);

/// An adapter, and its side towards the server.
fn both_ways<In: 'static, Out: 'static>(adapter: impl Adapter<In, Out>) -> BothWays<In, Out> {
    let adapter = Arc::new(adapter);
    (adapter.clone(), Arc::new(Writes(adapter, PhantomData)))
}

impl<In, Out> fmt::Debug for ClientOptions<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("limits", &self.limits)
            .field("hello", &self.hello)
            .finish_non_exhaustive()
    }
}

impl<In, Out> fmt::Debug for Client<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl<In, Out> fmt::Debug for ClientSender<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSender")
    }
}

impl<In, Out> fmt::Debug for ClientReceiver<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientReceiver")
    }
}
