//! How much a second.

use std::time::{Duration, Instant};

/// A rate with a burst, and what happens above it.
///
/// A token bucket: it holds `burst` tokens, is refilled with `per_second` of them a second, and each packet (or byte)
/// takes one.
///
/// ```
/// use netcore::{Over, Rate};
///
/// let rate = Rate::per_second(100).burst(300).over(Over::Drop);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    per_second: u32,
    burst: u32,
    over: Over,
}

/// What becomes of what is over a [`Rate`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Over {
    /// The packets over the rate are thrown away, and counted.
    Drop,
    /// They pass, and are counted.
    Warn,
    /// The session is closed.
    #[default]
    Close,
}

impl Over {
    pub(crate) const fn is_worse(self, than: Self) -> bool {
        matches!((self, than), (Self::Close, Self::Drop | Self::Warn) | (Self::Drop, Self::Warn))
    }
}

impl Rate {
    /// A rate with a burst of two seconds of it; what is over closes the session. A rate of 0 lets the burst pass and no
    /// more.
    #[must_use]
    pub const fn per_second(tokens: u32) -> Self {
        Self { per_second: tokens, burst: tokens.saturating_mul(2), over: Over::Close }
    }

    /// How many may come at once after a silence. Of bytes: at least as many as the largest packet has, which would else
    /// be over the rate whenever it comes.
    #[must_use]
    pub const fn burst(mut self, tokens: u32) -> Self {
        self.burst = tokens;
        self
    }

    /// What becomes of those over it.
    #[must_use]
    pub const fn over(mut self, over: Over) -> Self {
        self.over = over;
        self
    }

    /// How much passes at once, however long nothing came before.
    pub(crate) const fn most(&self) -> u32 {
        self.burst
    }

    pub(crate) const fn is_over(&self) -> Over {
        self.over
    }
}

/// How much of a [`Rate`] is left.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    // In billionths of a token: an elapsed nanosecond adds `per_second` of them, exactly.
    level: u64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, level: u64::from(rate.burst) * TOKEN, filled: now }
    }

    /// Takes up to `tokens`; how many there were.
    pub(crate) fn take(&mut self, now: Instant, tokens: u32) -> u32 {
        self.fill(now);
        let taken = tokens.min(self.holds());
        self.pay(taken);
        taken
    }

    /// Adds what the time since has brought.
    pub(crate) fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled).min(MONTHS);
        self.filled = self.filled.max(now);
        let fresh =
            u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX).saturating_mul(self.rate.per_second.into());
        let full = u64::from(self.rate.burst) * TOKEN;
        self.level = self.level.saturating_add(fresh).min(full);
    }

    /// How many tokens there are.
    pub(crate) fn holds(&self) -> u32 {
        u32::try_from(self.level / TOKEN).unwrap_or(u32::MAX)
    }

    /// Takes so many that there are.
    pub(crate) fn pay(&mut self, tokens: u32) {
        self.level = self.level.saturating_sub(u64::from(tokens) * TOKEN);
    }

    /// Some that were taken were not needed.
    pub(crate) fn put_back(&mut self, tokens: u32) {
        self.level += u64::from(tokens) * TOKEN;
    }
}

// The largest level, `u32::MAX` tokens, still fits 64 bits.
const TOKEN: u64 = 1_000_000_000;
const MONTHS: Duration = Duration::from_secs(10_000_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Rate::per_second(10).burst(25), start);
        assert_eq!(bucket.take(start, 100), 25);
        assert_eq!(bucket.take(start, 1), 0);
        assert_eq!(bucket.take(start + Duration::from_millis(99), 1), 0);
        assert_eq!(bucket.take(start + Duration::from_millis(100), 5), 1);
        bucket.put_back(1);
        assert_eq!(bucket.take(start + Duration::from_millis(100), 5), 1);
        assert_eq!(bucket.take(start + Duration::from_secs(3600), 100), 25);
    }

    #[test]
    fn extreme_rates_and_clocks_do_not_overflow() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Rate::per_second(u32::MAX).burst(u32::MAX), start);
        assert_eq!(bucket.take(start, u32::MAX), u32::MAX);
        assert_eq!(bucket.take(start + Duration::from_secs(1 << 40), u32::MAX), u32::MAX);
        assert_eq!(bucket.take(start, 1), 0, "a clock that went back refills nothing");
    }
}
