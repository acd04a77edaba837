//! What the nodes of one process share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound::{Included, Unbounded};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::super::backplane::{Answer, Incoming, LinkError, Op, Stake};
use super::super::ids::MADE_UP;
use super::super::{Holder, NodeId};
use super::{Line, Lines};

#[derive(Default)]
pub(super) struct Store {
    names: BTreeMap<Arc<str>, Stored>,
    // Each link with its topics, so that they go with it. In order, so that they break the same each time.
    links: BTreeMap<u64, Connected>,
    topics: HashMap<Arc<str>, Vec<u64>>,
    last_link: u64,
    block: u64,
    // When those that have expired were last taken out; until then they only do not count.
    swept: Option<Instant>,
}

struct Stored {
    node: NodeId,
    mark: u64,
    since: Instant,
    expires: Instant,
    value: Bytes,
}

struct Connected {
    node: NodeId,
    incoming: Incoming,
    line: Lines,
    topics: HashSet<Arc<str>>,
}

/// Who is to hear what.
pub(super) enum Told {
    Nobody,
    Message { to: Vec<Incoming>, topic: Arc<str>, from: NodeId, body: Bytes },
    Displaced(Vec<(Incoming, Arc<str>)>),
}

impl Told {
    pub(super) fn tell(self) {
        match self {
            Self::Nobody => {}
            Self::Message { to, topic, from, body } => {
                for incoming in to {
                    incoming.deliver(&topic, from, body.clone());
                }
            }
            Self::Displaced(names) => {
                for (incoming, name) in names {
                    incoming.displaced(&name);
                }
            }
        }
    }
}

impl Store {
    pub(super) fn connect(&mut self, node: NodeId, incoming: Incoming, line: Lines) -> u64 {
        self.last_link += 1;
        self.links.insert(self.last_link, Connected { node, incoming, line, topics: HashSet::new() });
        self.last_link
    }

    pub(super) fn disconnect(&mut self, link: u64) {
        let topics = self.links.remove(&link).map(|link| link.topics);
        for topic in topics.into_iter().flatten() {
            self.leave(link, &topic);
        }
    }

    pub(super) fn forget(&mut self) -> Vec<Incoming> {
        self.names.clear();
        self.topics.clear();
        std::mem::take(&mut self.links).into_values().map(|link| link.incoming).collect()
    }

    pub(super) fn sizes(&mut self) -> (usize, usize) {
        self.swept = None;
        self.sweep();
        (self.names.len(), self.topics.len())
    }

    pub(super) fn run(&mut self, node: NodeId, link: u64, op: Op) -> Result<(Answer, Told), LinkError> {
        if !self.links.contains_key(&link) {
            return Err(LinkError::Closed);
        }
        let answer = match op {
            Op::Ping => Answer::Done,
            Op::Publish { topic, body } => {
                let to = self.topics.get(&topic).into_iter().flatten();
                let to = to.filter_map(|link| self.links.get(link)).filter(|link| link.hears());
                let to = to.map(|link| link.incoming.clone()).collect();
                return Ok((Answer::Done, Told::Message { to, topic, from: node, body }));
            }
            Op::Subscribe(topic) => {
                self.join(link, topic);
                Answer::Done
            }
            Op::Unsubscribe(topic) => {
                if let Some(link) = self.links.get_mut(&link) {
                    link.topics.remove(&topic);
                }
                self.leave(link, &topic);
                Answer::Done
            }
            Op::Claim { claim, within, ttl } => self.claim(node, claim, within, ttl),
            Op::Keep { claims, ttl } => {
                let mut displaced = Vec::new();
                let kept =
                    claims.into_iter().map(|claim| self.keep(node, claim, ttl, &mut displaced)).collect();
                return Ok((Answer::Kept(kept), Told::Displaced(displaced)));
            }
            Op::Release { name, mark } => {
                if self.names.get(&name).is_some_and(|held| (held.node, held.mark) == (node, mark)) {
                    self.names.remove(&name);
                }
                Answer::Done
            }
            Op::Find(name) => {
                let held = self.names.get_key_value(&name).filter(|(_, held)| held.lives());
                Answer::Holders { holders: held.map(holder).into_iter().collect(), more: false }
            }
            Op::List { prefix, limit } => {
                let mut held = self.within(&prefix);
                let holders = held.by_ref().take(limit).map(holder).collect();
                Answer::Holders { holders, more: held.next().is_some() }
            }
            Op::Block { size, floor } => {
                let start = self.block.max(floor).max(1);
                self.block = start.saturating_add(size).min(MADE_UP);
                Answer::Block(start)
            }
        };
        Ok((answer, Told::Nobody))
    }

