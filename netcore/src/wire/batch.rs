//! The frames of one read, split off the buffer at once.

use std::iter::FusedIterator;

use bytes::{Buf, Bytes, BytesMut};

use super::{Frame, FrameError, Header, PacketId, PacketType};

/// Every complete frame that a read buffer held, in order, then the framing error that followed them, if any. Made by
/// [`FrameCodec::batch`](super::FrameCodec::batch).
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{FrameCodec, FrameError};
///
/// // Two good packets, then a size of 1.
/// let mut buf = BytesMut::from(&b"\x05\0\x01\0\0\x06\0\x02\0\0A\x01\0\0\0\0"[..]);
/// let mut batch = FrameCodec::new().batch(&mut buf);
/// assert_eq!(batch.next().unwrap().unwrap().id.0, 1);
/// assert_eq!(batch.next().unwrap().unwrap().body, "A");
/// assert_eq!(batch.next(), Some(Err(FrameError::SizeBelowHeader { size: 1 })));
/// assert_eq!(batch.next(), None);
/// ```
///
/// # Taking and looking
/// A frame that is taken owns a share of the buffer, which costs two atomic operations: one to take it, one to drop it.
/// Whoever only looks goes over [`iter`](Self::iter), whose frames borrow from the batch and count no reference.
#[derive(Debug)]
#[must_use = "the frames have left the buffer; what is not taken from the batch is lost"]
pub struct Batch {
    // Whole packets only: `FrameCodec::batch` walked them. A `BytesMut` although nothing is written to it: to split it
    // takes a third of the time that a `Bytes` needs, whose clone is a call through a table.
    packets: BytesMut,
    error: Option<FrameError>,
}

impl Batch {
    pub(crate) const fn new(packets: BytesMut, error: Option<FrameError>) -> Self {
        Self { packets, error }
    }

    /// The frames still in the batch as they are on the wire, one behind the other: what a server that passes them on
    /// unchanged writes.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use netcore::FrameCodec;
    ///
    /// let mut buf = BytesMut::from(&b"\x06\0\x01\0\0A\x06\0\x02\0\0B\x06\0"[..]);
    /// let batch = FrameCodec::new().batch(&mut buf);
    /// assert_eq!(batch.wire(), b"\x06\0\x01\0\0A\x06\0\x02\0\0B");
    /// assert_eq!((batch.error(), &buf[..]), (None, &b"\x06\0"[..]));
    /// ```
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.packets
    }

    /// The framing error behind the last frame, until the iterator has yielded it.
    #[must_use]
    pub const fn error(&self) -> Option<FrameError> {
        self.error
    }

    /// The frames still in the batch, without taking them: no reference is counted, nothing is copied. The error behind
    /// them is [`error`](Self::error).
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use netcore::FrameCodec;
    ///
    /// let mut buf = BytesMut::from(&b"\x06\0\x01\0\0A\x07\0\x02\0\0BC"[..]);
    /// let batch = FrameCodec::new().batch(&mut buf);
    /// let bytes: usize = batch.iter().map(|frame| frame.body.len()).sum();
    /// assert_eq!(bytes, 3);
    ///
    /// // What shall outlive the batch is copied.
    /// let kept = batch.iter().find(|frame| frame.id.0 == 2).map(|frame| frame.to_frame());
    /// drop(batch);
    /// assert_eq!(kept.unwrap().body, "BC");
    /// ```
    #[inline]
    pub fn iter(&self) -> Frames<'_> {
        Frames { rest: &self.packets }
    }

    /// The same in memory of its own: what is kept of it keeps nothing else.
    #[cfg(feature = "runtime")]
    pub(crate) fn copied(self) -> Self {
        Self { packets: BytesMut::from(self.wire()), error: self.error }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.packets.freeze()
    }
}

impl Iterator for Batch {
    type Item = Result<Frame, FrameError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let header = Header::at_front(&self.packets);
        match header {
            Some(header) if self.packets.len() >= usize::from(header.size()) => {
                let mut body = self.packets.split_to(usize::from(header.size()));
                body.advance(Header::LEN);
                Some(Ok(Frame { id: header.id, kind: header.kind, body: body.freeze() }))
            }
            _ => self.error.take().map(Err),
        }
    }
}

impl FusedIterator for Batch {}

impl<'a> IntoIterator for &'a Batch {
    type Item = FrameRef<'a>;
    type IntoIter = Frames<'a>;

    #[inline]
    fn into_iter(self) -> Frames<'a> {
        self.iter()
    }
}

/// A [`Frame`] that borrows its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRef<'a> {
    /// What kind of packet the body is.
    pub id: PacketId,
    /// The type byte.
    pub kind: PacketType,
    /// What follows the header: at most 65,530 bytes on the wire.
    pub body: &'a [u8],
}

impl FrameRef<'_> {
    /// The same with a copy of the body: it keeps nothing else alive.
    #[must_use]
    pub fn to_frame(self) -> Frame {
        Frame { id: self.id, kind: self.kind, body: Bytes::copy_from_slice(self.body) }
    }
}

/// The frames of a [`Batch`], made by [`Batch::iter`].
#[derive(Clone, Debug)]
#[must_use = "frames are found as the iterator is driven"]
pub struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = FrameRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<FrameRef<'a>> {
        let header = Header::at_front(self.rest)?;
        let (packet, rest) = self.rest.split_at_checked(usize::from(header.size()))?;
        self.rest = rest;
        Some(FrameRef { id: header.id, kind: header.kind, body: packet.get(Header::LEN..)? })
    }
}

impl FusedIterator for Frames<'_> {}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use crate::{FrameCodec, FrameRef};

    #[test]
    fn to_look_at_frames_finds_those_that_are_taken_behind() {
        let wire = b"\x05\0\x01\0\0\x07\0\x02\0\x09AB\x06\0\x03\0\0C\x04\0\0\0\0";
        for cut in 0..=wire.len() {
            let mut batch = FrameCodec::new().batch(&mut BytesMut::from(&wire[..cut]));
            let looked_at: Vec<_> = batch.iter().map(FrameRef::to_frame).collect();
            let taken: Vec<_> = batch.by_ref().map_while(Result::ok).collect();
            assert_eq!(looked_at, taken);
            assert_eq!(batch.iter().next(), None);
        }
    }
}
