//! What a session's task sends while it runs.
//!
//! A task that answers a batch of packets sends a batch. Each send by itself would take the outbox's lock; so while the
//! runtime polls a session's task, that session's packets are put together on the thread, and go to the outbox when the
//! task waits for something or returns.

use std::cell::RefCell;

use bytes::BytesMut;

use super::connection::Encoding;
use crate::EncodeError;
use crate::session::{Outbox, Verdict};

/// The session whose task runs on this thread just now.
struct Turn {
    outbox: Option<Outbox>,
    staged: BytesMut,
    // What the last turn sent: room for as much is made at once.
    usual: usize,
    // For packets to any other session.
    scratch: BytesMut,
}

thread_local! {
    static TURN: RefCell<Turn> =
        RefCell::new(Turn { outbox: None, staged: BytesMut::new(), usual: 0, scratch: BytesMut::new() });
}

/// Begins a session's turn; it ends when the result is dropped.
pub(super) fn begin(outbox: &Outbox) -> impl Drop + use<> {
    TURN.with_borrow_mut(|turn| turn.outbox = Some(outbox.clone()));
    End
}

struct End;

impl Drop for End {
    fn drop(&mut self) {
        TURN.with_borrow_mut(|turn| {
            if let Some(outbox) = turn.outbox.take() {
                turn.usual = turn.staged.len();
                outbox.push_own(&mut turn.staged);
            }
        });
    }
}

/// Sends a packet to a session, by way of its turn if it is its turn.
#[inline]
pub(super) fn send<Out>(
    outbox: &Outbox,
    encoding: &Encoding<Out>,
    packet: &Out,
) -> Result<Verdict, EncodeError> {
    TURN.with(|turn| match turn.try_borrow_mut() {
        Ok(mut turn) => turn.send(outbox, encoding, packet),
        // A packet whose encoding sends another one.
        Err(_) => apart(&mut BytesMut::new(), outbox, encoding, packet),
    })
}

/// Puts what was sent in this turn into the outbox: something else is to follow it there.
pub(super) fn flush(outbox: &Outbox) {
    TURN.with(|turn| {
        if let Ok(mut turn) = turn.try_borrow_mut()
            && turn.is_of(outbox)
        {
            outbox.push_joined(&mut turn.staged);
        }
    });
}

/// Whether at most half of the outbox's bound is taken, what was sent in this turn included. If not, that is put into the
/// outbox: whoever waits for room looks there.
#[inline]
pub(super) fn has_room(outbox: &Outbox) -> bool {
    TURN.with(|turn| match turn.try_borrow_mut() {
        Ok(mut turn) if turn.is_of(outbox) => {
            let room = turn.staged.len() + outbox.queued() <= outbox.limit() / 2;
            if !room {
                outbox.push_joined(&mut turn.staged);
            }
            room
        }
        _ => outbox.queued() <= outbox.limit() / 2,
    })
}

impl Turn {
    #[inline]
    fn is_of(&self, outbox: &Outbox) -> bool {
        self.outbox.as_ref().is_some_and(|current| current.is(outbox))
    }

    #[inline]
    fn send<Out>(
        &mut self,
        outbox: &Outbox,
        encoding: &Encoding<Out>,
        packet: &Out,
    ) -> Result<Verdict, EncodeError> {
        if !self.is_of(outbox) {
            return apart(&mut self.scratch, outbox, encoding, packet);
        }
        let before = self.staged.len();
        if before == 0 {
            self.staged.reserve(self.usual);
        }
        if let Err(error) = encoding.encode.encode(packet, &mut self.staged) {
            self.staged.truncate(before);
            return Err(error);
        }
        let slow = encoding.slow(packet);
        if outbox.joins(slow, self.staged.len()) {
            return Ok(Verdict::Queued);
        }
        let packet = self.staged.split_off(before);
        outbox.push_joined(&mut self.staged);
        Ok(outbox.push(&packet, slow))
    }
}

fn apart<Out>(
    scratch: &mut BytesMut,
    outbox: &Outbox,
    encoding: &Encoding<Out>,
    packet: &Out,
) -> Result<Verdict, EncodeError> {
    scratch.clear();
    encoding.encode.encode(packet, scratch)?;
    Ok(outbox.push(scratch, encoding.slow(packet)))
}
