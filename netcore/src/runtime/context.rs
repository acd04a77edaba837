//! What the game's code can do from within a callback.

use std::any::Any;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tracing::error;

use super::background::Over;
use super::encoding::Encoding;
use super::everyone::Given;
use super::groups::Groups;
use super::queue::{Queues, Weight};
use super::slots::{Slot, Slots};
use super::time::now;
use super::timers::Timers;
use super::worker::Leaving;
use super::{Full, GroupId, Logic, Snapshot, Stats};
use crate::session::{CloseReason, SessionId};

/// A worker's sessions, groups and timers, as its [`Logic`] sees and changes them.
///
/// What is sent is encoded at once, and handed to the sockets when the worker has done its turn: a tick's worth of
/// packets to one session goes out in one write.
///
/// ```
/// use std::time::Duration;
/// use netcore::{Context, Logic, Packet, SessionId};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Enter { room: u32 },
///     #[packet(id = 2)]
///     Score,
/// }
/// #[derive(Packet)]
/// enum ToClient {
///     #[packet(id = 3)]
///     Best { score: u32 },
///     #[packet(id = 4)]
///     TimeIsUp,
/// }
/// enum Message {
///     Entering(u32),
///     Best(SessionId, u32),
///     TimeIsUp(SessionId),
/// }
///
/// async fn ask_the_database() -> u32 { 42 }
///
/// struct Rooms;
///
/// impl Logic for Rooms {
///     type In = ToServer;
///     type Out = ToClient;
///     type Message = Message;
///
///     fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: ToServer) {
///         match packet {
///             // Each room lives on one worker, and its sessions with it.
///             ToServer::Enter { room } => {
///                 ctx.move_to(session, room as usize % ctx.workers(), Message::Entering(room));
///             }
///             // What takes long is done elsewhere, and its result is a message.
///             ToServer::Score => {
///                 let _ = ctx.spawn(async move { Message::Best(session, ask_the_database().await) });
///             }
///         }
///     }
///
///     fn arrived(&mut self, ctx: &mut Context<Self>, session: SessionId, _: Message) {
///         ctx.after_for(session, Duration::from_secs(60), Message::TimeIsUp(session));
///     }
///
///     fn message(&mut self, ctx: &mut Context<Self>, message: Message) {
///         match message {
///             Message::Best(session, score) => {
///                 ctx.send(session, &ToClient::Best { score });
///             }
///             Message::TimeIsUp(session) => {
///                 ctx.send(session, &ToClient::TimeIsUp);
///             }
///             Message::Entering(_) => {}
///         }
///     }
/// }
/// ```
pub struct Context<L: Logic> {
    pub(super) slots: Slots<L::In>,
    pub(super) groups: Groups,
    pub(super) timers: Timers<L::Message>,
    // What goes to every session of the server: how many there were, and the last that were given to those here.
    pub(super) broadcasts: Arc<AtomicU64>,
    pub(super) given: Given,
    pub(super) doors: Arc<[Encoding<L::Out>]>,
    pub(super) queues: Queues<L>,
    pub(super) worker: usize,
    pub(super) io: tokio::runtime::Handle,
    pub(super) stats: Arc<Stats>,
    // Sessions that the current callback closes or moves; it is done when the callback has returned.
    pub(super) leaving: VecDeque<Leaving<L::Message>>,
    // How often this worker has told one, or sent it a session, since it was asked.
    pub(super) told: u64,
    // It closes or moves one, or has one wait: the next packet is to be looked at anew.
    pub(super) interrupted: bool,
    // Something of the game's panicked as it was dropped.
    pub(super) slipped: bool,
    pub(super) stop: tokio_util::sync::CancellationToken,
    pub(super) over: Over,
    // How often the game was made anew.
    pub(super) made: u64,
    // Looked at when it is first asked for: to read a clock costs as much as a small packet.
    pub(super) now: OnceLock<Instant>,
}

