//! One peer as a state machine without IO.

mod charge;
mod clocks;
mod pace;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};

use super::outbox::Take;
use super::{CloseReason, Decode, Inbound, Limits, Moment, Outbox};
use charge::Rates;
use pace::Pace;

/// One peer: what it may still send and when it must, and what goes out to it. It does no IO and reads no clock: the
/// caller brings bytes and the time, and takes away packets and bytes.
///
/// ```text
///  bytes ──▶ handle_bytes ──▶ Inbound (packets, in order)         Outbox ◀── packets, from any thread
///  now   ──▶ handle_timeout ──▶ a reason to close                     └──▶ poll_output ──▶ bytes ──▶ handle_written
///            poll_timeout ──▶ when to call it next
/// ```
///
/// Its own methods need no lock; the [`Outbox`] alone is shared.
pub struct Session<In> {
    limits: Arc<Limits>,
    decode: Box<dyn Decode<In>>,
    outbox: Outbox,
    // Whom the outbox calls, if it calls anybody.
    listener: Option<Waker>,
    // Taken from the outbox, in the transport's hands. No policy touches it any more.
    sending: VecDeque<Bytes>,
    pace: Pace,
    opened: Instant,
    received: Instant,
    // When the first byte of the packet at the front of the input came; or, where there is none, that of the frame of the
    // transport's that is to bring one.
    unfinished: Option<Instant>,
    partial: bool,
    // Since when output waits and none went out.
    waiting: Option<Instant>,
    pinged: Option<Instant>,
    // When we closed, while output still waits.
    closing: Option<Instant>,
    // Since when the caller does not read, on our side's account: the clocks stand still.
    paused: Option<Instant>,
    // Nothing more is read; who has not logged in has still the time for that, in which the game may look into it.
    ended: bool,
    // Since when the game knows that nobody has logged in in time: it may say something to that.
    late: Option<Instant>,
    // Whether a deadline or a heartbeat asks when something was received last.
    timed: bool,
    // Nothing whole has come yet.
    fresh: bool,
    admitted: bool,
    // It was admitted by a game that was made anew since.
    known: bool,
    before_admission: (u32, u32),
    rates: Option<Box<Rates>>,
    counts: Counts,
}

/// What went in and out, and what bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Packets received.
    pub packets_in: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes that the transport took.
    pub bytes_out: u64,
    /// Packets over a rate that were dropped.
    pub rate_dropped: u64,
    /// Packets over a rate that passed.
    pub rate_warned: u64,
}

impl<In> Session<In> {
    /// A session that begins `now`.
    #[must_use]
    pub fn new(limits: Arc<Limits>, decode: Box<dyn Decode<In>>, outbox: Outbox, now: Instant) -> Self {
        Self {
            decode,
            outbox,
            listener: None,
            sending: VecDeque::new(),
            pace: Pace::new(),
            opened: now,
            received: now,
            unfinished: None,
            partial: false,
            waiting: None,
            pinged: None,
            closing: None,
            paused: None,
            ended: false,
            late: None,
            timed: limits.idle_time().is_some() || limits.heartbeat.is_some(),
            fresh: true,
            admitted: limits.login.is_none(),
            known: false,
            before_admission: (0, 0),
            rates: Rates::new(&limits, now),
            counts: Counts::default(),
            limits,
        }
    }

    /// Takes in what was read: `fresh` bytes at the end of `input`, behind what was left there before. Whole packets are
    /// added to `batch`, at most [`Inbound::MAX`]; if the batch is full then, call again with 0 fresh bytes once there
    /// is room.
    ///
    /// # Errors
    /// When the session must be closed: what is in the batch came before, and is handled first.
    pub fn handle_bytes(
        &mut self,
        now: impl Moment,
        input: &mut BytesMut,
        fresh: usize,
        batch: &mut Inbound<In>,
    ) -> Result<(), CloseReason> {
        if fresh > 0 {
            if self.timed {
                self.received = now.now();
            }
            self.pinged = None;
            self.counts.bytes_in += fresh as u64;
        }
        let tiny_under = self.limits.tiny.map_or(0, |(under, _)| under);
        batch.begin(now, tiny_under, self.limits.bytes.is_some());
        let before = input.len();
        let result = self.decode.decode(input, batch);
        batch.decoded();
        let whole = before.saturating_sub(input.len());
        let added = batch.added();
        self.counts.packets_in += u64::from(added);
        self.partial = false;
        if input.is_empty() {
            self.unfinished = None;
        } else if added > 0 || self.unfinished.is_none() {
            self.unfinished = Some(now.now());
        }
        self.fresh &= added == 0;
        // Each looks at the batch, whatever the others found: a ping before a close is not the game's either.
        let charged = if self.rates.is_some() { self.charge(now.now(), whole, batch) } else { Ok(()) };
        let admission =
            if self.admitted || self.known { Ok(()) } else { self.admission(fresh, added, batch) };
        if self.limits.heartbeat.is_some() {
            self.beats(batch);
        }
        batch.count_faults();
        admission.and(charged)?;
        Ok(result?)
    }

