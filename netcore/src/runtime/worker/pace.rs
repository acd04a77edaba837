//! What a worker does by the clock: timers and ticks.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::super::time::now;
use super::super::{LateTick, Logic, Tick};
use super::Worker;
use crate::session::SessionId;

impl<L: Logic> Worker<L> {
    /// Fires what is due, and sends those on their way who were moved. What took its time until here is `session`'s.
    pub(super) fn keep_time(&mut self, session: Option<SessionId>) {
        self.guarded(None, |worker| {
            worker.fire(session);
            worker.settle();
        });
    }

    /// Fires what is due.
    pub(super) fn fire(&mut self, session: Option<SessionId>) {
        let Some(due) = self.due() else { return };
        let now = now();
        self.context.now = now.into();
        if due > now {
            return;
        }
        self.watch.end(self.context.worker, session);
        self.fire_due(now);
        self.watch.end(self.context.worker, None);
    }

    /// When the next tick or timer is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.context.timers.next().into_iter().chain(self.tick.map(|(due, _)| due)).min()
    }

    fn fire_due(&mut self, now: Instant) {
        let ticked = std::mem::take(&mut self.owed) && self.tick(now);
        let started = self.context.timers.started();
        // Where somebody's transport is to have its turn, what else is due is due still.
        while !self.is_pressed()
            && let Some((message, session)) = self.context.timers.fire(now, started)
        {
            if let Some(slot) = session.and_then(|session| self.context.slots.get_mut(session)) {
                slot.timers -= 1;
                // It has moved away as far as the game knows, which has its timers no more.
                if slot.leaving {
                    self.context.discard(message);
                    continue;
                }
            }
            self.call(None, |logic, ctx| logic.message(ctx, message));
        }
        if !ticked {
            self.tick(now);
        }
    }

    /// Calls the game's tick, if it is due; whether it was called. It waits where somebody's transport is to have its turn.
    fn tick(&mut self, now: Instant) -> bool {
        let (Some((due, number)), Some(step)) = (self.tick, self.settings.tick) else { return false };
        if due > now || self.breather.is_some_and(|until| until > now) {
            return false;
        }
        self.owed = self.is_pressed();
        if !self.owed {
            self.ticks(now, due, number, step);
        }
        !self.owed
    }

    fn ticks(&mut self, now: Instant, due: Instant, number: u64, step: Duration) {
        let late = now.saturating_duration_since(due);
        let missed = u64::try_from(late.as_nanos() / step.as_nanos().max(1)).unwrap_or(u64::MAX);
        let run = match self.settings.late {
            LateTick::Skip | LateTick::Delay => 0,
            LateTick::CatchUp(most) => missed.min(most.saturating_sub(1).into()),
        };
        let skipped = missed - run;
        self.context.stats.ticks_skipped.fetch_add(skipped, Relaxed);
        let next = match self.settings.late {
            LateTick::Delay => now + step,
            // In the rhythm: after the last one that should have been by now.
            _ => due + step.saturating_mul(u32::try_from(missed + 1).unwrap_or(u32::MAX)),
        };
        self.tick = Some((next, number + missed + 1));
        for nth in skipped..=missed {
            let behind = step.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX));
            let late = late.saturating_sub(behind);
            let begun = self.ticking.begin(late);
            let tick = Tick::new(number + nth, step, late);
            self.call(None, |logic, ctx| logic.tick(ctx, tick));
            self.ticking.end(begun);
            if nth < missed && self.is_pressed() {
                let next = due + step.saturating_mul(u32::try_from(nth + 1).unwrap_or(u32::MAX));
                self.tick = Some((next, number + nth + 1));
                break;
            }
        }
        // What a tick says is not to wait for what else there is to do.
        self.flush();
        self.pauses = true;
        let end = self::now();
        self.breather = (end >= next).then(|| end + end.saturating_duration_since(now));
    }
}
