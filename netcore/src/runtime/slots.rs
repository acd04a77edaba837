//! The sessions of one worker, and what was sent to them and has not gone to the sockets yet.

use std::sync::Arc;

use bytes::Bytes;

use super::GroupId;
use super::peer::Peer;
use super::stage::Stage;
use crate::session::{Joined, Outbox, SessionId, Slow};

/// The sessions of one worker, by the index of their id.
pub(super) struct Slots<In> {
    pub(super) slots: Vec<Option<Box<Slot<In>>>>,
    pub(super) stage: Stage,
    pub(super) count: usize,
    begun: u64,
}

pub(super) struct Slot<In> {
    pub(super) peer: Arc<Peer<In>>,
    // Encoded packets on their way to the outbox: one lock a turn takes them there.
    pub(super) staged: Joined,
    // How much the last turn sent: room for as much is made at once.
    pub(super) usual: usize,
    pub(super) groups: Vec<GroupId>,
    // How many timers it has.
    pub(super) timers: u32,
    // The callback that runs has closed it or moved it away.
    pub(super) leaving: bool,
    // It has closed it: nothing more is sent to it.
    pub(super) closed: bool,
    // A game that was made anew has not heard of it yet.
    pub(super) unknown: bool,
    // It is among those whose transport is to have its turn.
    pressed: bool,
    // Since when it is here, as a number that is used once.
    pub(super) since: u64,
    // How much is done for it in the background before its next packet is handled; and whether something waits for that of
    // which the worker's queue does not say any more.
    pub(super) awaited: u32,
    pub(super) waits: bool,
    // What it has heard elsewhere of what goes to every session of the server, and is still to come here.
    pub(super) ahead: Vec<u64>,
}

impl<In> Slots<In> {
    pub(super) const fn new(stage: Stage) -> Self {
        Self { slots: Vec::new(), stage, count: 0, begun: 0 }
    }

    pub(super) fn insert(&mut self, peer: Arc<Peer<In>>) {
        let index = peer.id.index() as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        let since = self.next();
        if let Some(place) = self.slots.get_mut(index) {
            let slot = Slot {
                peer,
                staged: Joined::default(),
                usual: 0,
                groups: Vec::new(),
                timers: 0,
                leaving: false,
                closed: false,
                unknown: false,
                pressed: false,
                since,
                awaited: 0,
                waits: false,
                ahead: Vec::new(),
            };
            self.count += usize::from(place.replace(Box::new(slot)).is_none());
        }
    }

    /// A number for something that begins.
    pub(super) fn next(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    #[inline]
    pub(super) fn get(&self, session: SessionId) -> Option<&Slot<In>> {
        let slot = self.slots.get(session.index() as usize)?.as_deref()?;
        (slot.peer.id == session).then_some(slot)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, session: SessionId) -> Option<&mut Slot<In>> {
        let slot = self.slots.get_mut(session.index() as usize)?.as_deref_mut()?;
        (slot.peer.id == session).then_some(slot)
    }

    /// A session that can be sent to, and where that is staged.
    #[inline]
    pub(super) fn staging(&mut self, session: SessionId) -> Option<(&mut Slot<In>, &mut Stage)> {
        self.with_stage(session).filter(|(slot, _)| !slot.closed)
    }

    /// A session, and where what was sent to it is staged.
    #[inline]
    pub(super) fn with_stage(&mut self, session: SessionId) -> Option<(&mut Slot<In>, &mut Stage)> {
        let slot = self.slots.get_mut(session.index() as usize)?.as_deref_mut()?;
        (slot.peer.id == session).then_some((slot, &mut self.stage))
    }

    pub(super) fn remove(&mut self, session: SessionId) -> Option<Box<Slot<In>>> {
        self.get(session)?;
        self.count -= 1;
        self.slots.get_mut(session.index() as usize)?.take()
    }

    /// The queues of those whose transport is to have its turn now.
    pub(super) fn take_pressed(&mut self) -> Vec<Outbox> {
        let pressed = std::mem::take(&mut self.stage.pressed);
        let slots = pressed.into_iter().filter_map(|session| {
            let slot = self.get_mut(session)?;
            slot.pressed = false;
            Some(slot.peer.outbox.clone())
        });
        slots.collect()
    }

    /// Stages a packet that was encoded before for all that hear it.
    pub(super) fn give_all(
        &mut self,
        mut hears: impl FnMut(&mut Slot<In>) -> bool,
        slow: Slow,
        mut bytes: impl FnMut(usize) -> Option<Bytes>,
    ) {
        // Sessions of one door mostly follow each other: the bytes are looked up when the door changes.
        let mut last: Option<(usize, Bytes)> = None;
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index).and_then(Option::as_deref_mut) else { continue };
            if slot.closed || !hears(slot) {
                continue;
            }
            let door = slot.peer.door;
            if last.as_ref().is_none_or(|(known, _)| *known != door) {
                last = bytes(door).map(|bytes| (door, bytes));
            }
            if let Some((_, bytes)) = &last
                && !slot.give(bytes, slow, &mut self.stage)
            {
                let session = slot.peer.id;
                self.give_unstaged(session, bytes, slow);
            }
        }
    }

    /// Stages a packet that was encoded before for one session.
    pub(super) fn give(&mut self, session: SessionId, bytes: &Bytes, slow: Slow) {
        if let Some((slot, stage)) = self.staging(session)
            && !slot.give(bytes, slow, stage)
        {
            self.give_unstaged(session, bytes, slow);
        }
    }

    /// Queues what there was no room to stage, behind all that is staged: those with the most waiting are to make room, and
    /// only in the queues is it seen who they are.
    #[cold]
    pub(super) fn give_unstaged(&mut self, session: SessionId, bytes: &Bytes, slow: Slow) {
        self.flush();
        if let Some((slot, stage)) = self.staging(session) {
            slot.queue(bytes, slow, stage);
        }
    }

    /// Hands everything that was staged to the queues.
    pub(super) fn flush(&mut self) {
        self.stage.leave_all();
        let mut dirty = std::mem::take(&mut self.stage.dirty);
        for session in dirty.drain(..) {
            if let Some(slot) = self.get_mut(session) {
                slot.push();
            }
        }
        self.stage.dirty = dirty;
    }
}

