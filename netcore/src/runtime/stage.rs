//! What a worker has staged for its sessions and not handed to the sockets yet.

use std::sync::Arc;

use crate::session::{Part, SessionId, Total};

/// Counts what is staged among what all sessions of the server have queued: room is taken for many packets at once, so that
/// a packet costs an addition and the server's bound holds within a callback too.
pub(super) struct Stage {
    // Those that something was staged for since the last flush.
    pub(super) dirty: Vec<SessionId>,
    total: Option<Arc<Total>>,
    staged: usize,
    // There is room for so much of it, or more.
    granted: usize,
    over: bool,
    // Those of whom more than half of what may wait does, and whose transport takes it.
    pub(super) pressed: Vec<SessionId>,
}

impl Stage {
    pub(super) const fn new(total: Option<Arc<Total>>) -> Self {
        Self { dirty: Vec::new(), total, staged: 0, granted: 0, over: false, pressed: Vec::new() }
    }

    /// Whether so many bytes more may be staged. If not, they go to their session's queue, which judges them, and all that is
    /// staged is to [follow](Self::hides_much): there it is seen whose it is.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> bool {
        self.staged += len;
        self.staged <= self.granted || self.grow(len)
    }

    #[cold]
    fn grow(&mut self, len: usize) -> bool {
        let Some(total) = &self.total else { return true };
        let needed = self.staged - self.granted;
        for (more, part) in [(needed.max(AT_ONCE), Part::Half), (needed, Part::All)] {
            if total.reserve(more, part) {
                self.granted += more;
                return true;
            }
        }
        self.staged -= len;
        self.over = true;
        false
    }

    /// Whether all that is staged is to follow before `len` bytes go to a queue: there was no room for something, or there
    /// will be none for these.
    #[inline]
    pub(super) fn hides_much(&self, len: usize) -> bool {
        self.over || (self.staged > 0 && self.total.as_ref().is_some_and(|total| total.missing(len) > 0))
    }

    /// Whether somebody's transport is to have its turn before more is sent: a burst of many to few is much at once, and who
    /// reads all the time is not to be closed for it.
    #[inline]
    pub(super) fn is_pressed(&self) -> bool {
        !self.pressed.is_empty()
    }

    /// So many bytes are about to go to their session's queue, where they count by themselves.
    pub(super) fn leave(&mut self, len: usize) {
        self.staged -= len;
        if let Some(total) = &self.total {
            self.granted -= len;
            total.take_off(len);
        }
    }

    /// All are.
    pub(super) fn leave_all(&mut self) {
        (self.staged, self.over) = (0, false);
        let granted = std::mem::take(&mut self.granted);
        if let Some(total) = self.total.as_ref().filter(|_| granted > 0) {
            total.take_off(granted);
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.leave_all();
    }
}

/// Room is taken for so many bytes.
const AT_ONCE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_staged_counts_and_what_has_no_room_is_not_staged() {
        let total =
            Arc::new(Total::new(160_000, |_| panic!("nobody is to be closed for what is nobody's yet")));
        let mut stage = Stage::new(Some(total.clone()));
        assert!(stage.take(10) && stage.take(AT_ONCE - 10));
        assert_eq!(total.queued(), AT_ONCE);
        assert!(stage.take(80_000));
        assert_eq!(total.queued(), AT_ONCE + 80_000, "above the half, no more at once than is needed");
        assert!(!stage.hides_much(14_000) && stage.hides_much(15_000));
        assert!(!stage.take(10_000) && stage.hides_much(0));
        assert!(stage.take(4_000));
        stage.leave(80_000);
        assert_eq!(total.queued(), AT_ONCE + 4_000);
        assert!(stage.take(20_000));
        stage.leave_all();
        assert!(!stage.hides_much(0));
        assert_eq!(total.queued(), 0);
        assert!(stage.take(1));
        drop(stage);
        assert_eq!(total.queued(), 0);
    }
}
