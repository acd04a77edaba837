//! What the task at the socket and the game share of one session.

use std::net::SocketAddr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use tracing::error;

use super::caps::Caps;
use super::panicked::{discard, words};
use super::spare;
use crate::session::{CloseReason, Fault, Inbound, Outbox, Sequence, SessionId, Slow};

/// One session, as everyone but its socket's task knows it.
pub(crate) struct Peer<In> {
    pub(crate) id: SessionId,
    /// Which of the server's doors it came through.
    pub(crate) door: usize,
    /// `None` for a peer in memory.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) outbox: Outbox,
    notice: Option<Notice>,
    // Where its place goes at the end. A client's has none.
    caps: Option<Arc<Caps>>,
    inbox: Mutex<Inbox<In>>,
    // How many packets and bytes wait in the inbox, those included that a worker has in hand, and whether its end has come:
    // for the socket's task, which looks each time it is polled.
    packets: AtomicUsize,
    bytes: AtomicUsize,
    has_end: AtomicBool,
    // `Reader::Task` has a waker: a task that left it there once, and finds nothing to take, need not look under the lock.
    waits: AtomicBool,
    /// Set by the game; the socket's task takes it over when it next looks.
    pub(crate) admitted: AtomicBool,
}

/// Writes a door's last words to a peer whose session closes for that reason.
pub(crate) type Notice = Arc<dyn Fn(CloseReason, &mut BytesMut) + Send + Sync>;

/// Packets on their way to the game.
struct Inbox<In> {
    packets: Sequence<In>,
    // So many of the bytes that are counted are a worker's, which took their packets last.
    in_hand: usize,
    end: Option<CloseReason>,
    ended: bool,
    reader: Reader<In>,
    // The socket's task waits for room.
    full: bool,
}

/// Who takes the packets.
enum Reader<In> {
    /// A task, which waits if there is a waker.
    Task(Option<Waker>),
    /// A worker. `queued`: the session stands in its queue, or is being worked on; so it never stands there twice, and
    /// only one worker has it at a time.
    Worker { queue: Arc<dyn Schedule<In>>, queued: bool },
}

/// A worker's queue of sessions that have something for it.
pub(crate) trait Schedule<In>: Send + Sync {
    /// Puts a session at the end of the queue, in whose inbox so many bytes wait.
    fn schedule(&self, peer: Arc<Peer<In>>, bytes: usize);
}

/// Whether an inbox takes more.
pub(crate) enum Room {
    Free,
    Full,
    /// Nothing any more: the session ends, although the peer said nothing of it.
    Ended(CloseReason),
}

/// What a reader found.
pub(crate) enum Found {
    /// Packets: they were moved to where it said.
    Packets,
    /// The session's end, once. There is nothing before it.
    End(CloseReason),
    /// Nothing, for now or, after the end, for ever.
    Nothing,
}

impl<In> Drop for Peer<In> {
    fn drop(&mut self) {
        // Not before: a worker that is behind may still have it, and what it sent.
        if let Some(caps) = &self.caps {
            caps.end(self.id.index(), self.address.map(|address| address.ip()));
        }
    }
}

impl<In> Peer<In> {
    pub(crate) fn new(
        id: SessionId,
        door: usize,
        address: Option<SocketAddr>,
        outbox: Outbox,
        notice: Option<Notice>,
        caps: Option<Arc<Caps>>,
    ) -> Self {
        let inbox = Inbox {
            packets: Sequence::new(),
            in_hand: 0,
            end: None,
            ended: false,
            reader: Reader::Task(None),
            full: false,
        };
        Self {
            id,
            door,
            address,
            outbox,
            notice,
            caps,
            inbox: Mutex::new(inbox),
            packets: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            has_end: AtomicBool::new(false),
            waits: AtomicBool::new(false),
            admitted: AtomicBool::new(false),
        }
    }

    /// From now on, `queue` hears of packets. The session counts as queued: the caller sees to it that it is.
    pub(crate) fn read_by(&self, queue: Arc<dyn Schedule<In>>) {
        self.lock().reader = Reader::Worker { queue, queued: true };
    }

