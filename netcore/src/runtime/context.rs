//! What the game's code can do from within a callback.

use std::any::Any;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tracing::error;

use super::encoding::Encoding;
use super::everyone::{Everyone, Given, Heard};
use super::groups::Groups;
use super::queue::{Event, Queues};
use super::shared::Encoder;
use super::slots::{Slot, Slots};
use super::time::{YEARS, now};
use super::timers::Timers;
use super::{Full, GroupId, Logic, Snapshot, Stats, TimerId};
use crate::session::{CloseReason, Fault, SessionId, Slow, Verdict};

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
    // It closes or moves one, or has one wait: the next packet is to be looked at anew.
    pub(super) interrupted: bool,
    // Something of the game's panicked as it was dropped.
    pub(super) slipped: bool,
    pub(super) stop: tokio_util::sync::CancellationToken,
    pub(super) over: Over,
    // Looked at when it is first asked for: to read a clock costs as much as a small packet.
    pub(super) now: OnceLock<Instant>,
}

/// Dropped with the worker, it ends the background work.
#[derive(Default)]
pub(super) struct Over(tokio_util::sync::CancellationToken);

impl Over {
    pub(super) fn token(&self) -> tokio_util::sync::CancellationToken {
        self.0.clone()
    }
}

impl Drop for Over {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

pub(super) enum Leaving<Message> {
    Closed(SessionId, CloseReason),
    Moved(SessionId, usize, Message),
}

impl<Message> Leaving<Message> {
    pub(super) const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(..))
    }
}

impl<L: Logic> Context<L> {
    /// Sends a packet to one session of this worker.
    pub fn send(&mut self, session: SessionId, packet: &L::Out) -> Verdict {
        let Some((slot, stage)) = self.slots.staging(session) else { return Verdict::Closed };
        let Some(door) = self.doors.get(slot.peer.door) else { return Verdict::Closed };
        let before = slot.staged.len();
        if before == 0 {
            slot.staged.bytes.reserve(slot.usual);
        }
        let slow = door.slow(packet);
        if let Err(error) = door.append(packet, &mut slot.staged.bytes) {
            error!(%session, %error, "a packet does not encode");
            return Verdict::Refused;
        }
        let len = slot.staged.len() - before;
        if len == 0 {
            // The door has no word for it.
            return Verdict::Queued;
        }
        if slot.peer.outbox.joins(slow, slot.staged.len()) && stage.take(len) {
            slot.staged.added(slow);
            if before == 0 {
                stage.dirty.push(session);
            }
            slot.look_at_room(stage);
            return Verdict::Queued;
        }
        let packet = slot.staged.bytes.split_off(before);
        slot.flush(stage);
        let verdict = slot.peer.outbox.push(&packet, slow);
        slot.look_at_room(stage);
        self.flush_if_over();
        verdict
    }

    /// Sends a packet to every session of this worker.
    pub fn broadcast(&mut self, packet: &L::Out) {
        self.broadcast_but(None, packet);
    }

    /// Sends a packet to every session of this worker but one.
    pub fn broadcast_but(&mut self, but: impl Into<Option<SessionId>>, packet: &L::Out) {
        let but = but.into();
        let mut encoder = Encoder::new(packet, &self.doors);
        let slow = encoder.slow;
        self.slots.give_all(|slot| Some(slot.peer.id) != but, slow, |door| encoder.bytes(door).cloned());
        self.flush_if_over();
    }

