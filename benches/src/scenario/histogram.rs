//! Latencies, counted by size.

use std::time::Duration;

/// Counts durations in classes of about 3%, up to minutes.
#[derive(Clone, Debug)]
pub struct Histogram {
    classes: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { classes: vec![0; CLASSES], total: 0 }
    }

    /// Adds `count` durations that are alike.
    pub fn add(&mut self, time: Duration, count: u64) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Some(class) = self.classes.get_mut(class(nanos)) {
            *class += count;
            self.total += count;
        }
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The duration that a share of all is at most, to the end of its class; zero when there is none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (class, count) in self.classes.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= wanted {
                return Duration::from_nanos(end(class));
            }
        }
        Duration::ZERO
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// Below `STEPS` each nanosecond is a class of its own; above, each power of two has `STEPS / 2`.
fn class(nanos: u64) -> usize {
    let bits = u64::BITS - nanos.leading_zeros();
    let shift = bits.saturating_sub(STEPS.trailing_zeros());
    let class = u64::from(shift) * (STEPS / 2) + (nanos >> shift);
    (class as usize).min(CLASSES - 1)
}

/// The largest duration of a class.
fn end(class: usize) -> u64 {
    let class = class as u64;
    if class < STEPS {
        return class;
    }
    let shift = (class - STEPS / 2) / (STEPS / 2);
    ((class - shift * (STEPS / 2)) << shift) | ((1 << shift) - 1)
}

/// A power of two: each class is at most 1/32 wide.
const STEPS: u64 = 64;
/// The last begins at about 9 minutes.
const CLASSES: usize = 35 * 32;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CLASSES, Histogram, class, end};

    #[test]
    fn each_class_ends_where_the_next_begins() {
        for at in 0..CLASSES - 1 {
            assert_eq!(class(end(at)), at);
            assert_eq!(class(end(at) + 1), at + 1);
        }
        assert_eq!(class(u64::MAX), CLASSES - 1);
    }

    #[test]
    fn quantiles_are_within_three_percent() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        for micros in 1..=1000 {
            histogram.add(Duration::from_micros(micros), 2);
        }
        assert_eq!(histogram.total(), 2000);
        for (share, micros) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = histogram.quantile(share).as_secs_f64() * 1e6;
            assert!((1.0..1.033).contains(&(found / micros)), "{found} for {micros}");
        }
    }
}
