//! What a node knows, and what it is asked. Nothing here waits.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ask::{AskError, Asked, PublishError, SubscribeError};
use super::backplane::Op;
use super::claims::{Claims, Entry, Stage};
use super::ear::Ear;
use super::ids::Ids;
use super::stats::count;
use super::{Listing, MAX_LIST, NODES, NodeId, Options};

/// One node: shared by its handles, its claims and the task that talks to the backplane.
pub(super) struct Core {
    pub(super) options: Options,
    pub(super) ear: Arc<Ear>,
    /// The last handle has gone, or asks for the end.
    pub(super) end: CancellationToken,
    /// The task has ended.
    pub(super) done: CancellationToken,
    pub(super) started: AtomicBool,
    // A node of one worker, as most are, has nobody to tell what it says itself.
    several: AtomicBool,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// What the backplane is to do, in order.
    pub(super) out: VecDeque<(Op, Then)>,
    // Of those, the published messages, and their bytes.
    pub(super) publishes: usize,
    pub(super) publish_bytes: usize,
    /// Claims and questions without an answer.
    pub(super) asks: usize,
    /// Topics that the link was told of, and topics that it is to be told of or not any more. These are looked up when
    /// a batch is made, so that a topic that comes and goes does not fill the queue.
    pub(super) topics_sent: HashSet<Arc<str>>,
    pub(super) topics_changed: BTreeSet<Arc<str>>,
    pub(super) claims: Claims,
    pub(super) mark: u64,
    pub(super) ids: Ids,
    /// Who hears what concerns all.
    pub(super) workers: BTreeSet<usize>,
    /// Messages lost since the backplane was there last.
    pub(super) unsent: u64,
    /// The other nodes, and how many listings in a row did not have them. In order, so that who hears of them hears the
    /// same each time.
    pub(super) nodes: BTreeMap<NodeId, u32>,
    pub(super) watching: bool,
    /// Until then, who was away too may still be on the way back: a listing without them says nothing.
    pub(super) all_back: Option<Instant>,
    /// The driver knows that there is something to send.
    pub(super) woken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Nobody knows yet whether the backplane is there.
    Starting,
    /// It is there. Since when it was away before, until all is as it was.
    Online(Option<Instant>),
    Away(Instant),
    /// Names are given back.
    Ending,
    Over,
}

/// What to do with an answer.
pub(super) enum Then {
    Publish(usize),
    Nothing,
    Claimed(u64),
    Kept(Vec<u64>),
    Released(u64),
    Found(oneshot::Sender<Result<Listing, AskError>>),
    Block(u64, oneshot::Sender<Result<u64, AskError>>),
    Settled(oneshot::Sender<Result<(), AskError>>),
    Ids(u64),
    Nodes,
    Synced,
}

impl Then {
    /// Somebody waits for it who had to be let in.
    pub(super) fn asked(&self) -> bool {
        matches!(self, Self::Claimed(_) | Self::Found(_) | Self::Block(..) | Self::Settled(_))
    }
}

