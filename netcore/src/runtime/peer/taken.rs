//! Who takes what waits in an inbox: a task, or a worker.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::{Context, Poll, Waker};

use super::{Inbox, Peer, Reader};
use crate::runtime::spare;
use crate::session::{CloseReason, Fault, Sequence};

/// What a reader found.
pub(crate) enum Found {
    /// Packets: they were moved to where it said.
    Packets,
    /// The session's end, once. There is nothing before it.
    End(CloseReason),
    /// Nothing, for now or, after the end, for ever.
    Nothing,
}

impl<In> Peer<In> {
    /// Takes everything that waits, for a worker; `to` is empty. Until it is [done](Self::done) with that, it counts.
    pub(crate) fn take(&self, to: &mut Sequence<In>) -> Found {
        let mut inbox = self.lock();
        if !inbox.packets.is_empty() {
            std::mem::swap(&mut inbox.packets, to);
            inbox.in_hand = self.bytes.load(Relaxed);
            Found::Packets
        } else if let (Some(reason), false) = (inbox.end, inbox.ended) {
            inbox.ended = true;
            Found::End(reason)
        } else {
            Found::Nothing
        }
    }

    /// The worker is done with what it took. Whether more has come: then the session stays in its hands; otherwise it
    /// will be scheduled.
    pub(crate) fn done(&self) -> bool
    where
        In: 'static,
    {
        let mut inbox = self.lock();
        let more = !inbox.packets.is_empty() || (inbox.end.is_some() && !inbox.ended);
        if let Reader::Worker { queued, .. } = &mut inbox.reader {
            *queued = more;
        }
        // The worker's own of the last time: a little of it goes round with the session, between two threads mostly.
        if inbox.packets.memory() > LITTLE {
            spare::give(&mut inbox.packets);
        }
        let handled = std::mem::take(&mut inbox.in_hand);
        self.waits_still(&inbox, self.bytes.load(Relaxed).saturating_sub(handled));
        self.leave_room(inbox);
        more
    }

    /// Like [`take`](Self::take), for a task: waits while there is nothing. After the end it is never ready. `known` is
    /// the waker that the task left here last.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        known: &mut Option<Waker>,
        to: &mut Sequence<In>,
    ) -> Poll<Option<CloseReason>> {
        // What comes from here on calls the waker, so that to see it a moment late is to see it in time.
        if self.waits.load(SeqCst)
            && self.packets.load(Relaxed) == 0
            && !self.has_end.load(SeqCst)
            && known.as_ref().is_some_and(|known| known.will_wake(cx.waker()))
        {
            return Poll::Pending;
        }
        let mut inbox = self.lock();
        let found = if !inbox.packets.is_empty() {
            std::mem::swap(&mut inbox.packets, to);
            self.emptied();
            Poll::Ready(None)
        } else if let Some(reason) = inbox.end {
            Poll::Ready(Some(reason))
        } else {
            if let Reader::Task(waker) = &mut inbox.reader {
                if waker.as_ref().is_none_or(|known| !known.will_wake(cx.waker())) {
                    *waker = Some(cx.waker().clone());
                }
                known.clone_from(waker);
                self.waits.store(true, SeqCst);
            }
            Poll::Pending
        };
        self.leave_room(inbox);
        found
    }

    /// Puts packets that were [taken](Self::take) back to the front. Which bytes were those of the others nobody knows: all
    /// count until no packet waits.
    pub(crate) fn put_back(&self, packets: &mut Sequence<In>) {
        let mut inbox = self.lock();
        packets.append(&mut inbox.packets);
        std::mem::swap(packets, &mut inbox.packets);
        inbox.in_hand = 0;
        let bytes = if inbox.packets.is_empty() { 0 } else { self.bytes.load(Relaxed) };
        self.waits_still(&inbox, bytes);
        self.leave_room(inbox);
    }

    /// Throws away what waits, and what will come: the game has closed the session.
    pub(crate) fn ignore(&self) {
        drop(self.abandon());
    }

    /// As [`ignore`](Self::ignore), and hands out what waited: it is the game's own, and may panic as it is dropped.
    pub(crate) fn abandon(&self) -> impl Iterator<Item = Result<In, Fault>> + use<In> {
        let mut inbox = self.lock();
        let unheard = std::mem::take(&mut inbox.packets);
        inbox.in_hand = 0;
        self.emptied();
        inbox.ended = true;
        self.leave_room(inbox);
        unheard.into_iter()
    }

    /// Whether that is so.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.lock().ended
    }

    /// The inbox is empty. Its lock is held.
    pub(super) fn emptied(&self) {
        self.packets.store(0, Relaxed);
        self.bytes.store(0, Relaxed);
    }

    /// What is in the inbox, with that many bytes, is all that waits. Its lock is held.
    fn waits_still(&self, inbox: &Inbox<In>, bytes: usize) {
        self.packets.store(inbox.packets.len(), Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    /// Calls the socket's task if it waits for room.
    fn leave_room(&self, mut inbox: MutexGuard<'_, Inbox<In>>) {
        let full = std::mem::take(&mut inbox.full);
        drop(inbox);
        if full {
            self.outbox.wake();
        }
    }
}

/// So many bytes for packets stay with a worker's session while there are none.
const LITTLE: usize = 512;
