//! Two sessions joined by pipes, on a clock that only the caller moves: the same each time.

mod end;
mod side;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::pipe::{Arrival, Pipe};
use super::{CloseReason, Fault, Limits, Outbox, Session, Slow, Total, Verdict};
use crate::{Frame, FrameCodec};
use end::End;
pub use side::Side;

/// Two sessions, each the other's peer. Both are driven as the runtime drives one: they are polled when their waker was
/// called, when their pipe has room again, when bytes have come and when a deadline has, and not otherwise, so that a
/// waker that is not called shows as bytes that stay where they are.
///
/// ```text
///  Left.outbox ─▶ Left.session ─▶ pipe(Left) ─▶ Right.session ─▶ received(Right)
///  received(Left) ◀─ Left.session ◀─ pipe(Right) ◀─ Right.session ◀─ Right.outbox
/// ```
#[derive(Debug)]
pub struct Pair {
    now: Instant,
    began: Instant,
    ends: [End; 2],
    // What each of them writes into.
    pipes: [Pipe; 2],
    total: Arc<Total>,
    told: Arc<AtomicUsize>,
}

impl Pair {
    /// Two sessions with these limits, that begin now. The seed says how the pipes cut.
    #[must_use]
    pub fn new(left: Limits, right: Limits, seed: u64) -> Self {
        Self::within(left, right, seed, usize::MAX)
    }

    /// Two sessions whose queues together hold at most `max` bytes.
    #[must_use]
    pub fn within(left: Limits, right: Limits, seed: u64, max: usize) -> Self {
        let now = Instant::now();
        let told = Arc::new(AtomicUsize::new(0));
        let counter = told.clone();
        let total = Arc::new(Total::new(max, move |_| {
            counter.fetch_add(1, Relaxed);
            false
        }));
        let ends = [left, right].map(|limits| End::new(limits, total.clone(), now));
        Self { now, began: now, ends, pipes: [Pipe::new(seed), Pipe::new(!seed)], total, told }
    }

