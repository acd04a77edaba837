//! The way to the workers.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;

use super::stats::{Stats, count};
use super::{Event, NodeId};
use crate::runtime::Full;

/// Hands events to workers; what a worker has no room for waits here.
pub(super) trait Outlet: Send + Sync {
    /// A message: it may be dropped. Whether something waits now.
    fn message(&self, worker: usize, event: Event, bytes: usize) -> bool;
    /// Everything else: it is dropped only for the next one that says how the same thing stands. Whether something waits
    /// now.
    fn notice(&self, worker: usize, event: Event) -> bool;
    /// Tries again. Whether something still waits.
    fn retry(&self) -> bool;
}

pub(super) struct Workers<M> {
    tell: Box<dyn Fn(usize, M) -> Result<(), Full<M>> + Send + Sync>,
    map: Box<dyn Fn(Event) -> M + Send + Sync>,
    waiting: Mutex<HashMap<usize, Waiting<M>>>,
    max: usize,
    max_bytes: usize,
    stats: Arc<Stats>,
}

/// What waits for one worker, in order.
struct Waiting<M> {
    queue: VecDeque<(M, What)>,
    messages: usize,
    bytes: usize,
}

/// What it is that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    /// A message, of so many bytes.
    Message(usize),
    /// A name was lost. The names that this node may hold bound those.
    Lost,
    /// How the backplane (`None`) or a node stands: there, or gone. Of each the last time that it went waits, and that it
    /// has come back since.
    There(Option<NodeId>),
    Gone(Option<NodeId>),
}

impl What {
    fn notice(event: &Event) -> Self {
        match event {
            Event::Away { .. } => Self::Gone(None),
            Event::Back { .. } => Self::There(None),
            Event::NodeUp { node, .. } => Self::There(Some(*node)),
            Event::NodeDown { node } => Self::Gone(Some(*node)),
            Event::Lost { .. } | Event::Message { .. } => Self::Lost,
        }
    }

    /// Whether it need not be told any more if `next` will be.
    fn is_old(self, next: Self) -> bool {
        match next {
            Self::Gone(who) => self == next || self == Self::There(who),
            Self::There(_) => self == next,
            Self::Message(_) | Self::Lost => false,
        }
    }
}

impl<M: Send + 'static> Workers<M> {
    pub(super) fn new(
        tell: impl Fn(usize, M) -> Result<(), Full<M>> + Send + Sync + 'static,
        map: impl Fn(Event) -> M + Send + Sync + 'static,
        (max, max_bytes): (usize, usize),
        stats: Arc<Stats>,
    ) -> Self {
        let waiting = Mutex::default();
        Self { tell: Box::new(tell), map: Box::new(map), waiting, max, max_bytes, stats }
    }

    fn give(&self, worker: usize, event: Event, what: What) -> bool {
        // The game's code: not under the lock, and its panic is not the connection's end.
        let Ok(message) = catch_unwind(AssertUnwindSafe(|| (self.map)(event))) else {
            count(&self.stats.panics);
            error!(worker, "the game's code panicked over an event of the cluster");
            return false;
        };
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let message = if all.contains_key(&worker) {
            message
        } else {
            match (self.tell)(worker, message) {
                Ok(()) => {
                    if let What::Message(_) = what {
                        count(&self.stats.delivered);
                    }
                    return false;
                }
                Err(Full(message)) => message,
            }
        };
        let waiting = all.entry(worker).or_default();
        if let What::Message(bytes) = what {
            if waiting.messages >= self.max || waiting.bytes.saturating_add(bytes) > self.max_bytes {
                let none = waiting.queue.is_empty();
                if none {
                    all.remove(&worker);
                }
                drop(all);
                count(&self.stats.dropped_in);
                return !none;
            }
            waiting.messages += 1;
            waiting.bytes += bytes;
        } else if what != What::Lost {
            waiting.queue.retain(|(_, waits)| !waits.is_old(what));
        }
        waiting.queue.push_back((message, what));
        true
    }
}

impl<M: Send + 'static> Outlet for Workers<M> {
    fn message(&self, worker: usize, event: Event, bytes: usize) -> bool {
        self.give(worker, event, What::Message(bytes))
    }

    fn notice(&self, worker: usize, event: Event) -> bool {
        let what = What::notice(&event);
        self.give(worker, event, what)
    }

    fn retry(&self) -> bool {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|worker, waiting| {
            while let Some((message, what)) = waiting.queue.pop_front() {
                if let Err(Full(message)) = (self.tell)(*worker, message) {
                    waiting.queue.push_front((message, what));
                    return true;
                }
                if let What::Message(bytes) = what {
                    waiting.messages -= 1;
                    waiting.bytes -= bytes;
                    count(&self.stats.delivered);
                }
            }
            false
        });
        !all.is_empty()
    }
}

impl<M> Default for Waiting<M> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), messages: 0, bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::time::{Duration, Instant};

    use bytes::Bytes;

    use super::*;
    use crate::runtime::cluster::LinkError;

    #[test]
    fn a_worker_that_stands_still_is_told_how_things_stand_and_not_all_that_was() {
        let (open, told) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (may, tells) = (open.clone(), told.clone());
        let tell = move |_, event| {
            if !may.load(Relaxed) {
                return Err(Full(event));
            }
            tells.lock().unwrap().push(event);
            Ok(())
        };
        let workers = Workers::new(tell, |event| event, (1, 100), Arc::default());
        let (since, reason) = (Instant::now(), LinkError::Closed);
        let lost = |n: u64| Event::Lost { name: n.to_string().into(), by: NodeId::new(n) };
        let back = |unsent| Event::Back { away: Duration::ZERO, unsent };
        let up = |n: u64| Event::NodeUp { node: NodeId::new(n), value: Bytes::new() };
        let message = Event::Message { topic: "t".into(), from: NodeId::new(1), body: Bytes::new() };
        workers.message(0, message.clone(), 1);
        for n in 0..1000 {
            assert!(workers.notice(0, Event::Away { since, reason: reason.clone() }));
            workers.notice(0, back(n));
            workers.notice(0, Event::NodeDown { node: NodeId::new(n % 2) });
            workers.notice(0, up(n % 2));
            if n < 2 {
                workers.notice(0, lost(n));
            }
        }
        open.store(true, Relaxed);
        assert!(!workers.retry());
        let down = |n| Event::NodeDown { node: NodeId::new(n) };
        let expected = [
            vec![message, lost(0), lost(1), down(0), up(0)],
            vec![Event::Away { since, reason }, back(999), down(1), up(1)],
        ];
        assert_eq!(*told.lock().unwrap(), expected.concat());
    }
}
