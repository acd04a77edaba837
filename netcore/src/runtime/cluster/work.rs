//! What the driver takes from a node, and what it brings back.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::time::Instant;

use super::ask::AskError;
use super::backplane::{Answer, LinkError, Op};
use super::claim::ClaimError;
use super::claims::{SLOTS, Stage};
use super::core::{Core, Phase, State, Then};
use super::stats::count;
use super::{Event, Listing};

impl Core {
    /// There is a link: everything is told to it anew, before what has waited.
    pub(super) fn online(&self) {
        let mut state = self.lock();
        let away = match state.phase {
            Phase::Starting => None,
            Phase::Away(since) => Some(since),
            Phase::Online(_) | Phase::Ending | Phase::Over => return,
        };
        state.phase = Phase::Online(away);
        // Those who were away too come back one after the other.
        state.nodes.values_mut().for_each(|missed| *missed = 0);
        state.all_back = away.and_then(|_| Instant::now().checked_add(self.options.reconnect.1));
        let waiting = std::mem::take(&mut state.out);
        state.topics_sent.clear();
        state.topics_changed = self.ear.topics().into_iter().collect();
        let marks = state.claims.marks(None);
        for &mark in &marks {
            let Some(entry) = state.claims.get(mark) else { continue };
            if matches!(entry.stage, Stage::Releasing) {
                let name = entry.name.clone();
                self.push(&mut state, Op::Release { name, mark }, Then::Released(mark));
            }
        }
        self.keep_behind(&mut state, marks);
        self.push(&mut state, Op::Ping, Then::Synced);
        self.watch_nodes(&mut state);
        self.want_ids(&mut state);
        state.out.extend(waiting);
    }

    /// The next things to do, or `None` if there is nothing.
    pub(super) fn take_batch(&self) -> Option<(Vec<Op>, Vec<Then>)> {
        let mut state = self.lock();
        let (mut ops, mut thens, mut bytes) = (Vec::new(), Vec::new(), 0);
        while ops.len() < BATCH
            && let Some(topic) = state.topics_changed.pop_first()
        {
            if self.ear.hears(&topic) {
                state.topics_sent.insert(topic.clone());
                ops.push(Op::Subscribe(topic));
            } else {
                state.topics_sent.remove(&topic);
                ops.push(Op::Unsubscribe(topic));
            }
            thens.push(Then::Nothing);
        }
        // All topics come first: whoever subscribed before it claimed hears what follows the claim.
        while ops.len() < BATCH
            && bytes < BATCH_BYTES
            && let Some((mut op, then)) = state.out.pop_front()
        {
            state.age(&mut op);
            match &then {
                Then::Publish(size) => {
                    state.publishes -= 1;
                    state.publish_bytes -= size;
                    bytes += size;
                }
                Then::Kept(_) => bytes += BATCH_BYTES / 8,
                Then::Claimed(mark) => {
                    if let Some(entry) = state.claims.get_mut(*mark) {
                        entry.sent = true;
                    }
                }
                _ => {}
            }
            ops.push(op);
            thens.push(then);
        }
        if ops.is_empty() {
            state.woken = false;
            return None;
        }
        Some((ops, thens))
    }

    /// A batch was done; there are as many answers as there were questions.
    pub(super) fn settle_all(
        self: &Arc<Self>,
        thens: Vec<Then>,
        answers: Vec<Answer>,
    ) -> Result<(), LinkError> {
        let (mut published, mut wrong) = (0, false);
        for (then, answer) in thens.into_iter().zip(answers) {
            if matches!((&then, &answer), (Then::Publish(_), Answer::Done)) {
                published += 1;
            } else {
                wrong |= !self.settle(then, answer);
            }
        }
        self.ear.stats.published.fetch_add(published, Relaxed);
        if wrong { Err(LinkError::Answer("an answer of another kind".into())) } else { Ok(()) }
    }

    /// Whether it was an answer to that.
    fn settle(self: &Arc<Self>, then: Then, answer: Answer) -> bool {
        self.let_in_again(&then);
        match (then, answer) {
            (Then::Nothing, Answer::Done) => {}
            (Then::Released(mark), Answer::Done) => drop(self.lock().claims.remove(mark)),
            (Then::Settled(reply), Answer::Done) => drop(reply.send(Ok(()))),
            (Then::Synced, Answer::Done) => self.synced(),
            (Then::Found(reply), Answer::Holders { holders, more }) => {
                let _ = reply.send(Ok(Listing { holders, more, alone: false }));
            }
            (Then::Nodes, Answer::Holders { holders, more }) => self.nodes_are(&holders, more),
            (Then::Block(size, reply), Answer::Block(start)) => {
                self.lock().ids.used(start, size);
                let _ = reply.send(Ok(start));
            }
            (Then::Ids(size), Answer::Block(start)) => {
                let mut state = self.lock();
                state.ids.asked = false;
                state.ids.add(start, size);
                self.want_ids(&mut state);
            }
            (Then::Claimed(mark), Answer::Claimed { others }) => self.claimed(mark, Ok(others)),
            (Then::Claimed(mark), Answer::Taken(by)) => self.claimed(mark, Err(ClaimError::Taken { by })),
            (Then::Claimed(mark), Answer::Full) => {
                let max = self.max_of(mark);
                self.claimed(mark, Err(ClaimError::Full { max }));
            }
            (Then::Kept(marks), Answer::Kept(lost)) if marks.len() == lost.len() => {
                let lost: Vec<_> =
                    marks.into_iter().zip(lost).filter_map(|(mark, by)| self.kept(mark, by)).collect();
                self.ear.notices(lost);
            }
            (then, _) => {
                self.has_no_answer(then);
                return false;
            }
        }
        true
    }

