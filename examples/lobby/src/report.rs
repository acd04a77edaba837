//! What a room server counts, for a recorder of metrics and for the log.

use std::time::Duration;

use tokio::time::interval;
use tracing::info;

use crate::{Held, LogIns, Shared};

/// Tells the recorder of metrics, if one is installed, once a second for as long as `work` takes and at its end.
///
/// Cancel-safe where `work` is.
pub(crate) async fn reporting<T>(shared: &Shared, work: impl Future<Output = T>) -> T {
    let mut each = interval(EACH);
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = each.tick() => tell(shared),
        }
    };
    tell(shared);
    done
}

/// Says in the log what was too much to wait, where anything was.
pub(crate) fn log(shared: &Shared) {
    let Held { notices_over, invites_over, elsewhere_over, .. } = shared.held();
    if [notices_over, invites_over, elsewhere_over] != [0; 3] {
        info!(notices_over, invites_over, elsewhere_over, "too much waited");
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody reads the last bit of a gauge")]
fn tell(shared: &Shared) {
    let held = shared.held();
    metrics::gauge!("lobby_names").set(shared.directory().names() as f64);
    metrics::gauge!("lobby_seats").set(shared.directory().seats() as f64);
    for (kind, count) in [("notices", held.notices), ("invites", held.invites), ("elsewhere", held.elsewhere)]
    {
        metrics::gauge!("lobby_held", "kind" => kind).set(count as f64);
    }
    for (kind, count) in
        [("notices", held.notices_over), ("invites", held.invites_over), ("elsewhere", held.elsewhere_over)]
    {
        metrics::counter!("lobby_held_over_total", "kind" => kind).absolute(count);
    }
    if shared.api.is_some() {
        let LogIns { let_in, refused, away, busy, coming, coming_over } = shared.log_ins();
        for (result, count) in [("let_in", let_in), ("refused", refused), ("away", away), ("busy", busy)] {
            metrics::counter!("lobby_log_ins_total", "result" => result).absolute(count);
        }
        metrics::gauge!("lobby_coming").set(coming as f64);
        metrics::counter!("lobby_coming_over_total").absolute(coming_over);
    }
}

const EACH: Duration = Duration::from_secs(1);
