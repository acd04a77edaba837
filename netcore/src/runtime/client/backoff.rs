//! How long to wait before the next try.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::runtime::time::YEARS;

/// Pauses that double up to a cap, each cut short by a random part: a thousand clients that lost the same server do not
/// all come back in the same moment.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) cap: Duration,
    pub(super) jitter: f64,
    pub(super) settled: Duration,
    pub(super) tries: Option<u32>,
    pub(super) seed: Option<u64>,
    // Tries that failed since a connection last settled.
    failed: u32,
}

impl Backoff {
    pub(super) const fn new() -> Self {
        Self {
            first: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            jitter: 0.5,
            settled: Duration::from_secs(10),
            tries: None,
            seed: None,
            failed: 0,
        }
    }

    /// A try has failed: the pause before the next, or `None` when there is none.
    pub(super) fn failed(&mut self) -> Option<Duration> {
        self.failed = self.failed.saturating_add(1);
        (self.tries.is_none_or(|most| self.failed < most)).then(|| self.pause(self.failed))
    }

    /// A connection that had lasted so long was lost. If it had not settled, that is a try that failed: a server that
    /// accepts and closes at once is not called without end.
    pub(super) fn lost(&mut self, lasted: Duration) -> Option<Duration> {
        if lasted < self.settled {
            return self.failed();
        }
        self.failed = 0;
        Some(self.pause(1))
    }

    /// How many tries have failed in a row.
    pub(super) const fn count(&self) -> u32 {
        self.failed
    }

    fn pause(&mut self, nth: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(nth.saturating_sub(1)));
        // Never nothing, whatever is set: a server that is not there would keep a core busy.
        let whole = doubled.min(self.cap).clamp(LEAST, YEARS);
        whole.mul_f64(1.0 - self.jitter * self.random()).max(LEAST)
    }

    /// From 0 to below 1.
    fn random(&mut self) -> f64 {
        // The only randomness that the standard library hands out: the keys of its hash maps.
        let state = self.seed.get_or_insert_with(|| RandomState::new().build_hasher().finish());
        // SplitMix64 (Steele, Lea, Flood 2014): every seed is good, 0 too.
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = mixed ^ (mixed >> 31);
        // 53 bits: as many as the number has.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const LEAST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(time: Option<Duration>) -> u128 {
        time.map_or(0, |time| time.as_millis())
    }

    #[test]
    fn pauses_double_up_to_the_cap_and_begin_anew_once_a_connection_has_settled() {
        let mut backoff = Backoff { jitter: 0.0, ..Backoff::new() };
        let pauses: Vec<_> = (0..9).map(|_| millis(backoff.failed())).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(millis(backoff.lost(Duration::from_millis(9_999))), 30_000);
        assert_eq!((millis(backoff.lost(Duration::from_secs(10))), backoff.count()), (500, 0));
        assert_eq!(millis(backoff.failed()), 500);
    }

    #[test]
    fn the_jitter_only_shortens_and_no_more_than_was_set() {
        let mut backoff = Backoff { cap: Duration::from_millis(500), seed: Some(3), ..Backoff::new() };
        let pauses: Vec<_> = (0..1_000).map(|_| millis(backoff.failed())).collect();
        assert!(pauses.iter().all(|pause| (250..=500).contains(pause)));
        // All of the range is used.
        for part in 0..10 {
            let from = 250 + part * 25;
            assert!(pauses.iter().filter(|pause| (from..from + 25).contains(*pause)).count() > 50);
        }
    }

    #[test]
    fn a_seed_gives_the_same_pauses_each_time() {
        let pauses = |seed| {
            let mut backoff = Backoff { seed, ..Backoff::new() };
            (0..20).map(|_| backoff.failed()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(Some(7)), pauses(Some(7)));
        assert_ne!(pauses(Some(7)), pauses(Some(8)));
        assert_ne!(pauses(None), pauses(None));
    }

    #[test]
    fn the_last_try_has_no_pause_behind_it() {
        let mut backoff = Backoff { tries: Some(3), ..Backoff::new() };
        assert!(backoff.failed().is_some() && backoff.failed().is_some());
        assert_eq!((backoff.failed(), backoff.count()), (None, 3));
        assert_eq!(backoff.lost(Duration::ZERO), None);
        assert!(backoff.lost(Duration::from_secs(10)).is_some());
    }

    #[test]
    fn a_pause_is_never_nothing_and_never_overflows() {
        let nothing = Backoff { first: Duration::ZERO, jitter: 1.0, seed: Some(0), ..Backoff::new() };
        let endless = Backoff { first: Duration::MAX, cap: Duration::MAX, jitter: 0.0, ..Backoff::new() };
        for mut backoff in [nothing, endless] {
            assert!((0..100).all(|_| backoff.failed().is_some_and(|pause| pause >= LEAST)));
        }
    }
}
