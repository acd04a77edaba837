//! The way to the workers.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;

use super::Event;
use super::stats::{Stats, count};
use crate::runtime::Full;

/// Hands events to workers; what a worker has no room for waits here.
pub(super) trait Outlet: Send + Sync {
    /// A message: it may be dropped. Whether something waits now.
    fn message(&self, worker: usize, event: Event, bytes: usize) -> bool;
    /// Everything else: it is never dropped. Whether something waits now.
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
    // With the bytes that each counts for: `None` for what is never dropped. The names that this node may hold bound those.
    queue: VecDeque<(M, Option<usize>)>,
    messages: usize,
    bytes: usize,
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

    fn give(&self, worker: usize, event: Event, bytes: Option<usize>) -> bool {
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
                    if bytes.is_some() {
                        count(&self.stats.delivered);
                    }
                    return false;
                }
                Err(Full(message)) => message,
            }
        };
        let waiting = all.entry(worker).or_default();
        if let Some(bytes) = bytes {
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
        }
        waiting.queue.push_back((message, bytes));
        true
    }
}

impl<M: Send + 'static> Outlet for Workers<M> {
    fn message(&self, worker: usize, event: Event, bytes: usize) -> bool {
        self.give(worker, event, Some(bytes))
    }

    fn notice(&self, worker: usize, event: Event) -> bool {
        self.give(worker, event, None)
    }

    fn retry(&self) -> bool {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|worker, waiting| {
            while let Some((message, bytes)) = waiting.queue.pop_front() {
                if let Err(Full(message)) = (self.tell)(*worker, message) {
                    waiting.queue.push_front((message, bytes));
                    return true;
                }
                if let Some(bytes) = bytes {
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
