//! What waits in a room server: how much of it there may be, how much there is, and how often it was too much.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use netcore::SessionId;

use crate::directory::INVITES;
use crate::message::Heard;
use crate::{Event, Game};

/// The flags for what waits.
#[derive(clap::Args, Clone, PartialEq, Eq, Debug)]
pub struct HoldFlags {
    /// How many requests of one session may wait behind its log-in, or behind what other servers are asked for it: 1 to
    /// 65536. One more closes it.
    #[arg(long, value_name = "N", default_value_t = 1024, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=65_536))]
    pub held_requests: u32,
    /// How many bytes these may have: 1024 to 16777216. Each request counts as 64 and
    /// what it carries; one that is larger by itself closes its session.
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1024..=16_777_216))]
    pub held_bytes: u32,
    /// How many whispers and invitations may wait for a user on the way to a room of another worker: 1 to 65536. Who sends
    /// one more is told to try again later.
    #[arg(long, value_name = "N", default_value_t = 256, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=65_536))]
    pub held_notices: u32,
    /// How many invitations a user may make within a minute, and how many may wait for one user's answer: 1 to 1024.
    #[arg(long, value_name = "N", default_value_t = INVITES, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=1024))]
    pub invites: u32,
    /// How many users of other servers a room knows of: 1 to 1024. There are more than it has seats only where servers
    /// were apart; those over the bound are shown when there is room.
    #[arg(long, value_name = "N", default_value_t = 1024, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=1024))]
    pub held_elsewhere: u32,
}

impl Default for HoldFlags {
    fn default() -> Self {
        Self {
            held_requests: 1024,
            held_bytes: 256 * 1024,
            held_notices: 256,
            invites: INVITES,
            held_elsewhere: 1024,
        }
    }
}

/// What waits in a room server now, and how often it was too much since the server started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Held {
    /// Requests that wait behind a log-in, or behind what other servers are asked.
    pub requests: u64,
    /// About how many bytes these hold.
    pub bytes: u64,
    /// Whispers and invitations that wait for users on the way to another worker.
    pub notices: u64,
    /// Invitations whose minute is not over, answered ones included.
    pub invites: u64,
    /// Users of other servers in rooms with somebody of this one.
    pub elsewhere: u64,
    /// Sessions that were closed because too many of their requests waited.
    pub requests_over: u64,
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
    requests: AtomicU64,
    bytes: AtomicU64,
    notices: AtomicU64,
    pub(crate) elsewhere: AtomicU64,
    requests_over: AtomicU64,
    notices_over: AtomicU64,
    pub(crate) elsewhere_over: AtomicU64,
}

impl Counts {
    /// With the invitations, which the directory counts.
    pub(crate) fn held(&self, (invites, invites_over): (u64, u64)) -> Held {
        Held {
            requests: self.requests.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            notices: self.notices.load(Relaxed),
            invites,
            elsewhere: self.elsewhere.load(Relaxed),
            requests_over: self.requests_over.load(Relaxed),
            notices_over: self.notices_over.load(Relaxed),
            invites_over,
            elsewhere_over: self.elsewhere_over.load(Relaxed),
        }
    }
}

/// There is no room for one more.
#[derive(Debug)]
pub(crate) struct Over;

/// What one session has waiting, in order. Wherever it ends, with its session or on the way, it is counted no more.
pub(crate) struct Requests<G: Game> {
    queue: VecDeque<Heard<G>>,
    bytes: usize,
    counts: Arc<Counts>,
}

impl<G: Game> Requests<G> {
    pub(crate) fn new(counts: &Arc<Counts>) -> Self {
        Self { queue: VecDeque::new(), bytes: 0, counts: counts.clone() }
    }

    pub(crate) fn push(&mut self, heard: Heard<G>, most: &HoldFlags) -> Result<(), Over> {
        let bytes = heard.bytes();
        if self.queue.len() >= most.held_requests as usize || self.bytes + bytes > most.held_bytes as usize {
            self.counts.requests_over.fetch_add(1, Relaxed);
            return Err(Over);
        }
        self.bytes += bytes;
        self.counts.requests.fetch_add(1, Relaxed);
        self.counts.bytes.fetch_add(bytes as u64, Relaxed);
        self.queue.push_back(heard.kept());
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<Heard<G>> {
        let heard = self.queue.pop_front()?;
        let bytes = heard.bytes();
        self.bytes -= bytes;
        self.counts.requests.fetch_sub(1, Relaxed);
        self.counts.bytes.fetch_sub(bytes as u64, Relaxed);
        Some(heard)
    }
}

impl<G: Game> Drop for Requests<G> {
    fn drop(&mut self) {
        self.counts.requests.fetch_sub(self.queue.len() as u64, Relaxed);
        self.counts.bytes.fetch_sub(self.bytes as u64, Relaxed);
    }
}

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
    use crate::{Name, Play, Request};

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

    fn relay(len: usize) -> Heard<Nothing> {
        Heard::Request(Request::Relay(vec![1; len].into()))
    }

    #[test]
    fn requests_wait_up_to_their_number_and_bytes_and_are_counted_until_they_are_gone() {
        let (counts, most) = (Arc::default(), HoldFlags { held_requests: 3, ..HoldFlags::default() });
        let (mut ann, mut bob) = (Requests::new(&counts), Requests::new(&counts));
        for len in [1, 2, 3] {
            ann.push(relay(len), &most).unwrap();
        }
        assert!(ann.push(relay(0), &most).is_err());
        bob.push(relay(256 * 1024 - 64), &most).unwrap();
        assert!(bob.push(relay(0), &most).is_err());
        let held = counts.held((0, 0));
        assert_eq!((held.requests, held.bytes, held.requests_over), (4, 256 * 1024 + 3 * 64 + 6, 2));
        assert!(ann.pop().is_some_and(|first| first.bytes() == 65));
        drop(bob);
        assert_eq!(counts.held((0, 0)).bytes, 2 * 64 + 5);
        drop(ann);
        assert_eq!(
            counts.held((7, 8)),
            Held { requests_over: 2, invites: 7, invites_over: 8, ..Held::default() }
        );
    }

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
