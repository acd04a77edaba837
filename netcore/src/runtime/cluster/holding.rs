//! Names from the bid to the release, as a node sees them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::ask::Asked;
use super::backplane::{Op, Stake};
use super::claim::{Bid, Claim, ClaimError};
use super::claims::{Asking, Entry, Reply, Stage};
use super::core::{Core, ITSELF, Phase, State, Then, is_name};
use super::stats::count;
use super::{Event, Holder, NodeId};

impl Core {
    pub(super) fn claim(self: &Arc<Self>, worker: usize, bid: Bid) -> Asked<Claim, ClaimError> {
        let (reply, answer) = oneshot::channel();
        match self.bid(worker, bid, reply) {
            Ok(None) => Asked::coming(answer, ClaimError::Over),
            Ok(Some(mark)) => Asked::here(self.granted(mark, Vec::new(), true)),
            Err(error) => {
                count(&self.ear.stats.claims_refused);
                Asked::here(Err(error))
            }
        }
    }

    /// Asks for a name, or grants it at once: its mark then.
    fn bid(
        &self,
        worker: usize,
        bid: Bid,
        reply: oneshot::Sender<Result<Claim, ClaimError>>,
    ) -> Result<Option<u64>, ClaimError> {
        let Bid { name, value, within, strict } = bid;
        let inside = |(prefix, _): &(Arc<str>, usize)| is_name(prefix) && name.starts_with(&**prefix);
        if !is_name(&name) || !within.as_ref().is_none_or(inside) {
            return Err(ClaimError::Name);
        }
        if value.len() > self.options.max_value {
            return Err(ClaimError::TooLong);
        }
        let mut state = self.lock();
        if matches!(state.phase, Phase::Ending | Phase::Over) {
            return Err(ClaimError::Over);
        }
        if state.claims.named(&name).is_some() {
            return Err(ClaimError::Taken { by: self.node() });
        }
        // Its own entry does not count. What was given back is bounded for itself: without a link it stays.
        let max = self.options.max_claims;
        if state.claims.named_len() > max || state.claims.len() > max.saturating_mul(2) {
            count(&self.ear.stats.asks_refused);
            return Err(ClaimError::TooMany);
        }
        let alone = matches!(state.phase, Phase::Away(_));
        if alone {
            if strict {
                return Err(ClaimError::Away);
            }
            if let Some((prefix, max)) = &within
                && state.claims.held(prefix).count() >= *max
            {
                return Err(ClaimError::Full { max: *max });
            }
        } else if state.asks >= self.options.max_asks {
            count(&self.ear.stats.asks_refused);
            return Err(ClaimError::TooMany);
        }
        state.mark += 1;
        let mark = state.mark;
        let asking = || Stage::Asking(Asking { reply, strict, within: within.clone() });
        let entry = Entry {
            name,
            value,
            worker,
            since: Instant::now(),
            stage: if alone { Stage::Held } else { asking() },
            sent: false,
            renewing: false,
            again: false,
            lost: Arc::default(),
        };
        if alone {
            state.claims.insert(mark, entry);
            return Ok(Some(mark));
        }
        let claim = entry.stake(mark);
        state.claims.insert(mark, entry);
        state.asks += 1;
        self.push(&mut state, Op::Claim { claim, within, ttl: self.options.ttl }, Then::Claimed(mark));
        Ok(None)
    }

