//! What a link reads, on its way to the game.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use super::super::peer::{Admission, Room};
use super::super::spare;
use super::super::time::{Timer, YEARS};
use super::super::transport;
use super::{Link, Transport};
use crate::session::{Clock, CloseReason};

impl<In: 'static, T: Transport> Link<In, T> {
    /// Reads until whole packets have come, and delivers them. The error is the end of the input.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, clock: &Clock) -> Result<bool, CloseReason> {
        self.look_at_admission(clock);
        let (limits, outbox) = (self.session.limits(), &self.peer.outbox);
        let broke = !self.is_writing();
        // Tried again when some of it has been written: that is this task's own doing.
        let ahead = limits.backpressure && !broke && outbox.queued() > outbox.limit() / 2;
        if broke {
            // Else the write before has left the waker there. Not once it is full: room may be made meanwhile.
            outbox.listen(cx.waker());
        }
        match self.peer.room(limits.inbox, limits.inbox_bytes) {
            Room::Free if !ahead => self.is_full = false,
            Room::Ended(reason) => return Err(reason),
            Room::Full | Room::Free => {
                if !std::mem::replace(&mut self.is_full, true) {
                    self.stats.inbox_full.fetch_add(1, Relaxed);
                }
                // Not the peer's slowness to speak: its clocks stand still. The game calls when there is room again, by
                // the outbox's waker.
                self.session.pause(clock);
                return Ok(false);
            }
        }
        self.session.resume(clock);
        loop {
            let fresh = match self.fill(cx) {
                Poll::Pending => {
                    self.session.handle_silence(clock);
                    return Ok(false);
                }
                Poll::Ready(result) => result?,
            };
            if self.batch.packets.memory() == 0 {
                self.batch.packets = spare::take();
                self.batch.packets.reserve(self.usual);
            }
            let before = self.session.counts().packets_in;
            let Self { session, batch, input, .. } = self;
            let share = input.is_much(fresh);
            batch.share(share);
            let apart = !share && session.always_shares();
            let result = input.decode(apart, |input| session.handle_bytes(clock, input, fresh, batch));
            self.tell_rates();
            self.more = self.batch.is_full();
            let count = self.batch.len();
            self.deliver(cx, count);
            result?;
            // Also where none is left of them, dropped by a rate or answered: they are work, of which others wait for the end.
            if self.session.counts().packets_in != before {
                return Ok(true);
            }
        }
    }

    /// Takes over what the game has said of its admission.
    #[inline]
    pub(super) fn look_at_admission(&mut self, clock: &Clock) {
        let admission = self.peer.admission();
        if admission != self.admission {
            self.take_admission(admission, clock);
        }
    }

    #[cold]
    fn take_admission(&mut self, admission: Admission, clock: &Clock) {
        let last = std::mem::replace(&mut self.admission, admission);
        if !admission.is_of(last) {
            self.session.admit_anew(clock);
        }
        if admission.is_given() {
            self.session.admit();
        }
    }

    /// Reads once behind what is left of the last read, unless there may be whole packets in that. The error is the end.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, CloseReason>> {
        if std::mem::take(&mut self.more) {
            return Poll::Ready(Ok(0));
        }
        let chunk = self.session.limits().read_chunk;
        match self.input.read(&mut self.transport, cx, chunk) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0)) => {
                self.read_ended = true;
                Poll::Ready(Err(self.session.handle_end(self.input.bytes())))
            }
            Poll::Ready(Ok(len)) => {
                self.stats.traffic.bytes_in(len);
                Poll::Ready(Ok(len))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.read_failed(&error))),
        }
    }

    #[cold]
    fn read_failed(&mut self, error: &io::Error) -> CloseReason {
        let reason = transport::reason(error);
        // A peer that breaks the rules of its messages still takes what is owed to it.
        if !matches!(reason, CloseReason::WebSocket(_)) {
            self.read_ended = true;
            self.peer.outbox.abort(reason);
        }
        reason
    }

    /// Whether, of a connection that broke, all was read that had come, or as much as anybody waits for.
    #[cold]
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>, read: u64) -> bool {
        // Who inspects, and no more, waits for what is behind it.
        let ignored = self.inspect.is_none() && self.peer.is_abandoned();
        if ignored || self.session.counts().bytes_in - read > HAD_COME {
            return true;
        }
        if self.is_full {
            // That is the game's time, of which there is so much before a log-in.
            self.timer = self.session.login_due().map(|due| Timer::new(tokio::time::Instant::from_std(due)));
            return self.timer.as_mut().is_some_and(|timer| timer.poll(cx).is_ready());
        }
        // Nothing may also mean that the runtime has not looked at the socket yet: what has come, and the end, it will say.
        // Not a stream whose other half lives on, which would be read for as long as its peer likes.
        let linger = self.session.limits().linger.min(YEARS);
        let until = tokio::time::Instant::now() + linger;
        let timer =
            self.timer.take().filter(|timer| timer.due() <= until).unwrap_or_else(|| Timer::new(until));
        self.timer.insert(timer).poll(cx).is_ready()
    }

    /// Counts what was over a rate since it was counted last.
    fn tell_rates(&mut self) {
        let counts = self.session.counts();
        let all = (counts.rate_dropped, counts.rate_warned);
        let told = std::mem::replace(&mut self.told, all);
        if told != all {
            self.stats.rate_dropped.fetch_add(all.0 - told.0, Relaxed);
            self.stats.rate_warned.fetch_add(all.1 - told.1, Relaxed);
        }
    }

    /// Hands the batch to the game.
    fn deliver(&mut self, cx: &mut Context<'_>, count: usize) {
        if count == 0 {
            self.batch.bytes = 0;
            return;
        }
        self.usual = count;
        self.stats.traffic.packets_in(count);
        if let Some(inspect) = &mut self.inspect {
            inspect(Ok(&mut self.batch));
            if self.batch.is_empty() {
                // All of it was answers, which wait for nobody. If only some was, their bytes have left with them.
                self.batch.bytes = 0;
                return;
            }
        }
        self.peer.deliver(&mut self.batch, cx.waker());
        spare::give(&mut self.batch.packets);
    }
}

/// More than a socket holds: what is read behind so much of a connection that broke had not come by then.
const HAD_COME: u64 = 8 * 1024 * 1024;
