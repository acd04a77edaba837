//! What a server and a client tell the `metrics` facade. Without the feature, `off.rs` stands in this file's place.

mod cluster;
mod counters;
mod names;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use metrics::{Gauge, Histogram, counter, gauge, histogram};
use tokio::time::{Instant, MissedTickBehavior, interval};

pub(super) use self::cluster::publish_node;
use self::counters::{Count, Counters};
use self::names::describe;
use super::house::House;
use super::{Snapshot, Stats, TryError};
use crate::Packet;
use crate::session::{CloseReason, Meter, Spoken, is_recording};

/// Publishes a server's counters. What they have grown by goes out each second, and once more when the server is gone.
pub(super) struct Publisher(Option<Totals>);

struct Totals {
    stats: Arc<Stats>,
    counters: Mutex<Counters<Snapshot>>,
    open: Gauge,
    held: Gauge,
}

impl Publisher {
    pub(super) fn new(stats: Arc<Stats>) -> Arc<Self> {
        Arc::new(Self(is_recording().then(|| {
            describe();
            let counters = Mutex::new(Counters::new(counts));
            let held = gauge!("netcore_sessions_held");
            Totals { stats, counters, open: gauge!("netcore_sessions_open"), held }
        })))
    }

    /// Publishes for ever; at once done where nobody listens.
    pub(super) async fn run<In, Out>(self: Arc<Self>, house: Arc<House<In, Out>>)
    where
        In: Send + 'static,
        Out: Send + Sync + 'static,
    {
        let Some(totals) = &self.0 else { return };
        let doors = house.entrances.iter().map(|door| door.name.clone());
        let queues: Vec<_> = doors.map(|door| histogram!("netcore_queue_bytes", "door" => door)).collect();
        let mut each = interval(EACH);
        each.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            each.tick().await;
            totals.publish();
            for peer in house.registry.peers() {
                if let Some(queue) = queues.get(peer.door) {
                    queue.record(peer.outbox.queued() as f64);
                }
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if let Some(totals) = &self.0 {
            totals.publish();
            // Nobody has a place where there is no server, whoever still knows of its sessions.
            let counters = totals.counters.lock().unwrap_or_else(PoisonError::into_inner);
            totals.held.decrement(counters.told().held as f64);
        }
    }
}

impl Totals {
    fn publish(&self) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.stats.snapshot();
        let (open, held) = (now.open() as f64, now.held as f64);
        let told = counters.publish(now);
        // Not set: other servers of the process have theirs in the same gauge.
        self.open.increment(open - told.open() as f64);
        self.held.increment(held - told.held as f64);
    }
}

/// Each counter of a server, as metrics name it.
fn counts(snapshot: &Snapshot) -> Vec<Count> {
    // Named one by one, so that a counter without a metric does not compile.
    let Snapshot {
        opened,
        // By reason, below.
        closed: _,
        // By reason, below.
        refused_full: _,
        refused_address: _,
        refused_handshakes: _,
        handshakes_failed: _,
        handshakes_timed_out: _,
        turned_away: _,
        refusals_untold,
        accept_errors,
        // The doors count these by name.
        packets_in: _,
        bytes_in,
        bytes_out,
        rate_dropped,
        rate_warned,
        inbox_full,
        messages_refused,
        closes_cut,
        queues_full,
        ticks_skipped,
        timers_refused,
        panics,
        dropped,
        closes: _,
        // A gauge.
        held: _,
    } = snapshot;
    let (plain, by) = (Count::plain, Count::by);
    let mut all = vec![
        plain("netcore_sessions_opened_total", opened),
        plain("netcore_refusals_untold_total", refusals_untold),
        plain("netcore_accept_errors_total", accept_errors),
        plain("netcore_bytes_received_total", bytes_in),
        plain("netcore_bytes_sent_total", bytes_out),
        by("netcore_packets_dropped_total", "kind", "slow", dropped),
        by("netcore_packets_dropped_total", "kind", "rate", rate_dropped),
        plain("netcore_packets_over_rate_total", rate_warned),
        plain("netcore_inbox_full_total", inbox_full),
        plain("netcore_messages_refused_total", messages_refused),
        plain("netcore_closes_cut_total", closes_cut),
        plain("netcore_queues_full_total", queues_full),
        plain("netcore_ticks_skipped_total", ticks_skipped),
        plain("netcore_timers_refused_total", timers_refused),
        plain("netcore_panics_total", panics),
    ];
    // By all labels, so that there are as many of an empty snapshot.
    for label in CloseReason::labels() {
        all.push(by("netcore_sessions_closed_total", "reason", label, &snapshot.closed_for(label)));
        all.push(by("netcore_connections_refused_total", "reason", label, &snapshot.turned_away_for(label)));
    }
    all
}

/// What one worker tells of its ticks.
pub(super) struct Ticking(Option<(Histogram, Histogram)>);

impl Ticking {
    pub(super) fn new(worker: usize, ticks: bool) -> Self {
        Self((ticks && is_recording()).then(|| {
            let histogram = |name| histogram!(name, "worker" => worker.to_string());
            (histogram("netcore_tick_lateness_seconds"), histogram("netcore_tick_duration_seconds"))
        }))
    }

    /// A tick begins, so late.
    #[inline]
    pub(super) fn begin(&self, late: Duration) -> Option<Instant> {
        let (lateness, _) = self.0.as_ref()?;
        lateness.record(late);
        Some(Instant::now())
    }

    /// It has ended.
    #[inline]
    pub(super) fn end(&self, begun: Option<Instant>) {
        if let (Some((_, duration)), Some(begun)) = (&self.0, begun) {
            duration.record(begun.elapsed());
        }
    }
}

/// A request that waits for its answer.
pub(super) struct RoundTrip(Option<(&'static str, Instant)>);

impl RoundTrip {
    pub(super) fn begin(packet: &impl Packet) -> Self {
        Self(is_recording().then(|| (packet.name(), Instant::now())))
    }

    /// The answer came.
    pub(super) fn end(self) {
        if let Some((packet, begun)) = self.0 {
            histogram!("netcore_client_request_seconds", "packet" => packet).record(begun.elapsed());
        }
    }
}

/// The counters of a client's packets: made when it first connects, and shared by all with the same options.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientMeter(Arc<OnceLock<Meter>>);

impl ClientMeter {
    pub(super) fn get(&self, spoken: Spoken) -> Meter {
        let meter = self.0.get_or_init(|| {
            if is_recording() {
                describe();
            }
            Meter::new("client", spoken)
        });
        meter.clone()
    }
}

/// A client that reconnects has a connection, for the first time or again.
pub(super) fn client_connected(again: bool) {
    counter!("netcore_client_connected_total", "again" => if again { "yes" } else { "no" }).increment(1);
}

pub(super) fn client_failed(error: &TryError) {
    let kind = if let TryError::Connect(_) | TryError::DialPanicked = error { "connect" } else { "login" };
    counter!("netcore_client_tries_failed_total", "kind" => kind).increment(1);
}

pub(super) fn client_lost(reason: CloseReason) {
    counter!("netcore_client_lost_total", "reason" => reason.label()).increment(1);
}

pub(super) fn client_unsent(packets: u64) {
    counter!("netcore_client_unsent_total").increment(packets);
}

const EACH: Duration = Duration::from_secs(1);
