//! Who waits until a queue has room.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::{Context, Poll, Waker};

use super::Outbox;

/// Waits for room in a queue. Dropped, it waits no more, and its task is not called.
pub(crate) struct ForRoom<'a> {
    outbox: &'a Outbox,
    // Its number among those who wait, once it has had to; no other has it.
    number: Option<u64>,
}

impl Outbox {
    pub(crate) const fn for_room(&self) -> ForRoom<'_> {
        ForRoom { outbox: self, number: None }
    }
}

impl ForRoom<'_> {
    /// Ready when at most half of the bound is taken and `len` bytes have room, or the queue is closed. What is larger than
    /// the bound need not have it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<()> {
        let outbox = self.outbox;
        let most = match outbox.0.limit.checked_sub(len) {
            Some(left) => left.min(outbox.0.limit / 2),
            None => outbox.0.limit / 2,
        };
        if outbox.queued() <= most {
            return Poll::Ready(());
        }
        let mut queue = outbox.lock();
        // Said before the second look: whoever makes room after it sees that somebody waits.
        outbox.0.wanted.store(true, SeqCst);
        if queue.end.is_some() || outbox.0.queued.load(SeqCst) <= most {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| NUMBERS.fetch_add(1, Relaxed));
        match queue.room.iter_mut().find(|(known, _)| *known == number) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => queue.room.push((number, cx.waker().clone())),
        }
        Poll::Pending
    }
}

impl Drop for ForRoom<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.outbox.lock().room.retain(|(known, _)| *known != number);
        }
    }
}

/// Calls those who waited, with no lock held.
pub(super) fn call(waiting: Vec<(u64, Waker)>) {
    waiting.into_iter().for_each(|(_, waker)| waker.wake());
}

static NUMBERS: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
mod tests;
