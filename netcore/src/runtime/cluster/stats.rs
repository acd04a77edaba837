//! What a node counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(super) struct Stats {
            $(pub(super) $name: AtomicU64,)*
        }

        /// What a node's [`Cluster`](super::Cluster) has counted since it started.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        #[non_exhaustive]
        pub struct Snapshot {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Stats {
            pub(super) fn snapshot(&self) -> Snapshot {
                Snapshot { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Messages that the backplane took.
    published,
    /// Messages that were handed to a worker; one that two workers hear counts twice.
    delivered,
    /// Messages not sent because too many waited for the backplane.
    dropped_out,
    /// Messages not sent, or not known to be, because the backplane was away.
    unsent,
    /// Messages that came and were dropped, because too many waited for their worker, because there was no such worker
    /// (any more), because they still waited for it when the node ended, or because they were too long.
    dropped_in,
    /// Connections to the backplane that came about.
    connects,
    /// Tries to connect that failed.
    connects_failed,
    /// Connections that ended otherwise than by this node's own end.
    links_lost,
    /// Names that were not granted.
    claims_refused,
    /// Names that were granted by this node alone, because the backplane was away.
    claims_alone,
    /// Names that were lost to an older claim.
    claims_lost,
    /// Questions and claims refused because too many were waiting.
    asks_refused,
    /// Panics of the game's code that makes a message of an event.
    panics,
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