    /// How many packets wait, where so many do that the socket is not read.
    pub(crate) fn held_up(&self) -> Option<usize> {
        self.lock().full.then(|| self.packets.load(Relaxed))
    }

    /// Adds a batch, and calls whoever waited for it, unless that is `own`: the task that delivers sees to itself.
    pub(crate) fn deliver(self: &Arc<Self>, batch: &mut Inbound<In>, own: &Waker) {
        let mut inbox = self.lock();
        // Nobody else changes them while the lock is held.
        self.packets.store(self.packets.load(Relaxed) + batch.packets.len(), Relaxed);
        self.bytes.store(self.bytes.load(Relaxed) + std::mem::take(&mut batch.bytes), Relaxed);
        if inbox.packets.is_empty() {
            std::mem::swap(&mut inbox.packets, &mut batch.packets);
        } else {
            inbox.packets.append(&mut batch.packets);
        }
        self.call(inbox, Some(own));
    }

    /// Nothing will follow. Whoever waits is called, unless that is `own`.
    pub(crate) fn end(self: &Arc<Self>, reason: CloseReason, own: Option<&Waker>) {
        let mut inbox = self.lock();
        if inbox.end.is_none() {
            inbox.end = Some(reason);
            self.has_end.store(true, SeqCst);
            self.call(inbox, own);
        }
    }

    /// Whether more may be read. If not, the outbox's waker is called when that has changed.
    pub(crate) fn room(&self, most: usize, most_bytes: usize) -> Room {
        let is_full = || self.packets.load(Relaxed) >= most || self.bytes.load(Relaxed) >= most_bytes;
        if !self.has_end.load(SeqCst) && !is_full() {
            return Room::Free;
        }
        // Under the lock, so that whoever takes packets either took them before or sees that somebody waits.
        let mut inbox = self.lock();
        if let Some(reason) = inbox.end {
            return Room::Ended(reason);
        }
        inbox.full = is_full();
        if inbox.full { Room::Full } else { Room::Free }
    }

    /// Takes everything that waits, for a worker; `to` is empty. Until it is [done](Self::done) with that, it counts.
    pub(crate) fn take(&self, to: &mut Sequence<In>) -> Found {
        let mut inbox = self.lock();
        if !inbox.packets.is_empty() {
            std::mem::swap(&mut inbox.packets, to);
            inbox.in_hand = self.bytes.load(Relaxed);
            Found::Packets
        } else if let (Some(reason), false) = (inbox.end, inbox.ended) {
            inbox.ended = true;
            Found::End(reason)
        } else {
            Found::Nothing
        }
    }

    /// The worker is done with what it took. Whether more has come: then the session stays in its hands; otherwise it
    /// will be scheduled.
    pub(crate) fn done(&self) -> bool
    where
        In: 'static,
    {
        let mut inbox = self.lock();
        let more = !inbox.packets.is_empty() || (inbox.end.is_some() && !inbox.ended);
        if let Reader::Worker { queued, .. } = &mut inbox.reader {
            *queued = more;
        }
        // The worker's own of the last time: a little of it goes round with the session, between two threads mostly.
        if inbox.packets.memory() > LITTLE {
            spare::give(&mut inbox.packets);
        }
        let handled = std::mem::take(&mut inbox.in_hand);
        self.waits_still(&inbox, self.bytes.load(Relaxed).saturating_sub(handled));
        self.leave_room(inbox);
        more
    }

