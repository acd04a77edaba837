//! Which session.

use std::fmt;

/// Names one session of a server, and no other for as long as the server lives.
///
/// The index is used again after a session has ended, with a generation one higher: an id that was kept too long finds
/// nobody, never somebody else.
///
/// ```
/// use netcore::SessionId;
///
/// let (first, second) = (SessionId::new(7, 0), SessionId::new(7, 1));
/// assert_ne!(first, second);
/// assert_eq!(second.to_string(), "7.1");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    index: u32,
    generation: u32,
}

impl SessionId {
    /// The id of the session at `index`, the `generation`-th there.
    #[must_use]
    pub const fn new(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }

    /// Which of the server's places it has: below the most sessions that it ever had at once.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many sessions had that place before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}
