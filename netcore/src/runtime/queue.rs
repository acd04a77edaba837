//! What waits for a worker.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::Logic;
use super::background::Whom;
use super::bell::Bell;
use super::everyone::{Everyone, Heard, PassedOver};
use super::panicked::discard;
use super::peer::{Peer, Schedule};
use crate::session::{CloseReason, SessionId};

/// One thing for a worker to do.
pub(crate) enum Event<In, Message> {
    /// A session begins.
    Opened(Arc<Peer<In>>),
    /// A session has something in its inbox.
    Ready(Arc<Peer<In>>),
    /// A session comes from another worker.
    Arrived(Arc<Peer<In>>, Message, Heard),
    /// The game says something to itself.
    Message(Message, Weight),
    /// What was done in the background, and how often the game had been made anew when it was asked for.
    Worked(u64, Message),
    /// What was done in the background for a session, which waits for it; nothing if it panicked.
    Done(Whom, Option<Message>),
    /// Another worker broadcasts to all sessions of the server.
    Everyone(Everyone),
    /// The logic says good-bye, then the sender is told.
    Stopping(oneshot::Sender<()>),
    /// All that stood before it has been handled: the sender is told how many the worker has told meanwhile.
    Fence(oneshot::Sender<u64>),
    /// The worker ends.
    Stop,
}

/// A worker's queue. Sessions stand in it at most once each; messages have a bound of their own.
pub(crate) struct Queue<In, Message> {
    // `None` when the worker has ended: what waited would keep sessions and this queue alive for each other.
    events: Mutex<Option<VecDeque<Event<In, Message>>>>,
    messages: AtomicUsize,
    max_messages: usize,
    // What is being done in the background, whose message is still to come.
    working: AtomicUsize,
    // What went to every session of the server and had no room here.
    passed_over: Mutex<PassedOver>,
    bell: Bell,
}

/// What a message in a queue weighs, for who bounds that: it is given back once the worker has handled it.
#[derive(Debug, Default)]
pub(crate) struct Weight(Option<(Arc<AtomicUsize>, usize)>);

impl Weight {
    pub(super) fn new(of_all: &Arc<AtomicUsize>, bytes: usize) -> Self {
        of_all.fetch_add(bytes, Relaxed);
        Self(Some((of_all.clone(), bytes)))
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        if let Some((of_all, bytes)) = &self.0 {
            of_all.fetch_sub(*bytes, Relaxed);
        }
    }
}

/// The queues of all workers, by their number.
pub(crate) type Queues<L> = Arc<[Arc<Queue<<L as Logic>::In, <L as Logic>::Message>>]>;

/// A worker's queue has no room for another message, or the worker has ended: the message is handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the worker has too many messages waiting (`max_messages`)")]
pub struct Full<T>(pub T);

impl<In, Message> Event<In, Message> {
    /// Which session it is about.
    pub(super) fn session(&self) -> Option<SessionId> {
        match self {
            Self::Opened(peer) | Self::Ready(peer) | Self::Arrived(peer, ..) => Some(peer.id),
            Self::Done((session, _), _) => Some(*session),
            Self::Message(..)
            | Self::Worked(..)
            | Self::Everyone(_)
            | Self::Stopping(_)
            | Self::Fence(_)
            | Self::Stop => None,
        }
    }

    /// Nobody will hear it. Its session ends: nobody else would end it. What is the game's own may panic as it is dropped,
    /// and not take others with it.
    pub(super) fn unheard(self) {
        if let Self::Opened(peer) | Self::Ready(peer) | Self::Arrived(peer, ..) = &self {
            let unheard = peer.abandon();
            peer.finish(CloseReason::Stopping);
            unheard.for_each(|packet| drop(discard(packet)));
        }
        drop(discard(self));
    }
}

impl<In, Message> Queue<In, Message> {
    pub(crate) fn new(max_messages: usize, bell: Bell) -> Self {
        let events = Mutex::new(Some(VecDeque::new()));
        let (messages, working) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { events, messages, max_messages, working, passed_over: Mutex::default(), bell }
    }

