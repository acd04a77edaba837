//! The face that a client starts from.

mod backoff;
mod deadline;
mod error;
mod events;
mod halves;
mod keeper;
mod login;
mod options;
mod race;
mod reconnect;
mod reconnecting;
mod replies;
mod shake;
mod shared;
mod unsent;

use std::fmt;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tracing::{Instrument, debug};

use super::encoding::Encoding;
use super::handshake::Slot;
use super::link::{Link, Transport};
use super::peer::Peer;
use super::requests::Pending;
use super::time::now;
use super::work::erased;
use super::{Connection, SendError, Stats};
use crate::Packet;
use crate::session::{CloseReason, Fault, Outbox, Session, SessionId, Slow};
use halves::Closer;

pub use deadline::ConnectStage;
pub use error::{ClientError, RequestError};
pub use events::{ClientEvent, TryError};
pub use halves::{ClientReceiver, ClientSender};
pub use login::LoginRefused;
pub use options::ClientOptions;
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

impl<In, Out> Client<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// Connects to `address` (`HOST:PORT`, `[IPv6]:PORT`), with the default [`options`](Self::options). Cancel-safe: dropped,
    /// there is no connection.
    ///
    /// # Errors
    /// When there is no connection in time.
    pub async fn connect(address: impl ToString) -> Result<Self, ClientError> {
        Self::options().connect(address).await
    }

    /// How to connect.
    #[must_use]
    pub fn options() -> ClientOptions<In, Out> {
        ClientOptions::new()
    }

    /// Over a transport that has had its handshakes.
    fn speak<T: Transport>(options: ClientOptions<In, Out>, stream: T, slot: Option<Slot>) -> Self {
        let meter = options.meter.get(options.adapter.spoken());
        let outbox = Outbox::new(options.limits.queue).measured(meter);
        if let Some(slot) = slot {
            let _ = slot.set(outbox.clone());
        }
        if options.lasting {
            outbox.keep();
        }
        let peer = Arc::new(Peer::new(SessionId::new(0, 0), 0, None, outbox.clone(), None, None));
        let decode = options.adapter.open();
        let session = Session::new(Arc::new(options.limits), decode, outbox, now());
        let mut link = Link::new(stream, session, peer.clone(), Arc::new(Stats::default()));
        let pending = Arc::new(Pending::new(options.max_requests));
        {
            let (pending, outbox) = (pending.clone(), peer.outbox.clone());
            link.inspect(Box::new(move |batch| match batch {
                Ok(batch) => pending.route(batch),
                Err(reason) => {
                    pending.close(reason);
                    // Whoever only sends hears of it so, and the server has its place back.
                    outbox.close(reason);
                }
            }));
        }
        let task = {
            let over = Over { peer: peer.clone(), pending: pending.clone(), reason: None };
            let run = async move {
                let mut over = over;
                // Who closed knows that it did; not that its last words were lost.
                let reason = match link.run().await {
                    (CloseReason::Ended, Some(cut)) => cut,
                    (reason, _) => reason,
                };
                debug!(%reason, "the connection to the server has ended");
                *over.reason.insert(reason)
            };
            // Of many bots, the span that its maker is in says which one it was.
            tokio::spawn(erased(run.in_current_span()))
        };
        let slow: Option<fn(&Out) -> Slow> = if options.lasting { Some(|_| Slow::DropNewest) } else { None };
        let encoding = Encoding { encode: options.encode, slow, door: "".into() };
        let mut connection = Connection::new(peer.clone(), encoding);
        connection.stay_open();
        let open = Arc::new(Closer(peer));
        let sender = ClientSender {
            sender: connection.sender(),
            pending,
            timeout: options.request_timeout,
            open: open.clone(),
        };
        Self { receiver: ClientReceiver { connection, _open: open }, sender, task }
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
    /// Other packets that come meanwhile wait for [`recv`](Self::recv): when so many do that the inbox
    /// ([`Limits::inbox`](crate::Limits::inbox), 1,024) is full, no more is read, and no answer comes until some are received.
    /// Who wants nothing but answers [splits](Self::split) the client and drops the receiver.
    ///
    /// A `reply` of `Out` that `In` does not have, or of which only one side is `numbered`, stops the build; `cargo check` too
    /// where `Out` names its answers, `#[packet(answered_by = ToClient)]`. Nothing is known of an `In` that is written by
    /// hand or has an `other` variant; there such a request times out.
    ///
    /// Dropped before it returns, the request stands, and its answer is received like any other packet: behind what has been
    /// read already, where the answer had come just before.
    ///
    /// Where packets carry no number, an answer that never comes is a gap: the next answer is taken for it, and the request
    /// that this one was for times out, as each behind it does. Close the connection after a timeout then, or number the
    /// requests. Answers that are late and not lost are no gap, however many requests have timed out meanwhile.
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
    /// connection ended: [`Ended`](CloseReason::Ended) where all went out, [`Unflushed`](CloseReason::Unflushed) or
    /// [`Stalled`](CloseReason::Stalled) where the server did not take it in time.
    ///
    /// Not cancel-safe: dropped, the connection still closes, but nobody waits for it.
    pub async fn close(self) -> CloseReason {
        let Self { receiver, sender, task } = self;
        drop((receiver, sender));
        task.await
            .unwrap_or_else(|error| if error.is_panic() { CloseReason::Panicked } else { CloseReason::Ended })
    }
}

/// Tells everyone who waits that the connection is over, also when a body format of the game's own has panicked.
struct Over<In: Packet> {
    peer: Arc<Peer<In>>,
    pending: Arc<Pending<In>>,
    // None yet: its runtime has ended before it, or a panic ends it.
    reason: Option<CloseReason>,
}

impl<In: Packet> Drop for Over<In> {
    fn drop(&mut self) {
        let dropped = if std::thread::panicking() { CloseReason::Panicked } else { CloseReason::Ended };
        let reason = self.reason.unwrap_or(dropped);
        self.peer.outbox.abort(reason);
        self.peer.end(reason, None);
        self.pending.close(reason);
    }
}

impl<In, Out> fmt::Debug for Client<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}
