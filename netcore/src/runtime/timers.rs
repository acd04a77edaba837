//! Messages that come later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::time::{YEARS, now};
use super::{Context, Logic};
use crate::session::SessionId;

/// Names one timer of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TimerId {
    due: Instant,
    // Counted from 1; 0 where there was no room for it.
    number: u64,
}

impl TimerId {
    /// Whether it never ran, because the worker had as many timers as it may: its message was dropped.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        self.number == 0
    }
}

/// The timers of one worker, in the order in which they are due; those of the same instant in the order in which they
/// were started.
#[derive(Debug)]
pub(crate) struct Timers<Message> {
    timers: BTreeMap<TimerId, (Message, Option<SessionId>)>,
    // Those of the sessions, by session: here, so that a session without one has no place for them.
    of: BTreeSet<(SessionId, TimerId)>,
    started: u64,
    most: usize,
}

impl<Message> Timers<Message> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { timers: BTreeMap::new(), of: BTreeSet::new(), started: 0, most }
    }

    /// How many one session may have.
    pub(crate) fn share(&self) -> usize {
        (self.most / SHARES).max(LEAST)
    }

    /// Starts one, or hands the message back: there are as many as there may be.
    pub(crate) fn start(
        &mut self,
        due: Instant,
        message: Message,
        session: Option<SessionId>,
    ) -> Result<TimerId, Message> {
        if self.timers.len() >= self.most {
            return Err(message);
        }
        self.started += 1;
        let id = TimerId { due, number: self.started };
        self.timers.insert(id, (message, session));
        self.of.extend(session.map(|session| (session, id)));
        Ok(id)
    }

    /// What names one that there was no room for.
    pub(crate) const fn refused(due: Instant) -> TimerId {
        TimerId { due, number: 0 }
    }

    /// Its message, and the session that it belonged to.
    pub(crate) fn cancel(&mut self, id: TimerId) -> Option<(Message, Option<SessionId>)> {
        let (message, session) = self.timers.remove(&id)?;
        if let Some(session) = session {
            self.of.remove(&(session, id));
        }
        Some((message, session))
    }

    /// Takes the one of a session's out that is due first.
    pub(crate) fn take_of(&mut self, session: SessionId) -> Option<Message> {
        let first = TimerId { due: self.next()?, number: 0 };
        let (_, id) = *self.of.range((session, first)..).next().filter(|(of, _)| *of == session)?;
        self.cancel(id).map(|(message, _)| message)
    }

    /// Takes all out. Their numbers do not come again.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Message> + use<Message> {
        self.of.clear();
        std::mem::take(&mut self.timers).into_values().map(|(message, _)| message)
    }

    /// How many were started so far.
    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    /// The next one that is due by `now`, and that was among the first `started`: one that is due at once and started by
    /// what the last one brought would else keep the worker for ever.
    pub(crate) fn fire(&mut self, now: Instant, started: u64) -> Option<(Message, Option<SessionId>)> {
        let due = |id: &TimerId| id.due <= now;
        let next = self.timers.keys().take_while(|id| due(id)).find(|id| id.number <= started).copied()?;
        self.cancel(next)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.timers.keys().next().map(|id| id.due)
    }
}

impl<L: Logic> Context<L> {
    /// Brings a message later, counted from this very call: [`now`](Self::now) may stand still for many callbacks.
    ///
    /// Where as many timers run as [may](crate::Server::max_timers), the message is dropped and counted: the id says so
    /// ([`TimerId::is_refused`]).
    pub fn after(&mut self, time: Duration, message: L::Message) -> TimerId {
        let due = now() + time.min(YEARS);
        self.timers.start(due, message, None).unwrap_or_else(|message| {
            self.refuse_timer(message);
            Timers::<L::Message>::refused(due)
        })
    }

    /// Brings a message later, unless the session has closed or moved away by then. `None`: it will not come. The session is
    /// not here, or as many timers run as [may](crate::Server::max_timers), its own or all: the message is dropped, and in
    /// the latter case counted.
    pub fn after_for(&mut self, session: SessionId, time: Duration, message: L::Message) -> Option<TimerId> {
        let due = now() + time.min(YEARS);
        let slot = self.slots.get_mut(session).filter(|slot| !slot.leaving)?;
        let started = if (slot.timers as usize) < self.timers.share() {
            self.timers.start(due, message, Some(session))
        } else {
            Err(message)
        };
        match started {
            Ok(id) => {
                slot.timers += 1;
                Some(id)
            }
            Err(message) => {
                self.refuse_timer(message);
                None
            }
        }
    }

    #[cold]
    fn refuse_timer(&mut self, message: L::Message) {
        self.stats.timers_refused.fetch_add(1, Relaxed);
        self.discard(message);
    }

    /// Stops a timer; its message, if it had not come yet.
    pub fn cancel(&mut self, timer: TimerId) -> Option<L::Message> {
        let (message, session) = self.timers.cancel(timer)?;
        if let Some(slot) = session.and_then(|session| self.slots.get_mut(session)) {
            slot.timers -= 1;
        }
        Some(message)
    }
}

/// One session has the hundredth part of a worker's timers at most, but this many in any case.
const SHARES: usize = 100;
const LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn timers_fire_in_order_and_not_after_they_were_cancelled() {
        let start = Instant::now();
        let mut timers = Timers::new(4);
        timers.start(at(start, 20), "third", None).unwrap();
        timers.start(at(start, 10), "first", None).unwrap();
        let cancelled = timers.start(at(start, 10), "never", None).unwrap();
        timers.start(at(start, 10), "second", None).unwrap();
        assert_eq!(timers.start(at(start, 5), "refused", None), Err("refused"));
        assert_eq!(timers.cancel(cancelled), Some(("never", None)));
        assert_eq!(timers.next(), Some(at(start, 10)));
        let mut fired = Vec::new();
        while let Some((message, _)) = timers.fire(at(start, 15), timers.started()) {
            fired.push(message);
        }
        assert_eq!(fired, ["first", "second"]);
        assert_eq!(timers.next(), Some(at(start, 20)));
    }

    #[test]
    fn a_sessions_timers_are_found_among_all_and_those_that_are_over_are_not() {
        let start = Instant::now();
        let mut timers = Timers::new(100);
        let sessions = [SessionId::new(1, 0), SessionId::new(2, 0), SessionId::new(2, 1)];
        for (ms, session) in [30, 10, 20, 40].into_iter().flat_map(|ms| sessions.map(|one| (ms, one))) {
            timers.start(at(start, ms), (ms, session), Some(session)).unwrap();
        }
        timers.start(at(start, 1), (1, sessions[1]), None).unwrap();
        // The first of each, and the one of nobody.
        while timers.fire(at(start, 10), timers.started()).is_some() {}
        let taken: Vec<_> = std::iter::from_fn(|| timers.take_of(sessions[1])).collect();
        assert_eq!(taken, [20, 30, 40].map(|ms| (ms, sessions[1])));
        assert_eq!((timers.timers.len(), timers.of.len()), (6, 6));
        assert_eq!(timers.take_all().count(), 6);
        assert!(timers.of.is_empty());
    }
}
