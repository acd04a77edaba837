//! What a worker's game sends: to one session, to many, to all.

use std::sync::atomic::Ordering::Relaxed;

use bytes::BytesMut;
use tracing::{debug, error};

use super::everyone::{Everyone, Heard};
use super::queue::Event;
use super::shared::Encoder;
use super::{Context, Full, GroupId, Logic};
use crate::session::{Fault, SessionId, Slow, Verdict};

impl<L: Logic> Context<L> {
    /// Sends a packet to one session of this worker.
    ///
    /// It waits in the session's queue at least until the callback has returned, so that what one callback sends to one peer
    /// must fit into [`Limits::queue`](crate::Limits::queue), or its session is closed as one that reads too slowly. What is
    /// larger, a world for who has just joined say, is sent in parts, [timer](Self::after) by timer, while
    /// [`queued`](Self::queued) is low, or wants a larger queue.
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
        // Before it is judged whether there is room for it, it is to be seen who has how much.
        if stage.hides_much(packet.len()) {
            self.flush();
        }
        let Some((slot, stage)) = self.slots.staging(session) else { return Verdict::Closed };
        let verdict = slot.peer.outbox.push(&packet, slow);
        slot.look_at_room(stage);
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
            if let Some(bytes) = encoder.bytes(slot.peer.door)
                && !slot.give(bytes, slow, &mut self.slots.stage)
            {
                self.slots.give_unstaged(*session, bytes, slow);
            }
        }
    }

    /// How many bytes wait for a session.
    #[must_use]
    pub fn queued(&self, session: SessionId) -> usize {
        self.slots.get(session).map_or(0, |slot| slot.peer.outbox.queued() + slot.staged.len())
    }

    /// How many packets to a session were dropped because its peer reads too slowly ([`Slow`]).
    #[must_use]
    pub fn dropped(&self, session: SessionId) -> u64 {
        self.slots.get(session).map_or(0, |slot| slot.peer.outbox.dropped())
    }

    /// Does what is done by default about what came in place of a packet: on a text door the person is told, elsewhere
    /// the session is closed.
    pub fn refuse(&mut self, session: SessionId, fault: &Fault) {
        let Some((slot, _)) = self.slots.staging(session) else { return };
        let Some(door) = self.doors.get(slot.peer.door) else { return };
        let mut words = BytesMut::new();
        if door.encode.tell(&fault.to_string(), &mut words) {
            self.slots.give(session, &words.freeze(), Slow::Disconnect);
        } else {
            debug!(session = %session, %fault, "what came in place of a packet closes the session");
            self.close(session, fault.reason());
        }
    }

    pub(super) fn give_everyone(&mut self, everyone: Everyone) {
        let Everyone { number, encoded } = &everyone;
        let bytes = |door| encoded.doors.get(door).cloned();
        self.slots.give_all(|slot| slot.hears(*number), encoded.slow, bytes);
        self.given.add(everyone);
    }

    /// A session comes from another worker: it hears what was given here before it came and there not before it left.
    pub(super) fn catch_up(&mut self, session: SessionId, heard: Heard) {
        let Some((slot, _)) = self.slots.staging(session) else { return };
        let door = slot.peer.door;
        for missed in self.given.missed(&heard) {
            if let Some(bytes) = missed.doors.get(door) {
                self.slots.give(session, bytes, missed.slow);
            }
        }
        let passed_over = self.queues.get(self.worker).map(|queue| queue.passed_over()).unwrap_or_default();
        if let Some(slot) = self.slots.get_mut(session) {
            slot.ahead = self.given.ahead(heard, &passed_over);
        }
    }

    /// Hands everything that was sent to the sockets.
    pub(super) fn flush(&mut self) {
        self.slots.flush();
    }
}
