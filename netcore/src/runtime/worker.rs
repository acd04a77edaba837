//! One worker: a queue, a logic, and the loop between them.

mod handle;
mod pace;
mod panics;
mod parts;
mod patience;
mod settle;
mod watch;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::background::Over;
use super::everyone::Given;
use super::groups::Groups;
use super::metrics::Ticking;
use super::peer::{Found, Peer};
use super::queue::{Event, Queue};
use super::slots::Slots;
use super::stage::Stage;
use super::time::now;
use super::timers::Timers;
use super::{Context, Logic};
use crate::session::{CloseReason, Sequence, SessionId};
pub(crate) use handle::WorkerHandle;
pub(crate) use parts::{Parts, WorkerSettings};
use patience::Patience;
pub(super) use settle::Leaving;
use watch::Watch;

pub(crate) struct Worker<L: Logic> {
    logic: L,
    make: Option<Arc<dyn Fn(usize) -> L + Send + Sync>>,
    context: Context<L>,
    queue: Arc<Queue<L::In, L::Message>>,
    settings: WorkerSettings,
    // When the next tick is due, and its number.
    tick: Option<(Instant, u64)>,
    // A tick took so long that the next was due at its end. Before that, what waits has as much time as the tick took: else
    // one event would be handled a tick, and a little too much to do would be far too much.
    breather: Option<Instant>,
    // It was due and had to wait for somebody's transport, with timers before it: it goes before the next of those.
    owed: bool,
    ticking: Ticking,
    packets: Sequence<L::In>,
    // Callbacks since what was sent last went to the sockets.
    unflushed: usize,
    // What was flushed is to go out before more is done: the worker may be a task on the thread of those who write it.
    pauses: bool,
    patience: Patience,
    watch: Watch,
    // The game is to be made anew; it is being made.
    rebuild: bool,
    rebuilding: bool,
    // The sessions that are to open on it once more.
    reopening: VecDeque<SessionId>,
    // The game is being told of sessions that it closed.
    settling: bool,
    ended: bool,
}

impl<L: Logic> Worker<L> {
    pub(crate) fn new(
        logic: L,
        make: Option<Arc<dyn Fn(usize) -> L + Send + Sync>>,
        queue: Arc<Queue<L::In, L::Message>>,
        settings: WorkerSettings,
        parts: Parts<L>,
    ) -> Self {
        let start = now();
        let context = Context {
            slots: Slots::new(Stage::new(parts.stats.total.get().cloned())),
            groups: Groups::new(parts.worker, parts.queues.len()),
            timers: Timers::new(settings.max_timers),
            broadcasts: parts.broadcasts,
            given: Given::default(),
            doors: parts.doors,
            queues: parts.queues,
            worker: parts.worker,
            io: parts.io,
            stats: parts.stats,
            leaving: VecDeque::new(),
            told: 0,
            interrupted: false,
            slipped: false,
            stop: parts.stop,
            over: Over::default(),
            made: 0,
            now: OnceLock::new(),
        };
        let tick = settings.tick.map(|step| (start + step, 0));
        let ticking = Ticking::new(parts.worker, tick.is_some());
        Self {
            logic,
            make,
            context,
            queue,
            settings,
            tick,
            breather: None,
            owed: false,
            ticking,
            packets: Sequence::new(),
            unflushed: 0,
            pauses: false,
            patience: Patience::new(start),
            watch: Watch::default(),
            rebuild: false,
            rebuilding: false,
            reopening: VecDeque::new(),
            settling: false,
            ended: false,
        }
    }

    /// Works until it is told to end.
    pub(crate) async fn run(mut self) {
        let mut events = VecDeque::new();
        while !self.ended {
            self.queue.take(&mut events);
            for event in events.drain(..) {
                let session = event.session();
                self.watch.begin();
                self.guarded(session, |worker| worker.handle(event));
                self.keep_time(session);
                self.watch.end(self.context.worker, session);
                if self.is_pressed() {
                    // Then timers and ticks that are due are due still.
                    self.others_turn().await;
                    self.keep_time(None);
                }
                self.others_turn().await;
            }
            self.breather = None;
            self.watch.begin();
            self.keep_time(None);
            self.flush();
            self.watch.end(self.context.worker, None);
            self.others_turn().await;
            if self.ended {
                return self.end();
            }
            self.watch.pause();
            let due = self.due();
            if self.queue.has_more() || due.is_some_and(|due| due <= now()) {
                // Beside other tasks, where the worker is one of the runtime's; a thread of its own goes on at once.
                tokio::task::yield_now().await;
                continue;
            }
            match due {
                None => self.queue.wait().await,
                Some(due) => {
                    let due = tokio::time::Instant::from_std(due);
                    tokio::select! {
                        biased;
                        () = self.queue.wait() => {}
                        () = tokio::time::sleep_until(due) => {}
                    }
                }
            }
        }
    }

