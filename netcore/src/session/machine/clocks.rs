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

    /// Nothing more is read, and the clocks stop: all but that of a log-in, if the game is to have the rest of its time.
    pub(crate) fn end_input(&mut self, now: Instant, login: bool) {
        self.resume(now);
        self.pause(now);
        self.ended = login;
    }

    /// Every deadline that runs. A silence of the peer counts only while we read.
    fn deadlines(&self) -> impl Iterator<Item = (Instant, Deadline)> {
        let limits = &*self.limits;
        let close = |since: Instant, time: Option<Duration>, reason: fn(Duration) -> CloseReason| {
            let time = time?;
            Some((since.checked_add(time)?, Deadline::Close(reason(time))))
        };
        let stalled = self.waiting.and_then(|since| close(since, Some(limits.stall), CloseReason::Stalled));
        let login = if self.admitted { None } else { limits.login };
        let login = close(self.opened, login, CloseReason::Login);
        let mut heard = [const { None }; 5];
        if self.ended {
            heard = [None, login, None, None, None];
        } else if self.paused.is_none() {
            let first = if self.fresh { limits.first_packet } else { None };
            heard = [
                close(self.opened, first, CloseReason::FirstPacket),
                login,
                self.unfinished.and_then(|since| close(since, limits.unfinished, CloseReason::Unfinished)),
                close(self.received, limits.idle_time(), CloseReason::Idle),
                limits.heartbeat.as_ref().and_then(|heartbeat| {
                    let since = self.pinged.unwrap_or(self.received).max(self.received);
                    Some((since.checked_add(heartbeat.every)?, Deadline::Ping))
                }),
            ];
        }
        let closing = self.closing.and_then(|since| close(since, Some(limits.flush), CloseReason::Unflushed));
        heard.into_iter().chain([stalled, closing]).flatten()
    }

    /// Whether no deadline runs: what is true of most sessions most of the time, told without looking at the clock.
    fn is_timeless(&self) -> bool {
        let limits = &*self.limits;
        let heard = (self.paused.is_some() && (self.admitted || !self.ended))
            || (!(self.fresh && limits.first_packet.is_some())
                && self.admitted
                && self.unfinished.is_none()
                && limits.idle_time().is_none()
                && limits.heartbeat.is_none());
        heard && self.waiting.is_none() && self.closing.is_none()
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
