//! The handle of a client that reconnects.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::DropGuard;

use super::error::because;
use super::shared::Shared;
use super::{Away, ClientEvent, ClientSender, RequestError, SendError, Unsent};
use crate::session::CloseReason;
use crate::{EncodeError, Packet};

/// A client that stays: a task connects, and connects again when the connection is lost. This is a handle to it, cheap to
/// clone. Made by [`ClientOptions::reconnect`](crate::ClientOptions::reconnect).
///
/// What happens comes through [`next`](Self::next), in order. What had been sent and did not go out when a connection was
/// lost is told, and not sent again: the game knows whether it still matters. The client closes, after what was sent has
/// gone out, when the last handle is dropped; [`close`](Self::close) waits for that.
///
/// ```
/// # use netcore::{Client, ClientEvent, Connection, Door, Packet, RequestError, SendError, Server};
/// # #[derive(Packet)]
/// # enum ToServer {
/// #     #[packet(id = 1, reply = 2)]
/// #     Login { #[raw(fixed = 16)] name: String },
/// #     #[packet(id = 3)]
/// #     Wave,
/// # }
/// # #[derive(Packet, Debug, PartialEq)]
/// # enum ToClient {
/// #     #[packet(id = 2)]
/// #     LoggedIn { result: i16 },
/// #     #[packet(id = 4)]
/// #     Waved,
/// # }
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
/// let name = "ann".to_owned();
/// let reconnect = Client::<ToClient, ToServer>::options().reconnect().login(move |client| {
///     // Each log-in has its own: an `async |client|` cannot capture any.
///     let name = name.clone();
///     async move {
///         client.request(ToServer::Login { name }).await?;
///         Ok::<_, RequestError>(client)
///     }
/// });
/// let client = reconnect.connect(server.addr());
/// client.send(&ToServer::Wave)?; // It waits for the connection, and for the log-in.
/// loop {
///     match client.next().await {
///         Some(ClientEvent::Packet(packet)) => break assert_eq!(packet, ToClient::Waved),
///         Some(ClientEvent::Lost { reason, unsent, .. }) => println!("{reason}; {} unsent", unsent.count()),
///         Some(_) => {}
///         None => break,
///     }
/// }
/// assert!(client.close().await.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct ReconnectingClient<In, Out> {
    pub(super) shared: Arc<Shared<In, Out>>,
    _open: Arc<DropGuard>,
}

