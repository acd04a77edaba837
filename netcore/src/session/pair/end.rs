//! One of two sessions that are joined: what the runtime has beside a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Wake, Waker};
use std::time::Instant;

use bytes::BytesMut;

use super::super::pipe::Pipe;
use super::super::{CloseReason, Decode, Fault, FaultKind, Inbound, Limits, Outbox, Session, Total};
use crate::{Frame, FrameCodec, FrameError};

#[derive(Debug)]
pub(super) struct End {
    pub(super) session: Session<Frame>,
    pub(super) outbox: Outbox,
    pub(super) woken: Arc<Woken>,
    pub(super) waker: Waker,
    pub(super) blocked: bool,
    pub(super) input: BytesMut,
    pub(super) batch: Inbound<Frame>,
    // The last batch was full: there may be whole packets in the input.
    pub(super) more: bool,
    pub(super) received: Vec<Frame>,
    pub(super) faults: Vec<Fault>,
    pub(super) game_is_slow: bool,
    pub(super) stays_open: bool,
    pub(super) reads_on: bool,
    pub(super) ended: Option<CloseReason>,
    pub(super) finished: Option<CloseReason>,
    pub(super) discards_until: Option<Instant>,
}

impl End {
    pub(super) fn new(limits: Limits, total: Arc<Total>, now: Instant) -> Self {
        let outbox = Outbox::within(limits.queue, Some(total));
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self {
            session: Session::new(Arc::new(limits), Box::new(Frames(FrameCodec::new())), outbox.clone(), now),
            outbox,
            waker: woken.clone().into(),
            woken,
            blocked: false,
            input: BytesMut::new(),
            batch: Inbound::new(),
            more: false,
            received: Vec::new(),
            faults: Vec::new(),
            game_is_slow: false,
            stays_open: false,
            reads_on: false,
            ended: None,
            finished: None,
            discards_until: None,
        }
    }

    /// Nothing is read any more.
    pub(super) fn end(&mut self, now: Instant, reason: CloseReason) {
        self.ended.get_or_insert(reason);
        self.session.pause(now);
        self.input.clear();
        if !self.stays_open {
            self.outbox.close(reason);
        }
    }

    /// Nothing is written any more.
    pub(super) fn finish(&mut self, now: Instant, reason: CloseReason, pipe: &mut Pipe) {
        self.finished = Some(reason);
        if !self.reads_on {
            self.ended.get_or_insert(reason);
        }
        self.blocked = false;
        self.discards_until = now.checked_add(self.session.limits().linger);
        pipe.end(now);
    }
}

/// Frames as they are. Ids from 60,000 on are nobody's, so that a heartbeat's can be among them.
#[derive(Debug)]
struct Frames(FrameCodec);

impl Decode<Frame> for Frames {
    fn decode(&mut self, input: &mut BytesMut, batch: &mut Inbound<Frame>) -> Result<(), FrameError> {
        while !batch.is_full() {
            let Some(frame) = self.0.decode_frame(input)? else { break };
            let size = frame.body.len() + crate::Header::LEN;
            let known = frame.id.0 < 60_000;
            batch.push(if known { Ok(frame) } else { Err(FaultKind::Unknown(frame).into()) }, size);
        }
        Ok(())
    }

    fn finish(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        self.0.finish(rest)
    }
}

#[derive(Debug)]
pub(super) struct Woken(pub(super) AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}
