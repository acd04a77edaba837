//! What a server counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, OnceLock};

use super::caps::Caps;
use super::traffic::{Sums, Traffic};
use crate::session::{CloseReason, Total};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counters as they run. None is touched once a packet.
        #[derive(Debug, Default)]
        pub(crate) struct Stats {
            $(pub(crate) $name: AtomicU64,)*
            pub(super) traffic: Traffic,
            // Where the outboxes count what they drop.
            pub(crate) total: OnceLock<Arc<Total>>,
            // Where the places of the sessions are counted.
            pub(crate) caps: OnceLock<Arc<Caps>>,
            closes: ByReason,
            turned_away: ByReason,
        }

        /// What a server has counted since it started.
        #[derive(Clone, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Snapshot {
            $($(#[$doc])* pub $name: u64,)*
            /// Packets received.
            pub packets_in: u64,
            /// Bytes received.
            pub bytes_in: u64,
            /// Bytes sent.
            pub bytes_out: u64,
            /// Packets dropped because their peer was slow.
            pub dropped: u64,
            /// Places that are taken of `max_sessions`: those of sessions that are [open](Snapshot::open), of connections that
            /// have no session yet, and of sessions that have ended and wait for the game to hear of it, behind a log-in
            /// that hangs say ([`spawn_for`](crate::Context::spawn_for)).
            pub held: u64,
            pub(crate) closes: Vec<u64>,
            pub(crate) turned_away: Vec<u64>,
        }

        impl fmt::Debug for Snapshot {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("Snapshot")
                    $(.field(stringify!($name), &self.$name))*
                    .field("packets_in", &self.packets_in)
                    .field("bytes_in", &self.bytes_in)
                    .field("bytes_out", &self.bytes_out)
                    .field("dropped", &self.dropped)
                    .field("held", &self.held)
                    .field("closes", &counted(self.closes()))
                    .field("turned_away", &counted(self.turned_away()))
                    .finish()
            }
        }

        impl Stats {
            pub(crate) fn snapshot(&self) -> Snapshot {
                $(let $name = self.$name.load(Acquire);)*
                // After the sessions that have closed: all of theirs is in it.
                let Sums { packets_in, bytes_in, bytes_out } = self.traffic.sums();
                Snapshot {
                    $($name,)*
                    packets_in,
                    bytes_in,
                    bytes_out,
                    dropped: self.total.get().map_or(0, |total| total.dropped()),
                    held: self.caps.get().map_or(0, |caps| caps.count() as u64),
                    closes: self.closes.load(),
                    turned_away: self.turned_away.load(),
                }
            }
        }
    };
}

counters! {
    /// Sessions that began.
    opened,
    /// Sessions that ended.
    closed,
    /// Connections refused because the server was full, or about to end.
    refused_full,
    /// Connections refused because their address had too many.
    refused_address,
    /// Connections refused because too many handshakes were under way.
    refused_handshakes,
    /// Connections that were refused, or whose handshake failed, and that were not told why: too many were being told
    /// (`max_refusals`).
    refusals_untold,
    /// Handshakes that failed: the peer did not speak what its door does, or broke off.
    handshakes_failed,
    /// Handshakes that were not done in time.
    handshakes_timed_out,
    /// Accepts that failed, out of descriptors mostly.
    accept_errors,
    /// Packets dropped because their peer sent too fast.
    rate_dropped,
    /// Packets that were too fast and passed.
    rate_warned,
    /// How often a session's socket was not read for a while: too much of it waited for the game (`inbox`, `inbox_bytes`), or
    /// for its peer (`backpressure`).
    inbox_full,
    /// Messages to workers, and work for them in the background, that had no room (`max_messages`).
    messages_refused,
    /// Sessions that had closed, and whose peer did not take what was still to go out in time (`stall`, `flush`), so that it was
    /// thrown away. Each counts in [`closes`](Snapshot::closes) for the reason for which it had closed.
    closes_cut,
    /// How often the queues of all sessions together were over their bound.
    queues_full,
    /// Ticks that were skipped because the worker was late.
    ticks_skipped,
    /// Timers that were refused because too many ran.
    timers_refused,
    /// Panics of the game's code. Of a door's adapter, as a session was to begin: [`turned_away_for`](Snapshot::turned_away_for)
    /// `"panicked"` says how many of these there were.
    panics,
}

/// One counter for each kind of reason.
#[derive(Debug)]
struct ByReason([AtomicU64; CloseReason::labels().len()]);

impl ByReason {
    fn add(&self, reason: CloseReason) {
        if let Some(count) = self.0.get(reason.index()) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn load(&self) -> Vec<u64> {
        self.0.iter().map(|count| count.load(Relaxed)).collect()
    }
}

impl Default for ByReason {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; CloseReason::labels().len()])
    }
}

/// Those that are not 0, by their labels.
fn counted(all: impl Iterator<Item = (&'static str, u64)>) -> BTreeMap<&'static str, u64> {
    all.filter(|(_, count)| *count > 0).collect()
}

impl Stats {
    pub(crate) fn close(&self, reason: CloseReason) {
        self.closes.add(reason);
        // Last, and a snapshot reads it first: who sees that a session has closed finds its reason counted.
        self.closed.fetch_add(1, Release);
    }

    /// A connection does not become a session.
    pub(crate) fn turn_away(&self, reason: CloseReason) {
        self.turned_away.add(reason);
    }
}

impl Snapshot {
    /// Sessions that ended for each kind of reason, by its label.
    pub fn closes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CloseReason::labels().iter().copied().zip(self.closes.iter().copied())
    }

    /// Sessions that ended for that kind of reason. Each counts when its connection is gone, up to
    /// [`linger`](crate::Limits::linger) behind its close.
    #[must_use]
    pub fn closed_for(&self, label: &str) -> u64 {
        self.closes().find(|(name, _)| *name == label).map_or(0, |(_, count)| count)
    }

    /// Connections that did not become sessions, for each kind of reason, by its label: those that were refused, and those
    /// whose handshake failed.
    pub fn turned_away(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CloseReason::labels().iter().copied().zip(self.turned_away.iter().copied())
    }

    /// Connections that did not become sessions for that kind of reason.
    #[must_use]
    pub fn turned_away_for(&self, label: &str) -> u64 {
        self.turned_away().find(|(name, _)| *name == label).map_or(0, |(_, count)| count)
    }

    /// Sessions that are open.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.opened.saturating_sub(self.closed)
    }
}
