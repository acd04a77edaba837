//! What a node of a cluster tells.

use metrics::{Gauge, gauge};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::EACH;
use super::counters::{Count, Counters};
use super::names::describe;
use crate::cluster::Snapshot;
use crate::session::is_recording;

/// Publishes a node's counters each second until it is `done`, and once more then. `look`: the counters, and whether the
/// backplane is away.
pub(in crate::runtime) fn publish_node(
    look: impl Fn() -> (Snapshot, bool) + Send + 'static,
    done: CancellationToken,
) {
    if !is_recording() {
        return;
    }
    describe();
    let mut node =
        Node { look, counters: Counters::new(counts), away: gauge!("netcore_cluster_away"), was_away: false };
    tokio::spawn(async move {
        let publishing = async {
            let mut each = interval(EACH);
            loop {
                each.tick().await;
                node.publish();
            }
        };
        done.run_until_cancelled(publishing).await;
    });
}

struct Node<F: Fn() -> (Snapshot, bool)> {
    look: F,
    counters: Counters<Snapshot>,
    away: Gauge,
    was_away: bool,
}

impl<F: Fn() -> (Snapshot, bool)> Node<F> {
    fn publish(&mut self) {
        let (now, away) = (self.look)();
        self.counters.publish(now);
        self.tell_away(away);
    }

    // Not set: other nodes of the process have theirs in the same gauge.
    fn tell_away(&mut self, away: bool) {
        self.away.increment(f64::from(u8::from(away)) - f64::from(u8::from(self.was_away)));
        self.was_away = away;
    }
}

impl<F: Fn() -> (Snapshot, bool)> Drop for Node<F> {
    fn drop(&mut self) {
        self.publish();
        self.tell_away(false);
    }
}

/// Each counter of a node, as metrics name it.
fn counts(snapshot: &Snapshot) -> Vec<Count> {
    // Named one by one, so that a counter without a metric does not compile.
    let Snapshot {
        published,
        delivered,
        dropped_out,
        unsent,
        dropped_in,
        connects,
        connects_failed,
        links_lost,
        claims_refused,
        claims_alone,
        claims_lost,
        asks_refused,
        panics,
    } = snapshot;
    let (plain, by) = (Count::plain, Count::by);
    vec![
        plain("netcore_cluster_published_total", published),
        plain("netcore_cluster_delivered_total", delivered),
        by("netcore_cluster_dropped_total", "kind", "out", dropped_out),
        by("netcore_cluster_dropped_total", "kind", "in", dropped_in),
        plain("netcore_cluster_unsent_total", unsent),
        plain("netcore_cluster_connected_total", connects),
        plain("netcore_cluster_tries_failed_total", connects_failed),
        plain("netcore_cluster_links_lost_total", links_lost),
        by("netcore_cluster_claims_total", "kind", "refused", claims_refused),
        by("netcore_cluster_claims_total", "kind", "alone", claims_alone),
        by("netcore_cluster_claims_total", "kind", "lost", claims_lost),
        plain("netcore_cluster_asks_refused_total", asks_refused),
        plain("netcore_cluster_panics_total", panics),
    ]
}
