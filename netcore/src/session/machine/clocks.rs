//! A session's deadlines, and its heartbeat.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::Session;
use crate::session::{CloseReason, Fault, FaultKind, Inbound, Moment, Slow};
use crate::{Frame, FrameCodec};

impl<In> Session<In> {
    /// Does what is due `now`.
    ///
    /// # Errors
    /// When a deadline has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), CloseReason> {
        let mut ping = false;
        for (due, deadline) in self.deadlines() {
            match deadline {
                _ if due > now => {}
                Deadline::Close(reason) => return Err(reason),
                Deadline::Ping => ping = true,
            }
        }
        if ping {
            self.ping(now);
        }
        Ok(())
    }

    fn ping(&mut self, now: Instant) {
        self.pinged = Some(now);
        if let Some(heartbeat) = &self.limits.heartbeat {
            let mut ping = BytesMut::new();
            // Too long for the wire, it cannot be sent; the idle deadline will say so.
            let _ = FrameCodec::new().encode_frame(&heartbeat.ping, &mut ping);
            self.outbox.push(&ping, Slow::DropNewest);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, as things are; `None`: no deadline runs.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_timeless() { None } else { self.deadlines().map(|(due, _)| due).min() }
    }

    /// Stops the clocks: from now on the caller does not read, because the game does not keep up.
    pub fn pause(&mut self, now: impl Moment) {
        self.paused.get_or_insert_with(|| now.now());
    }

    /// Lets the clocks run again.
    pub fn resume(&mut self, now: impl Moment) {
        let Some(since) = self.paused.take() else { return };
        let stood = now.now().saturating_duration_since(since);
        self.opened += stood;
        self.received += stood;
        for clock in [&mut self.unfinished, &mut self.pinged] {
            *clock = clock.map(|at| at + stood);
        }
    }

    /// Nothing more is read, and the clocks stop: all but that of a log-in, whose rest the game has. `late`: that is over; the
    /// game has a `linger` for its last words then, and whether it had that already is the answer.
    pub(crate) fn end_input(&mut self, now: Instant, late: bool) -> bool {
        self.resume(now);
        self.pause(now);
        self.ended = true;
        let was_late = self.late.is_some();
        if late {
            self.late.get_or_insert(now);
        }
        was_late
    }

    /// When somebody is to have logged in.
    pub(crate) fn login_due(&self) -> Option<Instant> {
        let time = if self.admitted { None } else { self.limits.login };
        self.opened.checked_add(time?)
    }

    /// Whether the time for a log-in runs: also when nothing more is read, but not once it is closed, from when on `flush` is
    /// what it has.
    fn logs_in(&self) -> bool {
        !self.admitted && (self.paused.is_none() || self.ended) && !self.outbox.is_closed()
    }

    /// Every deadline that runs. A silence of the peer counts only while we read.
    fn deadlines(&self) -> impl Iterator<Item = (Instant, Deadline)> {
        let limits = &*self.limits;
        let close = |since: Instant, time: Option<Duration>, reason: fn(Duration) -> CloseReason| {
            let time = time?;
            Some((since.checked_add(time)?, Deadline::Close(reason(time))))
        };
        let stalled = self.waiting.and_then(|since| close(since, Some(limits.stall), CloseReason::Stalled));
        let logs_in = self.logs_in();
        let late = self.late.map_or(self.login_due(), |since| since.checked_add(limits.linger));
        let late = late.filter(|_| logs_in).zip(limits.login);
        let login = late.map(|(due, time)| (due, Deadline::Close(CloseReason::Login(time))));
        let mut heard = [const { None }; 4];
        if self.paused.is_none() {
            let first = if self.fresh { limits.first_packet } else { None };
            heard = [
                close(self.opened, first, CloseReason::FirstPacket),
                self.unfinished.and_then(|since| close(since, limits.unfinished, CloseReason::Unfinished)),
                close(self.received, limits.idle_time(), CloseReason::Idle),
                limits.heartbeat.as_ref().and_then(|heartbeat| {
                    let since = self.pinged.unwrap_or(self.received).max(self.received);
                    Some((since.checked_add(heartbeat.every)?, Deadline::Ping))
                }),
            ];
        }
        let closing = self.closing.and_then(|since| close(since, Some(limits.flush), CloseReason::Unflushed));
        heard.into_iter().chain([login, stalled, closing]).flatten()
    }

    /// Whether no deadline runs: what is true of most sessions most of the time, told without looking at the clock.
    fn is_timeless(&self) -> bool {
        let limits = &*self.limits;
        let heard = self.paused.is_some()
            || (!(self.fresh && limits.first_packet.is_some())
                && self.unfinished.is_none()
                && limits.idle_time().is_none()
                && limits.heartbeat.is_none());
        heard && !self.logs_in() && self.waiting.is_none() && self.closing.is_none()
    }

    /// Answers pings and takes out pongs. Their ids are not the game's, so they are among the unknown ones.
    pub(super) fn beats(&mut self, batch: &mut Inbound<In>) {
        let Some(heartbeat) = &self.limits.heartbeat else { return };
        let outbox = &self.outbox;
        batch.packets.retain(|packet| {
            let Err(fault) = packet else { return true };
            match Fault::kind(fault) {
                FaultKind::Unknown(frame) if frame.id == heartbeat.pong => false,
                FaultKind::Unknown(frame) if frame.id == heartbeat.ping.id => {
                    let pong = Frame { id: heartbeat.pong, ..frame.clone() };
                    let mut bytes = BytesMut::new();
                    if FrameCodec::new().encode_frame(&pong, &mut bytes).is_ok() {
                        outbox.push(&bytes, Slow::DropNewest);
                    }
                    false
                }
                _ => true,
            }
        });
    }
}

enum Deadline {
    Close(CloseReason),
    Ping,
}
