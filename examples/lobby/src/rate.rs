//! Requests a second.

use std::time::{Duration, Instant};

/// What one session has left of its requests a second, with a burst of two seconds of them. It goes with the session
/// from worker to worker.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    per_second: u32,
    // In billionths of a request.
    left: u64,
    filled: Instant,
}

impl Budget {
    /// 0: without bound.
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        Self { per_second, left: u64::from(per_second) * 2 * ONE, filled: now }
    }

    /// Takes one; whether there was one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        if self.per_second == 0 {
            return true;
        }
        self.fill(now);
        let there = self.left >= ONE;
        if there {
            self.left -= ONE;
        }
        there
    }

    /// From now on nothing is taken: what comes waits.
    pub(crate) fn pause(&mut self, now: Instant) {
        self.fill(now);
    }

    /// What waited will be taken now. It may be as much as could come in that time.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.left = self.left.saturating_add(self.fresh(now, LONGEST_PAUSE));
    }

    fn fill(&mut self, now: Instant) {
        let fresh = self.fresh(now, BURST);
        let filled = self.left.saturating_add(fresh).min(u64::from(self.per_second) * 2 * ONE);
        // What a pause left over goes as it came.
        self.left = filled.max(self.left.saturating_sub(fresh));
    }

    /// What has come since it was last asked, at most that of `longest`.
    fn fresh(&mut self, now: Instant, longest: Duration) -> u64 {
        let elapsed = now.saturating_duration_since(self.filled).min(longest);
        self.filled = self.filled.max(now);
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX).saturating_mul(self.per_second.into())
    }
}

const ONE: u64 = 1_000_000_000;
const BURST: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_two_seconds_at_once_and_then_its_rate() {
        let start = Instant::now();
        let mut budget = Budget::new(10, start);
        let taken = |budget: &mut Budget, at| (0..100).filter(|_| budget.take(at)).count();
        assert_eq!(taken(&mut budget, start), 20);
        assert_eq!(taken(&mut budget, start + Duration::from_millis(99)), 0);
        assert_eq!(taken(&mut budget, start + Duration::from_millis(100)), 1);
        assert_eq!(taken(&mut budget, start + Duration::from_secs(3600)), 20);
        assert_eq!(taken(&mut budget, start), 0, "a clock that went back gives nothing");
    }

    #[test]
    fn what_waited_in_a_pause_may_be_as_much_as_could_come_in_it() {
        let start = Instant::now();
        let mut budget = Budget::new(10, start);
        let taken = |budget: &mut Budget, at| (0..1000).filter(|_| budget.take(at)).count();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(taken(&mut budget, at(0)), 20);
        budget.pause(at(1));
        budget.resume(at(11));
        assert_eq!(taken(&mut budget, at(11)), 10 + 100);
        assert_eq!(taken(&mut budget, at(12)), 10);
        budget.pause(at(20));
        budget.resume(at(30));
        assert_eq!(taken(&mut budget, at(31)), 20 + 100 - 10);
    }

    #[test]
    fn zero_is_without_bound_and_the_largest_rate_does_not_overflow() {
        let start = Instant::now();
        let mut budget = Budget::new(0, start);
        assert!((0..1000).all(|_| budget.take(start)));
        let mut budget = Budget::new(u32::MAX, start);
        assert!(budget.take(start) && budget.take(start + Duration::from_secs(1 << 40)));
    }
}
