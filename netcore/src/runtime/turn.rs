//! What a session's task sends while it runs.
//!
//! A task that answers a batch of packets sends a batch. Each send by itself would take the outbox's lock; so while the
//! runtime polls a session's task, that session's packets are put together on the thread, and go to the transport, or to
//! the outbox if something waits there, when the task waits for something or returns.

use std::cell::RefCell;

use bytes::BytesMut;

use super::encoding::Encoding;
use crate::EncodeError;
use crate::session::{Joined, Outbox, Slow, Verdict};

/// The session whose task runs on this thread just now.
#[derive(Default)]
struct Turn {
    // The address of its outbox, which outlives the turn; 0 between two turns.
    owner: usize,
    // So many bytes may be staged: there is room for them in the outbox.
    room: usize,
    // Its memory stays with the thread, for the next turn.
    staged: Joined,
    // For packets to any other session.
    scratch: BytesMut,
}

thread_local! {
    static TURN: RefCell<Turn> = RefCell::default();
}

/// Begins a session's turn. One within another is possible (a runtime that blocks within a task): the outer one goes on
/// afterwards.
#[inline]
pub(super) fn begin(outbox: &Outbox) -> Open {
    TURN.with_borrow_mut(|turn| {
        let outer = (std::mem::replace(&mut turn.owner, outbox.address()), turn.room);
        turn.room = outbox.room();
        let staged = if outer.0 == 0 { Joined::default() } else { std::mem::take(&mut turn.staged) };
        Open { outer, staged }
    })
}

/// A turn that has begun.
#[must_use]
pub(super) struct Open {
    // Whose turn it was before, and with how much room.
    outer: (usize, usize),
    staged: Joined,
}

impl Open {
    /// Ends the turn: what was sent in it.
    #[inline]
    pub(super) fn end(self) -> Joined {
        TURN.with_borrow_mut(|turn| {
            (turn.owner, turn.room) = self.outer;
            std::mem::replace(&mut turn.staged, self.staged)
        })
    }
}

/// Gives a turn's memory back to the thread.
#[inline]
pub(super) fn give(mut staged: Joined) {
    TURN.with_borrow_mut(|turn| {
        if turn.owner == 0 && staged.bytes.capacity() <= KEEP {
            staged.clear();
            turn.staged = staged;
        }
    });
}

/// Stages a packet for the session whose turn it is. `false`: it is not this one's, or more is to be looked at than is
/// worth it for each packet; nothing was done then, and [`send`] is to.
#[inline]
pub(super) fn stage<Out>(outbox: &Outbox, encoding: &Encoding<Out>, packet: &Out) -> bool {
    TURN.with(|turn| match turn.try_borrow_mut() {
        Ok(mut turn) if turn.is_of(outbox) && encoding.slow.is_none() && !outbox.is_singly() => {
            let before = turn.staged.len();
            if encoding.append(packet, &mut turn.staged.bytes).is_err() || turn.staged.len() > turn.room {
                turn.staged.bytes.truncate(before);
                return false;
            }
            if before == 0 {
                turn.begun(outbox, Slow::Disconnect);
            }
            true
        }
        _ => false,
    })
}

/// Sends a packet to a session, by way of its turn if it is its turn. Why one does not encode is left in `error`: in a
/// `Result` beside the verdict, the error's empty place would be moved with each packet, through memory.
pub(super) fn send<Out>(
    outbox: &Outbox,
    encoding: &Encoding<Out>,
    packet: &Out,
    error: &mut Option<EncodeError>,
) -> Verdict {
    TURN.with(|turn| match turn.try_borrow_mut() {
        Ok(mut turn) => turn.send(outbox, encoding, packet, error),
        // A packet whose encoding sends another one.
        Err(_) => apart(&mut BytesMut::new(), outbox, encoding, packet, error),
    })
}

/// Puts what was sent in this turn into the outbox: something else is to follow it there.
pub(super) fn flush(outbox: &Outbox) {
    // A thread that ends may have dropped it before a connection that is dropped then: nothing is staged any more.
    let _ = TURN.try_with(|turn| {
        if let Ok(mut turn) = turn.try_borrow_mut()
            && turn.is_of(outbox)
        {
            turn.push(outbox);
        }
    });
}

/// Sends a packet like [`send`], if at most half of the outbox's bound is taken, what was sent in this turn included, and
/// the packet has room. If not, that is put into the outbox: whoever waits for room looks there, for `need` bytes.
#[inline]
pub(super) fn send_if_room<Out>(
    outbox: &Outbox,
    encoding: &Encoding<Out>,
    packet: &Out,
    error: &mut Option<EncodeError>,
    need: &mut usize,
) -> Option<Verdict> {
    TURN.with(|turn| {
        let mut turn = turn.try_borrow_mut().ok();
        let own = turn.as_mut().filter(|turn| turn.is_of(outbox));
        let staged = own.as_ref().map_or(0, |turn| turn.staged.len());
        if staged + outbox.queued() > outbox.limit() / 2 && !outbox.is_closed() {
            if let Some(turn) = own {
                turn.push(outbox);
            }
            return None;
        }
        match &mut turn {
            Some(turn) => turn.send_if_room(outbox, encoding, packet, error, need),
            None => apart_if_room(&mut BytesMut::new(), outbox, encoding, packet, error, need),
        }
    })
}

