//! What a server counts with each read and write.

use std::cell::Cell;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed},
};

/// Packets and bytes of all sessions. Each thread counts in a lane of its own, as far as there are enough: in one place,
/// threads on many cores would wait for each other's cache line with each read and each write.
#[derive(Debug, Default)]
pub(super) struct Traffic([Lane; LANES]);

// Two cache lines: they are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lane {
    packets_in: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

/// What went through until now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sums {
    pub(super) packets_in: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

impl Traffic {
    #[inline]
    pub(super) fn packets_in(&self, count: usize) {
        self.lane().packets_in.fetch_add(count as u64, Relaxed);
    }

    #[inline]
    pub(super) fn bytes_in(&self, count: usize) {
        self.lane().bytes_in.fetch_add(count as u64, Relaxed);
    }

    #[inline]
    pub(super) fn bytes_out(&self, count: usize) {
        self.lane().bytes_out.fetch_add(count as u64, Relaxed);
    }

    /// All lanes together: never less than before.
    pub(super) fn sums(&self) -> Sums {
        self.0.iter().fold(Sums::default(), |sums, lane| Sums {
            packets_in: sums.packets_in + lane.packets_in.load(Acquire),
            bytes_in: sums.bytes_in + lane.bytes_in.load(Acquire),
            bytes_out: sums.bytes_out + lane.bytes_out.load(Acquire),
        })
    }

    #[inline]
    fn lane(&self) -> &Lane {
        let [first, ..] = &self.0;
        self.0.get(LANE.get() % LANES).unwrap_or(first)
    }
}

thread_local! {
    static LANE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Relaxed));
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

const LANES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_count_apart_is_told_together() {
        let traffic = Traffic::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * LANES {
                scope.spawn(|| {
                    traffic.packets_in(1);
                    traffic.bytes_in(20);
                    traffic.bytes_out(300);
                });
            }
        });
        let threads = 2 * LANES as u64;
        let all = Sums { packets_in: threads, bytes_in: 20 * threads, bytes_out: 300 * threads };
        assert_eq!(traffic.sums(), all);
        let used = traffic.0.iter().filter(|lane| lane.packets_in.load(Relaxed) > 0).count();
        assert!(used > 1, "all threads count in one lane");
    }
}
