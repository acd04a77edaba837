//! When something happens.

use std::cell::Cell;
use std::time::Instant;

/// A moment, as a [`Session`](super::Session) is told of it: an [`Instant`]. netcore's own runtime has another kind, which
/// is not looked at before it is needed.
pub trait Moment: Copy + Sealed {
    /// When it is. The same each time.
    fn now(self) -> Instant;
}

impl Moment for Instant {
    fn now(self) -> Instant {
        self
    }
}

/// A moment that begins when it is first asked for: most turns of a session have no use for the time, and to read a clock
/// costs as much as a small packet.
pub(crate) struct Clock {
    read: fn() -> Instant,
    now: Cell<Option<Instant>>,
}

impl Clock {
    pub(crate) const fn new(read: fn() -> Instant) -> Self {
        Self { read, now: Cell::new(None) }
    }
}

impl Moment for &Clock {
    #[inline]
    fn now(self) -> Instant {
        let now = self.now.get().unwrap_or_else(self.read);
        self.now.set(Some(now));
        now
    }
}

/// A moment for whom it may concern later, or never.
#[derive(Clone, Copy, Debug)]
pub enum Later {
    /// It has been looked at.
    At(Instant),
    /// How to look at it.
    Read(fn() -> Instant),
}

impl Later {
    /// When it is. The same each time.
    pub(crate) fn now(&mut self) -> Instant {
        let now = match self {
            Self::At(now) => *now,
            Self::Read(read) => read(),
        };
        *self = Self::At(now);
        now
    }
}

/// Nobody else's moments: the trait may grow.
pub trait Sealed {
    /// The same moment, without what it is borrowed from.
    fn later(self) -> Later;
}

impl Sealed for Instant {
    fn later(self) -> Later {
        Later::At(self)
    }
}

impl Sealed for &Clock {
    #[inline]
    fn later(self) -> Later {
        match self.now.get() {
            Some(now) => Later::At(now),
            None => Later::Read(self.read),
        }
    }
}