    /// Adds an event. Nobody hears it when the worker has ended.
    pub(crate) fn push(&self, event: Event<In, Message>) {
        if let Err(event) = self.offer(event) {
            event.unheard();
        }
    }

    /// Adds an event. When the worker has ended, it comes back.
    pub(super) fn offer(&self, event: Event<In, Message>) -> Result<(), Event<In, Message>> {
        // The worker takes all there is at once, so it is called for the first alone; but what a task has brought may wait
        // for its round still.
        if self.add(event)? || self.bell.has_rounds() {
            self.bell.ring();
        }
        Ok(())
    }

    /// Adds an event out of a session's task, with so many bytes to look at. Nobody hears it when the worker has ended.
    pub(super) fn bring(&self, event: Event<In, Message>, bytes: usize) {
        match self.add(event) {
            Ok(first) => self.bell.ring_for(bytes, first),
            Err(event) => event.unheard(),
        }
    }

    /// Whether it is the first that waits.
    fn add(&self, event: Event<In, Message>) -> Result<bool, Event<In, Message>> {
        let mut open = self.lock();
        let Some(events) = &mut *open else { return Err(event) };
        let first = events.is_empty();
        events.push_back(event);
        Ok(first)
    }

    /// Adds a message, if there is room.
    pub(crate) fn post(&self, message: Message, weight: Weight) -> Result<(), Full<Message>> {
        if self.lock().is_some() && self.reserve() {
            self.push(Event::Message(message, weight));
            Ok(())
        } else {
            Err(Full(message))
        }
    }

    /// There is no room for what goes to every session.
    pub(super) fn pass_over(&self, number: u64) {
        self.passed_over.lock().unwrap_or_else(PoisonError::into_inner).add(number);
    }

    /// What there was no room for.
    pub(super) fn passed_over(&self) -> PassedOver {
        self.passed_over.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the worker has not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// Makes room for one message that will come later.
    pub(crate) fn reserve(&self) -> bool {
        let reserved = self.messages.fetch_add(1, Relaxed) < self.max_messages;
        if !reserved {
            self.release();
        }
        reserved
    }

    /// A message was taken, or will not come.
    pub(crate) fn release(&self) {
        self.messages.fetch_sub(1, Relaxed);
    }

    /// How much is being done in the background for this worker.
    pub(crate) fn working(&self) -> usize {
        self.working.load(SeqCst)
    }

    /// Something more is.
    pub(super) fn begin_work(&self) {
        self.working.fetch_add(1, SeqCst);
    }

    /// Something is done: its message stands in the queue, if it has one.
    pub(super) fn end_work(&self) {
        self.working.fetch_sub(1, SeqCst);
    }

    /// Takes everything; `to` is empty.
    pub(crate) fn take(&self, to: &mut VecDeque<Event<In, Message>>) {
        if let Some(events) = &mut *self.lock() {
            std::mem::swap(events, to);
        }
        self.bell.answered();
    }

    /// The worker has ended, and nothing comes in any more. What waits is [unheard](Event::unheard).
    pub(crate) fn close(&self) -> impl Iterator<Item = Event<In, Message>> + use<In, Message> {
        let events = self.lock().take();
        self.bell.silence();
        events.into_iter().flatten()
    }

    /// Whether something was pushed since the last `take`.
    pub(crate) fn has_more(&self) -> bool {
        self.lock().as_ref().is_some_and(|events| !events.is_empty())
    }

    /// Waits until something was pushed since the last `take`; now and then not even so long. Cancel-safe.
    pub(crate) async fn wait(&self) {
        self.bell.heard().await;
    }

    /// Whether somebody is to [`call`](Self::call) the worker.
    pub(super) fn is_called(&self) -> bool {
        self.bell.has_rounds()
    }

    /// Calls the worker after each round of the runtime until it has ended.
    pub(super) async fn call(&self) {
        self.bell.carry(|| self.is_open()).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<VecDeque<Event<In, Message>>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<In: Send, Message: Send> Schedule<In> for Queue<In, Message> {
    fn schedule(&self, peer: Arc<Peer<In>>, bytes: usize) {
        self.bring(Event::Ready(peer), bytes);
    }
}
