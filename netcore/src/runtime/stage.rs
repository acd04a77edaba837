//! What a worker has staged for its sessions and not handed to the sockets yet.

use std::sync::Arc;

use crate::session::{SessionId, Total};

/// Counts what is staged among what all sessions of the server have queued: room is taken for many packets at once, so that
/// a packet costs an addition and the server's bound holds within a callback too.
pub(super) struct Stage {
    // Those that something was staged for since the last flush.
    pub(super) dirty: Vec<SessionId>,
    total: Option<Arc<Total>>,
    staged: usize,
    // There is room for so much of it, or more.
    granted: usize,
}

impl Stage {
    pub(super) const fn new(total: Option<Arc<Total>>) -> Self {
        Self { dirty: Vec::new(), total, staged: 0, granted: 0 }
    }

    /// Whether so many bytes more may be staged. If not, they go to their session's queue, which says why.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> bool {
        self.staged += len;
        self.staged <= self.granted || self.grow(len)
    }

    #[cold]
    fn grow(&mut self, len: usize) -> bool {
        let Some(total) = &self.total else { return true };
        let needed = self.staged - self.granted;
        for more in [needed.max(AT_ONCE), needed] {
            if total.reserve(more) {
                self.granted += more;
                return true;
            }
        }
        self.staged -= len;
        false
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
        self.staged = 0;
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
        let total = Arc::new(Total::new(100_000, || {}));
        let mut stage = Stage::new(Some(total.clone()));
        assert!(stage.take(10) && stage.take(AT_ONCE - 10));
        assert_eq!(total.queued(), AT_ONCE);
        assert!(stage.take(30_000));
        assert_eq!(total.queued(), AT_ONCE + 30_000, "not as much at once as there is no room for");
        assert!(!stage.take(10_000));
        assert!(stage.take(4_000));
        stage.leave(50_000);
        assert_eq!(total.queued(), AT_ONCE + 34_000 - 50_000);
        assert!(stage.take(20_000));
        stage.leave_all();
        assert_eq!(total.queued(), 0);
        assert!(stage.take(1));
        drop(stage);
        assert_eq!(total.queued(), 0);
    }
}
