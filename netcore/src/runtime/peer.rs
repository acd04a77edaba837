//! What the task at the socket and the game share of one session.

mod taken;

use std::net::SocketAddr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::BytesMut;
use tracing::error;

use super::caps::Caps;
use super::panicked::{discard, words};
use crate::session::{CloseReason, Inbound, Outbox, Sequence, SessionId};
pub(crate) use taken::Found;

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
    admission: AtomicU32,
    // A task of the session's own has not come to its end: it may have something to do when all is said.
    played: AtomicBool,
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

/// Whether the game has admitted a session, and which: the lowest bit, and above it how often it was made anew.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Admission(u32);

impl Admission {
    pub(crate) const fn is_given(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whether it is of the same game.
    pub(crate) const fn is_of(self, other: Self) -> bool {
        self.0 >> 1 == other.0 >> 1
    }
}

/// Whether an inbox takes more.
pub(crate) enum Room {
    Free,
    Full,
    /// Nothing any more: the session ends, although the peer said nothing of it.
    Ended(CloseReason),
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
            admission: AtomicU32::new(0),
            played: AtomicBool::new(false),
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

    /// Whether a task of its own is at work on it.
    pub(crate) fn is_played(&self) -> bool {
        self.played.load(Relaxed)
    }

    pub(crate) fn play(&self, on: bool) {
        self.played.store(on, Relaxed);
    }

    /// Why it ended, if it has.
    pub(crate) fn ended(&self) -> Option<CloseReason> {
        self.lock().end
    }

    /// Why it closes: for what it has ended or was closed for already, otherwise for `reason`.
    pub(crate) fn closes_for(&self, reason: CloseReason) -> CloseReason {
        self.ended().or_else(|| self.outbox.closed()).unwrap_or(reason)
    }

    /// The game is done with the session: what it said goes out, then the door's last words, and nothing more.
    pub(crate) fn finish(&self, reason: CloseReason) {
        if reason.is_misnumbered() && self.outbox.closed().is_none() {
            error!(session = %self.id, %reason, "a game's own codes begin at 100: its peers are told that it was closed by the game");
        }
        let mut words = BytesMut::new();
        if let Some(notice) = &self.notice
            && self.outbox.closed().is_none()
        {
            notice(reason, &mut words);
        }
        self.outbox.close_with(reason, &words);
    }

    pub(crate) fn admit(&self) {
        self.admission.fetch_or(1, Relaxed);
        // The log-in deadline is the socket's task's to lift.
        self.outbox.wake();
    }

    /// The game was made anew, and has admitted nobody.
    pub(crate) fn admit_anew(&self) {
        let _ = self.admission.fetch_update(Relaxed, Relaxed, |last| Some((last | 1).wrapping_add(1)));
        self.outbox.wake();
    }

    /// What the game says of its admission.
    pub(crate) fn admission(&self) -> Admission {
        Admission(self.admission.load(Relaxed))
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

#[cfg(test)]
mod tests;
