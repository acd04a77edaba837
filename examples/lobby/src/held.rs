//! What waits in a room server: how much of it there may be, how much there is, and how often it was too much.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use netcore::SessionId;

use crate::directory::INVITES;
use crate::{Event, Game};

/// The flags for what waits.
#[derive(clap::Args, Clone, PartialEq, Eq, Debug)]
pub struct HoldFlags {
    /// How many whispers and invitations may wait for a user on the way to a room of another worker: 1 to 65536. Who sends
    /// one more is told to try again later.
    #[arg(long, value_name = "N", default_value_t = HoldFlags::default().held_notices, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=65_536))]
    pub held_notices: u32,
    /// How many invitations a session may make within a minute, and how many may wait for one user's answer: 1 to 1024.
    #[arg(long, value_name = "N", default_value_t = HoldFlags::default().invites, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=1024))]
    pub invites: u32,
}

impl Default for HoldFlags {
    fn default() -> Self {
        Self { held_notices: 256, invites: INVITES }
    }
}

/// What waits in a room server now, and how often it was too much since the server started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Held {
    /// Whispers and invitations that wait for users on the way to another worker.
    pub notices: u64,
    /// Invitations whose minute is not over, answered ones included.
    pub invites: u64,
    /// Users of other servers in rooms with somebody of this one.
    pub elsewhere: u64,
    /// Whispers and invitations that were refused because too many waited for their user.
    pub notices_over: u64,
    /// Invitations that were refused because there were too many, of that user or to that one.
    pub invites_over: u64,
    /// How often somebody on another server was not shown, because their room knew of too many.
    pub elsewhere_over: u64,
}

/// The counters behind it, but those of the directory.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    notices: AtomicU64,
    pub(crate) elsewhere: AtomicU64,
    notices_over: AtomicU64,
    pub(crate) elsewhere_over: AtomicU64,
}

impl Counts {
    /// With the invitations, which the directory counts.
    pub(crate) fn held(&self, (invites, invites_over): (u64, u64)) -> Held {
        Held {
            notices: self.notices.load(Relaxed),
            invites,
            elsewhere: self.elsewhere.load(Relaxed),
            notices_over: self.notices_over.load(Relaxed),
            invites_over,
            elsewhere_over: self.elsewhere_over.load(Relaxed),
        }
    }
}

/// There is no room for one more.
#[derive(Debug)]
pub(crate) struct Over;

/// What came for sessions that are on their way to this worker.
pub(crate) struct Notices<G: Game> {
    waiting: HashMap<SessionId, Vec<Event<G::Event>>>,
    counts: Arc<Counts>,
}

impl<G: Game> Notices<G> {
    pub(crate) fn new(counts: &Arc<Counts>) -> Self {
        Self { waiting: HashMap::new(), counts: counts.clone() }
    }

    pub(crate) fn push(
        &mut self,
        to: SessionId,
        event: Event<G::Event>,
        most: &HoldFlags,
    ) -> Result<(), Over> {
        let waiting = self.waiting.entry(to).or_default();
        if waiting.len() >= most.held_notices as usize {
            self.counts.notices_over.fetch_add(1, Relaxed);
            return Err(Over);
        }
        waiting.push(event);
        self.counts.notices.fetch_add(1, Relaxed);
        Ok(())
    }

    /// All that waits for a session.
    pub(crate) fn take(&mut self, to: SessionId) -> Vec<Event<G::Event>> {
        let events = self.waiting.remove(&to).unwrap_or_default();
        self.counts.notices.fetch_sub(events.len() as u64, Relaxed);
        events
    }
}

impl<G: Game> Drop for Notices<G> {
    fn drop(&mut self) {
        let left: usize = self.waiting.values().map(Vec::len).sum();
        self.counts.notices.fetch_sub(left as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, Play};

    struct Nothing;

    impl Game for Nothing {
        type Command = std::convert::Infallible;
        type Event = std::convert::Infallible;
        type Table = ();
        type Alarm = ();

        fn command(&mut self, _: &mut Play<'_, Self>, _: SessionId, command: Self::Command) {
            match command {}
        }
    }

    const ANN: SessionId = SessionId::new(1, 0);
    const BOB: SessionId = SessionId::new(2, 0);

    #[test]
    fn notices_wait_for_each_user_up_to_their_number_and_are_counted_until_they_are_gone() {
        let (counts, most) = (Arc::default(), HoldFlags { held_notices: 2, ..HoldFlags::default() });
        let mut notices = Notices::<Nothing>::new(&counts);
        let from = Name::new(b"eve").unwrap();
        let mut push = |to, text: &str| {
            notices.push(to, Event::Whispered { from: from.clone(), text: text.into() }, &most).is_ok()
        };
        assert!(push(ANN, "1") && push(ANN, "2") && !push(ANN, "3") && push(BOB, "1"));
        assert_eq!((counts.held((0, 0)).notices, counts.held((0, 0)).notices_over), (3, 1));
        let texts = notices.take(ANN).into_iter().map(|event| match event {
            Event::Whispered { text, .. } => text,
            other => panic!("{other:?}"),
        });
        assert_eq!(texts.collect::<Vec<_>>(), ["1", "2"]);
        assert!(notices.take(ANN).is_empty());
        assert_eq!(counts.held((0, 0)).notices, 1);
        drop(notices);
        assert_eq!(counts.held((0, 0)).notices, 0);
    }
}