    pub(super) fn claimed(self: &Arc<Self>, mark: u64, answer: Result<Vec<Holder>, ClaimError>) {
        let mut state = self.lock();
        let ending = !matches!(state.phase, Phase::Online(_));
        let Some(entry) = state.claims.get_mut(mark) else { return };
        let stage = match (&answer, ending) {
            (Ok(_), false) => Stage::Held,
            (Ok(_), true) | (Err(_), _) => Stage::Releasing,
        };
        let Stage::Asking(asking) = std::mem::replace(&mut entry.stage, stage) else { return };
        let again = entry.again;
        match answer {
            Ok(others) if !ending => {
                if again {
                    self.keep(&mut state, vec![mark]);
                }
                drop(state);
                let _ = asking.reply.send(self.granted(mark, others, false));
            }
            Ok(_) => {
                let name = entry.name.clone();
                self.push(&mut state, Op::Release { name, mark }, Then::Released(mark));
                drop(state);
                let _ = asking.reply.send(Err(ClaimError::Over));
            }
            Err(error) => {
                state.claims.remove(mark);
                drop(state);
                count(&self.ear.stats.claims_refused);
                let _ = asking.reply.send(Err(error));
            }
        }
    }

    pub(super) fn max_of(&self, mark: u64) -> usize {
        match self.lock().claims.get(mark).map(|entry| &entry.stage) {
            Some(Stage::Asking(Asking { within: Some((_, max)), .. })) => *max,
            _ => 0,
        }
    }

    /// Grants what was asked for, or not, without the others.
    pub(super) fn judge_alone(self: &Arc<Self>, mark: u64) {
        let mut state = self.lock();
        let ending = matches!(state.phase, Phase::Ending | Phase::Over);
        let Some(entry) = state.claims.get(mark) else { return };
        let Stage::Asking(asking) = &entry.stage else { return };
        let error = match &asking.within {
            _ if ending => Some(ClaimError::Over),
            _ if asking.strict => Some(ClaimError::Away),
            Some((prefix, max)) if state.claims.held(prefix).count() >= *max => {
                Some(ClaimError::Full { max: *max })
            }
            _ => None,
        };
        let reply = state.decide(mark, error.is_none());
        drop(state);
        let Some(reply) = reply else { return };
        match error {
            None => drop(reply.send(self.granted(mark, Vec::new(), true))),
            Some(error) => {
                count(&self.ear.stats.claims_refused);
                let _ = reply.send(Err(error));
            }
        }
    }

    /// The claim that somebody is given. Not under the lock: whoever does not take it drops it.
    pub(super) fn granted(
        self: &Arc<Self>,
        mark: u64,
        mut others: Vec<Holder>,
        alone: bool,
    ) -> Result<Claim, ClaimError> {
        let state = self.lock();
        let entry = state.claims.get(mark).ok_or(ClaimError::Over)?;
        let (name, lost) = (entry.name.clone(), entry.lost.clone());
        drop(state);
        if alone {
            count(&self.ear.stats.claims_alone);
        }
        others.retain(|other| other.name != name);
        Ok(Claim { core: self.clone(), mark, name, others, alone, lost })
    }

    /// Renews those that are held, unless that is under way: before all that waits.
    fn keep(&self, state: &mut State, marks: Vec<u64>) {
        state.first(|state| self.keep_behind(state, marks));
    }

    pub(super) fn keep_behind(&self, state: &mut State, marks: Vec<u64>) {
        let (mut stakes, mut kept, mut size) = (Vec::new(), Vec::new(), 0);
        for mark in marks {
            let Some(entry) = state.claims.get_mut(mark) else { continue };
            if entry.renewing || !matches!(entry.stage, Stage::Held) {
                continue;
            }
            (entry.renewing, entry.sent, entry.again) = (true, true, false);
            let stake = entry.stake(mark);
            size += stake.size();
            stakes.push(stake);
            kept.push(mark);
            if stakes.len() >= KEPT_AT_ONCE || size >= KEPT_BYTES {
                self.push_kept(state, std::mem::take(&mut stakes), std::mem::take(&mut kept));
                size = 0;
            }
        }
        if !kept.is_empty() {
            self.push_kept(state, stakes, kept);
        }
    }

    fn push_kept(&self, state: &mut State, claims: Vec<Stake>, kept: Vec<u64>) {
        self.push(state, Op::Keep { claims, ttl: self.options.ttl }, Then::Kept(kept));
    }

