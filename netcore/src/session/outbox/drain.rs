//! The side of the task that drains an outbox into the transport.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::Waker;

use bytes::Bytes;

use super::queue::Kept;
use super::{Joined, Outbox, Slow, for_room};
use crate::session::CloseReason;

/// What there is to write.
#[derive(Debug)]
pub(crate) enum Take {
    /// These bytes, in order.
    Bytes,
    /// Nothing yet: the waker will be called.
    Pending,
    /// Nothing, and nothing will come.
    End(CloseReason),
}

impl Outbox {
    /// Counts so many bytes as queued that are in the transport's hands: they go out before all that is in the queue.
    /// `false`: the server has no room for them, and the session is closed.
    pub(crate) fn hold(&self, len: usize) -> bool {
        let fits = self.count(len, Slow::Disconnect);
        if !fits {
            self.no_room_anywhere(Slow::Disconnect);
        }
        fits
    }

    /// The same for packets that all may be dropped. `false`: they have been.
    pub(crate) fn hold_droppable(&self, packets: &Joined) -> bool {
        let fits = self.count(packets.len(), packets.slow());
        if !fits {
            (0..packets.droppable().unwrap_or_default()).for_each(|_| self.count_dropped());
        }
        fits
    }

    /// Counts bytes as queued, if the server has or makes room for them.
    fn count(&self, len: usize, slow: Slow) -> bool {
        let (fits, tell) = self.0.total.as_ref().map_or((true, false), |total| total.add(len));
        let fits = fits || self.make_room(len, slow);
        if fits {
            self.0.queued.fetch_add(len, SeqCst);
        }
        if tell {
            self.tell_total();
        }
        fits
    }

    /// Takes what goes out next, about `most` bytes, and adds it to `to`. What was taken still counts as queued.
    ///
    /// As long as there are packets of which only the latest is kept, it goes on up to about `keyed` bytes: what is left would go to
    /// the end with each new one, and those that are sent first would be taken each time.
    pub(crate) fn take(&self, to: &mut VecDeque<Bytes>, most: usize, keyed: usize, waker: &Waker) -> Take {
        let mut queue = self.lock();
        let mut taken = 0;
        while taken < most || (taken < keyed && queue.packets.has_keys()) {
            let Some(chunk) = queue.packets.pop() else { break };
            taken += chunk.len();
            to.push_back(chunk);
        }
        if let Some(kept) = &mut queue.kept {
            kept.taken.clone_from(to);
        }
        match queue.end {
            _ if taken > 0 => Take::Bytes,
            Some(end) => Take::End(end.reason),
            None => {
                // All that was taken before has gone. Said under the lock: a push that still saw a blocked transport would
                // call nobody.
                self.set_blocked(false);
                queue.listen(waker);
                self.0.listening.store(true, SeqCst);
                Take::Pending
            }
        }
    }

    /// `len` of the bytes that were taken have left, or never will.
    pub(crate) fn gone(&self, len: usize) {
        let before = self.0.queued.fetch_sub(len, SeqCst);
        self.0.taken.store(true, Relaxed);
        if let Some(total) = &self.0.total {
            total.take_off(len);
        }
        if self.0.leaving.load(SeqCst) > 0 {
            self.has_left();
        }
        if before - len <= self.0.limit / 2 && self.0.wanted.load(SeqCst) {
            let room = self.waiting(&mut self.lock());
            for_room::call(room);
        }
    }

    /// From now on, what does not go out is kept for [`take_back`](Self::take_back).
    pub(crate) fn keep(&self) {
        self.lock().kept.get_or_insert_default();
    }

    /// Whether that is so.
    #[cfg(feature = "websocket")]
    #[cold]
    pub(crate) fn keeps(&self) -> bool {
        self.lock().kept.is_some()
    }

    /// What did not go out. Only when the task that drained the queue has ended is it all that there is.
    pub(crate) fn take_back(&self) -> Kept {
        self.lock().kept.as_deref_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The last `len` of the bytes that were taken will not leave.
    pub(crate) fn left(&self, len: usize) {
        if len > 0
            && let Some(kept) = &mut self.lock().kept
        {
            kept.left = len;
        }
        self.gone(len);
    }

    /// Whether the transport takes nothing more just now.
    pub(crate) fn set_blocked(&self, blocked: bool) {
        if self.0.blocked.load(Relaxed) != blocked {
            self.0.blocked.store(blocked, Relaxed);
        }
    }

    /// Whether it is worth to wait for the transport: it has not said yet that it takes nothing, or has taken something since
    /// this was asked last.
    pub(crate) fn may_take(&self) -> bool {
        let taken = self.0.taken.swap(false, Relaxed);
        taken || !self.0.blocked.load(Relaxed)
    }

    /// Bytes have left, and those that they stand for will be said to be written only with others.
    #[cfg(any(feature = "tls", feature = "websocket"))]
    pub(crate) fn has_moved(&self) {
        self.0.moved.store(true, Relaxed);
    }

    /// Whether that is so since the last time.
    pub(crate) fn take_moved(&self) -> bool {
        let moved = self.0.moved.load(Relaxed);
        if moved {
            self.0.moved.store(false, Relaxed);
        }
        moved
    }

    /// The transport has a part of a frame whose rest the peer owes; or no longer.
    #[cfg(feature = "websocket")]
    pub(crate) fn set_partial(&self, partial: bool) {
        self.0.partial.store(partial, Relaxed);
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.0.partial.load(Relaxed)
    }

    /// `waker` is called by the next push or close.
    pub(crate) fn listen(&self, waker: &Waker) {
        let mut queue = self.lock();
        queue.listen(waker);
        self.0.listening.store(true, SeqCst);
    }

    /// Whether there is something for the transport, or the end, without looking closely.
    pub(crate) fn has_output(&self) -> bool {
        !self.0.blocked.load(Relaxed) && (self.queued() > 0 || self.0.closed.load(Relaxed))
    }

    /// Whether nothing waits and the waker of the task that drains the queue is still there to be called. True for a
    /// moment only; but what comes in the next one calls the waker.
    pub(crate) fn is_quiet(&self) -> bool {
        // Not while it is blocked: a push calls nobody then, until `take` has said otherwise under the lock.
        !self.0.blocked.load(Relaxed)
            && self.0.listening.load(SeqCst)
            && self.0.queued.load(SeqCst) == 0
            && !self.0.closed.load(SeqCst)
    }

    /// Calls the task that drains the queue, although nothing was added.
    pub(crate) fn wake(&self) {
        let waker = self.listener(&mut self.lock());
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The reason of the close, if what is queued was thrown away with it.
    pub(crate) fn given_up(&self) -> Option<CloseReason> {
        self.lock().end.filter(|end| !end.flush).map(|end| end.reason)
    }
}
