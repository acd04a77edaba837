//! What a worker does between events: others have their turn, and who was closed or moved is told and sent on their way.

use std::sync::OnceLock;

use super::super::Logic;
use super::super::queue::Event;
use super::Worker;
use crate::session::{CloseReason, SessionId};

/// A session that leaves its worker's hands.
pub(in crate::runtime) enum Leaving<Message> {
    Closed(SessionId, CloseReason),
    Moved(SessionId, usize, Message),
}

impl<Message> Leaving<Message> {
    pub(in crate::runtime) const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(..))
    }
}

impl<L: Logic> Worker<L> {
    /// Lets those write who have much to, or those whose thread this is; then goes on with what was left for them.
    pub(super) async fn others_turn(&mut self) {
        loop {
            let pauses = std::mem::take(&mut self.pauses);
            if pauses || self.is_pressed() {
                self.watch.pause();
            }
            if self.is_pressed() {
                self.flush();
                let pressed = self.context.slots.take_pressed();
                self.patience.wait(&pressed).await;
            } else if pauses {
                tokio::task::yield_now().await;
            }
            if self.is_settled() {
                return;
            }
            // Nobody says when the next event comes: what is said and done in these goes out now.
            self.context.now = OnceLock::new();
            self.watch.begin();
            self.guarded(None, Self::settle_all);
            self.watch.end(self.context.worker, None);
            self.flush();
        }
    }

    /// Whether nobody is still to be told of something that was done.
    fn is_settled(&self) -> bool {
        self.context.leaving.is_empty() && self.reopening.is_empty()
    }

    /// Does what was left for the time after somebody's turn.
    fn settle_all(&mut self) {
        self.reopen();
        self.settle_closed();
        self.settle();
    }

    /// Each session that opened closes once: those whose end is still on its way, those that are here, and those that are
    /// on their way here.
    pub(super) fn end(&mut self) {
        self.context.now = OnceLock::new();
        self.settle_without_turns();
        let sessions: Vec<SessionId> = self.context.sessions().collect();
        for session in sessions {
            let slot = self.context.slots.get(session);
            let reason =
                slot.map_or(CloseReason::Stopping, |slot| slot.peer.closes_for(CloseReason::Stopping));
            self.closed(session, reason);
            self.settle_without_turns();
        }
        for event in self.queue.close() {
            self.unheard(event);
        }
        self.flush();
    }

    fn settle_without_turns(&mut self) {
        while !self.is_settled() {
            drop(self.context.slots.take_pressed());
            self.settle_all();
        }
    }

    /// A worker has ended before it heard of something.
    fn unheard(&mut self, event: Event<L::In, L::Message>) {
        let arrived = if let Event::Arrived(peer, ..) = &event { Some(peer.clone()) } else { None };
        event.unheard();
        if let Some(peer) = arrived {
            let reason = peer.closes_for(CloseReason::Stopping);
            self.call(None, |logic, ctx| logic.closed(ctx, peer.id, reason));
        }
    }

    /// A session has ended by itself.
    pub(super) fn closed(&mut self, session: SessionId, reason: CloseReason) {
        if let Some(slot) = self.context.forget(session) {
            self.call(None, |logic, ctx| logic.closed(ctx, session, reason));
            slot.peer.finish(reason);
        }
    }

    /// Tells the game of the sessions that it closed, and of those that it closes when it hears so: one after the other,
    /// not one within the other, of which a thousand would be too deep for the stack.
    pub(super) fn settle_closed(&mut self) {
        self.settling = true;
        // A state that is about to be made anew hears of nothing more; the rest wait where somebody is to have a turn.
        while !self.rebuild
            && !self.is_pressed()
            && let Some(at) = self.context.leaving.iter().position(Leaving::is_closed)
        {
            let Some(Leaving::Closed(session, reason)) = self.context.leaving.remove(at) else { continue };
            // A state that was made anew hears no end of whom it never knew.
            if let Some(slot) = self.context.forget(session).filter(|slot| !slot.unknown) {
                let reason = slot.peer.outbox.closed().unwrap_or(reason);
                self.call(None, |logic, ctx| logic.closed(ctx, session, reason));
            }
        }
        self.settling = false;
    }

    /// Sends the sessions that were moved on their way.
    pub(super) fn settle(&mut self) {
        while let Some(at) = self.context.leaving.iter().position(|leaving| !leaving.is_closed()) {
            let Some(Leaving::Moved(session, worker, baggage)) = self.context.leaving.remove(at) else {
                continue;
            };
            let Some(ahead) = self.context.slots.get(session).map(|slot| &slot.ahead) else { continue };
            let heard = self.context.given.heard(ahead, &self.queue.passed_over());
            let Some(slot) = self.context.forget(session) else { continue };
            let Some(queue) = self.context.queues.get(worker).cloned() else { continue };
            // From here on the session is the other worker's: it counts as queued there, and `Arrived` is its place.
            slot.peer.read_by(queue.clone());
            self.context.told += 1;
            if let Err(event) = queue.offer(Event::Arrived(slot.peer.clone(), baggage, heard)) {
                self.unheard(event);
            }
        }
    }
}
