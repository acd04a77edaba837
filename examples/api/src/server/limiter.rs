//! How often one may try: by address, by name, by user.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many a minute for each key, and as many at once. Its memory is fixed: keys share [`SLOTS`] slots by a hash that nobody
/// can aim at, so that whoever comes with a million names fills nothing up, and at worst shares a slot with somebody.
pub(crate) struct Limiter {
    /// What tells it from the others, where several servers count together.
    pub(crate) name: &'static str,
    per_minute: u32,
    hasher: RandomState,
    started: Instant,
    /// When the slot's credit is whole again, in microseconds since the start.
    slots: Mutex<Vec<u64>>,
}

impl Limiter {
    /// 0 is no limit.
    pub(crate) fn new(name: &'static str, per_minute: u32) -> Self {
        let slots = if per_minute == 0 { Vec::new() } else { vec![0; SLOTS] };
        let (hasher, started) = (RandomState::new(), Instant::now());
        Self { name, per_minute, hasher, started, slots: Mutex::new(slots) }
    }

    /// One more; or how long to wait.
    pub(crate) fn take(&self, key: impl Hash) -> Result<(), Duration> {
        let now = micros(self.started.elapsed());
        let Some(each) = self.each() else { return Ok(()) };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(whole) = slots.get_mut(self.slot(key)) else { return Ok(()) };
        let then = (*whole).max(now) + each;
        let over = then.saturating_sub(now + MINUTE);
        if over > 0 {
            return Err(Duration::from_micros(over));
        }
        *whole = then;
        Ok(())
    }

    /// That one does not count.
    pub(crate) fn give_back(&self, key: impl Hash) {
        let Some(each) = self.each() else { return };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(whole) = slots.get_mut(self.slot(key)) {
            *whole = whole.saturating_sub(each);
        }
    }

    /// What one costs of a minute, in microseconds; `None` when there is no limit.
    pub(crate) fn each(&self) -> Option<u64> {
        MINUTE.checked_div(self.per_minute.into())
    }

    fn slot(&self, key: impl Hash) -> usize {
        (self.hasher.hash_one(key) % SLOTS as u64) as usize
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// In microseconds.
pub(crate) const MINUTE: u64 = 60_000_000;
/// 128 KiB.
const SLOTS: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_key_has_so_many_at_once_and_then_so_many_a_minute() {
        let limiter = Limiter::new("test", 6);
        for _ in 0..6 {
            assert_eq!(limiter.take("ann"), Ok(()));
        }
        assert_eq!(limiter.take("ann"), Err(Duration::from_secs(10)));
        assert_eq!(limiter.take("ben"), Ok(()));
        advance(Duration::from_secs(4)).await;
        assert_eq!(limiter.take("ann"), Err(Duration::from_secs(6)));
        advance(Duration::from_secs(6)).await;
        assert_eq!(limiter.take("ann"), Ok(()));
        assert!(limiter.take("ann").is_err());
        limiter.give_back("ann");
        assert_eq!(limiter.take("ann"), Ok(()));
        advance(Duration::from_secs(600)).await;
        assert_eq!((0..10).filter(|_| limiter.take("ann").is_ok()).count(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn zero_is_no_limit_and_a_million_names_take_no_memory() {
        let off = Limiter::new("test", 0);
        assert!((0..10_000).all(|_| off.take("ann").is_ok()));
        let limiter = Limiter::new("test", 5);
        for name in 0..1_000_000 {
            let _ = limiter.take(name);
        }
        assert_eq!(limiter.slots.lock().unwrap().len(), SLOTS);
        // One who gives back what was never taken has no more than all.
        for _ in 0..100 {
            limiter.give_back("ann");
        }
        advance(Duration::from_secs(600)).await;
        assert_eq!((0..10).filter(|_| limiter.take("ann").is_ok()).count(), 5);
    }
}
