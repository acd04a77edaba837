//! The last words of a queue: behind them nothing comes, whoever closes it.

use super::add::How;
use super::queue::End;
use super::{Outbox, Slow};
use crate::session::CloseReason;

impl Outbox {
    /// [Closes](Self::close) with last words, of which there are none where somebody has closed it before: in one step, since
    /// the game and the session's own task may both do it.
    pub(crate) fn close_with(&self, reason: CloseReason, words: &[u8]) {
        let mut calls = None;
        let end = |queue: &mut _| calls = Some(self.end_locked(queue, End { reason, flush: true }));
        self.push_as(words, Slow::DropNewest, How::Call, end);
        match calls {
            Some(calls) => calls.call(),
            // Without words, or without room for them.
            None => self.close(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::super::Verdict;
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