impl<In> Slot<In> {
    /// Stages a packet that was encoded before, or queues it. `false`: there is no room to stage it, and all that is staged is
    /// to be queued first.
    #[inline]
    pub(super) fn give(&mut self, bytes: &Bytes, slow: Slow, stage: &mut Stage) -> bool {
        if bytes.is_empty() {
            return true;
        }
        if bytes.len() >= SHARE || !self.peer.outbox.joins(slow, self.staged.len() + bytes.len()) {
            if stage.hides_much(bytes.len()) {
                return false;
            }
            self.queue(bytes, slow, stage);
            return true;
        }
        if !stage.take(bytes.len()) {
            return false;
        }
        if self.staged.is_empty() {
            stage.dirty.push(self.peer.id);
            self.staged.bytes.reserve(self.usual);
        }
        self.staged.bytes.extend_from_slice(bytes);
        self.staged.added(slow);
        self.look_at_room(stage);
        true
    }

    /// Queues a packet behind what is staged for it.
    fn queue(&mut self, bytes: &Bytes, slow: Slow, stage: &mut Stage) {
        self.flush(stage);
        self.peer.outbox.push_shared(bytes, slow);
        self.look_at_room(stage);
    }

    /// Something was sent to it: whether its transport is to have its turn.
    #[inline]
    pub(super) fn look_at_room(&mut self, stage: &mut Stage) {
        let outbox = &self.peer.outbox;
        if outbox.queued() + self.staged.len() > outbox.limit() / 2 && !self.pressed {
            self.press(stage);
        }
    }

    #[cold]
    fn press(&mut self, stage: &mut Stage) {
        if self.peer.outbox.may_take() {
            self.pressed = true;
            stage.pressed.push(self.peer.id);
        }
    }

    /// Whether it has not heard elsewhere what now comes here.
    pub(super) fn hears(&mut self, number: u64) -> bool {
        let ahead = self.ahead.iter().position(|heard| *heard == number);
        ahead.map(|at| self.ahead.swap_remove(at)).is_none()
    }

    /// Hands what was staged for it alone to its queue.
    pub(super) fn flush(&mut self, stage: &mut Stage) {
        stage.leave(self.staged.len());
        self.push();
    }

    /// Hands over what was staged, which is not counted as such any more.
    pub(super) fn push(&mut self) {
        if !self.staged.is_empty() {
            self.usual = self.staged.len();
            self.peer.outbox.push_joined(&mut self.staged);
        }
    }
}

/// From how many bytes on a broadcast is shared instead of copied.
const SHARE: usize = 1024;