    /// There is nothing more to read for now. A transport that holds a part of a frame back holds a part of a packet.
    pub(crate) fn handle_silence(&mut self, now: impl Moment) {
        if self.outbox.is_partial() {
            if self.unfinished.is_none() {
                (self.unfinished, self.partial) = (Some(now.now()), true);
            }
        } else if std::mem::take(&mut self.partial) {
            self.unfinished = None;
        }
    }

    /// Whether packets keep slices of what is taken in, however little.
    pub(crate) fn always_shares(&self) -> bool {
        self.decode.always_shares()
    }

    /// The peer's stream ended; `rest` is what is left of the input. Why the session closes.
    pub fn handle_end(&mut self, rest: &[u8]) -> CloseReason {
        self.decode.finish(rest).err().map_or(CloseReason::PeerClosed, CloseReason::from)
    }

    /// What goes out next, as pieces of bytes in order. Empty when nothing waits: `waker` is called when that changes.
    /// After a part was written, call [`handle_written`](Self::handle_written), then this again.
    ///
    /// # Errors
    /// The reason of the close, once all before it has been written.
    pub fn poll_output(&mut self, now: impl Moment, waker: &Waker) -> Result<&VecDeque<Bytes>, CloseReason> {
        if self.closing.is_none() && self.outbox.is_closed() {
            self.closing = Some(now.now());
        }
        if self.sending.is_empty() {
            if self.listener.as_ref().is_some_and(|known| known.will_wake(waker)) && self.outbox.is_quiet() {
                self.waiting = None;
                return Ok(&self.sending);
            }
            match self.outbox.take(&mut self.sending, self.pace.most(), pace::MOST, waker) {
                Take::Bytes => {
                    self.pace.began();
                    self.waiting = Some(now.now());
                }
                Take::Pending => {
                    self.waiting = None;
                    if self.listener.as_ref().is_none_or(|known| !known.will_wake(waker)) {
                        self.listener = Some(waker.clone());
                    }
                }
                Take::End(reason) => return Err(reason),
            }
        }
        Ok(&self.sending)
    }

    /// The transport took `len` bytes of the output.
    pub fn handle_written(&mut self, now: impl Moment, len: usize) {
        let mut left = len;
        while let Some(front) = self.sending.front_mut() {
            let here = left.min(front.len());
            front.advance(here);
            left -= here;
            if !front.is_empty() {
                break;
            }
            self.sending.pop_front();
        }
        if self.sending.is_empty() && self.sending.capacity() > 8 {
            self.sending = VecDeque::new();
        }
        let len = len - left;
        self.outbox.gone(len);
        self.counts.bytes_out += len as u64;
        self.pace.wrote(len, self.sending.is_empty());
        self.waiting = (!self.sending.is_empty()).then(|| now.now());
    }

    /// Whether nothing waits for the transport, so that something may be given to it directly.
    pub(crate) fn is_idle(&self) -> bool {
        self.sending.is_empty() && self.outbox.queued() == 0 && !self.outbox.is_closed()
    }

    /// The transport took `len` bytes that never were in the queue.
    pub(crate) fn handle_sent(&mut self, len: usize) {
        self.counts.bytes_out += len as u64;
    }

    /// The transport was offered these bytes, which never were in the queue but have been [counted](Outbox::hold), and has
    /// not taken them: they go out next, before whatever others have queued meanwhile. A transport that has begun with them
    /// counts on being offered them again.
    pub(crate) fn hold(&mut self, rest: &[u8]) {
        self.sending.push_back(Bytes::copy_from_slice(rest));
    }

    /// The transport will take nothing more: what it has in hand does not leave.
    pub(crate) fn handle_broken(&mut self) {
        self.outbox.left(self.unsent());
        self.sending.clear();
    }

    /// The transport takes nothing more for now, or does again.
    pub fn handle_blocked(&mut self, now: impl Moment, blocked: bool, waker: &Waker) {
        self.outbox.set_blocked(blocked);
        if blocked {
            self.pace.blocked();
            // The queue behind may still be closed and thrown away meanwhile: hear of it.
            self.outbox.listen(waker);
            if self.outbox.take_moved() {
                self.waiting = None;
            }
            self.waiting.get_or_insert_with(|| now.now());
        }
    }

    /// The game lets the peer in: the log-in deadline and the admission budget end.
    pub fn admit(&mut self) {
        self.admitted = true;
    }

    /// The game was made anew, and is to let the peer in again: the log-in deadline runs from `now` on. What was sent for
    /// the game before it may be on its way still, so that who was let in has no admission budget any more; others have all
    /// of theirs again.
    pub(crate) fn admit_anew(&mut self, now: impl Moment) {
        if self.limits.login.is_some() {
            self.known |= std::mem::take(&mut self.admitted);
            self.before_admission = (0, 0);
            // Where the clocks stand still, they go on from where they stopped.
            let stopped = self.paused.filter(|_| !self.ended);
            (self.opened, self.late) = (stopped.unwrap_or_else(|| now.now()), None);
        }
    }

    /// Its queue towards the peer.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What went in and out so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl<In> Drop for Session<In> {
    fn drop(&mut self) {
        // What the transport did not take any more.
        self.outbox.left(self.unsent());
    }
}

impl<In> Session<In> {
    /// Bytes in the transport's hands that it has not taken.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.sending.iter().map(Bytes::len).sum()
    }
}

impl<In> std::fmt::Debug for Session<In> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("outbox", &self.outbox)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
