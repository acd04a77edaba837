//! What came out of it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use netcore::Header;
use serde::Serialize;
use support::load::{Latencies, Latency};

use crate::flags::Flags;

/// Counts what all connections receive.
pub(crate) struct Tally {
    /// Packets that came back as they were.
    pub(crate) packets: AtomicU64,
    // When the last of them did, in nanoseconds after the start.
    last: AtomicU64,
    latencies: Latencies,
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
    /// Whether that is less than was asked for.
    interrupted: bool,
    packets_per_second: f64,
    /// Each way.
    megabytes_per_second: f64,
    latency_us: Latency,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, String> {
        let latencies = Latencies::new()?;
        Ok(Self { packets: AtomicU64::new(0), last: AtomicU64::new(0), latencies })
    }

    /// Adds the packets of one read, and leaves `latencies` empty.
    pub(crate) fn add(&self, latencies: &mut Vec<Duration>, at: Duration) {
        if latencies.is_empty() {
            return;
        }
        self.packets.fetch_add(latencies.len() as u64, Relaxed);
        self.last.fetch_max(at.as_nanos() as u64, Relaxed);
        self.latencies.add(latencies);
    }
}

impl Report {
    pub(crate) fn new(flags: &Flags, tally: &Tally, interrupted: bool) -> Self {
        let packets = tally.packets.load(Relaxed);
        let seconds = Duration::from_nanos(tally.last.load(Relaxed).max(1)).as_secs_f64();
        let packet_bytes = usize::from(flags.size) + Header::LEN;
        let packets_per_second = packets as f64 / seconds;
        Self {
            connect: flags.connect.clone(),
            connections: flags.connections,
            window: flags.window(),
            packet_bytes,
            rate: flags.rate,
            packets,
            seconds,
            interrupted,
            packets_per_second,
            megabytes_per_second: packets_per_second * packet_bytes as f64 / 1e6,
            latency_us: tally.latencies.summary(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connections = match self.connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        };
        let how = match self.rate {
            Some(rate) => format!("at {rate} a second"),
            None => format!("with a window of {}", self.window),
        };
        writeln!(
            f,
            "{} packets of {} bytes over {connections} {how}: all came back byte for byte, in order",
            self.packets, self.packet_bytes
        )?;
        writeln!(f, "{}", self.latency_us)?;
        write!(
            f,
            "{:.0} packets/s, {:.1} MB/s each way, {:.2} s in all",
            self.packets_per_second, self.megabytes_per_second, self.seconds
        )?;
        f.write_str(if self.interrupted { ", interrupted" } else { "" })
    }
}
