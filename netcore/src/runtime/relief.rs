//! How room is made when the queues of all sessions together are over their bound: by those with the most.

use std::cmp::Reverse;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tracing::warn;

use super::house::House;
use super::peer::Peer;
use super::registry::Longer;
use super::time::now;
use crate::session::{Calls, CloseReason};

/// Who makes room for whom.
///
/// ```text
///  queued  ████            above the level: the oldest packets go that may be dropped,
///          ████ ▒▒▒▒       and where that is not enough, the session is closed
///  level ──████─████──────
///          ████ ████ ████
///  floor ──████─████─████── ▁▁▁▁ what would wait for the one who is sent to: nobody with less makes room for it
/// ```
pub(super) struct Relief(Mutex<Found>);

/// What was found when it was last looked, so that a broadcast of which nothing has room does not look at all sessions for
/// each one.
#[derive(Default)]
struct Found {
    // When that was, and how often one may go by it.
    at: Option<Instant>,
    trusted: usize,
    // Nobody with more than this has anything to give: where nobody is to be closed, and where those with the most are.
    drops: Option<usize>,
    closes: Option<usize>,
}

impl Relief {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }
}

impl<In: Send + 'static, Out: Send + Sync + 'static> House<In, Out> {
    /// Whenever the queues of all sessions together are nearly at their bound: has those with the most make room.
    pub(super) async fn relieve(self: Arc<Self>, too_much: Arc<Notify>) {
        loop {
            too_much.notified().await;
            let mut found = self.found();
            *found = Found::default();
            let looked = self.look(0, 0, true);
            drop(found);
            looked.call();
        }
    }

    /// Makes room for `len` bytes at once, by those with more than `whole`, and counts them if there is some.
    pub(super) fn make_room(&self, len: usize, whole: usize, close: bool) -> bool {
        // Whoever has no room meanwhile waits for what is being made.
        let mut found = self.found();
        if self.total.take_room(len) {
            return true;
        }
        let at = now();
        if found.says_no(at, whole, close) {
            return false;
        }
        let looked = self.look(whole, self.total.missing(len), close);
        let fits = self.total.take_room(len);
        if looked.left > 0 {
            found.at = Some(at);
            found.trusted = TRUSTED + looked.sessions / 16;
            // A packet that is dropped is worth no look at all sessions for a little difference.
            *found.floor(close) = Some(if close { whole } else { whole / 2 });
        }
        drop(found);
        looked.call();
        fits
    }

    /// Has all who have more than `floor` make room for `missing` bytes, and some more, so that it is not needed again soon.
    fn look(&self, floor: usize, missing: usize, close: bool) -> Looked<In> {
        self.stats.queues_full.fetch_add(1, Relaxed);
        let Longer { peers: mut longest, all, sessions } = self.registry.longer_than(floor);
        // What workers are about to hand over is nobody's yet.
        let mut left = missing.max(all.saturating_sub(self.max_queued - self.max_queued / 8));
        // Looked at once each: the queues go on changing, and a sort whose keys change may panic.
        longest.sort_unstable_by_key(|(queued, _)| Reverse(*queued));
        let level = level(longest.iter().map(|(queued, _)| *queued), floor, left);
        let mut calls = Vec::new();
        for (queued, peer) in &mut longest {
            if left == 0 || *queued <= level {
                break;
            }
            let (gone, call) = peer.outbox.shed(left.min(*queued - level));
            left = left.saturating_sub(gone);
            *queued = peer.outbox.burden();
            calls.push(call);
        }
        if close && left > 0 {
            longest.sort_unstable_by_key(|(queued, _)| Reverse(*queued));
            for (_, peer) in &longest {
                let queued = peer.outbox.burden();
                if left == 0 {
                    break;
                }
                // The peer may have read meanwhile.
                if queued <= level {
                    continue;
                }
                calls.push(peer.outbox.give_way());
                if peer.outbox.closed() == Some(CloseReason::ServerQueueFull) {
                    warn!(session = %peer.id, queued, "closed: the queues of all sessions are over their bound");
                }
                left = left.saturating_sub(queued);
            }
        }
        Looked { left, sessions, calls, peers: longest }
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Found> {
        // Nothing under the lock calls the game.
        self.relief.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a look went.
struct Looked<In> {
    // So many bytes are still too much, and there are so many sessions.
    left: usize,
    sessions: usize,
    calls: Vec<Calls>,
    // To be let go of with no lock held: packets of the game's may go with them.
    peers: Vec<(usize, Arc<Peer<In>>)>,
}

impl<In> Looked<In> {
    /// Calls those who wait for something that has changed, with no lock held.
    fn call(self) {
        self.calls.into_iter().for_each(Calls::call);
        drop(self.peers);
    }
}

impl Found {
    fn floor(&mut self, close: bool) -> &mut Option<usize> {
        if close { &mut self.closes } else { &mut self.drops }
    }

    /// Whether it is known that nobody has more than `whole` who could make room.
    fn says_no(&mut self, now: Instant, whole: usize, close: bool) -> bool {
        let fresh = self.at.is_some_and(|at| now.saturating_duration_since(at) < FRESH);
        let Some(trusted) = self.trusted.checked_sub(1).filter(|_| fresh) else {
            *self = Self::default();
            return false;
        };
        let no = self.floor(close).is_some_and(|floor| whole >= floor);
        if no {
            self.trusted = trusted;
        }
        no
    }
}

/// Down to which length the longest queues go for `excess` bytes in all, but not below the floor. The longest comes first.
fn level(longest: impl Iterator<Item = usize> + Clone, floor: usize, excess: usize) -> usize {
    let next = longest.clone().skip(1).chain([floor]);
    let (mut above, mut count) = (0_usize, 0);
    for (queued, next) in longest.zip(next) {
        above = above.saturating_add(queued);
        count += 1;
        if above.saturating_sub(next.saturating_mul(count)) >= excess {
            return above.saturating_sub(excess) / count;
        }
    }
    floor
}

/// For so long what was found is gone by.
const FRESH: Duration = Duration::from_millis(10);

/// So often at least.
const TRUSTED: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_queues_go_down_to_one_level_and_not_below_the_floor() {
        let level = |longest: &[usize], floor, excess| super::level(longest.iter().copied(), floor, excess);
        assert_eq!(level(&[100, 40, 10], 0, 50), 50);
        assert_eq!(level(&[100, 40, 10], 0, 60), 40);
        assert_eq!(level(&[100, 40, 10], 0, 80), 30);
        assert_eq!(level(&[100, 40, 10], 0, 149), 0);
        assert_eq!(level(&[100, 40, 10], 0, 1_000), 0);
        assert_eq!(level(&[100, 40], 35, 80), 35);
        assert_eq!(level(&[], 7, 1), 7);
    }

    #[test]
    fn what_was_found_is_gone_by_for_a_while_and_a_few_times() {
        let at = Instant::now();
        let found = || Found { at: Some(at), trusted: 2, drops: Some(10), closes: Some(20) };
        let mut one = found();
        assert!(one.says_no(at, 10, false) && !one.says_no(at, 9, false) && !one.says_no(at, 19, true));
        assert!(one.says_no(at, 20, true) && !one.says_no(at, 20, true), "twice");
        assert!(!found().says_no(at + FRESH, 20, true));
        assert!(!Found::default().says_no(at, usize::MAX, true));
    }
}