/// A packet was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// There is no connection, and [`Away::Refuse`] says what that means: why the last try failed, or the last connection
    /// was lost.
    #[error("there is no connection just now{}", because(.0))]
    Away(Option<Arc<str>>),
    /// Too much waits already: for the server, or for a connection. `send_wait` waits for room.
    #[error("too much waits to be sent: send less, or wait for room with `send_wait`")]
    Full,
    /// The client was closed, or has given up: why the last try failed.
    #[error("the client was closed or has given up{}", because(.0))]
    Ended(Option<Arc<str>>),
    /// It cannot be encoded: a mistake of ours.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: AtomicU64,)*
        }

        /// What a [`ReconnectingClient`] has counted since it began.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        #[non_exhaustive]
        pub struct ReconnectStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            fn snapshot(&self) -> ReconnectStats {
                ReconnectStats { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Connections that were made, and logged in.
    connected,
    /// Connections that were lost.
    lost,
    /// Tries that failed before there was a connection.
    failed,
    /// Packets that were accepted and did not go out: those in [`Unsent`].
    unsent,
    /// Packets that were refused because too much waited already, or because there was no connection.
    refused,
    /// Packets thrown away because nobody wants them (`only_answers`).
    ignored,
    /// Events thrown away because nobody asked for them.
    events_dropped,
}

impl<In, Out> ReconnectingClient<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    pub(super) fn new(shared: Arc<Shared<In, Out>>) -> Self {
        let open = Arc::new(shared.stop.clone().drop_guard());
        Self { shared, _open: open }
    }

    /// What happened next: a packet came, the connection was lost, or is back. `None` when the client was closed or has
    /// given up, and nothing will follow.
    ///
    /// Several clones may ask; each event comes to one of them. Cancel-safe: nothing is lost when the future is dropped.
    pub async fn next(&self) -> Option<ClientEvent<In, Out>> {
        self.shared.events.next().await
    }

    /// Sends a packet: it is queued at once, and goes out by itself. While there is no connection, [`Away`] says what
    /// becomes of it.
    ///
    /// A server that reads too slowly does not lose the client its connection, as it would a [`Client`](crate::Client):
    /// the packet is refused.
    ///
    /// # Errors
    /// [`NotSent`] says why it was not accepted.
    pub fn send(&self, packet: &Out) -> Result<(), NotSent> {
        self.shared.count(self.shared.send(packet))
    }

    /// Waits until at most half of the queue's bound is taken (while there is no connection: until the packet has room among
    /// those that wait for one), then sends.
    ///
    /// Cancel-safe: when the future is dropped, the packet was not sent.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`NotSent::Full`] only for a packet that is too large for the queue.
    pub async fn send_wait(&self, packet: &Out) -> Result<(), NotSent> {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let Some(up) = self.shared.up() else {
                match self.shared.send(packet) {
                    Err(NotSent::Full) if !self.shared.is_too_large(packet) => changed.await,
                    result => return self.shared.count(result),
                }
                continue;
            };
            match up.send_wait(packet).await {
                // Lost meanwhile.
                Err(SendError::Closed(_)) => {}
                result => return self.shared.count(result.map_err(NotSent::from_open)),
            }
        }
    }

    /// Sends a request and waits for its answer, as [`Client::request`](crate::Client::request) does.
    ///
    /// While there is no connection, it waits for one within its own time, or is refused: [`Away`]. When the connection is
    /// lost before the answer came, it fails; if it had not gone out, it is among the [`Unsent`], too.
    ///
    /// Dropped before the answer came, the request stands, and its answer is received like any other packet. After one that
    /// has timed out and is not numbered, [`reconnect`](Self::reconnect).
    ///
    /// # Errors
    /// [`RequestError`]
    pub async fn request(&self, packet: Out) -> Result<In, RequestError> {
        self.request_within(packet, self.shared.request_timeout).await
    }

    /// As [`request`](Self::request), with a time of its own.
    ///
    /// # Errors
    /// As there.
    pub async fn request_within(&self, packet: Out, time: Duration) -> Result<In, RequestError> {
        let begun = Instant::now();
        let up =
            timeout(time, self.connection()).await.map_err(|_| RequestError::Away(self.shared.last()))??;
        // What is told is the time that was asked for, not what the wait for a connection has left of it.
        up.request_within(packet, time.saturating_sub(begun.elapsed())).await.map_err(|error| match error {
            RequestError::Timeout(_) => RequestError::Timeout(time),
            RequestError::Unreceived(_, waiting) => RequestError::Unreceived(time, waiting),
            other => other,
        })
    }

    /// Gives up the connection, if there is one that is logged in, and makes another: the loss and what did not go out are
    /// [told](ClientEvent::Lost). For a connection of which nothing good is to be expected any more: after a
    /// [`request`](Self::request) that is not numbered has timed out, its answer may never come, and each answer that does
    /// come would be taken for that of the request before.
    pub fn reconnect(&self) {
        if let Some(up) = self.shared.up() {
            up.outbox().abort(CloseReason::Ended);
        }
    }

    /// Whether there is a connection that is logged in.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.up().is_some()
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> ReconnectStats {
        self.shared.counters.snapshot()
    }

    /// Closes: accepts nothing more, sends what is queued, then waits for the server to close too, for the limits' `linger`
    /// at most. What could not be sent any more, to the first who calls it.
    ///
    /// Not cancel-safe: dropped, the client still closes, but nobody waits for it.
    pub async fn close(self) -> Unsent<Out> {
        self.shared.stop.cancel();
        self.shared.done.cancelled().await;
        self.shared.take_left()
    }

    /// The connection that is there, or the next one.
    async fn connection(&self) -> Result<ClientSender<In, Out>, RequestError> {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.shared.up() {
                Some(up) => return Ok(up),
                None if self.shared.has_ended() => {
                    return Err(RequestError::Ended(self.shared.last()));
                }
                None if self.shared.away == Away::Refuse => {
                    return Err(RequestError::Away(self.shared.last()));
                }
                None => changed.await,
            }
        }
    }
}

impl NotSent {
    /// What a connection that is open has said.
    pub(super) fn from_open(error: SendError) -> Self {
        match error {
            SendError::Encode(error) => Self::Encode(error),
            _ => Self::Full,
        }
    }
}

impl<In, Out> Clone for ReconnectingClient<In, Out> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), _open: self._open.clone() }
    }
}

impl<In, Out> fmt::Debug for ReconnectingClient<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectingClient").finish_non_exhaustive()
    }
}
