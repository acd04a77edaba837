//! One session as a task sees it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use tracing::debug;

use super::encoding::Encoding;
use super::peer::Peer;
use super::{SendError, Sender, spare, turn};
use crate::session::{CloseReason, Fault, Outbox, Sequence, SessionId, Slow};

/// One session, for the task that speaks with its peer: what a server gives to each session's `async fn`, and what is
/// inside a [`Client`](crate::Client).
///
/// Bytes move while the task awaits something else, too: nothing needs to be flushed. They do not while it computes, or blocks
/// by `block_in_place`: the session's reading, writing and clocks are polled by its own task. Work that takes long belongs into
/// `tokio::task::spawn_blocking`, whose result the task awaits. Dropping it closes the session after what was sent has gone
/// out.
///
/// ```
/// use netcore::{Connection, FaultKind, Frame, Packet, SendError};
///
/// #[derive(Packet)]
/// enum Number {
///     #[packet(id = 1)]
///     Is { n: u32 },
///     #[packet(id = 2)]
///     NoSuchPacket { id: u16 },
/// }
///
/// // Answers what it does not know, where `recv` would close the session.
/// async fn session(mut peer: Connection<Number, Number>) -> Result<(), SendError> {
///     while let Some(packet) = peer.recv_any().await? {
///         match packet {
///             Ok(Number::Is { n }) => peer.send(&Number::Is { n: n * 2 })?,
///             Ok(Number::NoSuchPacket { .. }) => {}
///             Err(fault) => match fault.kind() {
///                 FaultKind::Unknown(Frame { id, .. }) => peer.send(&Number::NoSuchPacket { id: id.0 })?,
///                 _ => return Err(fault.reason().into()),
///             },
///         }
///     }
///     Ok(())
/// }
/// ```
pub struct Connection<In, Out> {
    peer: Arc<Peer<In>>,
    sender: Sender<Out>,
    // Taken from the inbox and not yet received.
    packets: Sequence<In>,
    // `spare::give`: a bound on `In` would be one on the game's own generic functions.
    put_away: fn(&mut Sequence<In>),
    // What it left at the inbox to be called with.
    waker: Option<Waker>,
    end: Option<CloseReason>,
    // Dropped, it closes the session. A client's halves see to that themselves.
    closes: bool,
}

impl<In, Out> Connection<In, Out> {
    pub(crate) fn new(peer: Arc<Peer<In>>, encoding: Encoding<Out>) -> Self
    where
        In: 'static,
    {
        let sender = Sender::new(peer.id, peer.outbox.clone(), encoding);
        Self {
            peer,
            sender,
            packets: Sequence::new(),
            put_away: spare::give,
            waker: None,
            end: None,
            closes: true,
        }
    }

    /// The next packet; `None` when the peer has closed or the server shuts down. Answers can still be sent then.
    ///
    /// A packet that is unknown or malformed closes the session with that reason; on a text door, the person is told and
    /// the next line follows. [`recv_any`](Self::recv_any) leaves that to the caller.
    ///
    /// Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The reason of the close, when the peer did not simply close; the packets before it were received.
    #[inline]
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<In>, CloseReason>> {
        Recv(self)
    }

