//! The queue under an outbox's lock.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;

use super::Slow;
use crate::session::CloseReason;
use crate::session::waiting::Waiting;

/// What an outbox guards.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) packets: Waiting,
    // What others sent while the session's own task had packets of its turn put together, which come first.
    pub(super) late: Option<Box<Waiting>>,
    pub(super) waker: Option<Waker>,
    // Those who wait until half of the bound is free again, each with its number.
    pub(super) room: Vec<(u64, Waker)>,
    pub(super) end: Option<End>,
    // For whoever wants to have back what did not go out.
    pub(super) kept: Option<Box<Kept>>,
}

/// What did not go out before the queue was thrown away. All pieces are whole packets.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// What the transport's side took last.
    pub(crate) taken: VecDeque<Bytes>,
    /// So many bytes at the end of it did not leave.
    pub(crate) left: usize,
    /// What nobody took.
    pub(crate) waiting: Vec<Bytes>,
}

/// That nothing more is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) reason: CloseReason,
    // What is queued still goes out.
    pub(super) flush: bool,
}

impl Queue {
    /// What came late is no longer.
    pub(super) fn catch_up(&mut self) {
        let Some(mut late) = self.late.take() else { return };
        while let Some((bytes, slow)) = late.pop_with_policy() {
            if slow == Slow::Disconnect {
                self.packets.join(&bytes);
            } else {
                self.packets.append(bytes, slow);
            }
        }
    }

    /// Empties the queue; how many bytes that was.
    pub(super) fn throw_away(&mut self) -> usize {
        self.catch_up();
        let Some(kept) = &mut self.kept else { return self.packets.clear() };
        let mut all = 0;
        while let Some(chunk) = self.packets.pop() {
            all += chunk.len();
            kept.waiting.push(chunk);
        }
        all
    }

    #[inline]
    pub(super) fn listen(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) if known.will_wake(waker) => {}
            known => *known = Some(waker.clone()),
        }
    }
}
