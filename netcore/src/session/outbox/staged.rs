//! What a session's own task puts together in its turn, on its way to the outbox.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::add::How;
use super::queue::Queue;
use super::{Joined, Outbox};

impl Outbox {
    /// The session's own task puts packets together, and will add them or give them to the transport. Until it is
    /// [done](Self::staged), what others add comes behind them: a task may have gone on on another thread, with the
    /// connection.
    #[inline]
    pub(crate) fn stage(&self) {
        // Whoever comes after this has been told of it in some way, and so sees it.
        self.0.staging.store(true, Relaxed);
    }

    /// They have been added, or are the transport's.
    #[inline]
    pub(crate) fn staged(&self) {
        self.0.staging.store(false, SeqCst);
        // Of two who pass each other here, one at least sees the other.
        if self.0.late.load(SeqCst) {
            self.catch_up(&mut self.lock());
        }
    }

    /// Adds packets that the session's own task has [staged](Self::stage).
    pub(crate) fn push_staged(&self, packets: &mut Joined) {
        self.push_all(packets, How::Staged);
        self.staged();
    }

    /// The same by the task that drains the queue and will look by itself. They were accepted before a close that came
    /// meanwhile.
    pub(crate) fn push_own(&self, packets: &mut Joined) {
        self.push_all(packets, How::Own);
        self.staged();
    }

    /// Adds what came while the task has packets put together, which come first.
    #[cold]
    pub(super) fn put_late(&self, queue: &mut Queue, apart: bool, put: impl FnOnce(&mut Queue, bool)) {
        // What the task sends from here on comes behind this.
        self.share();
        let late = queue.late.take().unwrap_or_default();
        let packets = std::mem::replace(&mut queue.packets, *late);
        put(queue, apart);
        queue.late = Some(Box::new(std::mem::replace(&mut queue.packets, packets)));
        self.0.late.store(true, SeqCst);
        if !self.0.staging.load(SeqCst) {
            self.catch_up(queue);
        }
    }

    #[cold]
    fn catch_up(&self, queue: &mut Queue) {
        self.0.late.store(false, SeqCst);
        queue.catch_up();
    }
}