    /// Like [`take`](Self::take), for a task: waits while there is nothing. After the end it is never ready. `known` is
    /// the waker that the task left here last.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        known: &mut Option<Waker>,
        to: &mut Sequence<In>,
    ) -> Poll<Option<CloseReason>> {
        // What comes from here on calls the waker, so that to see it a moment late is to see it in time.
        if self.waits.load(SeqCst)
            && self.packets.load(Relaxed) == 0
            && !self.has_end.load(SeqCst)
            && known.as_ref().is_some_and(|known| known.will_wake(cx.waker()))
        {
            return Poll::Pending;
        }
        let mut inbox = self.lock();
        let found = if !inbox.packets.is_empty() {
            std::mem::swap(&mut inbox.packets, to);
            self.emptied();
            Poll::Ready(None)
        } else if let Some(reason) = inbox.end {
            Poll::Ready(Some(reason))
        } else {
            if let Reader::Task(waker) = &mut inbox.reader {
                if waker.as_ref().is_none_or(|known| !known.will_wake(cx.waker())) {
                    *waker = Some(cx.waker().clone());
                }
                known.clone_from(waker);
                self.waits.store(true, SeqCst);
            }
            Poll::Pending
        };
        self.leave_room(inbox);
        found
    }

    /// Puts packets that were [taken](Self::take) back to the front. Which bytes were those of the others nobody knows: all
    /// count until no packet waits.
    pub(crate) fn put_back(&self, packets: &mut Sequence<In>) {
        let mut inbox = self.lock();
        packets.append(&mut inbox.packets);
        std::mem::swap(packets, &mut inbox.packets);
        inbox.in_hand = 0;
        let bytes = if inbox.packets.is_empty() { 0 } else { self.bytes.load(Relaxed) };
        self.waits_still(&inbox, bytes);
        self.leave_room(inbox);
    }

    /// Throws away what waits, and what will come: the game has closed the session.
    pub(crate) fn ignore(&self) {
        drop(self.abandon());
    }

    /// As [`ignore`](Self::ignore), and hands out what waited: it is the game's own, and may panic as it is dropped.
    pub(crate) fn abandon(&self) -> impl Iterator<Item = Result<In, Fault>> + use<In> {
        let mut inbox = self.lock();
        let unheard = std::mem::take(&mut inbox.packets);
        inbox.in_hand = 0;
        self.emptied();
        inbox.ended = true;
        self.leave_room(inbox);
        unheard.into_iter()
    }

    /// Whether that is so.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.lock().ended
    }

    /// The game is done with the session: what it said goes out, then the door's last words, and nothing more.
    pub(crate) fn finish(&self, reason: CloseReason) {
        if let Some(notice) = &self.notice
            && self.outbox.closed().is_none()
        {
            let mut words = BytesMut::new();
            notice(reason, &mut words);
            self.outbox.push(&words, Slow::DropNewest);
        }
        self.outbox.close(reason);
    }

    pub(crate) fn admit(&self) {
        self.admitted.store(true, Relaxed);
        // The log-in deadline is the socket's task's to lift.
        self.outbox.wake();
    }

    /// The inbox is empty. Its lock is held.
    fn emptied(&self) {
        self.packets.store(0, Relaxed);
        self.bytes.store(0, Relaxed);
    }

    /// What is in the inbox, with that many bytes, is all that waits. Its lock is held.
    fn waits_still(&self, inbox: &Inbox<In>, bytes: usize) {
        self.packets.store(inbox.packets.len(), Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    /// Calls the socket's task if it waits for room.
    fn leave_room(&self, mut inbox: MutexGuard<'_, Inbox<In>>) {
        let full = std::mem::take(&mut inbox.full);
        drop(inbox);
        if full {
            self.outbox.wake();
        }
    }

    fn call(self: &Arc<Self>, mut inbox: MutexGuard<'_, Inbox<In>>, own: Option<&Waker>) {
        if inbox.ended {
            let unheard = std::mem::take(&mut inbox.packets);
            self.emptied();
            drop(inbox);
            for packet in unheard {
                if let Err(panic) = discard(packet) {
                    error!(session = %self.id, panic = words(&*panic), "a packet panicked as it was dropped");
                }
            }
            return;
        }
        match &mut inbox.reader {
            // It stays, so that the task need not leave it here again.
            Reader::Task(Some(waker)) if own.is_some_and(|own| waker.will_wake(own)) => {}
            Reader::Task(waker) => {
                let waker = waker.take();
                self.waits.store(false, SeqCst);
                drop(inbox);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Reader::Worker { queued: true, .. } => {}
            Reader::Worker { queue, queued } => {
                *queued = true;
                let queue = queue.clone();
                drop(inbox);
                queue.schedule(self.clone(), self.bytes.load(Relaxed));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inbox<In>> {
        // Nothing under the lock calls the game, so a poisoned inbox is whole.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many bytes for packets stay with a worker's session while there are none.
const LITTLE: usize = 512;

#[cfg(test)]
mod tests;