    /// A name was renewed; what is to be said if it was lost.
    pub(super) fn kept(&self, mark: u64, by: Option<NodeId>) -> Option<(usize, Event)> {
        let mut state = self.lock();
        let entry = state.claims.get_mut(mark)?;
        entry.renewing = false;
        let Some(by) = by else {
            if entry.again && matches!(state.phase, Phase::Online(_)) {
                self.keep(&mut state, vec![mark]);
            }
            return None;
        };
        if mark == ITSELF {
            // Nobody else takes a node's own name, unless two have one number.
            tracing::error!(node = %self.node(), "another node has this node's number");
            return None;
        }
        if !matches!(entry.stage, Stage::Held) {
            // It was given back meanwhile; that is on its way behind.
            return None;
        }
        entry.lose(by);
        let (worker, name) = (entry.worker, entry.name.clone());
        state.claims.remove(mark);
        count(&self.ear.stats.claims_lost);
        Some((worker, Event::Lost { name, by }))
    }

    /// Other nodes have taken these: it is looked after at once.
    pub(super) fn look_after(&self, names: impl IntoIterator<Item = Arc<str>>) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Online(_)) {
            let marks: Vec<u64> = names.into_iter().filter_map(|name| state.claims.mark_of(&name)).collect();
            for mark in &marks {
                // What is under way may have been answered before they were taken.
                if let Some(entry) = state.claims.get_mut(*mark) {
                    entry.again = true;
                }
            }
            self.keep(&mut state, marks);
        }
    }

    pub(super) fn set_value(&self, mark: u64, value: Bytes) -> bool {
        if value.len() > self.options.max_value {
            return false;
        }
        let mut state = self.lock();
        let Some(entry) = state.claims.get_mut(mark).filter(|entry| matches!(entry.stage, Stage::Held))
        else {
            return false;
        };
        entry.value = value;
        entry.again = true;
        if matches!(state.phase, Phase::Online(_)) {
            self.keep(&mut state, vec![mark]);
        }
        true
    }

    pub(super) fn hand_to(&self, mark: u64, name: &Arc<str>, lost: &OnceLock<NodeId>, worker: usize) {
        let mut state = self.lock();
        if let Some(entry) = state.claims.get_mut(mark) {
            entry.worker = worker;
        }
        drop(state);
        // It may have been told to the worker that it comes from.
        if let Some(by) = lost.get() {
            self.ear.notices([(worker, Event::Lost { name: name.clone(), by: *by })]);
        }
    }

    pub(super) fn release(&self, mark: u64) {
        let mut state = self.lock();
        let Some(entry) = state.claims.get_mut(mark).filter(|entry| matches!(entry.stage, Stage::Held))
        else {
            return;
        };
        if !entry.sent {
            state.claims.remove(mark);
            return;
        }
        entry.stage = Stage::Releasing;
        let name = entry.name.clone();
        state.claims.free(&name, mark);
        // Otherwise the next link is told.
        if matches!(state.phase, Phase::Online(_)) {
            self.push(&mut state, Op::Release { name, mark }, Then::Released(mark));
        }
    }
}

impl State {
    /// Takes who waits for a claim; it is held from now on, or gone.
    fn decide(&mut self, mark: u64, granted: bool) -> Option<Reply> {
        let entry = self.claims.get_mut(mark)?;
        let next = if granted { Stage::Held } else { Stage::Releasing };
        let Stage::Asking(asking) = std::mem::replace(&mut entry.stage, next) else { return None };
        if !granted {
            let name = entry.name.clone();
            let sent = entry.sent;
            self.claims.free(&name, mark);
            if !sent {
                self.claims.remove(mark);
            }
        }
        Some(asking.reply)
    }
}

// One script's worth: what waits behind it waits under a millisecond.
const KEPT_AT_ONCE: usize = 64;
const KEPT_BYTES: usize = 64 << 10;
