//! The names that this node holds, asks for or gives back.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Included, Unbounded};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::backplane::Stake;
use super::claim::{Claim, ClaimError};
use super::{Holder, NodeId};

/// All of them, by their marks. A name is held, or asked for, once at most; what is given back no longer counts as held.
#[derive(Default)]
pub(super) struct Claims {
    by_name: BTreeMap<Arc<str>, u64>,
    // Each turn of the renewal takes one slot: what is renewed is spread over time.
    slots: [HashMap<u64, Entry>; SLOTS],
}

pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) value: Bytes,
    /// Who hears if it is lost.
    pub(super) worker: usize,
    pub(super) since: Instant,
    pub(super) stage: Stage,
    /// The backplane may know of it.
    pub(super) sent: bool,
    /// A renewal of it is under way.
    pub(super) renewing: bool,
    /// Once more when what is under way is answered: the value has changed since, or another node has taken the name.
    pub(super) again: bool,
    pub(super) lost: Arc<OnceLock<NodeId>>,
}

pub(super) enum Stage {
    /// The backplane was asked.
    Asking(Asking),
    Held,
    /// It was dropped, and the backplane has not said yet that it knows.
    Releasing,
}

pub(super) struct Asking {
    pub(super) reply: Reply,
    pub(super) strict: bool,
    pub(super) within: Option<(Arc<str>, usize)>,
}

pub(super) type Reply = oneshot::Sender<Result<Claim, ClaimError>>;

impl Claims {
    /// With those that are given back.
    pub(super) fn len(&self) -> usize {
        self.slots.iter().map(HashMap::len).sum()
    }

    pub(super) fn named_len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn named(&self, name: &str) -> Option<&Entry> {
        self.get(*self.by_name.get(name)?)
    }

    pub(super) fn mark_of(&self, name: &str) -> Option<u64> {
        self.by_name.get(name).copied()
    }

    pub(super) fn insert(&mut self, mark: u64, entry: Entry) {
        self.by_name.insert(entry.name.clone(), mark);
        if let Some(slot) = self.slots.get_mut(slot(mark)) {
            slot.insert(mark, entry);
        }
    }

    pub(super) fn get(&self, mark: u64) -> Option<&Entry> {
        self.slots.get(slot(mark))?.get(&mark)
    }

    pub(super) fn get_mut(&mut self, mark: u64) -> Option<&mut Entry> {
        self.slots.get_mut(slot(mark))?.get_mut(&mark)
    }

    pub(super) fn remove(&mut self, mark: u64) -> Option<Entry> {
        let entry = self.slots.get_mut(slot(mark))?.remove(&mark)?;
        self.free(&entry.name, mark);
        Some(entry)
    }

    /// Its name can be claimed again, although it is still here.
    pub(super) fn free(&mut self, name: &str, mark: u64) {
        if self.by_name.get(name) == Some(&mark) {
            self.by_name.remove(name);
        }
    }

    /// The names that begin so and are held, in their order.
    pub(super) fn held<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Entry> {
        let from = self.by_name.range::<str, _>((Included(prefix), Unbounded));
        let named = from.take_while(move |(name, _)| name.starts_with(prefix));
        named.filter_map(|(_, mark)| self.get(*mark)).filter(|entry| matches!(entry.stage, Stage::Held))
    }

    /// The marks of one slot, or of all.
    pub(super) fn marks(&self, slot: Option<usize>) -> Vec<u64> {
        let slots = self.slots.iter().enumerate().filter(|(at, _)| slot.is_none_or(|slot| slot == *at));
        let mut marks: Vec<u64> = slots.flat_map(|(_, slot)| slot.keys().copied()).collect();
        marks.sort_unstable();
        marks
    }
}

impl Entry {
    /// What the backplane is told of it.
    pub(super) fn stake(&self, mark: u64) -> Stake {
        Stake::new(self.name.clone(), mark, self.since.elapsed(), self.value.clone())
    }

    pub(super) fn holder(&self, node: NodeId) -> Holder {
        Holder::new(self.name.clone(), node, self.since.elapsed(), self.value.clone())
    }

    /// It belongs to somebody else.
    pub(super) fn lose(&self, to: NodeId) {
        let _ = self.lost.set(to);
    }
}

fn slot(mark: u64) -> usize {
    // Below 16.
    (mark % SLOTS as u64) as usize
}

pub(super) const SLOTS: usize = 16;
