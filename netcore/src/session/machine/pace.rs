//! How much is taken from the queue for one write.

/// What was taken from the queue is out of its policies' reach, and a transport that is full keeps it there: to a peer that
/// reads little, little is taken at once, and to one that reads fast as much as makes writes cheap.
#[derive(Debug)]
pub(super) struct Pace {
    // About so many bytes at once.
    most: usize,
    // What the transport has taken since it was full.
    run: usize,
    // It has not been full since something was taken from the queue.
    whole: bool,
}

impl Pace {
    /// Of a transport that has not been full yet.
    pub(super) const fn new() -> Self {
        Self { most: MOST, run: 0, whole: true }
    }

    /// About how many bytes are to be taken now.
    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// They were.
    pub(super) const fn began(&mut self) {
        self.whole = true;
    }

    /// The transport took `len` bytes; `all`: nothing is left of what was taken from the queue.
    pub(super) fn wrote(&mut self, len: usize, all: bool) {
        self.run = self.run.saturating_add(len);
        if all && self.whole {
            self.most = (self.most * 2).max(self.run).min(MOST);
        }
    }

    /// The transport takes nothing more. It says so again each time it is asked.
    pub(super) fn blocked(&mut self) {
        self.whole = false;
        if self.run > 0 {
            self.most = self.run.clamp(LEAST, MOST);
            self.run = 0;
        }
    }
}

/// The most that is taken at once, but for the rest of a chunk. With packets of which only the latest is kept, it is so much
/// as long as there are some: each key is to have its turn.
pub(super) const MOST: usize = 64 * 1024;

/// So much is taken from however slow a peer's queue.
const LEAST: usize = 2 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The transport takes all but is full after `bytes`.
    fn full_after(pace: &mut Pace, bytes: usize) {
        pace.began();
        pace.wrote(bytes, false);
        pace.blocked();
    }

    #[test]
    fn it_follows_what_a_slow_transport_takes_between_two_times_when_it_is_full() {
        let mut pace = Pace::new();
        assert_eq!(pace.most(), MOST);
        full_after(&mut pace, 5_000);
        assert_eq!(pace.most(), 5_000);
        pace.blocked();
        assert_eq!(pace.most(), 5_000, "it was asked again");
        full_after(&mut pace, 10);
        assert_eq!(pace.most(), LEAST);
        // The rest of it, and no more than that.
        pace.wrote(4_990, true);
        pace.blocked();
        assert_eq!(pace.most(), 4_990);
    }

    #[test]
    fn a_transport_that_is_fast_again_soon_has_as_much_as_ever() {
        let mut pace = Pace::new();
        full_after(&mut pace, 10);
        pace.wrote(60, true);
        let mut writes = 0;
        while pace.most() < MOST {
            pace.began();
            pace.wrote(pace.most(), true);
            writes += 1;
        }
        assert!(writes <= 5, "{writes}");
        // Full now and then, of which each time it takes much: a usual line.
        full_after(&mut pace, 1 << 20);
        full_after(&mut pace, 300_000);
        assert_eq!(pace.most(), MOST);
    }
}