    /// How long they have been running.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - self.began
    }

    /// What that side writes into.
    pub fn pipe(&mut self, side: Side) -> &mut Pipe {
        &mut self.pipes[side as usize]
    }

    /// The queue of that side.
    #[must_use]
    pub fn outbox(&self, side: Side) -> &Outbox {
        &self.end(side).outbox
    }

    /// Whether that side sends or answers heartbeats.
    #[must_use]
    pub fn beats(&self, side: Side) -> bool {
        self.end(side).session.limits().heartbeat.is_some()
    }

    /// The machine of that side.
    #[must_use]
    pub fn session(&self, side: Side) -> &Session<Frame> {
        &self.end(side).session
    }

    /// Queues a packet.
    ///
    /// # Panics
    /// When the packet is too long for the wire.
    pub fn send(&self, side: Side, frame: &Frame, slow: Slow) -> Verdict {
        let mut bytes = BytesMut::new();
        FrameCodec::new().encode_frame(frame, &mut bytes).unwrap();
        self.outbox(side).push(&bytes, slow)
    }

    /// Puts bytes behind what that side has written, past its session: a peer that does as it likes.
    pub fn inject(&mut self, side: Side, bytes: &[u8]) {
        let now = self.now;
        self.pipe(side).put(now, Bytes::copy_from_slice(bytes));
    }

    /// What that side has received.
    #[must_use]
    pub fn received(&self, side: Side) -> &[Frame] {
        &self.end(side).received
    }

    /// What came to that side in place of packets.
    #[must_use]
    pub fn faults(&self, side: Side) -> &[Fault] {
        &self.end(side).faults
    }

    /// Whether that side's game takes nothing in: then nothing is read.
    pub fn slow_game(&mut self, side: Side, slow: bool) {
        self.end_mut(side).game_is_slow = slow;
    }

    /// That side does not close by itself when the other has: it may still have something to say.
    pub fn stay_open(&mut self, side: Side) {
        self.end_mut(side).stays_open = true;
    }

    /// That side's game has let the peer in.
    pub fn admit(&mut self, side: Side) {
        self.end_mut(side).session.admit();
    }

    /// Closes: what is queued goes out first.
    pub fn close(&self, side: Side, reason: CloseReason) {
        self.outbox(side).close(reason);
    }

    /// Closes and throws away what is queued.
    pub fn abort(&self, side: Side, reason: CloseReason) {
        self.outbox(side).abort(reason);
    }

    /// Closes, and still reads what the other side says.
    pub fn half_close(&mut self, side: Side, reason: CloseReason) {
        self.end_mut(side).reads_on = true;
        self.close(side, reason);
    }

    /// Both sessions go: what each queue still holds then, and what the server's account says once they are gone too.
    #[must_use]
    pub fn dissolve(self) -> [usize; 3] {
        let outboxes = self.ends.each_ref().map(|end| end.outbox.clone());
        drop(self.ends);
        let [left, right] = outboxes.map(|outbox| outbox.queued());
        [left, right, self.total.queued()]
    }

    /// The connection breaks, for both.
    pub fn reset(&mut self) {
        self.pipes.iter_mut().for_each(Pipe::reset);
    }

    /// Why that side reads no more.
    #[must_use]
    pub fn ended(&self, side: Side) -> Option<CloseReason> {
        self.end(side).ended
    }

    /// Why that side writes no more.
    #[must_use]
    pub fn finished(&self, side: Side) -> Option<CloseReason> {
        self.end(side).finished
    }

    /// What both have queued, by the server's account.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total.queued()
    }

    /// How often the server was told that the queues are over their bound.
    #[must_use]
    pub fn told(&self) -> usize {
        self.told.load(Relaxed)
    }

    /// The clock goes on, and what is due on the way happens when it is due.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn advance(&mut self, time: Duration) {
        let until = self.now + time;
        self.run();
        while let Some(next) = self.next_event().filter(|next| *next <= until) {
            self.now = next;
            self.run();
        }
        self.now = until;
        self.run();
    }

    /// Does everything that can be done at this instant.
    ///
    /// # Panics
    /// When bytes wait that could go out, and nobody was told.
    pub fn run(&mut self) {
        let sides = [Side::Left, Side::Right];
        let step = |pair: &mut Self, side| pair.write(side) | pair.read(side) | pair.keep_time(side);
        let mut steps = 0_u32;
        while sides.into_iter().fold(false, |moved, side| step(self, side) | moved) {
            steps += 1;
            assert!(steps < 10_000_000, "it goes round in circles");
        }
        for side in sides {
            let (end, room) = (self.end(side), self.pipes[side as usize].room());
            let queued = end.outbox.queued();
            assert!(queued <= end.outbox.limit(), "{side:?}: {queued} bytes are queued");
            // What the pipe did not take before the end stays the session's until it goes.
            let waits = end.blocked && room == 0;
            let given_up = end.finished.is_some() && queued == end.session.unsent();
            assert!(queued == 0 || waits || given_up, "{side:?}: {queued} bytes were forgotten");
            assert!(
                end.outbox.closed().is_none() || end.finished.is_some() || queued > 0,
                "{side:?}: the close was forgotten"
            );
            let due = end.session.poll_timeout().filter(|_| end.finished.is_none());
            assert!(due.is_none_or(|due| due > self.now), "{side:?}: a deadline was forgotten");
        }
        assert_eq!(self.total(), self.ends.iter().map(|end| end.outbox.queued()).sum::<usize>());
    }

    /// Writes until nothing waits or the pipe is full.
    fn write(&mut self, side: Side) -> bool {
        let (now, pipe) = (self.now, &mut self.pipes[side as usize]);
        let end = &mut self.ends[side as usize];
        if end.finished.is_some() {
            return false;
        }
        let called = end.woken.0.swap(false, Relaxed);
        if !called && !(end.blocked && (pipe.room() > 0 || pipe.is_reset())) {
            return false;
        }
        loop {
            let chunks = match end.session.poll_output(now, &end.waker) {
                Ok(chunks) => chunks,
                Err(reason) => {
                    end.finish(now, reason, pipe);
                    return true;
                }
            };
            if chunks.is_empty() {
                end.session.handle_blocked(now, false, &end.waker);
                end.blocked = false;
                return true;
            }
            match pipe.write(now, chunks) {
                Err(kind) => {
                    end.outbox.abort(kind.into());
                    end.finish(now, kind.into(), pipe);
                    return true;
                }
                Ok(0) => {
                    end.session.handle_blocked(now, true, &end.waker);
                    end.blocked = true;
                    if let Some(reason) = end.outbox.given_up() {
                        end.finish(now, reason, pipe);
                    }
                    return true;
                }
                Ok(len) => end.session.handle_written(now, len),
            }
        }
    }

    /// Reads what has come, once.
    fn read(&mut self, side: Side) -> bool {
        let (now, pipe) = (self.now, &mut self.pipes[side.other() as usize]);
        let end = &mut self.ends[side as usize];
        if end.ended.is_some() || (end.finished.is_some() && !end.reads_on) {
            // Once all is said, input is discarded for a while, so that the other side can go on writing.
            return end.discards_until.is_some_and(|until| now <= until) && pipe.read(now).moved();
        }
        if end.game_is_slow {
            end.session.pause(now);
            return false;
        }
        end.session.resume(now);
        let fresh = if std::mem::take(&mut end.more) {
            0
        } else {
            match pipe.read(now) {
                Arrival::Nothing => return false,
                Arrival::Bytes(bytes) => {
                    end.input.extend_from_slice(&bytes);
                    bytes.len()
                }
                Arrival::End => {
                    let reason = end.session.handle_end(&end.input);
                    end.end(now, reason);
                    return true;
                }
                Arrival::Reset(kind) => {
                    end.outbox.abort(kind.into());
                    end.end(now, kind.into());
                    return true;
                }
            }
        };
        let result = end.session.handle_bytes(now, &mut end.input, fresh, &mut end.batch);
        end.more = end.batch.is_full();
        for packet in end.batch.by_ref() {
            match packet {
                Ok(frame) => end.received.push(frame),
                Err(fault) => end.faults.push(fault),
            }
        }
        if let Err(reason) = result {
            end.end(now, reason);
        }
        true
    }

    fn keep_time(&mut self, side: Side) -> bool {
        let (now, end) = (self.now, &mut self.ends[side as usize]);
        if end.finished.is_some() || end.session.poll_timeout().is_none_or(|due| due > now) {
            return false;
        }
        if let Err(reason) = end.session.handle_timeout(now) {
            end.end(now, reason);
            if reason.is_cut() {
                end.outbox.abort(reason);
                end.finish(now, reason, &mut self.pipes[side as usize]);
            }
        }
        true
    }

    /// When something will happen by itself.
    fn next_event(&self) -> Option<Instant> {
        let deadlines = self.ends.iter().filter(|end| end.finished.is_none());
        let deadlines = deadlines.filter_map(|end| end.session.poll_timeout());
        let arrivals = self.pipes.iter().filter_map(|pipe| pipe.next_arrival());
        deadlines.chain(arrivals).filter(|at| *at > self.now).min()
    }

    fn end(&self, side: Side) -> &End {
        &self.ends[side as usize]
    }

    fn end_mut(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }
}
