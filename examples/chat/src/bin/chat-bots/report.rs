//! What came out of it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;
use support::load::{Latencies, Latency};

use crate::flags::Flags;

/// Counts what all bots say and hear.
pub(crate) struct Tally {
    pub(crate) chats: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) deliveries: AtomicU64,
    latencies: Latencies,
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
    /// Whether the seconds are fewer than were asked for.
    interrupted: bool,
    chats_per_second: f64,
    deliveries_per_second: f64,
    latency_us: Latency,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, String> {
        let latencies = Latencies::new()?;
        let [chats, refused, deliveries] = [const { AtomicU64::new(0) }; 3];
        Ok(Self { chats, refused, deliveries, latencies })
    }

    /// Adds some deliveries, and leaves `latencies` empty.
    pub(crate) fn add(&self, latencies: &mut Vec<Duration>) {
        self.deliveries.fetch_add(latencies.len() as u64, Relaxed);
        self.latencies.add(latencies);
    }
}

impl Report {
    /// `cut`: the bots were interrupted after so long.
    pub(crate) fn new(flags: &Flags, tally: &Tally, cut: Option<Duration>) -> Self {
        let seconds = cut.unwrap_or(flags.duration()).as_secs_f64();
        let [chats, refused, deliveries] =
            [&tally.chats, &tally.refused, &tally.deliveries].map(|count| count.load(Relaxed));
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
            interrupted: cut.is_some(),
            chats_per_second: chats as f64 / seconds,
            deliveries_per_second: deliveries as f64 / seconds,
            latency_us: tally.latencies.summary(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chats, deliveries, bots, rooms, refused, .. } = self;
        writeln!(
            f,
            "{chats} chats of {bots} bots in {rooms} rooms: {deliveries} deliveries, all once and in order"
        )?;
        if *refused > 0 {
            writeln!(f, "{refused} of the chats were refused: too many a second")?;
        }
        writeln!(f, "{}", self.latency_us)?;
        let (chats, deliveries) = (self.chats_per_second, self.deliveries_per_second);
        write!(f, "{chats:.0} chats/s, {deliveries:.0} deliveries/s, {:.0} s", self.seconds)?;
        f.write_str(if self.interrupted { ", interrupted" } else { "" })
    }
}
