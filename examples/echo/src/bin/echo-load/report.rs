//! What came out of it.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use netcore::Header;
use serde::Serialize;

use crate::flags::Flags;

/// Counts what all connections receive.
pub(crate) struct Tally {
    /// Packets that came back as they were.
    pub(crate) packets: AtomicU64,
    // When the last of them did, in nanoseconds after the start.
    last: AtomicU64,
    // In nanoseconds, to three digits.
    latencies: Mutex<Histogram<u64>>,
}

/// The figures, as `--json` prints them.
#[derive(Serialize)]
pub(crate) struct Report {
    connect: String,
    connections: u32,
    window: u32,
    /// Bytes of a packet, header included.
    packet_bytes: usize,
    /// Packets a second that were asked for.
    rate: Option<u32>,
    packets: u64,
    seconds: f64,
    packets_per_second: f64,
    /// Each way.
    megabytes_per_second: f64,
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
        Ok(Self { packets: AtomicU64::new(0), last: AtomicU64::new(0), latencies: Mutex::new(latencies) })
    }

    /// Adds the packets of one read, and leaves `latencies` empty.
    pub(crate) fn add(&self, latencies: &mut Vec<Duration>, at: Duration) {
        if latencies.is_empty() {
            return;
        }
        self.packets.fetch_add(latencies.len() as u64, Relaxed);
        self.last.fetch_max(at.as_nanos() as u64, Relaxed);
        let mut histogram = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        for latency in latencies.drain(..) {
            histogram.saturating_record((latency.as_nanos() as u64).max(1));
        }
    }
}

impl Report {
    pub(crate) fn new(flags: &Flags, tally: &Tally) -> Self {
        let packets = tally.packets.load(Relaxed);
        let seconds = Duration::from_nanos(tally.last.load(Relaxed).max(1)).as_secs_f64();
        let packet_bytes = usize::from(flags.size) + Header::LEN;
        let packets_per_second = packets as f64 / seconds;
        let histogram = tally.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            connect: flags.connect.clone(),
            connections: flags.connections,
            window: flags.window(),
            packet_bytes,
            rate: flags.rate,
            packets,
            seconds,
            packets_per_second,
            megabytes_per_second: packets_per_second * packet_bytes as f64 / 1e6,
            latency_us: Latency {
                min: histogram.min() as f64 / 1e3,
                mean: histogram.mean() / 1e3,
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
        let connections = match self.connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        };
        let how = match self.rate {
            Some(rate) => format!("at {rate} a second"),
            None => format!("with a window of {}", self.window),
        };
        writeln!(
            out,
            "{} packets of {} bytes over {connections} {how}: all came back byte for byte, in order",
            self.packets, self.packet_bytes
        )?;
        let Latency { min, p50, p90, p99, p999, max, .. } = &self.latency_us;
        let time = |us: &f64| format!("{:.1?}", Duration::from_secs_f64(us / 1e6));
        let [min, p50, p90, p99, p999, max] = [min, p50, p90, p99, p999, max].map(time);
        writeln!(out, "latency: min {min}, p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}")?;
        writeln!(
            out,
            "{:.0} packets/s, {:.1} MB/s each way, {:.2} s in all",
            self.packets_per_second, self.megabytes_per_second, self.seconds
        )
    }
}

/// An hour, in nanoseconds: the longest that --timeout-ms waits.
const LONGEST: u64 = 3_600_000_000_000;