impl<L: Logic> Context<L> {
    /// Makes a group: sessions that hear the same thing.
    pub fn create_group(&mut self) -> GroupId {
        self.groups.create()
    }

    /// Ends a group. Its sessions stay.
    pub fn remove_group(&mut self, group: GroupId) {
        for session in self.groups.remove(group) {
            if let Some(slot) = self.slots.get_mut(session) {
                slot.groups.retain(|other| *other != group);
            }
        }
    }

    /// Adds a session of this worker to a group; whether it was not in it already.
    pub fn join(&mut self, group: GroupId, session: SessionId) -> bool {
        let Some(slot) = self.slots.get_mut(session).filter(|slot| !slot.leaving) else { return false };
        let joined = self.groups.join(group, session);
        if joined {
            slot.groups.push(group);
        }
        joined
    }

    /// Takes a session out of a group; whether it was in it.
    pub fn leave(&mut self, group: GroupId, session: SessionId) -> bool {
        let left = self.groups.leave(group, session);
        if let (true, Some(slot)) = (left, self.slots.get_mut(session)) {
            slot.groups.retain(|other| *other != group);
        }
        left
    }

    /// A group's sessions, in the order in which they joined. To send each something of its own, make a `Vec` of them first.
    #[must_use]
    pub fn members(&self, group: GroupId) -> &[SessionId] {
        self.groups.members(group)
    }

    /// Closes a session, once what was sent has gone out. [`Logic::closed`] is called when the current callback has
    /// returned, here too if the same callback has moved it: it does not move then.
    pub fn close(&mut self, session: SessionId, reason: CloseReason) {
        let Some((slot, stage)) = self.slots.with_stage(session) else { return };
        let mut stays = None;
        if std::mem::replace(&mut slot.leaving, true) {
            // It was moved a moment ago, and has not left: it never will. Or it was closed already.
            let moved = |one: &Leaving<_>| matches!(one, Leaving::Moved(moved, ..) if *moved == session);
            let Some(at) = self.leaving.iter().position(moved) else { return };
            stays = self.leaving.remove(at);
        }
        slot.closed = true;
        slot.flush(stage);
        let unheard = slot.peer.abandon();
        slot.peer.finish(reason);
        self.leaving.push_back(Leaving::Closed(session, reason));
        self.interrupted = true;
        unheard.for_each(|packet| self.discard(packet));
        self.discard(stays);
    }

    /// Admits a session: its peer has logged in, so the log-in deadline and the admission budget end.
    pub fn admit(&mut self, session: SessionId) {
        if let Some(slot) = self.slots.get_mut(session) {
            slot.peer.admit();
        }
    }

    /// Sends a message to a worker, this one included. At a shutdown it is still heard, within the drain time: no worker
    /// ends while another may tell it something.
    ///
    /// # Errors
    /// [`Full`] when that worker waits for as many messages as it may, or there is none of that number.
    pub fn tell(&mut self, worker: usize, message: L::Message) -> Result<(), Full<L::Message>> {
        match self.queues.get(worker) {
            Some(queue) => {
                self.told += 1;
                queue.post(message, Weight::default()).inspect_err(|_| {
                    self.stats.messages_refused.fetch_add(1, Relaxed);
                })
            }
            None => Err(Full(message)),
        }
    }

    /// Moves a session to another worker, when the current callback has returned: it leaves its groups and its timers
    /// here, [`Logic::arrived`] hears of it there, and then of all it sends. What was sent to it before arrives before
    /// what is sent from there; until the callback has returned it can be sent to from here. Nothing happens for a worker
    /// that is not there. To this worker it moves all the same, as where `room % ctx.workers()` is this one.
    ///
    /// [`Logic::closed`] is not called here: remove what you keep of it, in maps or [`Rooms`](super::Rooms), or give it along.
    pub fn move_to(&mut self, session: SessionId, worker: usize, baggage: L::Message) {
        if worker >= self.queues.len() {
            return;
        }
        let Some(slot) = self.slots.get_mut(session).filter(|slot| !slot.leaving) else { return };
        slot.leaving = true;
        self.leaving.push_back(Leaving::Moved(session, worker, baggage));
        self.interrupted = true;
    }