impl Core {
    pub(super) fn new(mut options: Options) -> Self {
        if options.announce.len() > options.max_value {
            tracing::error!("what the node announces is too long (`max_value`): it announces nothing");
            options.announce = Bytes::new();
        }
        let node = options.node;
        let mut claims = Claims::default();
        let itself = Entry {
            name: format!("{NODES}{node}").into(),
            value: options.announce.clone(),
            worker: 0,
            since: Instant::now(),
            stage: Stage::Held,
            sent: false,
            renewing: false,
            again: false,
            lost: Arc::default(),
        };
        claims.insert(ITSELF, itself);
        let state = State {
            phase: Phase::Starting,
            out: VecDeque::new(),
            publishes: 0,
            publish_bytes: 0,
            asks: 0,
            topics_sent: HashSet::new(),
            topics_changed: BTreeSet::new(),
            claims,
            mark: ITSELF,
            ids: Ids::new(node),
            workers: BTreeSet::from([0]),
            unsent: 0,
            nodes: BTreeMap::new(),
            watching: false,
            all_back: None,
            woken: false,
        };
        Self {
            ear: Arc::new(Ear::new(node, options.max_message)),
            options,
            end: CancellationToken::new(),
            done: CancellationToken::new(),
            started: AtomicBool::new(false),
            several: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    pub(super) fn add_worker(&self, worker: usize) {
        let mut state = self.lock();
        state.workers.insert(worker);
        self.several.store(state.workers.len() > 1, Relaxed);
    }

    pub(super) fn is_away(&self) -> bool {
        !matches!(self.lock().phase, Phase::Online(_))
    }

    pub(super) fn publish(&self, worker: usize, topic: &str, body: Bytes) -> Result<(), PublishError> {
        if !is_name(topic) {
            return Err(PublishError::Name);
        }
        if body.len() > self.options.max_message {
            return Err(PublishError::TooLong);
        }
        if self.several.load(Relaxed) {
            self.ear.pass_on(topic, self.node(), Some(worker), body.clone());
        }
        let (stats, options) = (&self.ear.stats, &self.options);
        let mut state = self.lock();
        match state.phase {
            Phase::Ending | Phase::Over => return Err(PublishError::Over),
            Phase::Away(_) => {
                state.unsent += 1;
                count(&stats.unsent);
                return Err(PublishError::Away);
            }
            Phase::Starting | Phase::Online(_) => {}
        }
        let size = topic.len() + body.len();
        if state.publishes >= options.queue || state.publish_bytes.saturating_add(size) > options.queue_bytes
        {
            count(&stats.dropped_out);
            return Err(PublishError::Full);
        }
        state.publishes += 1;
        state.publish_bytes += size;
        self.push(&mut state, Op::Publish { topic: topic.into(), body }, Then::Publish(size));
        Ok(())
    }

    pub(super) fn subscribe(&self, worker: usize, topic: &str) -> Result<(), SubscribeError> {
        if !is_name(topic) {
            return Err(SubscribeError::Name);
        }
        let mut state = self.lock();
        if matches!(state.phase, Phase::Ending | Phase::Over) {
            return Err(SubscribeError::Over);
        }
        match self.ear.subscribe(topic, worker, self.options.max_topics) {
            None => return Err(SubscribeError::Full),
            Some(true) => self.topic_changed(&mut state, topic),
            Some(false) => {}
        }
        Ok(())
    }

    pub(super) fn unsubscribe(&self, worker: usize, topic: &str) {
        let mut state = self.lock();
        if self.ear.unsubscribe(topic, worker) {
            self.topic_changed(&mut state, topic);
        }
    }

    fn topic_changed(&self, state: &mut State, topic: &str) {
        // The next link is told of all.
        if !matches!(state.phase, Phase::Online(_)) {
            return;
        }
        if self.ear.hears(topic) == state.topics_sent.contains(topic) {
            state.topics_changed.remove(topic);
        } else {
            state.topics_changed.insert(topic.into());
            self.wake(state);
        }
    }

    pub(super) fn find(&self, name: &str) -> Asked<Listing> {
        self.ask(is_name(name), Op::Find(name.into()), Then::Found, AskError::Over, |state| {
            let entry = state.claims.named(name).filter(|entry| matches!(entry.stage, Stage::Held))?;
            let holders = vec![entry.holder(self.node())];
            Some(Listing { holders, more: false, alone: matches!(state.phase, Phase::Away(_)) })
        })
    }

    pub(super) fn list(&self, prefix: &str, limit: usize) -> Asked<Listing> {
        let limit = limit.min(MAX_LIST);
        let op = Op::List { prefix: prefix.into(), limit };
        self.ask(is_name(prefix) || prefix == NODES, op, Then::Found, AskError::Over, |state| {
            if !matches!(state.phase, Phase::Away(_)) {
                return None;
            }
            let mut held = state.claims.held(prefix).map(|entry| entry.holder(self.node()));
            let holders = held.by_ref().take(limit).collect();
            Some(Listing { holders, more: held.next().is_some(), alone: true })
        })
    }

    pub(super) fn block(&self, size: u64) -> Asked<u64> {
        let floor = self.lock().ids.floor;
        self.ask(
            true,
            Op::Block { size, floor },
            move |reply| Then::Block(size, reply),
            AskError::Over,
            |_| None,
        )
    }

    pub(super) fn settled(&self) -> Asked<()> {
        self.ask(true, Op::Ping, Then::Settled, AskError::Over, |_| None)
    }

    /// Asks, unless the answer is known here.
    fn ask<T>(
        &self,
        named: bool,
        op: Op,
        then: impl FnOnce(oneshot::Sender<Result<T, AskError>>) -> Then,
        over: AskError,
        known: impl FnOnce(&State) -> Option<T>,
    ) -> Asked<T> {
        if !named {
            return Asked::here(Err(AskError::Name));
        }
        let mut state = self.lock();
        if matches!(state.phase, Phase::Ending | Phase::Over) {
            return Asked::here(Err(AskError::Over));
        }
        if let Some(answer) = known(&state) {
            return Asked::here(Ok(answer));
        }
        if matches!(state.phase, Phase::Away(_)) {
            return Asked::here(Err(AskError::Away));
        }
        if state.asks >= self.options.max_asks {
            count(&self.ear.stats.asks_refused);
            return Asked::here(Err(AskError::TooMany));
        }
        state.asks += 1;
        let (reply, answer) = oneshot::channel();
        self.push(&mut state, op, then(reply));
        Asked::coming(answer, over)
    }

    pub(super) fn next_id(&self) -> u64 {
        let mut state = self.lock();
        let id = state.ids.next();
        self.want_ids(&mut state);
        id
    }

    pub(super) fn want_ids(&self, state: &mut State) {
        if state.ids.low() && matches!(state.phase, Phase::Online(_)) {
            state.ids.asked = true;
            let (size, floor) = (self.options.id_block, state.ids.floor);
            self.push(state, Op::Block { size, floor }, Then::Ids(size));
        }
    }

    pub(super) fn push(&self, state: &mut State, op: Op, then: Then) {
        state.out.push_back((op, then));
        self.wake(state);
    }

    fn wake(&self, state: &mut State) {
        if !std::mem::replace(&mut state.woken, true) {
            self.ear.wake.notify_one();
        }
    }

    pub(super) fn node(&self) -> NodeId {
        self.options.node
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is pushed meanwhile goes before what waits: messages may wait for longer than names live.
    pub(super) fn first(&mut self, push: impl FnOnce(&mut Self)) {
        let waiting = self.out.len();
        push(self);
        let pushed = self.out.len().saturating_sub(waiting);
        self.out.rotate_right(pushed);
    }
}

/// Whether that can be a name, a prefix or a topic.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && !name.starts_with('@')
}

/// The mark of the node's own entry.
pub(super) const ITSELF: u64 = 1;

const MAX_NAME: usize = 200;