    fn claim(
        &mut self,
        node: NodeId,
        claim: Stake,
        within: Option<(Arc<str>, usize)>,
        ttl: Duration,
    ) -> Answer {
        self.sweep();
        if let Some(held) = self.names.get(&claim.name).filter(|held| held.lives())
            && (held.node != node || held.mark > claim.mark)
        {
            return Answer::Taken(held.node);
        }
        let mut others = Vec::new();
        if let Some((prefix, max)) = within {
            others = self.within(&prefix).filter(|(name, _)| **name != claim.name).map(holder).collect();
            if others.len() >= max {
                return Answer::Full;
            }
        }
        self.put(node, claim, ttl);
        Answer::Claimed { others }
    }

    fn keep(
        &mut self,
        node: NodeId,
        claim: Stake,
        ttl: Duration,
        displaced: &mut Vec<(Incoming, Arc<str>)>,
    ) -> Option<NodeId> {
        let now = Instant::now();
        let since = now.checked_sub(claim.age).unwrap_or(now);
        if let Some(held) = self.names.get(&claim.name).filter(|held| held.lives()) {
            if held.node == node {
                if held.mark > claim.mark {
                    // An old one that was late: what came after it holds.
                    return None;
                }
            } else if (held.since, held.node) < (since, node) {
                return Some(held.node);
            } else {
                let theirs = self.links.values().filter(|link| link.node == held.node);
                displaced.extend(theirs.map(|link| (link.incoming.clone(), claim.name.clone())));
            }
        }
        self.put(node, claim, ttl);
        None
    }

    fn put(&mut self, node: NodeId, claim: Stake, ttl: Duration) {
        let now = Instant::now();
        let Stake { name, mark, age, value } = claim;
        let since = now.checked_sub(age).unwrap_or(now);
        self.names.insert(name, Stored { node, mark, since, expires: now + ttl, value });
    }

    fn within<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a Arc<str>, &'a Stored)> {
        let named = self
            .names
            .range::<str, _>((Included(prefix), Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix));
        named.filter(|(_, held)| held.lives())
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        if self.swept.is_none_or(|swept| now - swept >= SWEEP) {
            self.swept = Some(now);
            self.names.retain(|_, held| held.expires > now);
        }
    }

    fn join(&mut self, link: u64, topic: Arc<str>) {
        let links = self.topics.entry(topic.clone()).or_default();
        if !links.contains(&link) {
            links.push(link);
            if let Some(link) = self.links.get_mut(&link) {
                link.topics.insert(topic);
            }
        }
    }

    fn leave(&mut self, link: u64, topic: &str) {
        if let Some(links) = self.topics.get_mut(topic) {
            links.retain(|other| *other != link);
            if links.is_empty() {
                self.topics.remove(topic);
            }
        }
    }
}

impl Stored {
    fn lives(&self) -> bool {
        self.expires > Instant::now()
    }
}

impl Connected {
    fn hears(&self) -> bool {
        matches!(*self.line.borrow(), Line::Up | Line::Slow(_))
    }
}

fn holder((name, held): (&Arc<str>, &Stored)) -> Holder {
    let age = held.since.elapsed();
    Holder::new(name.clone(), held.node, Duration::from_millis(age.as_millis() as u64), held.value.clone())
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { names, links, .. } = self;
        f.debug_struct("Store")
            .field("names", &names.len())
            .field("links", &links.len())
            .finish_non_exhaustive()
    }
}

const SWEEP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::super::super::ear::Ear;
    use super::*;

    #[test]
    fn links_that_break_together_break_in_the_order_in_which_they_were_made() {
        let (mut store, node) = (Store::default(), NodeId::new(1));
        let ear = Arc::new(Ear::new(node, 1));
        let line: Lines = Arc::new(watch::Sender::new(Line::Up));
        let links: Vec<_> = (1..=64).map(|link| Incoming::new(ear.clone(), link)).collect();
        for link in &links {
            store.connect(node, link.clone(), line.clone());
        }
        assert_eq!(format!("{:?}", store.forget()), format!("{links:?}"));
    }
}
