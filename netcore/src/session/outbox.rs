//! What waits for one peer.

mod drain;
mod for_room;
mod joined;
mod queue;
mod slow;
mod staged;
mod total;

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::Bytes;

use super::{CloseReason, Meter};
use queue::{End, Queue};

pub(crate) use drain::Take;
pub(crate) use joined::Joined;
pub(crate) use queue::Kept;
pub use slow::{Slow, Verdict};
pub(crate) use total::{Part, Total};

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

    /// Adds one packet's bytes.
    pub fn push(&self, packet: &[u8], slow: Slow) -> Verdict {
        self.push_as(packet, slow, How::Call).unwrap_or(Verdict::Dropped)
    }

    /// As [`push`](Self::push); `None` if there is no room for it just now, and will be.
    pub(crate) fn push_if_room(&self, packet: &[u8], slow: Slow) -> Option<Verdict> {
        self.push_as(packet, slow, How::Wait)
    }

    fn push_as(&self, packet: &[u8], slow: Slow, how: How) -> Option<Verdict> {
        let verdict = self.add(packet.len(), slow, how, |queue, apart| {
            if apart {
                queue.packets.append(Bytes::copy_from_slice(packet), slow);
            } else {
                queue.packets.join(packet);
            }
        })?;
        self.meter().sent(packet).flush_if(verdict);
        Some(verdict)
    }

    /// Adds one packet's bytes, which other queues share.
    pub fn push_shared(&self, packet: &Bytes, slow: Slow) -> Verdict {
        let verdict = self.add(packet.len(), slow, How::Call, |queue, apart| {
            if apart || packet.len() >= SHARE {
                queue.packets.append(packet.clone(), slow);
            } else {
                queue.packets.join(packet);
            }
        });
        let verdict = verdict.unwrap_or(Verdict::Dropped);
        self.meter().sent(packet).flush_if(verdict);
        verdict
    }

    /// Adds packets that were put together, and leaves `packets` empty.
    pub(crate) fn push_joined(&self, packets: &mut Joined) -> Verdict {
        self.push_all(packets, How::Call)
    }

    fn push_all(&self, packets: &mut Joined, how: How) -> Verdict {
        // Before their memory is taken.
        let sent = self.meter().sent(&packets.bytes);
        let verdict = self.add(packets.len(), packets.slow(), how, |queue, _| {
            queue.packets.join_all(&mut packets.bytes);
        });
        let verdict = verdict.unwrap_or(Verdict::Dropped);
        sent.flush_if(verdict);
        if verdict == Verdict::Dropped {
            // The first one has been.
            (1..packets.droppable().unwrap_or(1)).for_each(|_| self.count_dropped());
        }
        packets.clear();
        verdict
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

    /// `None`: there is no room, and who adds would rather [wait](How::Wait).
    fn add(&self, len: usize, slow: Slow, how: How, put: impl FnOnce(&mut Queue, bool)) -> Option<Verdict> {
        let mut queue = self.lock();
        if queue.end.is_some_and(|end| !how.was_staged() || !end.flush) {
            return Some(Verdict::Closed);
        }
        if len == 0 {
            return Some(Verdict::Queued);
        }
        let blocked = self.0.blocked.load(Relaxed);
        let limit = self.0.limit;
        // Looked at first, so that nothing is dropped for a packet that has no place even then.
        let may_go = if slow == Slow::DropNewest { 0 } else { queue.packets.droppable() };
        if self.queued().saturating_sub(may_go).saturating_add(len) > limit {
            drop(queue);
            let waits = how == How::Wait && len <= limit;
            return (!waits).then(|| self.no_room(slow, CloseReason::QueueFull(limit)));
        }
        let mut lost = false;
        if let Slow::Latest(key) = slow
            && blocked
        {
            lost |= self.lose(queue.packets.replace(key));
        }
        while self.queued() + len > limit && self.lose(queue.packets.drop_oldest()) {
            lost = true;
        }
        let (fits, tell) = self.0.total.as_ref().map_or((true, false), |total| total.add(len));
        if !fits {
            let room = self.waiting(&mut queue);
            drop(queue);
            for_room::call(room);
            self.tell_total();
            return Some(self.no_room(slow, CloseReason::ServerQueueFull));
        }
        let queued = self.0.queued.fetch_add(len, SeqCst) + len;
        let apart = slow != Slow::Disconnect && (blocked || queued > limit / 4);
        // What came late is before it, also where the turn has ended and nobody has caught up yet.
        if !how.was_staged() && (self.0.staging.load(Relaxed) || queue.late.is_some()) {
            self.put_late(&mut queue, apart, put);
        } else {
            put(&mut queue, apart);
        }
        // A blocked transport calls the task by itself, and until then there is nothing for it to do.
        let waker = if blocked || how == How::Own { None } else { self.listener(&mut queue) };
        // What was dropped may have been more than what came.
        let roomy = lost && queued <= limit / 2 && self.0.wanted.load(SeqCst);
        let room = if roomy { self.waiting(&mut queue) } else { Vec::new() };
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        if roomy {
            for_room::call(room);
        }
        if tell {
            self.tell_total();
        }
        Some(Verdict::Queued)
    }

    #[cold]
    fn tell_total(&self) {
        if let Some(total) = &self.0.total {
            total.tell();
        }
    }

    fn no_room(&self, slow: Slow, reason: CloseReason) -> Verdict {
        self.count_dropped();
        if slow == Slow::Disconnect {
            self.abort(reason);
            return Verdict::Closed;
        }
        Verdict::Dropped
    }

    /// Counts a packet of that many bytes as dropped, if there was one. The lock is held.
    fn lose(&self, lost: Option<usize>) -> bool {
        if let Some(len) = lost {
            self.count_dropped();
            self.0.queued.fetch_sub(len, SeqCst);
            if let Some(total) = &self.0.total {
                total.take_off(len);
            }
        }
        lost.is_some()
    }

    fn count_dropped(&self) {
        self.0.dropped.fetch_add(1, Relaxed);
        if let Some(total) = &self.0.total {
            total.count_dropped();
        }
    }

    fn end(&self, end: End) {
        let mut queue = self.lock();
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
        let room = self.waiting(&mut queue);
        let waker = self.listener(&mut queue);
        drop(queue);
        waker.into_iter().for_each(Waker::wake);
        for_room::call(room);
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
        }
    }
}

/// Who adds to a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// Anybody: the task that drains it is called.
    Call,
    /// Anybody who can wait for room.
    Wait,
    /// The session's own task in its turn, of what it staged.
    Staged,
    /// The same after its turn: it drains the queue itself, and will look.
    Own,
}

impl How {
    const fn was_staged(self) -> bool {
        matches!(self, Self::Staged | Self::Own)
    }
}

/// From how many bytes on a shared packet is kept as it is, instead of being copied to its neighbours.
const SHARE: usize = 1024;

#[cfg(test)]
mod tests;
