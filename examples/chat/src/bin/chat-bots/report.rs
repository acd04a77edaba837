//! What came out of it.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::flags::Flags;

/// Counts what all bots say and hear.
pub(crate) struct Tally {
    pub(crate) chats: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) deliveries: AtomicU64,
    // In nanoseconds, to three digits.
    latencies: Mutex<Histogram<u64>>,
}

/// The figures, as `--json` prints them.
#[derive(Serialize)]
pub(crate) struct Report {
    connect: String,
    format: String,
    rooms: u32,
    bots: u32,
    /// Chats a second of each bot; 0: as fast as they were answered.
    rate: u32,
    chat_bytes: u32,
    chats: u64,
    /// Chats that the server refused, because there were too many a second.
    refused: u64,
    deliveries: u64,
    seconds: f64,
    chats_per_second: f64,
    deliveries_per_second: f64,
    latency_us: Latency,
}

#[derive(Serialize)]
struct Latency {
    min: f64,
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
    max: f64,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, String> {
        let latencies = Histogram::new_with_max(LONGEST, 3).map_err(|error| error.to_string())?;
        let [chats, refused, deliveries] = [const { AtomicU64::new(0) }; 3];
        Ok(Self { chats, refused, deliveries, latencies: Mutex::new(latencies) })
    }

    /// Adds some deliveries, and leaves `latencies` empty.
    pub(crate) fn add(&self, latencies: &mut Vec<Duration>) {
        self.deliveries.fetch_add(latencies.len() as u64, Relaxed);
        let mut histogram = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        for latency in latencies.drain(..) {
            histogram.saturating_record((latency.as_nanos() as u64).max(1));
        }
    }
}

impl Report {
    pub(crate) fn new(flags: &Flags, tally: &Tally) -> Self {
        let seconds = flags.duration().as_secs_f64();
        let [chats, refused, deliveries] =
            [&tally.chats, &tally.refused, &tally.deliveries].map(|count| count.load(Relaxed));
        let histogram = tally.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            connect: flags.address(),
            format: format!("{:?}", flags.format).to_lowercase(),
            rooms: flags.rooms,
            bots: flags.bots(),
            rate: flags.rate,
            chat_bytes: flags.size,
            chats,
            refused,
            deliveries,
            seconds,
            chats_per_second: chats as f64 / seconds,
            deliveries_per_second: deliveries as f64 / seconds,
            latency_us: Latency {
                min: histogram.min() as f64 / 1e3,
                mean: histogram.mean().round() / 1e3,
                p50: at(0.5),
                p90: at(0.9),
                p99: at(0.99),
                p999: at(0.999),
                max: histogram.max() as f64 / 1e3,
            },
        }
    }

    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            writeln!(out)?;
        } else {
            self.in_words(&mut out)?;
        }
        out.flush()
    }

    fn in_words(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { chats, deliveries, bots, rooms, refused, .. } = self;
        writeln!(
            out,
            "{chats} chats of {bots} bots in {rooms} rooms: {deliveries} deliveries, all once and in order"
        )?;
        if *refused > 0 {
            writeln!(out, "{refused} of the chats were refused: too many a second")?;
        }
        let Latency { min, p50, p90, p99, p999, max, .. } = &self.latency_us;
        let time = |us: &f64| format!("{:.1?}", Duration::from_secs_f64(us / 1e6));
        let [min, p50, p90, p99, p999, max] = [min, p50, p90, p99, p999, max].map(time);
        writeln!(out, "latency: min {min}, p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}")?;
        let (chats, deliveries) = (self.chats_per_second, self.deliveries_per_second);
        writeln!(out, "{chats:.0} chats/s, {deliveries:.0} deliveries/s, {:.0} s", self.seconds)
    }
}

/// An hour, in nanoseconds.
const LONGEST: u64 = 3_600_000_000_000;