    fn handle(&mut self, event: Event<L::In, L::Message>) {
        self.context.now = OnceLock::new();
        match event {
            Event::Ready(peer) => self.packets_of(&peer),
            Event::Opened(peer) => {
                let session = peer.id;
                self.context.slots.insert(peer.clone());
                self.call(Some(session), |logic, ctx| logic.opened(ctx, session));
                self.packets_of(&peer);
            }
            Event::Arrived(peer, baggage, heard) => {
                let session = peer.id;
                self.context.slots.insert(peer.clone());
                self.context.catch_up(session, heard);
                self.call(Some(session), |logic, ctx| logic.arrived(ctx, session, baggage));
                self.packets_of(&peer);
            }
            // Its weight is there until it was handled.
            Event::Message(message, _weight) => {
                self.queue.release();
                self.call(None, |logic, ctx| logic.message(ctx, message));
            }
            Event::Worked(made, message) => {
                self.queue.release();
                if made == self.context.made {
                    self.call(None, |logic, ctx| logic.message(ctx, message));
                } else {
                    self.too_late(message);
                }
            }
            Event::Done(whom, message) => {
                self.queue.release();
                let (session, _) = whom;
                if self.context.heard_again(whom) {
                    self.call(Some(session), |logic, ctx| match message {
                        Some(message) => logic.message(ctx, message),
                        None => ctx.close(session, CloseReason::Panicked),
                    });
                }
            }
            Event::Everyone(everyone) => {
                self.queue.release();
                self.context.give_everyone(everyone);
            }
            Event::Stopping(done) => {
                self.call(None, |logic, ctx| logic.stopping(ctx));
                self.flush();
                let _ = done.send(());
            }
            Event::Fence(done) => {
                let _ = done.send(std::mem::take(&mut self.context.told));
            }
            Event::Stop => self.ended = true,
        }
    }

    /// Handles what one session has in its inbox: one inboxful, so that others get their turn.
    fn packets_of(&mut self, peer: &Arc<Peer<L::In>>) {
        let session = peer.id;
        // It may have closed or moved away after it was put into the queue, or as it came.
        if self.is_heard(session) {
            let mut packets = std::mem::take(&mut self.packets);
            match peer.take(&mut packets) {
                Found::Packets => {
                    self.packets_in(session, &mut packets);
                    let left = !packets.is_empty() && self.is_here(session);
                    if left || self.waits(session) || self.moved(session) {
                        peer.put_back(&mut packets);
                    }
                }
                Found::End(reason) => self.closed(session, reason),
                Found::Nothing => {}
            }
            packets.clear();
            self.packets = packets;
        }
        self.settle();
        match self.context.slots.get_mut(session) {
            // It stays in this worker's hands, so that nobody puts it into the queue.
            Some(slot) if slot.awaited > 0 => slot.waits = true,
            Some(_) if peer.done() => self.queue.push(Event::Ready(peer.clone())),
            _ => {}
        }
    }

    /// Handles a session's packets until it has closed (the rest is of no interest), moved (the rest is the other worker's),
    /// waits for something, or somebody's transport is to have its turn.
    fn packets_in(&mut self, session: SessionId, packets: &mut Sequence<L::In>) {
        while !packets.is_empty() && self.is_heard(session) && !self.is_pressed() {
            self.context.interrupted = false;
            // As many as nothing comes between: one guard against panics is enough for them.
            let mut calls = 0;
            self.call(Some(session), |logic, ctx| {
                loop {
                    if let Some(packet) = packets.pop_packet() {
                        logic.packet(ctx, session, packet);
                    } else if let Some(fault) = packets.pop_fault() {
                        logic.fault(ctx, session, fault);
                    } else {
                        break;
                    }
                    calls += 1;
                    if calls >= FLUSH || ctx.interrupted || ctx.slots.stage.is_pressed() {
                        break;
                    }
                }
            });
            self.unflushed += calls;
            if self.unflushed >= FLUSH {
                self.flush();
                // No session leaves before its packets are put back.
                self.fire(Some(session));
            }
        }
    }

    fn is_pressed(&self) -> bool {
        self.context.slots.stage.is_pressed()
    }

    /// Whether the session is on this worker, and stays.
    fn is_here(&self, session: SessionId) -> bool {
        self.context.slots.get(session).is_some_and(|slot| !slot.leaving)
    }

    /// Whether its packets are handled.
    fn is_heard(&self, session: SessionId) -> bool {
        self.is_here(session) && !self.waits(session)
    }

    /// Whether something is to be known before its next packet is handled.
    fn waits(&self, session: SessionId) -> bool {
        self.context.slots.get(session).is_some_and(|slot| slot.awaited > 0)
    }

    /// Whether the game has moved the session and it has not left yet.
    fn moved(&self, session: SessionId) -> bool {
        self.context
            .leaving
            .iter()
            .any(|leaving| matches!(leaving, Leaving::Moved(moved, ..) if *moved == session))
    }

    /// Calls the game. A panic is counted and logged, and closes the session that caused it.
    fn call(&mut self, session: Option<SessionId>, callback: impl FnOnce(&mut L, &mut Context<L>)) {
        self.unflushed += 1;
        let (logic, context) = (&mut self.logic, &mut self.context);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback(logic, context))) {
            self.panicked(session, &*panic);
        }
        if !self.settling {
            self.settle_closed();
        }
        if self.unflushed >= FLUSH {
            self.flush();
            self.pauses = true;
        }
    }

    fn flush(&mut self) {
        self.unflushed = 0;
        self.context.flush();
    }
}

impl<L: Logic> Drop for Worker<L> {
    fn drop(&mut self) {
        if !self.ended {
            // A panic has ended it, or its runtime. Nobody else would tell its sessions.
            self.context.stop.cancel();
            let reason = if std::thread::panicking() { CloseReason::Panicked } else { CloseReason::Stopping };
            for slot in std::mem::take(&mut self.context.slots.slots).into_iter().flatten() {
                let unheard = slot.peer.abandon();
                slot.peer.finish(reason);
                unheard.for_each(|packet| self.context.discard(packet));
            }
        }
        self.queue.close().for_each(Event::unheard);
        self.context.timers.take_all().for_each(|message| self.context.discard(message));
    }
}

/// After so many callbacks what was sent goes to the sockets, although there is more to do.
const FLUSH: usize = 256;