    /// Whoever waited for it waits no more: another may ask in its place.
    fn let_in_again(&self, then: &Then) {
        if then.asked() {
            let mut state = self.lock();
            state.asks = state.asks.saturating_sub(1);
        }
    }

    fn synced(&self) {
        let mut state = self.lock();
        let Phase::Online(Some(since)) = state.phase else { return };
        state.phase = Phase::Online(None);
        let away = since.elapsed();
        let unsent = std::mem::take(&mut state.unsent);
        let workers = state.workers.clone();
        drop(state);
        tracing::info!(node = %self.node(), ?away, unsent, "the backplane is back");
        self.ear.notices(workers.into_iter().map(|worker| (worker, Event::Back { away, unsent })));
    }

    /// There is no link. What waited is answered as well as the node can by itself.
    pub(super) fn away(self: &Arc<Self>, reason: LinkError, under_way: Vec<Then>) {
        let mut state = self.lock();
        let since = match state.phase {
            Phase::Starting => Some(Instant::now()),
            Phase::Online(before) => {
                count(&self.ear.stats.links_lost);
                // It was not back for long enough to be told so.
                state.phase = Phase::Away(before.unwrap_or_else(Instant::now));
                before.is_none().then(Instant::now)
            }
            Phase::Away(_) | Phase::Ending | Phase::Over => None,
        };
        if let Some(since) = since {
            state.phase = Phase::Away(since);
        }
        state.watching = false;
        state.publishes = 0;
        state.publish_bytes = 0;
        let waiting = std::mem::take(&mut state.out).into_iter().map(|(_, then)| then);
        let workers = state.workers.clone();
        drop(state);
        let failed = under_way.into_iter().chain(waiting).collect();
        if let Some(since) = since {
            tracing::warn!(node = %self.node(), error = %reason, "the backplane is away");
            let since = since.into_std();
            let told = |worker| (worker, Event::Away { since, reason: reason.clone() });
            self.ear.notices(workers.into_iter().map(told));
        } else {
            tracing::debug!(node = %self.node(), error = %reason, "the backplane is still away");
        }
        self.fail(failed);
    }

    fn fail(self: &Arc<Self>, thens: Vec<Then>) {
        for then in thens {
            self.let_in_again(&then);
            self.has_no_answer(then);
        }
    }

    fn has_no_answer(self: &Arc<Self>, then: Then) {
        let mut state = self.lock();
        match then {
            Then::Publish(_) => {
                state.unsent += 1;
                count(&self.ear.stats.unsent);
            }
            Then::Claimed(mark) => {
                drop(state);
                self.judge_alone(mark);
            }
            Then::Kept(marks) => {
                for mark in marks {
                    if let Some(entry) = state.claims.get_mut(mark) {
                        entry.renewing = false;
                    }
                }
            }
            Then::Ids(_) => state.ids.asked = false,
            Then::Found(reply) => drop(reply.send(Err(AskError::Away))),
            Then::Block(_, reply) => drop(reply.send(Err(AskError::Away))),
            Then::Settled(reply) => drop(reply.send(Err(AskError::Away))),
            Then::Nothing | Then::Released(_) | Then::Nodes | Then::Synced => {}
        }
    }

    /// It is the turn of one part of the names to be renewed; with the first, the other nodes are looked after.
    pub(super) fn renew(&self, turn: usize) {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Online(_)) {
            return;
        }
        let marks = state.claims.marks(Some(turn % SLOTS));
        state.first(|state| {
            self.keep_behind(state, marks);
            if turn.is_multiple_of(SLOTS) {
                self.watch_nodes(state);
            }
        });
    }

    /// Gives everything back; whether there is anything to give back to.
    pub(super) fn begin_end(&self) -> bool {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Online(_)) {
            return false;
        }
        state.phase = Phase::Ending;
        for mark in state.claims.marks(None) {
            let Some(entry) = state.claims.get_mut(mark) else { continue };
            if matches!(entry.stage, Stage::Held) && entry.sent {
                entry.stage = Stage::Releasing;
                let name = entry.name.clone();
                self.push(&mut state, Op::Release { name, mark }, Then::Released(mark));
            }
        }
        true
    }

    /// The node has ended: whoever still waits hears so.
    pub(super) fn finish(self: &Arc<Self>) {
        self.ear.listen_to(0);
        let mut state = self.lock();
        state.phase = Phase::Over;
        let waiting = std::mem::take(&mut state.out);
        let asking: Vec<u64> = state.claims.marks(None);
        drop(state);
        for mark in asking {
            self.judge_alone(mark);
        }
        // Not under the lock: it may be a claim that is dropped here.
        drop(waiting);
        self.ear.hand_to(None);
        self.done.cancel();
    }
}

impl State {
    /// Says how old claims are as they go out: what they have waited makes none of them younger.
    fn age(&self, op: &mut Op) {
        let claims = match op {
            Op::Claim { claim, .. } => std::slice::from_mut(claim),
            Op::Keep { claims, .. } => claims,
            _ => return,
        };
        for claim in claims {
            if let Some(entry) = self.claims.get(claim.mark) {
                claim.age = entry.since.elapsed();
            }
        }
    }
}

// Some hundred are enough for one write; more would only wait for each other.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::runtime::cluster::{Memory, Options};

    #[test]
    fn an_answer_of_another_kind_makes_room_for_one_question_and_not_for_two() {
        let core = Arc::new(Core::new(Options::new(Memory::new())));
        for answer in [Answer::Done, Answer::Holders { holders: Vec::new(), more: false }] {
            core.lock().asks = 3;
            let (reply, _heard) = oneshot::channel();
            let fits = matches!(answer, Answer::Holders { .. });
            assert_eq!(core.settle(Then::Found(reply), answer), fits);
            assert_eq!(core.lock().asks, 2);
        }
    }
}