    /// Sends a packet to every session of the server, on whichever worker it is. To those of other workers it goes as
    /// soon as they get to it; on its way there it counts as one of their messages. A session that moves meanwhile hears
    /// it once, unless more than 64 of them are on their way.
    ///
    /// # Errors
    /// [`Full`] when a worker waits for as many messages as it may: with the numbers of those workers, whose sessions do
    /// not hear it.
    pub fn broadcast_everywhere(&mut self, packet: &L::Out) -> Result<(), Full<Vec<usize>>> {
        let number = self.broadcasts.fetch_add(1, Relaxed);
        let everyone = Everyone { number, encoded: Encoder::new(packet, &self.doors).all() };
        let mut full = Vec::new();
        for (worker, queue) in self.queues.iter().enumerate() {
            if worker == self.worker {
                continue;
            }
            if queue.reserve() {
                queue.push(Event::Everyone(everyone.clone()));
            } else {
                queue.pass_over(number);
                full.push(worker);
            }
        }
        self.give_everyone(everyone);
        if full.is_empty() { Ok(()) } else { Err(Full(full)) }
    }

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

    /// A group's sessions, in the order in which they joined.
    #[must_use]
    pub fn members(&self, group: GroupId) -> &[SessionId] {
        self.groups.members(group)
    }

    /// Sends a packet to a group.
    pub fn send_group(&mut self, group: GroupId, packet: &L::Out) {
        self.send_group_but(group, None, packet);
    }

    /// Sends a packet to a group, but not to one of it.
    pub fn send_group_but(&mut self, group: GroupId, but: impl Into<Option<SessionId>>, packet: &L::Out) {
        let but = but.into();
        let mut encoder = Encoder::new(packet, &self.doors);
        for session in self.groups.members(group) {
            if Some(*session) == but {
                continue;
            }
            let slots = &mut self.slots.slots;
            let slot = slots.get_mut(session.index() as usize).and_then(Option::as_mut);
            let Some(slot) = slot.filter(|slot| slot.peer.id == *session && !slot.closed) else { continue };
            let slow = encoder.slow;
            if let Some(bytes) = encoder.bytes(slot.peer.door) {
                slot.give(bytes, slow, &mut self.slots.stage);
            }
        }
        self.flush_if_over();
    }

    /// Closes a session, once what was sent has gone out. [`Logic::closed`] is called when the current callback has
    /// returned, here too if the same callback has moved it: it does not move then.
    pub fn close(&mut self, session: SessionId, reason: CloseReason) {
        let Some((slot, stage)) = self.slots.with_stage(session) else { return };
        if std::mem::replace(&mut slot.leaving, true) {
            // It was moved a moment ago, and has not left: it never will. Or it was closed already.
            let moved = |one: &Leaving<_>| matches!(one, Leaving::Moved(moved, ..) if *moved == session);
            let Some(at) = self.leaving.iter().position(moved) else { return };
            self.leaving.remove(at);
        }
        slot.closed = true;
        slot.flush(stage);
        let unheard = slot.peer.abandon();
        slot.peer.finish(reason);
        self.leaving.push_back(Leaving::Closed(session, reason));
        self.interrupted = true;
        unheard.for_each(|packet| self.discard(packet));
    }

    /// Does what is done by default about what came in place of a packet: on a text door the person is told, elsewhere
    /// the session is closed.
    pub fn refuse(&mut self, session: SessionId, fault: &Fault) {
        let Some((slot, stage)) = self.slots.staging(session) else { return };
        let Some(door) = self.doors.get(slot.peer.door) else { return };
        let mut words = BytesMut::new();
        if door.encode.tell(&fault.to_string(), &mut words) {
            slot.give(&words.freeze(), Slow::Disconnect, stage);
            self.flush_if_over();
        } else {
            self.close(session, fault.reason());
        }
    }

    /// Admits a session: its peer has logged in, so the log-in deadline and the admission budget end.
    pub fn admit(&mut self, session: SessionId) {
        if let Some(slot) = self.slots.get_mut(session) {
            slot.peer.admit();
        }
    }

    /// Brings a message later.
    pub fn after(&mut self, time: Duration, message: L::Message) -> TimerId {
        self.timers.start(self.now() + time.min(YEARS), message, None)
    }

    /// Brings a message later, unless the session has closed or moved away by then.
    pub fn after_for(&mut self, session: SessionId, time: Duration, message: L::Message) -> Option<TimerId> {
        let due = self.now() + time.min(YEARS);
        let slot = self.slots.get_mut(session).filter(|slot| !slot.leaving)?;
        let id = self.timers.start(due, message, Some(session));
        slot.timers.push(id);
        Some(id)
    }

