//! How a queue makes room for others, where all of a server's together are over their bound.

use std::sync::atomic::Ordering::SeqCst;
use std::task::Waker;

use super::queue::End;
use super::{Outbox, for_room};
use crate::session::CloseReason;

/// Those who are to be called because of something that was done under a lock, once no lock is held.
#[derive(Default)]
#[must_use]
pub(crate) struct Calls {
    pub(super) room: Vec<(u64, Waker)>,
    pub(super) listener: Option<Waker>,
}

impl Calls {
    pub(crate) fn call(self) {
        self.listener.into_iter().for_each(Waker::wake);
        for_room::call(self.room);
    }
}

impl Outbox {
    /// How many bytes wait, without those that count as leaving.
    pub(crate) fn burden(&self) -> usize {
        self.queued().saturating_sub(self.0.leaving.load(SeqCst))
    }

    /// Drops the oldest packets that may be, until `most` bytes have gone or none is left: how many bytes went.
    pub(crate) fn shed(&self, most: usize) -> (usize, Calls) {
        let mut queue = self.lock();
        let mut gone = 0;
        while gone < most {
            let Some(len) = queue.packets.drop_oldest() else { break };
            self.lose(Some(len));
            gone += len;
        }
        let roomy = gone > 0 && self.queued() <= self.limit() / 2 && self.0.wanted.load(SeqCst);
        let room = if roomy { self.waiting(&mut queue) } else { Vec::new() };
        (gone, Calls { room, listener: None })
    }

    /// Closes it because all together are over their bound. What its transport has in hand is no burden from here on.
    pub(crate) fn give_way(&self) -> Calls {
        let calls = self.end_unheard(End { reason: CloseReason::ServerQueueFull, flush: false });
        if let Some(total) = &self.0.total {
            let in_hand = self.burden();
            total.leaves(in_hand);
            self.0.leaving.fetch_add(in_hand, SeqCst);
            // Whoever has let go of it before this did not see that it counts.
            if self.0.queued.load(SeqCst) == 0 {
                self.has_left();
            }
        }
        calls
    }

    /// What counts as leaving has begun to.
    #[cold]
    pub(super) fn has_left(&self) {
        if let Some(total) = &self.0.total {
            total.has_left(self.0.leaving.swap(0, SeqCst));
        }
    }
}

#[cfg(test)]
mod tests;