impl Turn {
    #[inline]
    fn is_of(&self, outbox: &Outbox) -> bool {
        self.owner == outbox.address()
    }

    #[inline]
    fn send<Out>(
        &mut self,
        outbox: &Outbox,
        encoding: &Encoding<Out>,
        packet: &Out,
        error: &mut Option<EncodeError>,
    ) -> Verdict {
        if !self.stages(outbox) {
            return apart(&mut self.scratch, outbox, encoding, packet, error);
        }
        let before = self.staged.len();
        let slow = encoding.slow(packet);
        if let Err(refused) = encoding.append(packet, &mut self.staged.bytes) {
            *error = Some(refused);
            return Verdict::Refused;
        }
        if self.joins(outbox, before, slow) {
            return Verdict::Queued;
        }
        let packet = self.split(outbox, before);
        let verdict = outbox.push(&packet, slow);
        self.room = outbox.room();
        verdict
    }

    /// As [`send`](Self::send), if the packet has room.
    fn send_if_room<Out>(
        &mut self,
        outbox: &Outbox,
        encoding: &Encoding<Out>,
        packet: &Out,
        error: &mut Option<EncodeError>,
        need: &mut usize,
    ) -> Option<Verdict> {
        if !self.stages(outbox) {
            return apart_if_room(&mut self.scratch, outbox, encoding, packet, error, need);
        }
        let before = self.staged.len();
        let slow = encoding.slow(packet);
        if let Err(refused) = encoding.append(packet, &mut self.staged.bytes) {
            *error = Some(refused);
            return Some(Verdict::Refused);
        }
        if self.joins(outbox, before, slow) {
            return Some(Verdict::Queued);
        }
        let packet = self.split(outbox, before);
        *need = packet.len();
        let verdict = outbox.push_if_room(&packet, slow);
        self.room = outbox.room();
        verdict
    }

    /// Whether packets for that outbox are staged just now. If not, nothing is any more that would come after them.
    #[inline]
    fn stages(&mut self, outbox: &Outbox) -> bool {
        if !self.is_of(outbox) {
            return false;
        }
        if outbox.is_singly() {
            self.push(outbox);
            return false;
        }
        true
    }

    /// Whether the packet that was staged last may stay.
    #[inline]
    fn joins(&mut self, outbox: &Outbox, before: usize, slow: Slow) -> bool {
        let joins = outbox.joins(slow, self.staged.len());
        if joins && before == 0 {
            self.begun(outbox, slow);
        } else if joins && self.staged.len() > before {
            self.staged.added(slow);
        }
        joins
    }

    /// A packet was staged where none was. If it is one: a door may have no word for it.
    // Out of line: it has no part in what the others of a turn cost.
    #[inline(never)]
    fn begun(&mut self, outbox: &Outbox, slow: Slow) {
        if !self.staged.is_empty() {
            self.staged.added(slow);
            outbox.stage();
        }
    }

    /// Takes out the packet that was staged last, and puts those before it into the outbox.
    #[cold]
    fn split(&mut self, outbox: &Outbox, before: usize) -> BytesMut {
        let packet = self.staged.bytes.split_off(before);
        self.push(outbox);
        packet
    }

    /// Puts what was staged into the outbox.
    #[cold]
    fn push(&mut self, outbox: &Outbox) {
        if !self.staged.is_empty() {
            outbox.push_staged(&mut self.staged);
        }
        self.room = outbox.room();
    }
}

#[inline(never)]
fn apart<Out>(
    scratch: &mut BytesMut,
    outbox: &Outbox,
    encoding: &Encoding<Out>,
    packet: &Out,
    error: &mut Option<EncodeError>,
) -> Verdict {
    scratch.clear();
    if let Err(refused) = encoding.append(packet, scratch) {
        *error = Some(refused);
        return Verdict::Refused;
    }
    outbox.push(scratch, encoding.slow(packet))
}

#[inline(never)]
fn apart_if_room<Out>(
    scratch: &mut BytesMut,
    outbox: &Outbox,
    encoding: &Encoding<Out>,
    packet: &Out,
    error: &mut Option<EncodeError>,
    need: &mut usize,
) -> Option<Verdict> {
    scratch.clear();
    if let Err(refused) = encoding.append(packet, scratch) {
        *error = Some(refused);
        return Some(Verdict::Refused);
    }
    *need = scratch.len();
    outbox.push_if_room(scratch, encoding.slow(packet))
}

/// The most memory that a thread keeps for the turns to come.
const KEEP: usize = 256 * 1024;
