//! This process as one of several nodes: how it is set up, and what it says at the end.

use lobby::Settings;
use netcore::cluster::{Backplane, Cluster, Options};
use tracing::{info, warn};

/// A user takes two names, their own and a seat; and each room with somebody in it is a topic.
pub(crate) fn options(backplane: impl Backplane, settings: &Settings) -> Options {
    let topics = usize::try_from(settings.rooms).unwrap_or(usize::MAX);
    let options = Options::new(backplane).max_claims(NAMES).max_topics(topics.saturating_add(1));
    options.announce(rooms(settings))
}

/// Waits until it is known whether the other nodes can be reached, for a few seconds at most. Who comes then is not named
/// by this node alone without need.
pub(crate) async fn until_reached(cluster: &Cluster, settings: &Settings) {
    match cluster.settled().await {
        Ok(()) => {
            info!(node = %cluster.node(), "this node shares its rooms");
            warn_of_others(cluster, &rooms(settings)).await;
        }
        Err(_) => warn!(node = %cluster.node(), "this node is alone until Redis is there"),
    }
}

/// Says so where another node has other rooms than this one. It is no reason to stop: while servers are started anew with
/// other flags, one after the other, they differ.
async fn warn_of_others(cluster: &Cluster, ours: &str) {
    // Who cannot be asked is not compared: the next one that starts is.
    let Ok(listing) = cluster.nodes().await else { return };
    let theirs = listing.holders.iter().filter_map(|holder| {
        // What another program says is not repeated.
        let rooms = str::from_utf8(&holder.value).ok().filter(|text| text.starts_with(ROOMS))?;
        (rooms != ours).then(|| (holder.node, rooms.escape_debug()))
    });
    let theirs: Vec<_> = theirs.collect();
    if let Some((node, rooms)) = theirs.first() {
        let others = theirs.len();
        warn!(
            others,
            "servers that share rooms need the same ones: this one has {ours}, but node {node} has {rooms}"
        );
    }
}

/// What all nodes must have in common, in the words of the flags: a room that only some have, or that has more seats on some,
/// is not one room.
fn rooms(settings: &Settings) -> String {
    let Settings { rooms, first_room, room_users, .. } = settings;
    format!("{ROOMS}{rooms} --first-room {first_room} --room-users {room_users}")
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

const ROOMS: &str = "--rooms ";
/// For a hundred thousand users.
const NAMES: usize = 1 << 18;
