//! What a session takes in: packets, and what came in place of one.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::CloseReason;
use crate::{BodyError, Frame, FrameError, LineError, PacketId};

/// Cuts one session's bytes into packets. A door's [`Adapter`](crate::Adapter) makes one for each session.
pub trait Decode<In>: Send {
    /// Takes whole packets from the front of `input` and adds them to `batch`, until the batch is full or the rest of
    /// `input` is no whole packet. The rest stays.
    ///
    /// # Errors
    /// When the stream does not frame. What was added before it is handled first; it is not called again.
    fn decode(&mut self, input: &mut BytesMut, batch: &mut Inbound<In>) -> Result<(), FrameError>;

    /// Says whether the stream may end here; `rest` is what is left after the last packet.
    ///
    /// # Errors
    /// [`FrameError::EndInsidePacket`], mostly.
    fn finish(&mut self, rest: &[u8]) -> Result<(), FrameError>;
}

/// One batch of packets on the way to the game: those of one read, at most [`Inbound::MAX`].
#[derive(Debug)]
pub struct Inbound<In> {
    pub(crate) packets: VecDeque<Result<In, Fault>>,
    pub(crate) tiny_under: u16,
    pub(crate) tiny: u32,
    // What the packets took of the stream.
    pub(crate) bytes: usize,
    room: usize,
    fresh: u32,
}

impl<In> Inbound<In> {
    /// The most packets of a batch: it bounds the memory between socket and game where a read holds thousands of
    /// five-byte packets.
    pub const MAX: usize = 256;

    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self { packets: VecDeque::new(), tiny_under: 0, tiny: 0, bytes: 0, room: Self::MAX, fresh: 0 }
    }

    /// Whether there is no room for another packet.
    #[must_use]
    #[inline]
    pub fn is_full(&self) -> bool {
        self.packets.len() >= self.room
    }

    /// Adds a packet that took `size` bytes of the stream.
    #[inline]
    pub fn push(&mut self, packet: Result<In, Fault>, size: usize) {
        self.tiny += u32::from(size < usize::from(self.tiny_under));
        self.bytes += size;
        self.packets.push_back(packet);
    }

    /// How many packets wait in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(crate) fn begin(&mut self, tiny_under: u16) {
        self.tiny_under = tiny_under;
        self.tiny = 0;
        self.fresh = u32::try_from(self.packets.len()).unwrap_or(u32::MAX);
        self.room = self.packets.len() + Self::MAX;
    }

    /// How many were added since `begin`.
    pub(crate) fn added(&self) -> u32 {
        u32::try_from(self.packets.len()).unwrap_or(u32::MAX).saturating_sub(self.fresh)
    }
}

impl<In> Default for Inbound<In> {
    fn default() -> Self {
        Self::new()
    }
}

impl<In> Iterator for Inbound<In> {
    type Item = Result<In, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.packets.pop_front()
    }
}

/// What came in place of a packet. It reaches the game in order with the packets around it; unless the game takes it
/// upon itself, the session is closed (or, on a text door, the person is told).
///
/// One pointer in size: beside a packet it costs nothing.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Fault(Box<FaultKind>);

/// Why there is no packet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// A packet whose id the game does not know.
    #[error("packet id {} is not known", .0.id)]
    Unknown(Frame),
    /// A packet whose body does not decode.
    #[error("the body of packet {id} does not decode: {error}")]
    Malformed {
        /// Its id.
        id: PacketId,
        /// What is wrong with it.
        error: BodyError,
        /// The body as it came.
        body: Bytes,
    },
    /// A line that cannot be read.
    #[error(transparent)]
    Line(LineError),
    /// A line, or packet, that the door's adapter refused, in words for the one who sent it.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// A refusal in words, for an adapter.
    #[must_use]
    pub fn refused(words: impl Into<String>) -> Self {
        FaultKind::Refused(words.into()).into()
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> &FaultKind {
        &self.0
    }

    /// What it is, by value.
    #[must_use]
    pub fn into_kind(self) -> FaultKind {
        *self.0
    }

    /// Why the session is closed over it, if it is.
    #[must_use]
    pub fn reason(&self) -> CloseReason {
        match &*self.0 {
            FaultKind::Unknown(frame) => CloseReason::Unknown(frame.id),
            FaultKind::Malformed { id, .. } => CloseReason::Malformed(*id),
            FaultKind::Line(_) | FaultKind::Refused(_) => CloseReason::BadLine,
        }
    }
}

impl From<FaultKind> for Fault {
    #[cold]
    fn from(kind: FaultKind) -> Self {
        Self(Box::new(kind))
    }
}
