//! What waits for one peer.

mod add;
mod drain;
mod for_room;
mod joined;
mod last;
mod queue;
mod relief;
mod slow;
mod staged;
mod total;

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::{CloseReason, Meter};
use queue::{End, Queue};

pub(crate) use drain::Take;
pub(crate) use joined::Joined;
pub(crate) use queue::Kept;
pub(crate) use relief::Calls;
pub use slow::{Slow, Verdict};
pub(crate) use total::{Full, Part, Total};

/// The bounded queue to one peer. Any thread pushes and gets the verdict at once; one task drains it into the transport.
/// No other queue lies between `send` and the socket.
///
/// Cloning it gives another handle of the same queue.
///
/// ```
/// use std::task::Waker;
/// use netcore::{CloseReason, Outbox, Slow, Verdict};
///
/// let outbox = Outbox::new(16);
/// assert_eq!(outbox.push(b"12345678", Slow::Disconnect), Verdict::Queued);
/// assert_eq!(outbox.push(b"droppable", Slow::DropNewest), Verdict::Dropped);
/// assert_eq!(outbox.push(b"12345678", Slow::Disconnect), Verdict::Queued);
/// assert_eq!((outbox.queued(), outbox.dropped()), (16, 1));
/// assert_eq!(outbox.push(b"9", Slow::Disconnect), Verdict::Closed);
/// assert_eq!(outbox.closed(), Some(CloseReason::QueueFull(16)));
/// ```
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    // In bytes, with those that the transport has begun to write. Read without the lock by who only wants to know
    // whether there is room.
    queued: AtomicUsize,
    // The transport took nothing more at its last write.
    blocked: AtomicBool,
    // `Queue::end` is there.
    closed: AtomicBool,
    // `Queue::waker` is there.
    listening: AtomicBool,
    // No packet is to be joined to others before it is pushed: several senders have it, or its end is there.
    singly: AtomicBool,
    // The session's own task has packets of its turn put together, which are not here yet.
    staging: AtomicBool,
    // `Queue::late` is there.
    late: AtomicBool,
    dropped: AtomicU64,
    // Somebody waits for room: `Queue::room`.
    wanted: AtomicBool,
    // Bytes have left of a write that the transport has not said to be done.
    moved: AtomicBool,
    // Bytes have left since somebody asked.
    taken: AtomicBool,
    // The transport has a part of a frame, of which nothing may have been read yet.
    partial: AtomicBool,
    // So many of the bytes in the transport's hands are among those that the server counts as leaving.
    leaving: AtomicUsize,
    limit: usize,
    total: Option<Arc<Total>>,
    meter: Meter,
}

impl Outbox {
    /// An empty queue of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self::within(limit, None)
    }

    pub(crate) fn within(limit: usize, total: Option<Arc<Total>>) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::default(),
            queued: AtomicUsize::new(0),
            blocked: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            listening: AtomicBool::new(false),
            singly: AtomicBool::new(false),
            staging: AtomicBool::new(false),
            late: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
            moved: AtomicBool::new(false),
            taken: AtomicBool::new(false),
            partial: AtomicBool::new(false),
            leaving: AtomicUsize::new(0),
            limit,
            total,
            meter: Meter::NONE,
        }))
    }

    /// A new queue, whose packets are counted by `meter`.
    pub(crate) fn measured(mut self, meter: Meter) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.meter = meter;
        }
        self
    }

    /// Who counts what is sent.
    #[inline]
    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Bytes that wait, those in the transport's hands included.
    #[must_use]
    #[inline]
    pub fn queued(&self) -> usize {
        self.0.queued.load(Relaxed)
    }

    /// Packets that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    /// The most bytes that may wait.
    #[must_use]
    #[inline]
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Why nothing more is taken, once that is so.
    #[must_use]
    pub fn closed(&self) -> Option<CloseReason> {
        self.lock().end.map(|end| end.reason)
    }

    /// Takes nothing more; what is queued still goes out. The first reason stays.
    pub fn close(&self, reason: CloseReason) {
        self.end(End { reason, flush: true });
    }

    /// Takes nothing more, and throws away what is queued: the peer will not have it.
    pub fn abort(&self, reason: CloseReason) {
        self.end(End { reason, flush: false });
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(Relaxed)
    }

    /// Several senders have it from now on, between whose packets there is an order.
    pub(crate) fn share(&self) {
        self.0.singly.store(true, SeqCst);
    }

    /// Whether each packet is to be pushed by itself.
    #[inline]
    pub(crate) fn is_singly(&self) -> bool {
        self.0.singly.load(Relaxed)
    }

    /// How many bytes there is room for.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.0.limit.saturating_sub(self.queued())
    }

    /// Which queue it is, as long as it is there. Never 0.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether one more packet of `len` bytes may be joined to others, instead of being pushed by itself.
    #[inline]
    pub(crate) fn joins(&self, slow: Slow, len: usize) -> bool {
        let queued = self.queued() + len;
        match slow {
            _ if self.0.closed.load(Relaxed) => false,
            Slow::Disconnect => queued <= self.0.limit,
            _ => queued <= self.0.limit / 4 && !self.0.blocked.load(Relaxed),
        }
    }

    /// Those who wait for room, to be called with the lock not held.
    fn waiting(&self, queue: &mut Queue) -> Vec<(u64, Waker)> {
        self.0.wanted.store(false, SeqCst);
        std::mem::take(&mut queue.room)
    }

    /// The waker of the task that drains the queue, to be called with the lock not held.
    fn listener(&self, queue: &mut Queue) -> Option<Waker> {
        self.0.listening.store(false, SeqCst);
        queue.waker.take()
    }

    fn end(&self, end: End) {
        self.end_unheard(end).call();
    }

    /// Ends it, and leaves it to the caller to tell those who wait for something.
    fn end_unheard(&self, end: End) -> Calls {
        let mut queue = self.lock();
        self.end_locked(&mut queue, end)
    }

    fn end_locked(&self, queue: &mut Queue, end: End) -> Calls {
        if queue.end.is_none() || !end.flush {
            let reason = queue.end.map_or(end.reason, |first| first.reason);
            queue.end = Some(End { reason, flush: end.flush });
        }
        self.0.closed.store(true, SeqCst);
        self.0.singly.store(true, SeqCst);
        if !end.flush {
            let waiting = queue.throw_away();
            self.0.queued.fetch_sub(waiting, SeqCst);
            if let Some(total) = &self.0.total {
                total.take_off(waiting);
            }
        }
        let room = self.waiting(queue);
        Calls { room, listener: self.listener(queue) }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing under the lock calls out, so a poisoned queue is whole.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What was taken and never written is not the server's burden any longer.
        if let Some(total) = &self.total {
            total.take_off(*self.queued.get_mut());
            total.has_left(*self.leaving.get_mut());
        }
    }
}

#[cfg(test)]
mod tests;
