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
        let elapsed = now.saturating_duration_since(self.filled).min(Duration::from_secs(2));
        self.filled = self.filled.max(now);
        // 2 s × 2^32 requests × 10^9 fits 64 bits.
        let fresh =
            u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX).saturating_mul(self.per_second.into());
        self.left = self.left.saturating_add(fresh).min(u64::from(self.per_second) * 2 * ONE);
        let there = self.left >= ONE;
        if there {
            self.left -= ONE;
        }
        there
    }
}

const ONE: u64 = 1_000_000_000;

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
    fn zero_is_without_bound_and_the_largest_rate_does_not_overflow() {
        let start = Instant::now();
        let mut budget = Budget::new(0, start);
        assert!((0..1000).all(|_| budget.take(start)));
        let mut budget = Budget::new(u32::MAX, start);
        assert!(budget.take(start) && budget.take(start + Duration::from_secs(1 << 40)));
    }
}
