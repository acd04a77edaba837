//! How packets get into a queue: which have room, and what becomes of those that have none.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use bytes::Bytes;

use super::queue::Queue;
use super::{Joined, Outbox, Slow, Verdict, for_room};
use crate::session::CloseReason;

impl Outbox {
    /// Adds one packet's bytes.
    pub fn push(&self, packet: &[u8], slow: Slow) -> Verdict {
        self.push_as(packet, slow, How::Call, |_| {}).unwrap_or(Verdict::Dropped)
    }

    /// As [`push`](Self::push); `None` if there is no room for it just now, and will be.
    pub(crate) fn push_if_room(&self, packet: &[u8], slow: Slow) -> Option<Verdict> {
        self.push_as(packet, slow, How::Wait, |_| {})
    }

    /// With what is done in the same step, if the packet is put in.
    pub(super) fn push_as(
        &self,
        packet: &[u8],
        slow: Slow,
        how: How,
        then: impl FnOnce(&mut Queue),
    ) -> Option<Verdict> {
        let verdict = self.add(packet.len(), slow, how, |queue, apart| {
            if apart {
                queue.packets.append(Bytes::copy_from_slice(packet), slow);
            } else {
                queue.packets.join(packet);
            }
            then(queue);
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

    pub(super) fn push_all(&self, packets: &mut Joined, how: How) -> Verdict {
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

    /// `None`: there is no room, and who adds would rather [wait](How::Wait).
    fn add(&self, len: usize, slow: Slow, how: How, put: impl FnOnce(&mut Queue, bool)) -> Option<Verdict> {
        match self.add_counted(len, slow, how, 0, put) {
            Ok(verdict) => verdict,
            Err(put) => self.add_over(len, slow, how, put),
        }
    }

    /// The same where all queues together were over their bound.
    #[cold]
    fn add_over(
        &self,
        len: usize,
        slow: Slow,
        how: How,
        put: impl FnOnce(&mut Queue, bool),
    ) -> Option<Verdict> {
        let counted = if self.make_room(len, slow) {
            len
        } else if matches!(slow, Slow::DropOldest | Slow::Latest(_)) && self.make_way(len) {
            0
        } else {
            return Some(self.no_room_anywhere(slow));
        };
        self.add_counted(len, slow, how, counted, put).unwrap_or_else(|_| Some(self.no_room_anywhere(slow)))
    }

    /// Drops the oldest packets here, if that makes room for one of that length.
    fn make_way(&self, len: usize) -> bool {
        let mut queue = self.lock();
        let enough = queue.packets.droppable() >= len;
        let mut gone = 0;
        while enough && gone < len {
            let Some(lost) = queue.packets.drop_oldest() else { break };
            self.lose(Some(lost));
            gone += lost;
        }
        enough
    }

    /// Has those make room who have more waiting than would wait here; the room counts then.
    pub(super) fn make_room(&self, len: usize, slow: Slow) -> bool {
        let whole = self.queued() + len;
        self.0.total.as_ref().is_some_and(|total| total.make_room(len, whole, slow == Slow::Disconnect))
    }

    /// What is to be put comes back where the server has no room for it; `counted` of its bytes are among the server's
    /// already.
    fn add_counted<P: FnOnce(&mut Queue, bool)>(
        &self,
        len: usize,
        slow: Slow,
        how: How,
        counted: usize,
        put: P,
    ) -> Result<Option<Verdict>, P> {
        let mut queue = self.lock();
        if queue.end.is_some_and(|end| !how.was_staged() || !end.flush) {
            self.give_back(counted);
            return Ok(Some(Verdict::Closed));
        }
        if len == 0 {
            return Ok(Some(Verdict::Queued));
        }
        let blocked = self.0.blocked.load(Relaxed);
        let limit = self.0.limit;
        // Looked at first, so that nothing is dropped for a packet that has no place even then.
        let may_go = if slow == Slow::DropNewest { 0 } else { queue.packets.droppable() };
        // What was staged had room when it was accepted, and comes before what came late: that does not close for it.
        let behind = if how.was_staged() { queue.late.as_ref().map_or(0, |late| late.bytes()) } else { 0 };
        let waiting = || self.queued().saturating_sub(behind);
        if waiting().saturating_sub(may_go).saturating_add(len) > limit {
            drop(queue);
            self.give_back(counted);
            let waits = how == How::Wait && len <= limit;
            return Ok((!waits).then(|| self.no_room(slow, CloseReason::QueueFull(limit))));
        }
        let mut lost = false;
        if let Slow::Latest(key) = slow
            && blocked
        {
            lost |= self.lose(queue.packets.replace(key));
        }
        while waiting() + len > limit && self.lose(queue.packets.drop_oldest()) {
            lost = true;
        }
        let total = self.0.total.as_ref().filter(|_| counted == 0);
        let (fits, tell) = total.map_or((true, false), |total| total.add(len));
        if !fits {
            let room = self.waiting(&mut queue);
            drop(queue);
            for_room::call(room);
            return Err(put);
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
        Ok(Some(Verdict::Queued))
    }

    /// Bytes that were counted have no place.
    fn give_back(&self, counted: usize) {
        if let Some(total) = self.0.total.as_ref().filter(|_| counted > 0) {
            total.take_off(counted);
        }
    }

    #[cold]
    pub(super) fn tell_total(&self) {
        if let Some(total) = &self.0.total {
            total.tell();
        }
    }

    pub(super) fn no_room(&self, slow: Slow, reason: CloseReason) -> Verdict {
        self.count_dropped();
        if slow == Slow::Disconnect {
            self.abort(reason);
            return Verdict::Closed;
        }
        Verdict::Dropped
    }

    /// The same where it is the server that has none, and nobody has more waiting.
    #[cold]
    pub(super) fn no_room_anywhere(&self, slow: Slow) -> Verdict {
        self.count_dropped();
        if slow == Slow::Disconnect {
            self.give_way().call();
            return Verdict::Closed;
        }
        Verdict::Dropped
    }

    /// Counts a packet of that many bytes as dropped, if there was one. The lock is held.
    pub(super) fn lose(&self, lost: Option<usize>) -> bool {
        if let Some(len) = lost {
            self.count_dropped();
            self.0.queued.fetch_sub(len, SeqCst);
            if let Some(total) = &self.0.total {
                total.take_off(len);
            }
        }
        lost.is_some()
    }

    pub(super) fn count_dropped(&self) {
        self.0.dropped.fetch_add(1, Relaxed);
        if let Some(total) = &self.0.total {
            total.count_dropped();
        }
    }
}

/// Who adds to a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
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
pub(super) const SHARE: usize = 1024;
