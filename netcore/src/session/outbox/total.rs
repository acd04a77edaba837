//! What all peers of a server have waiting together.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};

/// What all sessions of a server have queued together.
pub(crate) struct Total {
    queued: AtomicUsize,
    dropped: AtomicU64,
    max: usize,
    // Told, with the outbox's lock not held, when the bound is nearly met and when it is.
    full: Box<dyn Fn() + Send + Sync>,
}

impl Total {
    pub(crate) fn new(max: usize, full: impl Fn() + Send + Sync + 'static) -> Self {
        let (queued, dropped) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { queued, dropped, max, full: Box::new(full) }
    }

    /// Makes room for `len` bytes more, if there is any; and whether the server must be [told](Self::tell).
    #[inline]
    pub(super) fn add(&self, len: usize) -> (bool, bool) {
        let after = self.queued.fetch_add(len, Relaxed) + len;
        let fits = after <= self.max;
        if !fits {
            self.queued.fetch_sub(len, Relaxed);
        }
        // Told a little before the bound is met, and above it each time: while the sessions with the most queued are
        // being closed, there is still room for the others.
        let nearly = self.nearly();
        (fits, !fits || (after > nearly && after - len <= nearly))
    }

    /// Makes room for `len` bytes more, which are in no queue yet, if `part` of the bound is enough for it: nobody need be
    /// told then.
    pub(crate) fn reserve(&self, len: usize, part: Part) -> bool {
        let most = match part {
            Part::Half => self.max / 2,
            Part::All => self.nearly(),
        };
        let fits = self.queued.fetch_add(len, Relaxed) + len <= most;
        if !fits {
            self.queued.fetch_sub(len, Relaxed);
        }
        fits
    }

    /// From here on the sessions with the most are closed.
    fn nearly(&self) -> usize {
        self.max - self.max / 16
    }

    /// So many bytes wait no more.
    #[inline]
    pub(crate) fn take_off(&self, len: usize) {
        self.queued.fetch_sub(len, Relaxed);
    }

    pub(super) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn tell(&self) {
        (self.full)();
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }

    /// Packets that were dropped, whoever for.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

/// How much of a bound.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Half,
    /// As long as nobody needs to be closed for it.
    All,
}

impl fmt::Debug for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Total({} of {})", self.queued(), self.max)
    }
}
