//! What becomes of a worker whose game panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::{debug, error};

use super::super::{AfterPanic, Logic};
use super::Worker;
use crate::session::{CloseReason, SessionId};

impl<L: Logic> Worker<L> {
    /// Does something in which the game is called, each time behind a guard of its own. What panics in spite of these (a value
    /// of the game's as it is dropped) is handled as a panic of a callback.
    pub(super) fn guarded(&mut self, session: Option<SessionId>, work: impl FnOnce(&mut Self)) {
        let worked = catch_unwind(AssertUnwindSafe(|| work(self)));
        let slipped = std::mem::take(&mut self.context.slipped);
        if let Err(panic) = worked {
            // It may have ended in the midst of these.
            (self.settling, self.rebuilding) = (false, false);
            self.panicked(session, &*panic);
            self.settle_closed();
        } else if slipped {
            self.after_panic();
        }
    }

    #[cold]
    pub(super) fn panicked(&mut self, session: Option<SessionId>, panic: &(dyn Any + Send)) {
        self.context.count_panic(session, panic);
        if let Some(session) = session {
            self.context.close(session, CloseReason::Panicked);
        }
        self.after_panic();
    }

    #[cold]
    fn after_panic(&mut self) {
        match self.settings.after_panic {
            AfterPanic::GoOn => {}
            AfterPanic::Stop => self.context.stop.cancel(),
            AfterPanic::Rebuild => {
                self.rebuild = true;
                if !self.rebuilding {
                    self.rebuilding = true;
                    while std::mem::take(&mut self.rebuild) {
                        self.make_anew();
                    }
                    self.rebuilding = false;
                }
            }
        }
    }

    /// Makes the game anew; the sessions open on it again. A panic meanwhile asks for the next one, and this ends.
    fn make_anew(&mut self) {
        let (Some(make), worker) = (self.make.clone(), self.context.worker) else { return };
        let logic = &mut self.logic;
        // The old state's end is the game's code too.
        if catch_unwind(AssertUnwindSafe(|| *logic = make(worker))).is_err() {
            error!(worker, "the game cannot be made anew: stopping the server");
            self.context.stop.cancel();
            return;
        }
        self.context.groups.clear();
        self.context.timers.take_all().for_each(|message| self.context.discard(message));
        for slot in self.context.slots.slots.iter_mut().flatten() {
            slot.groups.clear();
            slot.timers = 0;
            slot.unknown = true;
        }
        self.reopening = self.context.sessions().collect();
        self.context.made += 1;
        for session in &self.reopening {
            self.context.abandon(*session);
            if let Some(slot) = self.context.slots.get(*session) {
                slot.peer.admit_anew();
            }
        }
        self.reopen();
    }

    /// Work in the background is done, for a game that is no more.
    #[cold]
    pub(super) fn too_late(&mut self, message: L::Message) {
        let worker = self.context.worker;
        debug!(worker, "the result of background work is dropped: the game was made anew meanwhile");
        self.context.discard(message);
    }

    /// Opens sessions on a game that was made anew, until somebody's transport is to have its turn.
    pub(super) fn reopen(&mut self) {
        while !self.rebuild
            && !self.is_pressed()
            && let Some(session) = self.reopening.pop_front()
        {
            // Another's opening may have closed it.
            if let Some(slot) = self.context.slots.get_mut(session).filter(|slot| !slot.leaving) {
                slot.unknown = false;
                self.call(Some(session), |logic, ctx| logic.opened(ctx, session));
            }
        }
    }
}
