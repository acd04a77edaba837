//! Messages that come later.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::session::SessionId;

/// Names one timer of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TimerId {
    due: Instant,
    number: u64,
}

/// The timers of one worker, in the order in which they are due; those of the same instant in the order in which they
/// were started.
#[derive(Debug)]
pub(crate) struct Timers<Message> {
    timers: BTreeMap<TimerId, (Message, Option<SessionId>)>,
    started: u64,
}

impl<Message> Timers<Message> {
    pub(crate) const fn new() -> Self {
        Self { timers: BTreeMap::new(), started: 0 }
    }

    pub(crate) fn start(&mut self, due: Instant, message: Message, session: Option<SessionId>) -> TimerId {
        self.started += 1;
        let id = TimerId { due, number: self.started };
        self.timers.insert(id, (message, session));
        id
    }

    /// Its message, and the session that it belonged to.
    pub(crate) fn cancel(&mut self, id: TimerId) -> Option<(Message, Option<SessionId>)> {
        self.timers.remove(&id)
    }

    /// Takes all out. Their numbers do not come again.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Message> + use<Message> {
        std::mem::take(&mut self.timers).into_values().map(|(message, _)| message)
    }

    /// How many were started so far.
    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    /// The next one that is due by `now`, and that was among the first `started`: one that is due at once and started by
    /// what the last one brought would else keep the worker for ever.
    pub(crate) fn fire(
        &mut self,
        now: Instant,
        started: u64,
    ) -> Option<(TimerId, Message, Option<SessionId>)> {
        let due = |id: &TimerId| id.due <= now;
        let next = self.timers.keys().take_while(|id| due(id)).find(|id| id.number <= started).copied()?;
        let (id, (message, session)) = self.timers.remove_entry(&next)?;
        Some((id, message, session))
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.timers.keys().next().map(|id| id.due)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_fire_in_order_and_not_after_they_were_cancelled() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new();
        timers.start(at(20), "third", None);
        timers.start(at(10), "first", None);
        let cancelled = timers.start(at(10), "never", None);
        timers.start(at(10), "second", None);
        assert_eq!(timers.cancel(cancelled), Some(("never", None)));
        assert_eq!(timers.next(), Some(at(10)));
        let mut fired = Vec::new();
        while let Some((_, message, _)) = timers.fire(at(15), timers.started()) {
            fired.push(message);
        }
        assert_eq!(fired, ["first", "second"]);
        assert_eq!(timers.next(), Some(at(20)));
    }
}
