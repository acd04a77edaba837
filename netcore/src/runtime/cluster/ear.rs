//! What comes in: messages on topics, and news of the link.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::outlet::Outlet;
use super::stats::{Stats, count};
use super::{Event, LinkError, NodeId};

/// The part of a node that a link hands things in to. It knows nothing of the backplane, so that neither keeps the other
/// alive.
pub(super) struct Ear {
    pub(super) node: NodeId,
    pub(super) stats: Arc<Stats>,
    /// Wakes the driver: there is something to send, or news of the link, or the end.
    pub(super) wake: Notify,
    /// Wakes who tries again to hand over what a worker had no room for.
    pub(super) waits: Notify,
    hearers: Mutex<Hearers>,
    // The link that is listened to; 0 is none.
    link: AtomicU64,
    news: Mutex<News>,
    max_message: usize,
}

#[derive(Default)]
struct Hearers {
    // Who hears a topic.
    topics: HashMap<Arc<str>, Arc<[usize]>>,
    // The way to them, from the start to the end of the node.
    outlet: Option<Arc<dyn Outlet>>,
}

#[derive(Default)]
pub(super) struct News {
    pub(super) lost: Option<LinkError>,
    /// Names to look after at once. In order, so that a node asks the same each time.
    pub(super) displaced: BTreeSet<Arc<str>>,
}

impl Ear {
    pub(super) fn new(node: NodeId, max_message: usize) -> Self {
        Self {
            node,
            stats: Arc::default(),
            wake: Notify::new(),
            waits: Notify::new(),
            hearers: Mutex::default(),
            link: AtomicU64::new(0),
            news: Mutex::default(),
            max_message,
        }
    }

    /// From now on there is somebody to tell, or nobody any more.
    pub(super) fn hand_to(&self, outlet: Option<Arc<dyn Outlet>>) {
        let before = std::mem::replace(&mut lock(&self.hearers).outlet, outlet);
        // Not under the lock: it may hold messages of the game's own.
        drop(before);
    }

    fn outlet(&self) -> Option<Arc<dyn Outlet>> {
        lock(&self.hearers).outlet.clone()
    }

    /// Adds a worker to those who hear a topic: whether it is the first; `None` if there is no room for one more topic.
    pub(super) fn subscribe(&self, topic: &str, worker: usize, max: usize) -> Option<bool> {
        let topics = &mut lock(&self.hearers).topics;
        let Some(workers) = topics.get_mut(topic) else {
            if topics.len() >= max {
                return None;
            }
            topics.insert(topic.into(), [worker].into());
            return Some(true);
        };
        if !workers.contains(&worker) {
            *workers = workers.iter().copied().chain([worker]).collect();
        }
        Some(false)
    }

    /// Whether it was the last who heard the topic.
    pub(super) fn unsubscribe(&self, topic: &str, worker: usize) -> bool {
        let topics = &mut lock(&self.hearers).topics;
        let Some(workers) = topics.get_mut(topic).filter(|workers| workers.contains(&worker)) else {
            return false;
        };
        *workers = workers.iter().copied().filter(|other| *other != worker).collect();
        let last = workers.is_empty();
        if last {
            topics.remove(topic);
        }
        last
    }

    pub(super) fn hears(&self, topic: &str) -> bool {
        lock(&self.hearers).topics.contains_key(topic)
    }

    pub(super) fn topics(&self) -> Vec<Arc<str>> {
        lock(&self.hearers).topics.keys().cloned().collect()
    }

    /// A message from another node.
    pub(super) fn deliver(&self, topic: &str, from: NodeId, body: Bytes) {
        if from == self.node {
            return;
        }
        if body.len() > self.max_message {
            return count(&self.stats.dropped_in);
        }
        self.pass_on(topic, from, None, body);
    }

    /// A message to every worker that hears the topic, but one.
    pub(super) fn pass_on(&self, topic: &str, from: NodeId, but: Option<usize>, body: Bytes) {
        let hearers = lock(&self.hearers);
        let Some((topic, workers)) = hearers.topics.get_key_value(topic) else { return };
        let (topic, workers) = (topic.clone(), workers.clone());
        let Some(outlet) = hearers.outlet.clone() else { return };
        drop(hearers);
        let (mut waits, size) = (false, topic.len() + body.len());
        let mut workers = workers.iter().copied().filter(|worker| Some(*worker) != but).peekable();
        while let Some(worker) = workers.next() {
            // Most have one hearer: it gets the message itself.
            if workers.peek().is_none() {
                waits |= outlet.message(worker, Event::Message { topic, from, body }, size);
                break;
            }
            let event = Event::Message { topic: topic.clone(), from, body: body.clone() };
            waits |= outlet.message(worker, event, size);
        }
        if waits {
            self.waits.notify_one();
        }
    }

    /// Tells workers what they must not miss.
    pub(super) fn notices(&self, events: impl IntoIterator<Item = (usize, Event)>) {
        let Some(outlet) = self.outlet() else { return };
        let mut waits = false;
        for (worker, event) in events {
            waits |= outlet.notice(worker, event);
        }
        if waits {
            self.waits.notify_one();
        }
    }

    /// Whether something still waits for a worker.
    pub(super) fn retry(&self) -> bool {
        self.outlet().is_some_and(|outlet| outlet.retry())
    }

    /// From now on this link alone is listened to.
    pub(super) fn listen_to(&self, link: u64) {
        let mut news = lock(&self.news);
        *news = News::default();
        self.link.store(link, Relaxed);
    }

    pub(super) fn listens_to(&self, link: u64) -> bool {
        self.link.load(Relaxed) == link
    }

    pub(super) fn lost(&self, link: u64, error: LinkError) {
        let mut news = lock(&self.news);
        if self.listens_to(link) {
            news.lost.get_or_insert(error);
            drop(news);
            self.wake.notify_one();
        }
    }

    pub(super) fn displaced(&self, link: u64, name: &str) {
        let mut news = lock(&self.news);
        // Those that find no room are found out when their turn to be kept comes.
        if self.listens_to(link) && news.displaced.len() < MAX_DISPLACED {
            news.displaced.insert(name.into());
            drop(news);
            self.wake.notify_one();
        }
    }

    pub(super) fn news(&self) -> News {
        std::mem::take(&mut lock(&self.news))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const MAX_DISPLACED: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_together_are_looked_after_in_their_order() {
        let ear = Ear::new(NodeId::new(1), 1);
        ear.listen_to(1);
        let names: Vec<_> = (100..164).map(|n| format!("name/{n}")).collect();
        names.iter().rev().for_each(|name| ear.displaced(1, name));
        assert!(ear.news().displaced.iter().map(|name| &**name).eq(names.iter().map(String::as_str)));
    }
}