    /// The next packet, or what came in place of one.
    ///
    /// Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_any(&mut self) -> impl Future<Output = Result<Option<Result<In, Fault>>, CloseReason>> {
        poll_fn(|cx| {
            loop {
                match self.packets.pop() {
                    Some(packet) => return Poll::Ready(Ok(Some(packet))),
                    None if ready!(self.poll_more(cx)) => {}
                    None if self.ended_well() => return Poll::Ready(Ok(None)),
                    None => return Poll::Ready(Err(self.reason())),
                }
            }
        })
    }

    /// Waits until a packet is at hand; `false` at the end. It returns neither packet nor reason: [`Recv`] says why.
    #[cold]
    fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            if self.packets.has_packet() {
                return Poll::Ready(true);
            }
            if let Some(fault) = self.packets.pop_fault() {
                self.refuse(&fault);
            } else if !ready!(self.poll_more(cx)) {
                return Poll::Ready(false);
            }
        }
    }

    /// Takes packets from the inbox; `false` at the end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        // First: what is taken changes places with it, and an idle inbox would keep its memory.
        if self.packets.memory() > 0 {
            (self.put_away)(&mut self.packets);
        }
        if self.end.is_none() {
            match ready!(self.peer.poll_take(cx, &mut self.waker, &mut self.packets)) {
                None => return Poll::Ready(true),
                end => self.end = end,
            }
        }
        Poll::Ready(false)
    }

    /// Whether the end is one that a peer or server comes to.
    #[cold]
    fn ended_well(&self) -> bool {
        matches!(self.end, Some(CloseReason::PeerClosed | CloseReason::Stopping | CloseReason::Ended))
    }

    /// Why it ended otherwise.
    #[cold]
    #[inline(never)]
    fn reason(&self) -> CloseReason {
        self.end.unwrap_or(CloseReason::Ended)
    }

    /// Sends a packet: it is queued at once, and goes out by itself.
    ///
    /// # Errors
    /// [`SendError`] says why it was not queued.
    pub fn send(&self, packet: &Out) -> Result<(), SendError> {
        self.sender.send(packet)
    }

    /// Waits until at most half of the queue's bound is taken, then sends. A peer that sends and does not read is then
    /// not read from, where with [`send`](Self::send) it is closed for a full queue.
    /// [`Limits::backpressure`](crate::Limits::backpressure) does as much for `send`, and costs a little less: a packet
    /// that lives across an `.await` is moved into the task's state.
    ///
    /// Cancel-safe: when the future is dropped, the packet was not sent.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_wait(&self, packet: &Out) -> impl Future<Output = Result<(), SendError>> {
        self.sender.send_wait(packet)
    }

    /// Admits the session: the peer has logged in, so the log-in deadline and the admission budget end.
    pub fn admit(&self) {
        self.peer.admit();
    }

    /// Closes the session, after what was sent has gone out; what comes in any more is not received.
    pub fn close(self, reason: CloseReason) {
        self.finish(reason);
    }

    /// Which session it is.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.peer.id
    }

    /// Which of the server's doors it came through, counted from 0 in the order in which they were added. One that a flag turned
    /// off was not added, and all behind it have another number; [`door_name`](Self::door_name) stays.
    #[must_use]
    pub fn door(&self) -> usize {
        self.peer.door
    }

    /// The name of that door ([`Door::name`](crate::Door::name)).
    #[must_use]
    pub fn door_name(&self) -> &str {
        &self.sender.encoding.door
    }

    /// The peer's address; `None` for a peer in memory.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// Another handle to send with, for other tasks.
    #[must_use]
    pub fn sender(&self) -> Sender<Out> {
        self.sender.clone()
    }

    pub(crate) fn outbox(&self) -> Outbox {
        self.peer.outbox.clone()
    }

    pub(crate) fn stay_open(&mut self) {
        self.closes = false;
    }

    fn finish(&self, reason: CloseReason) {
        turn::flush(&self.peer.outbox);
        self.peer.finish(reason);
    }

    fn refuse(&mut self, fault: &Fault) {
        let mut words = BytesMut::new();
        if self.sender.encoding.encode.tell(&fault.to_string(), &mut words) {
            turn::flush(&self.peer.outbox);
            self.peer.outbox.push(&words, Slow::Disconnect);
            return;
        }
        let reason = fault.reason();
        debug!(%fault, "what came in place of a packet closes the connection");
        self.packets.clear();
        self.end = Some(reason);
        self.finish(reason);
    }
}

/// What [`Connection::recv`] waits with. Not an `async fn`: through its layers a packet would be moved several times.
///
/// No function that it calls returns a packet, or a reason in the place of one: then the compiler sees where the packet
/// comes from and moves it field by field. Else it lies in memory that is written in pieces of one size and read back in
/// pieces of another, which stalls: a fifth of what a small packet costs.
struct Recv<'a, In, Out>(&'a mut Connection<In, Out>);

impl<In, Out> Future for Recv<'_, In, Out> {
    type Output = Result<Option<In>, CloseReason>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            if let Some(packet) = self.0.packets.pop_packet() {
                return Poll::Ready(Ok(Some(packet)));
            }
            if !ready!(self.0.poll_packet(cx)) {
                return Poll::Ready(if self.0.ended_well() { Ok(None) } else { Err(self.0.reason()) });
            }
        }
    }
}

impl<In, Out> Drop for Connection<In, Out> {
    fn drop(&mut self) {
        self.peer.ignore();
        if self.closes {
            let reason = if std::thread::panicking() { Some(CloseReason::Panicked) } else { self.end };
            self.finish(reason.unwrap_or(CloseReason::Ended));
        }
    }
}

impl<In, Out> fmt::Debug for Connection<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id())
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}
