//! How packets get into a queue: which have room, and what becomes of those that have none.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use bytes::Bytes;

use super::queue::Queue;
use super::{Joined, Outbox, Slow, Verdict, for_room};
use crate::session::CloseReason;

impl Outbox {
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