    /// Stops a timer; its message, if it had not come yet.
    pub fn cancel(&mut self, timer: TimerId) -> Option<L::Message> {
        let (message, session) = self.timers.cancel(timer)?;
        if let Some(slot) = session.and_then(|session| self.slots.get_mut(session)) {
            slot.timers.retain(|other| *other != timer);
        }
        Some(message)
    }

    /// Sends a message to a worker, this one included.
    ///
    /// # Errors
    /// [`Full`] when that worker waits for as many messages as it may, or there is none of that number.
    pub fn tell(&mut self, worker: usize, message: L::Message) -> Result<(), Full<L::Message>> {
        match self.queues.get(worker) {
            Some(queue) => queue.post(message),
            None => Err(Full(message)),
        }
    }

    /// Moves a session to another worker, when the current callback has returned: it leaves its groups and its timers
    /// here, [`Logic::arrived`] hears of it there, and then of all it sends. What was sent to it before arrives before
    /// what is sent from there; until the callback has returned it can be sent to from here. Nothing happens for a worker
    /// that is not there.
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

    /// The sessions of this worker, by the index of their id.
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

    /// Which of the server's doors a session came through, counted in the order in which they were added.
    #[must_use]
    pub fn door(&self, session: SessionId) -> Option<usize> {
        Some(self.slots.get(session)?.peer.door)
    }

    /// How many bytes wait for a session.
    #[must_use]
    pub fn queued(&self, session: SessionId) -> usize {
        self.slots.get(session).map_or(0, |slot| slot.peer.outbox.queued() + slot.staged.len())
    }

    /// The time. It stands still within a callback, and over those for a batch of one session's packets, for the timers that
    /// fire together and for the ticks that are made up for; on a paused clock always.
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

    pub(super) fn give_everyone(&mut self, everyone: Everyone) {
        let Everyone { number, encoded } = &everyone;
        let bytes = |door| encoded.doors.get(door).cloned();
        self.slots.give_all(|slot| slot.hears(*number), encoded.slow, bytes);
        self.given.add(everyone);
        self.flush_if_over();
    }

    /// A session comes from another worker: it hears what was given here before it came and there not before it left.
    pub(super) fn catch_up(&mut self, session: SessionId, heard: Heard) {
        let Some((slot, stage)) = self.slots.staging(session) else { return };
        for missed in self.given.missed(&heard) {
            if let Some(bytes) = missed.doors.get(slot.peer.door) {
                slot.give(bytes, missed.slow, stage);
            }
        }
        let passed_over = self.queues.get(self.worker).map(|queue| queue.passed_over()).unwrap_or_default();
        slot.ahead = self.given.ahead(heard, &passed_over);
        self.flush_if_over();
    }

    /// Takes a session out of everything on this worker.
    pub(super) fn forget(&mut self, session: SessionId) -> Option<Box<Slot<L::In>>> {
        let mut slot = self.slots.remove(session)?;
        for group in slot.groups.drain(..) {
            self.groups.leave(group, session);
        }
        for timer in std::mem::take(&mut slot.timers) {
            let message = self.timers.cancel(timer);
            self.discard(message);
        }
        slot.flush(&mut self.slots.stage);
        Some(slot)
    }

    /// Hands everything that was sent to the sockets.
    pub(super) fn flush(&mut self) {
        self.slots.stage.leave_all();
        let mut dirty = std::mem::take(&mut self.slots.stage.dirty);
        for session in dirty.drain(..) {
            if let Some(slot) = self.slots.get_mut(session) {
                slot.push();
            }
        }
        self.slots.stage.dirty = dirty;
    }

    #[inline]
    fn flush_if_over(&mut self) {
        if self.slots.stage.is_over() {
            self.flush();
        }
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
