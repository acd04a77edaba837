//! This process as one of several nodes: how it is set up, and what it says at the end.

use lobby::Settings;
use netcore::cluster::{Backplane, Cluster, Options};
use tracing::{info, warn};

/// A user takes two names, their own and a seat; and each room with somebody in it is a topic.
pub(crate) fn options(backplane: impl Backplane, settings: &Settings) -> Options {
    let topics = usize::try_from(settings.rooms).unwrap_or(usize::MAX);
    Options::new(backplane).max_claims(NAMES).max_topics(topics.saturating_add(1))
}

/// Waits until it is known whether the other nodes can be reached, for a few seconds at most. Who comes then is not named
/// by this node alone without need.
pub(crate) async fn until_reached(cluster: &Cluster) {
    match cluster.settled().await {
        Ok(()) => info!(node = %cluster.node(), "this node shares its rooms"),
        Err(_) => warn!(node = %cluster.node(), "this node is alone until Redis is there"),
    }
}

/// Ends the node, and says what it has counted.
pub(crate) async fn end(cluster: &Cluster) {
    cluster.shutdown().await;
    let stats = cluster.stats();
    info!(
        published = stats.published,
        delivered = stats.delivered,
        unsent = stats.unsent,
        dropped_out = stats.dropped_out,
        dropped_in = stats.dropped_in,
        links_lost = stats.links_lost,
        claims_refused = stats.claims_refused,
        claims_alone = stats.claims_alone,
        claims_lost = stats.claims_lost,
        asks_refused = stats.asks_refused,
        "what was said between the nodes"
    );
}

/// For a hundred thousand users.
const NAMES: usize = 1 << 18;
