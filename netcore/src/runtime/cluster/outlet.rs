//! The way to the workers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::error;

use super::stats::{Stats, count};
use super::{Event, NodeId};
use crate::runtime::queue::Weight;
use crate::runtime::teller::Untold;

/// Hands events to workers; what a worker has no room for waits here.
pub(super) trait Outlet: Send + Sync {
    /// A message: it may be dropped. Whether something waits now.
    fn message(&self, worker: usize, event: Event, bytes: usize) -> bool;
    /// Everything else: it is dropped only where it takes back what has not been told yet. Whether something waits now.
    fn notice(&self, worker: usize, event: Event) -> bool;
    /// Tries again. Whether something still waits.
    fn retry(&self) -> bool;
}

pub(super) struct Workers<M> {
    tell: Box<Tell<M>>,
    map: Box<dyn Fn(Event) -> M + Send + Sync>,
    waiting: Mutex<All<M>>,
    max: usize,
    max_bytes: usize,
    stats: Arc<Stats>,
}

type Tell<M> = dyn Fn(usize, M, Weight) -> Result<(), Untold<M>> + Send + Sync;

/// What waits for one worker, in order.
struct Waiting<M> {
    queue: VecDeque<(M, What)>,
    messages: usize,
    bytes: usize,
}

struct All<M> {
    // The bytes of the messages in each worker's own queue.
    told: HashMap<usize, Arc<AtomicUsize>>,
    // Of each worker for which something does. In order, so that they are asked the same each time.
    waiting: BTreeMap<usize, Waiting<M>>,
    // What a `Back` said to be unsent that is not told any more: the next one for that worker says it.
    unsent: HashMap<usize, u64>,
}

/// What it is that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    /// A message, of so many bytes.
    Message(usize),
    /// A name was lost. The names that this node may hold bound those.
    Lost,
    /// The backplane is away, or back and so much is unsent.
    Away,
    Back(u64),
    /// A node is there, or is gone.
    Up(NodeId),
    Down(NodeId),
}

impl What {
    fn notice(event: &Event) -> Self {
        match event {
            Event::Away { .. } => Self::Away,
            Event::Back { unsent, .. } => Self::Back(*unsent),
            Event::NodeUp { node, .. } => Self::Up(*node),
            Event::NodeDown { node } => Self::Down(*node),
            Event::Lost { .. } | Event::Message { .. } => Self::Lost,
        }
    }

    /// Whether this says that something is there of which `gone` says that it is not any more. Who has not heard the one
    /// need not hear the other: of each backplane and node one going waits at most, and one coming behind it.
    fn is_over_with(self, gone: Self) -> bool {
        match (self, gone) {
            (Self::Back(_), Self::Away) => true,
            (Self::Up(one), Self::Down(other)) => one == other,
            _ => false,
        }
    }
}

