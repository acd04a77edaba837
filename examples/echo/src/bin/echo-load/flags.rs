//! The command line.

use std::time::Duration;

use clap::Parser;
use netcore::Header;

/// Loads an echo server, and checks that each packet comes back byte for byte and in order.
///
/// The bodies are made up, different for each packet, and the type byte counts through all 256 values. It prints the
/// percentiles of the latency, packets and megabytes a second. A terminal sees the progress.
///
/// Without --rate each connection keeps --window packets on their way, and the clock of a packet starts when it is made.
/// With --rate packets are sent by the clock, whether answers have come or not, and the clock of a packet starts when it
/// should have been sent: what a stall of the server does to those behind it is in the figures.
///
/// Exit code: 0 when all came back, 1 when one came back wrong or a connection broke, 2 for wrong flags or when no
/// server is there. More connections than the system lets a process open need `ulimit -n` raised, here and for the server.
#[derive(Parser)]
#[command(name = "echo-load", version)]
#[command(after_help = "Examples:\n  \
    echo-load --connections 50 --window 64 --duration 10\n  \
    echo-load --connections 1000 --rate 20000 --duration 30 --json")]
pub(crate) struct Flags {
    /// Where the server listens.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11020", value_parser = support::At::server)]
    pub(crate) connect: String,
    /// How many connections: 1 to 100000.
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=100_000))]
    pub(crate) connections: u32,
    /// The most packets of a connection on their way at once: 1 to 65536 [default: 1; with --rate 65536].
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=65_536))]
    window: Option<u32>,
    /// Bytes in each body, without the 5 of the header: 0 to 65530.
    #[arg(long, value_name = "BYTES", default_value = "64", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u16>(0..=Header::MAX_BODY as u16))]
    pub(crate) size: u16,
    /// How many packets to send, over all connections: 1 to 10^12 [default: 10000, unless --duration is given].
    #[arg(long, value_name = "N", conflicts_with = "duration", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1..=1_000_000_000_000))]
    count: Option<u64>,
    /// For how many seconds to send: 0.001 to 1000000.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    pub(crate) duration: Option<Duration>,
    /// Packets a second, over all connections: 1 to 10000000.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=10_000_000))]
    pub(crate) rate: Option<u32>,
    /// The packets' id: 0 to 65535.
    #[arg(long, value_name = "ID", default_value = "101", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u16>(0..=u16::MAX))]
    pub(crate) id: u16,
    /// How long to wait for a connection, and for each next answer, in milliseconds: 1 to 3600000.
    #[arg(long, value_name = "MS", default_value = "10000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1..=3_600_000))]
    pub(crate) timeout_ms: u64,
    /// Print one JSON object in place of words.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Flags {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn window(&self) -> u32 {
        self.window.unwrap_or(if self.rate.is_some() { 65_536 } else { 1 })
    }

    /// How many packets to send in all; `None`: as many as there is time for.
    pub(crate) fn count(&self) -> Option<u64> {
        if self.duration.is_some() { None } else { Some(self.count.unwrap_or(10_000)) }
    }

    /// How many packets connection `number` sends.
    pub(crate) fn share(&self, number: u32) -> Option<u64> {
        let (count, connections) = (self.count()?, u64::from(self.connections));
        Some(count / connections + u64::from(u64::from(number) < count % connections))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.001..=1e6).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "it takes seconds, 0.001 to 1000000".to_owned())
}
