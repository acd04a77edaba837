//! What a session takes in: packets, and what came in place of one.

mod sift;

use std::time::Instant;

use bytes::{Bytes, BytesMut};

use self::sift::Size;
use super::marks::Marks;
use super::moment::Later;
use super::{CloseReason, Meter, Moment, Sequence};
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

    /// Whether packets keep slices of `input` although [`Inbound::may_share`] says that they should not. What a read brought is
    /// then decoded from memory of its own where it is little: a slice would else keep the whole read buffer.
    fn always_shares(&self) -> bool {
        true
    }
}

/// One batch of packets on the way to the game: those of one read, at most [`Inbound::MAX`].
#[derive(Debug)]
pub struct Inbound<In> {
    pub(crate) packets: Sequence<In>,
    // What the packets took of the stream.
    pub(crate) bytes: usize,
    // Packets under that size are looked at: those that may be tiny, or all where each pays for its bytes.
    look_under: usize,
    tiny_under: u16,
    // Which of the packets since `begin` were tiny.
    tiny: Marks,
    // Those of each of them, where they are asked for; and whether they are in each batch, whatever its session asks for.
    sizes: Option<Vec<Size>>,
    weighs: bool,
    room: usize,
    shares: bool,
    // How many there were at `begin`, and how many bytes.
    before: usize,
    // When the session took in what is decoded.
    when: Option<Later>,
    bytes_before: usize,
    // Who counts them.
    pub(crate) meter: Meter,
}

impl<In> Inbound<In> {
    /// The most packets of a batch: it bounds the memory between socket and game where a read holds thousands of
    /// five-byte packets.
    pub const MAX: usize = MAX;

    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            packets: Sequence::new(),
            bytes: 0,
            look_under: 0,
            tiny_under: 0,
            tiny: Marks::NONE,
            sizes: None,
            weighs: false,
            room: MAX,
            shares: true,
            before: 0,
            when: None,
            bytes_before: 0,
            meter: Meter::NONE,
        }
    }

    /// Whether there is no room for another packet, or was none when bytes were last decoded into it: then more packets
    /// may wait among the bytes, although some of the batch were taken out since.
    #[must_use]
    #[inline]
    pub fn is_full(&self) -> bool {
        self.packets.len() >= self.room
    }

    /// Whether packets may keep slices of what they are decoded from. Where a read brought little they should not, but copy
    /// what they keep: a slice keeps all of the read buffer.
    #[must_use]
    pub const fn may_share(&self) -> bool {
        self.shares
    }

    /// Says whether they may, from here on.
    pub(crate) const fn share(&mut self, may: bool) {
        self.shares = may;
    }

    /// How many packets there is room for.
    pub(crate) fn room(&self) -> usize {
        self.room.saturating_sub(self.packets.len())
    }

    /// Adds a packet that took `size` bytes of the stream, or that has become so large since.
    // Always: as an argument, the packet would go through memory.
    #[inline(always)]
    pub fn push(&mut self, packet: Result<In, Fault>, size: usize) {
        self.count(size);
        self.packets.push(packet);
    }

    /// Where the next packet is to be put; then [`placed`](Self::placed) is to be called.
    #[inline]
    pub(crate) fn place(&mut self) -> Option<&mut Option<In>> {
        self.packets.place()
    }

    /// A packet that took `size` bytes of the stream has been put there.
    #[inline]
    pub(crate) fn placed(&mut self, size: usize) {
        self.count(size);
        self.packets.placed();
    }

    #[inline]
    fn count(&mut self, size: usize) {
        if size < self.look_under {
            self.look(size);
        }
        self.bytes += size;
    }

    /// Adds a packet that took `wire` bytes of the stream and has become `size` since.
    #[cfg(feature = "compress")]
    pub(crate) fn push_grown(&mut self, packet: Result<In, Fault>, wire: usize, size: usize) {
        self.push(packet, wire);
        let grown = size.saturating_sub(wire);
        self.bytes += grown;
        if let Some(last) = self.sizes.as_mut().and_then(|sizes| sizes.last_mut()) {
            last.grown = u32::try_from(grown).unwrap_or(u32::MAX);
        }
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

    /// When the session took in what is decoded; `None` where no session does.
    pub fn now(&mut self) -> Option<Instant> {
        self.when.as_mut().map(Later::now)
    }

    /// Takes no more packets, as if it were [full](Self::is_full): what is still to be decoded waits for the next batch.
    pub const fn stop(&mut self) {
        self.room = 0;
    }

    /// `tiny_under`: which packets are tiny. `each`: what each packet takes is to be kept.
    pub(crate) fn begin(&mut self, now: impl Moment, tiny_under: u16, each: bool) {
        self.packets.close_up();
        self.when = Some(now.later());
        self.tiny_under = tiny_under;
        let each = each || self.weighs;
        self.look_under = if each { usize::MAX } else { tiny_under.into() };
        self.tiny = Marks::NONE;
        self.sizes = each.then(Vec::new);
        self.before = self.packets.len();
        self.bytes_before = self.bytes;
        self.room = self.before + Self::MAX;
    }

    /// Nothing more is decoded; from here on packets are taken out.
    pub(crate) fn decoded(&mut self) {
        if self.is_full() {
            self.room = 0;
        }
        self.meter.received_other(self.added().into(), (self.bytes - self.bytes_before) as u64);
    }

    /// Counts what came in place of packets, and is still there. Nothing is, from before `begin`, where somebody counts.
    #[inline]
    pub(crate) fn count_faults(&self) {
        self.meter.faults(&self.packets);
    }

    /// How many were added since `begin`, and are still there.
    pub(crate) fn added(&self) -> u32 {
        u32::try_from(self.packets.len().saturating_sub(self.before)).unwrap_or(u32::MAX)
    }

    /// What the one at that place among them took of the stream, where that was asked for.
    pub(crate) fn size(&self, at: usize) -> u32 {
        self.sizes.as_ref().and_then(|sizes| sizes.get(at)).map_or(0, |size| size.wire)
    }

    /// Nobody asks for their sizes any more, but where each batch has them.
    pub(crate) fn forget_sizes(&mut self) {
        if !self.weighs {
            self.sizes = None;
        }
    }

    /// Whether the one at that place among them was tiny.
    pub(crate) fn is_tiny(&self, at: usize) -> bool {
        self.tiny.has(at)
    }

    /// Keeps the first `count` of those added since `begin`.
    pub(crate) fn keep(&mut self, count: u32) {
        self.packets.truncate(self.before.saturating_add(count as usize));
    }

    /// Takes out those of them that are marked.
    pub(crate) fn take_out(&mut self, marks: &Marks) {
        let (mut at, before) = (0, self.before);
        self.packets.retain(|_| {
            at += 1;
            at <= before || !marks.has(at - before - 1)
        });
    }

    #[cold]
    fn look(&mut self, size: usize) {
        if size < self.tiny_under.into() {
            self.tiny.set(self.packets.len().saturating_sub(self.before));
        }
        if let Some(sizes) = &mut self.sizes {
            sizes.push(Size { wire: u32::try_from(size).unwrap_or(u32::MAX), grown: 0 });
        }
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
        self.packets.pop()
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

const MAX: usize = 256;
