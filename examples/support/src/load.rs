//! What programs that make load say at their end.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// How long things took, to three digits: an hour at most, to the nanosecond.
#[derive(Debug)]
pub struct Latencies(Mutex<Histogram<u64>>);

impl Latencies {
    /// None yet.
    ///
    /// # Errors
    /// Without memory for them.
    pub fn new() -> Result<Self, String> {
        let histogram = Histogram::new_with_max(LONGEST, 3).map_err(|error| error.to_string())?;
        Ok(Self(Mutex::new(histogram)))
    }

    /// Adds some, and leaves `latencies` empty.
    pub fn add(&self, latencies: &mut Vec<Duration>) {
        let mut histogram = self.lock();
        for latency in latencies.drain(..) {
            let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
            histogram.saturating_record(nanos.max(1));
        }
    }

    /// What they come to.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "three digits are known")]
    pub fn summary(&self) -> Latency {
        let histogram = self.lock();
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Latency {
            min: histogram.min() as f64 / 1e3,
            mean: histogram.mean().round() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1e3,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Histogram<u64>> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A summary of [`Latencies`], in microseconds. It reads as a line of words.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Latency {
    min: f64,
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
    max: f64,
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, p50, p90, p99, p999, max, .. } = self;
        let time = |us: &f64| format!("{:.1?}", Duration::from_secs_f64(us / 1e6));
        let [min, p50, p90, p99, p999, max] = [min, p50, p90, p99, p999, max].map(time);
        write!(f, "latency: min {min}, p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}")
    }
}

/// Prints a report on stdout, as one line of JSON or in words.
///
/// # Errors
/// Those of stdout.
pub fn print(report: &(impl Serialize + fmt::Display), json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{report}")?;
    }
    out.flush()
}

/// In nanoseconds.
const LONGEST: u64 = 3_600_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_in_microseconds_and_reads_in_the_units_that_fit() {
        let latencies = Latencies::new().unwrap();
        let mut some: Vec<_> = (1..=1000).map(Duration::from_micros).collect();
        some.push(Duration::from_secs(100_000));
        latencies.add(&mut some);
        assert!(some.is_empty());
        let summary = latencies.summary();
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 0.001;
        assert!(
            near(summary.min, 1.0) && near(summary.p50, 501.0) && near(summary.p99, 991.0),
            "{summary:?}"
        );
        assert!(near(summary.max, 3.6e9), "an hour at most: {summary:?}");
        let words = summary.to_string();
        assert!(words.starts_with("latency: min 1.0µs, p50 501.") && words.ends_with("s"), "{words}");
        let json = serde_json::to_value(summary).unwrap();
        assert!(json["p99.9"].is_number() && json["mean"].is_number());
    }
}