impl<M: Send + 'static> Workers<M> {
    pub(super) fn new(
        tell: impl Fn(usize, M, Weight) -> Result<(), Untold<M>> + Send + Sync + 'static,
        map: impl Fn(Event) -> M + Send + Sync + 'static,
        (max, max_bytes): (usize, usize),
        stats: Arc<Stats>,
    ) -> Self {
        let waiting =
            Mutex::new(All { told: HashMap::new(), waiting: BTreeMap::new(), unsent: HashMap::new() });
        Self { tell: Box::new(tell), map: Box::new(map), waiting, max, max_bytes, stats }
    }

    fn give(&self, worker: usize, event: Event, what: What) -> bool {
        // The game's code: not under the lock, and its panic is not the connection's end.
        let Ok(message) = catch_unwind(AssertUnwindSafe(|| (self.map)(event))) else {
            count(&self.stats.panics);
            error!(worker, "the game's code panicked over an event of the cluster");
            return false;
        };
        let mut all = self.lock();
        let message = if all.waiting.contains_key(&worker) {
            message
        } else {
            let told = all.told.entry(worker).or_default();
            match self.tell(worker, message, what, told) {
                Ok(()) => {
                    if let What::Message(_) = what {
                        count(&self.stats.delivered);
                    }
                    return false;
                }
                Err(Untold::Full(message)) => message,
                // Nobody will ever hear it.
                Err(Untold::Gone(message)) => {
                    // Not under the lock: it is the game's own.
                    drop(all);
                    drop(message);
                    if let What::Message(_) = what {
                        count(&self.stats.dropped_in);
                    }
                    return false;
                }
            }
        };
        let waiting = all.waiting.entry(worker).or_default();
        if let What::Message(bytes) = what {
            if waiting.messages >= self.max || waiting.bytes.saturating_add(bytes) > self.max_bytes {
                let none = waiting.queue.is_empty();
                if none {
                    all.waiting.remove(&worker);
                }
                drop(all);
                count(&self.stats.dropped_in);
                return !none;
            }
            waiting.messages += 1;
            waiting.bytes += bytes;
        } else if let Some(at) = waiting.queue.iter().position(|(_, there)| there.is_over_with(what)) {
            if let Some((_, What::Back(unsent))) = waiting.queue.remove(at) {
                *all.unsent.entry(worker).or_default() += unsent;
            }
            return true;
        }
        waiting.queue.push_back((message, what));
        true
    }

    /// Tells a worker, unless so many bytes are in its queue already that another message would be too much.
    fn tell(&self, worker: usize, message: M, what: What, told: &Arc<AtomicUsize>) -> Result<(), Untold<M>> {
        let What::Message(bytes) = what else { return (self.tell)(worker, message, Weight::default()) };
        let there = told.load(Relaxed);
        if there > 0 && there.saturating_add(bytes) > self.max_bytes {
            return Err(Untold::Full(message));
        }
        (self.tell)(worker, message, Weight::new(told, bytes))
    }

    fn lock(&self) -> MutexGuard<'_, All<M>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Send + 'static> Outlet for Workers<M> {
    fn message(&self, worker: usize, event: Event, bytes: usize) -> bool {
        self.give(worker, event, What::Message(bytes))
    }

    fn notice(&self, worker: usize, mut event: Event) -> bool {
        if let Event::Back { unsent, .. } = &mut event {
            *unsent += self.lock().unsent.remove(&worker).unwrap_or_default();
        }
        let what = What::notice(&event);
        self.give(worker, event, what)
    }

    fn retry(&self) -> bool {
        let mut gone = Vec::new();
        let mut guard = self.lock();
        let all = &mut *guard;
        all.waiting.retain(|worker, waiting| {
            let told = all.told.entry(*worker).or_default();
            while let Some((message, what)) = waiting.queue.pop_front() {
                match self.tell(*worker, message, what, told) {
                    Ok(()) => {}
                    Err(Untold::Full(message)) => {
                        waiting.queue.push_front((message, what));
                        return true;
                    }
                    Err(Untold::Gone(message)) => {
                        self.stats.dropped_in.fetch_add(waiting.messages as u64, Relaxed);
                        gone.push((message, std::mem::take(&mut waiting.queue)));
                        return false;
                    }
                }
                if let What::Message(bytes) = what {
                    waiting.messages -= 1;
                    waiting.bytes -= bytes;
                    count(&self.stats.delivered);
                }
            }
            false
        });
        let waits = !all.waiting.is_empty();
        // Not under the lock: they are the game's own.
        drop(guard);
        drop(gone);
        waits
    }
}

impl<M> Drop for Workers<M> {
    /// The node has ended: nobody will hear what still waits.
    fn drop(&mut self) {
        let all = self.waiting.get_mut().unwrap_or_else(PoisonError::into_inner);
        let messages: usize = all.waiting.values().map(|waiting| waiting.messages).sum();
        self.stats.dropped_in.fetch_add(messages as u64, Relaxed);
    }
}

impl<M> Default for Waiting<M> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), messages: 0, bytes: 0 }
    }
}

#[cfg(test)]
mod tests;
