//! Sending to one session.

use std::fmt;
use std::future::{Future, poll_fn};
use std::task::{Poll, ready};

use bytes::BytesMut;
use tracing::error;

use super::encoding::Encoding;
use super::turn;
use crate::EncodeError;
use crate::session::{CloseReason, Outbox, SessionId, Slow, Verdict};

/// A packet was not sent. A reason of a close becomes one by `?`, so that a session's task that receives and sends can
/// return it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The session is closing or gone.
    #[error("the session is closed: {0}")]
    Closed(CloseReason),
    /// The peer reads too slowly, and the packet's policy is to be dropped.
    #[error("dropped, because the peer reads too slowly")]
    Dropped,
    /// It cannot be encoded: a mistake of ours.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl From<CloseReason> for SendError {
    fn from(reason: CloseReason) -> Self {
        Self::Closed(reason)
    }
}

/// Sends to one session, from anywhere. Cheap to clone; it does not keep the session open.
pub struct Sender<Out> {
    id: SessionId,
    outbox: Outbox,
    pub(super) encoding: Encoding<Out>,
}

impl<Out> Sender<Out> {
    pub(super) const fn new(id: SessionId, outbox: Outbox, encoding: Encoding<Out>) -> Self {
        Self { id, outbox, encoding }
    }

    /// Sends a packet: it is queued at once, and goes out by itself.
    ///
    /// # Errors
    /// [`SendError`] says why it was not queued.
    pub fn send(&self, packet: &Out) -> Result<(), SendError> {
        if turn::stage(&self.outbox, &self.encoding, packet) { Ok(()) } else { self.send_closely(packet) }
    }

    #[inline(never)]
    fn send_closely(&self, packet: &Out) -> Result<(), SendError> {
        let mut error = None;
        let verdict = turn::send(&self.outbox, &self.encoding, packet, &mut error);
        self.said(verdict, error)
    }

    /// A packet as it goes out, and what becomes of it if the peer is slow: for who sends where the game's own code must not
    /// run.
    pub(super) fn encode(&self, packet: &Out) -> Result<(BytesMut, Slow), SendError> {
        let mut bytes = BytesMut::new();
        match self.encoding.append(packet, &mut bytes) {
            Ok(()) => Ok((bytes, self.encoding.slow(packet))),
            Err(error) => Err(self.unsent(Verdict::Refused, Some(error))),
        }
    }

    /// Sends what was [encoded](Self::encode).
    pub(super) fn send_encoded(&self, (bytes, slow): &(BytesMut, Slow)) -> Result<(), SendError> {
        turn::flush(&self.outbox);
        self.said(self.outbox.push(bytes, *slow), None)
    }

    /// Waits until at most half of the queue's bound is taken and the packet has room, then sends. A packet that is larger
    /// than the bound is not waited for: it is sent as [`send`](Self::send) does.
    ///
    /// Cancel-safe: when the future is dropped, the packet was not sent.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_wait(&self, packet: &Out) -> impl Future<Output = Result<(), SendError>> {
        let (mut need, mut room) = (0, self.outbox.for_room());
        poll_fn(move |cx| {
            loop {
                let (mut error, outbox) = (None, &self.outbox);
                let verdict = turn::send_if_room(outbox, &self.encoding, packet, &mut error, &mut need);
                if let Some(verdict) = verdict {
                    return Poll::Ready(self.said(verdict, error));
                }
                ready!(room.poll(cx, need));
            }
        })
    }

    /// Which session it sends to.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Bytes that wait for the peer.
    #[must_use]
    pub fn queued(&self) -> usize {
        turn::flush(&self.outbox);
        self.outbox.queued()
    }

    /// Packets that were dropped because the peer reads too slowly.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.outbox.dropped()
    }

    #[inline]
    fn said(&self, verdict: Verdict, error: Option<EncodeError>) -> Result<(), SendError> {
        if let Verdict::Queued = verdict { Ok(()) } else { Err(self.unsent(verdict, error)) }
    }

    #[cold]
    fn unsent(&self, verdict: Verdict, error: Option<EncodeError>) -> SendError {
        match (verdict, error) {
            (_, Some(error)) => {
                error!(session = %self.id, %error, "a packet does not encode");
                SendError::Encode(error)
            }
            (Verdict::Closed, None) => SendError::Closed(self.outbox.closed().unwrap_or(CloseReason::Ended)),
            _ => SendError::Dropped,
        }
    }
}

impl<Out> Clone for Sender<Out> {
    fn clone(&self) -> Self {
        // From here on the order of sends is that of several senders: each goes to the outbox at once.
        self.outbox.share();
        turn::flush(&self.outbox);
        Self { id: self.id, outbox: self.outbox.clone(), encoding: self.encoding.clone() }
    }
}

impl<Out> fmt::Debug for Sender<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("id", &self.id).finish_non_exhaustive()
    }
}
