//! What all peers of a server have waiting together.

use std::fmt;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU64, AtomicUsize};

/// What all sessions of a server have queued together.
pub(crate) struct Total {
    queued: AtomicUsize,
    // Of these, what transports of sessions that were closed for this bound still have in hand: it goes when their tasks are
    // polled next, and what is sent meanwhile need not wait for that.
    leaving: AtomicUsize,
    dropped: AtomicU64,
    max: usize,
    // Told with no outbox's lock held.
    full: Box<dyn Fn(Full) -> bool + Send + Sync>,
}

/// What the server is told of its bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Full {
    /// It is nearly met: whoever has the most should make room, soon.
    Nearly,
    /// `len` bytes have no room. Room is to be made at once, and [taken](Total::take_room) for them: by those of whom more
    /// waits than `whole`, which is what would wait for the one whose they are. Unless `close` is set, nobody is to be
    /// closed. The answer: whether there is room, which then counts.
    Over { len: usize, whole: usize, close: bool },
}

impl Total {
    pub(crate) fn new(max: usize, full: impl Fn(Full) -> bool + Send + Sync + 'static) -> Self {
        let [queued, leaving] = [0, 0].map(AtomicUsize::new);
        Self { queued, leaving, dropped: AtomicU64::new(0), max, full: Box::new(full) }
    }

    /// Makes room for `len` bytes more, if there is any; and whether the server must be [told](Self::tell).
    #[inline]
    pub(super) fn add(&self, len: usize) -> (bool, bool) {
        let after = self.queued.fetch_add(len, Relaxed) + len;
        let fits = after <= self.max;
        if !fits {
            self.queued.fetch_sub(len, Relaxed);
        }
        // Told a little before the bound is met: while those with the most make room, there is still some for the others.
        let nearly = self.nearly();
        (fits, fits && after > nearly && after - len <= nearly)
    }

    /// Counts `len` bytes that did not [fit](Self::add), if those with more than `whole` can make room for them.
    #[cold]
    pub(super) fn make_room(&self, len: usize, whole: usize, close: bool) -> bool {
        self.take_room(len) || (self.full)(Full::Over { len, whole, close })
    }

    /// Counts `len` bytes more if they have room beside what does not leave anyway.
    pub(crate) fn take_room(&self, len: usize) -> bool {
        self.take_up_to(len, self.max + self.leaving())
    }

    fn take_up_to(&self, len: usize, most: usize) -> bool {
        let fits = self.queued.fetch_add(len, Relaxed) + len <= most;
        if !fits {
            self.queued.fetch_sub(len, Relaxed);
        }
        fits
    }

    /// How many bytes are to go for `len` more to have room.
    pub(crate) fn missing(&self, len: usize) -> usize {
        (self.queued() + len).saturating_sub(self.max + self.leaving())
    }

    /// What leaves soon: never so much that the bound would be more than twice what it is.
    fn leaving(&self) -> usize {
        self.leaving.load(Relaxed).min(self.max.min(usize::MAX - self.max))
    }

    /// So many of the bytes that are counted will leave as soon as somebody looks; or have.
    pub(super) fn leaves(&self, len: usize) {
        self.leaving.fetch_add(len, SeqCst);
    }

    pub(super) fn has_left(&self, len: usize) {
        self.leaving.fetch_sub(len, SeqCst);
    }

    /// Makes room for `len` bytes more, which are in no queue yet, if `part` of the bound is enough for it: nobody need be
    /// told then.
    pub(crate) fn reserve(&self, len: usize, part: Part) -> bool {
        let most = match part {
            Part::Half => self.max / 2,
            Part::All => self.nearly() + self.leaving(),
        };
        self.take_up_to(len, most)
    }

    /// From here on those with the most make room.
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
        (self.full)(Full::Nearly);
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