    /// Which worker this is, counted from 0.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// How many workers there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.queues.len()
    }

    /// How many sessions this worker has.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.slots.count
    }

    /// The sessions of this worker, by the index of their id. To send each something of its own, collect them first:
    ///
    /// ```
    /// # use netcore::{Context, Frame, Logic};
    /// # fn tick<L: Logic<Out = Frame>>(ctx: &mut Context<L>) {
    /// let all: Vec<_> = ctx.sessions().collect();
    /// for session in all {
    ///     ctx.send(session, &Frame::new(1, b"you".to_vec()));
    /// }
    /// # }
    /// ```
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.slots.slots.iter().flatten().filter(|slot| !slot.leaving).map(|slot| slot.peer.id)
    }

    /// Whether a session is on this worker, and open.
    #[must_use]
    pub fn has(&self, session: SessionId) -> bool {
        self.slots.get(session).is_some_and(|slot| !slot.leaving)
    }

    /// The peer's address; `None` for a peer in memory, or a session that is not here.
    #[must_use]
    pub fn address(&self, session: SessionId) -> Option<SocketAddr> {
        self.slots.get(session)?.peer.address
    }

    /// Which of the server's doors a session came through, counted from 0 in the order in which they were added.
    ///
    /// One that is not added does not count: where a flag turns a door off ([`Server::doors`](super::Server::doors) with an
    /// `Option`), all behind it have another number. [`door_name`](Self::door_name) stays.
    #[must_use]
    pub fn door(&self, session: SessionId) -> Option<usize> {
        Some(self.slots.get(session)?.peer.door)
    }

    /// The name of the door that a session came through ([`Door::name`](super::Door::name)): `None` for a session that is not
    /// here.
    #[must_use]
    pub fn door_name(&self, session: SessionId) -> Option<&str> {
        Some(&self.doors.get(self.door(session)?)?.door)
    }

    /// The time. It stands still within a callback, and over those for a batch of one session's packets, for the timers that
    /// fire together, for the ticks that are made up for and for the ends of sessions that are closed together; on a paused
    /// clock always.
    #[must_use]
    pub fn now(&self) -> Instant {
        *self.now.get_or_init(now)
    }

    /// The server's counters.
    #[must_use]
    pub fn stats(&self) -> Snapshot {
        self.stats.snapshot()
    }

    /// Asks the server to stop, in order.
    pub fn stop(&mut self) {
        self.stop.cancel();
    }

    /// Takes a session out of everything on this worker.
    pub(super) fn forget(&mut self, session: SessionId) -> Option<Box<Slot<L::In>>> {
        let mut slot = self.slots.remove(session)?;
        for group in slot.groups.drain(..) {
            self.groups.leave(group, session);
        }
        for _ in 0..slot.timers {
            let message = self.timers.take_of(session);
            self.discard(message);
        }
        slot.flush(&mut self.slots.stage);
        Some(slot)
    }

    /// Drops what is the game's own. If that panics, it does so here, and the worker hears of it.
    pub(super) fn discard<T>(&mut self, what: T) {
        if let Err(panic) = super::panicked::discard(what) {
            self.count_panic(None, &*panic);
            self.slipped = true;
        }
    }

    #[cold]
    pub(super) fn count_panic(&mut self, session: Option<SessionId>, panic: &(dyn Any + Send)) {
        self.stats.panics.fetch_add(1, Relaxed);
        let (worker, session) = (self.worker, session.map(tracing::field::display));
        error!(worker, session, panic = super::panicked::words(panic), "the game's code panicked");
    }
}

impl<L: Logic> std::fmt::Debug for Context<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("worker", &self.worker)
            .field("sessions", &self.slots.count)
            .finish_non_exhaustive()
    }
}
