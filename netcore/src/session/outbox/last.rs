//! The last words of a queue: behind them nothing comes, whoever closes it.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use bytes::Bytes;

use super::queue::{End, Queue};
use super::{Outbox, Slow, Verdict};
use crate::session::CloseReason;

impl Outbox {
    /// [Closes](Self::close) with last words, of which there are none where somebody has closed it before: in one step, since
    /// the game and the session's own task may both do it.
    pub(crate) fn close_with(&self, reason: CloseReason, words: &[u8]) {
        let (mut counted, mut said, mut refused) = (0, false, words.is_empty());
        let calls = loop {
            let mut queue = self.lock();
            if queue.end.is_some() {
                drop(queue);
                return self.give_back(counted);
            }
            if !refused {
                said = self.say(&mut queue, words, counted);
            }
            if said || refused {
                break self.end_locked(&mut queue, End { reason, flush: true });
            }
            drop(queue);
            // The same as for any packet that may be dropped: those who have more waiting may make room.
            let fits = words.len() <= self.room();
            if fits && counted == 0 && self.make_room(words.len(), Slow::DropNewest) {
                counted = words.len();
                continue;
            }
            self.give_back(std::mem::take(&mut counted));
            self.count_dropped();
            refused = true;
        };
        calls.call();
        if said {
            self.meter().sent(words).flush_if(Verdict::Queued);
        }
    }

    /// Whether there was room; `counted` of the bytes are among the server's already. The lock is held.
    fn say(&self, queue: &mut Queue, words: &[u8], counted: usize) -> bool {
        if self.queued() + words.len() > self.0.limit {
            return false;
        }
        let total = self.0.total.as_ref().filter(|_| counted == 0);
        if !total.is_none_or(|total| total.add(words.len()).0) {
            return false;
        }
        let queued = self.0.queued.fetch_add(words.len(), SeqCst) + words.len();
        let apart = self.0.blocked.load(Relaxed) || queued > self.0.limit / 4;
        let put = |queue: &mut Queue, apart| {
            if apart {
                queue.packets.append(Bytes::copy_from_slice(words), Slow::DropNewest);
            } else {
                queue.packets.join(words);
            }
        };
        // Behind what the session's own task has put together, and what came meanwhile.
        if self.0.staging.load(Relaxed) || queue.late.is_some() {
            self.put_late(queue, apart, put);
        } else {
            put(queue, apart);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::super::tests::take;
    use super::*;

    /// The game closes it, the session's own task does, and a broadcast comes, all at once.
    #[test]
    fn the_last_words_are_said_once_and_nothing_comes_behind_them() {
        for _ in 0..500 {
            let (outbox, start) = (Outbox::new(100), Barrier::new(3));
            std::thread::scope(|scope| {
                for (words, code) in [(b"a", 100), (b"b", 101)] {
                    let (outbox, start) = (&outbox, &start);
                    scope.spawn(move || {
                        start.wait();
                        outbox.close_with(CloseReason::Game(code), words);
                    });
                }
                start.wait();
                while outbox.push(b".", Slow::DropNewest) != Verdict::Closed {}
            });
            let (said, queued) = (take(&outbox, 200), outbox.queued());
            let last = if outbox.closed() == Some(CloseReason::Game(100)) { b'a' } else { b'b' };
            let words = said.iter().filter(|byte| **byte != b'.').count();
            // Unless others had taken all the room.
            let unsaid = words == 0 && said.len() == 100;
            assert!((said.last() == Some(&last) && words == 1) || unsaid, "{said:?}");
            assert_eq!(queued, said.len());
        }
    }

    #[test]
    fn they_are_within_the_bound_and_counted_where_they_are_not_said() {
        let outbox = Outbox::new(10);
        outbox.push(b"01234567", Slow::Disconnect);
        outbox.close_with(CloseReason::Ended, b"bye");
        assert_eq!((outbox.closed(), outbox.dropped()), (Some(CloseReason::Ended), 1));
        outbox.close_with(CloseReason::Stopping, b"!");
        assert_eq!(take(&outbox, 100), b"01234567");
        assert_eq!(outbox.closed(), Some(CloseReason::Ended));
    }
}
