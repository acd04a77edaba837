//! Frames out of a byte stream, however it was cut, and back.

use bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{Batch, CodecError, Frame, FrameError, Header, PacketId, PacketType};

/// Reassembles frames from a stream and writes them to one.
///
/// It works without a socket, through its own methods, and under [`tokio_util::codec::Framed`] as [`Decoder`] and
/// [`Encoder`]:
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{Frame, FrameCodec, FrameError};
///
/// let mut codec = FrameCodec::new().max_in(1024);
/// let mut wire = BytesMut::new();
/// codec.encode_frame(&Frame::new(101, &b"hi"[..]), &mut wire).unwrap();
/// assert_eq!(&wire[..], b"\x07\x00\x65\x00\x00hi");
///
/// let mut first_half = wire.split_to(4);
/// assert_eq!(codec.decode_frame(&mut first_half), Ok(None));
/// first_half.unsplit(wire);
/// assert_eq!(codec.decode_frame(&mut first_half).unwrap().unwrap().body, "hi");
///
/// let mut garbage = BytesMut::from(&b"GET / HTTP/1.1"[..]);
/// let error = codec.decode_frame(&mut garbage).unwrap_err();
/// assert_eq!(error, FrameError::SizeOverLimit { size: 0x4547, max: 1024 });
/// ```
///
/// # Limits
/// `max_in` and `max_out`, both 65,535 bytes by default, header included. Neither path reserves what a header merely
/// promises: the buffer grows with what has come.
///
/// # Errors
/// A stream that does not frame cannot be trusted again: after the first [`FrameError`] the codec returns the same
/// error for ever and leaves the buffer alone; so does a clone of it.
#[derive(Clone, Debug)]
pub struct FrameCodec {
    max_in: u16,
    max_out: u16,
    // `max_in`, or 0 after an error: one comparison on the hot path tells both.
    limit: u16,
    // Set by the first framing error: what follows it in the stream has no meaning.
    dead: Option<FrameError>,
}

impl FrameCodec {
    /// A codec with the wire's own limits.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_in: u16::MAX, max_out: u16::MAX, limit: u16::MAX, dead: None }
    }

    /// The largest packet taken in, in bytes, header included. A limit below 5 takes nothing.
    #[must_use]
    pub const fn max_in(mut self, bytes: u16) -> Self {
        self.max_in = bytes;
        if self.dead.is_none() {
            self.limit = bytes;
        }
        self
    }

    /// The largest packet let out, in bytes, header included.
    #[must_use]
    pub const fn max_out(mut self, bytes: u16) -> Self {
        self.max_out = bytes;
        self
    }

    pub(crate) const fn out_limit(&self) -> u16 {
        self.max_out
    }

    #[cfg(all(feature = "compress", feature = "runtime"))]
    pub(crate) const fn in_limit(&self) -> u16 {
        self.max_in
    }

    /// The next frame of `buf`, which is removed from it; `None` while it is not whole.
    ///
    /// The body shares `buf`'s memory.
    ///
    /// # Errors
    /// See [`FrameCodec`]. The error comes as soon as the header is there, whatever it promises behind it.
    #[inline]
    pub fn decode_frame(&mut self, buf: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(header) = self.whole(buf) else {
            return self.judge(buf).map(|()| None);
        };
        let mut body = buf.split_to(usize::from(header.size()));
        body.advance(Header::LEN);
        Ok(Some(Frame { id: header.id, kind: header.kind, body: body.freeze() }))
    }

    /// Every complete frame of `buf`, split off at once: as one piece of bytes ([`Batch::wire`]) for a server that passes
    /// them on, frame by frame to look at ([`Batch::iter`]), or frame by frame to take. To take all of them costs what
    /// [`decode_frame`](Self::decode_frame) in a loop costs, and the walk over their headers besides.
    ///
    /// The bytes of an incomplete packet stay in `buf`. A framing error is yielded last, after the good frames before
    /// it, and again by every later call.
    pub fn batch(&mut self, buf: &mut BytesMut) -> Batch {
        self.batch_of(buf, usize::MAX)
    }

    /// As [`batch`](Self::batch), at most `most` frames.
    pub(crate) fn batch_of(&mut self, buf: &mut BytesMut, most: usize) -> Batch {
        let (mut rest, mut count): (&[u8], _) = (buf, 0);
        while count < most
            && let Some(header) = self.whole(rest)
        {
            rest = rest.get(usize::from(header.size())..).unwrap_or_default();
            count += 1;
        }
        let end = buf.len() - rest.len();
        let error = self.judge(rest).err();
        Batch::new(buf.split_to(end), error)
    }

    /// Says whether the stream may end here.
    ///
    /// ```
    /// use netcore::{FrameCodec, FrameError};
    ///
    /// let mut codec = FrameCodec::new();
    /// assert_eq!(codec.finish(b""), Ok(()));
    /// let error = FrameError::EndInsidePacket { have: 6, need: 7 };
    /// assert_eq!(codec.finish(b"\x07\0\x65\0\0h"), Err(error));
    /// ```
    ///
    /// # Errors
    /// [`FrameError::EndInsidePacket`] when `rest`, what is left after the last frame, is not empty; the codec's own
    /// error when it had one before.
    pub fn finish(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        self.judge(rest)?;
        if rest.is_empty() {
            return Ok(());
        }
        let header = Header::at_front(rest);
        let need = header.map_or(Header::LEN, |header| usize::from(header.size()));
        self.fail(FrameError::EndInsidePacket { have: rest.len(), need })
    }

    /// Appends a frame to `dst`.
    ///
    /// # Errors
    /// [`FrameError::BodyTooLong`] when it is larger than `max_out`; nothing is written then, and the codec goes on.
    #[inline]
    pub fn encode_frame(&self, frame: &Frame, dst: &mut BytesMut) -> Result<(), FrameError> {
        append_frame(frame, dst, self.max_out)
    }

    /// The header of the packet at the front of `bytes`, if all of the packet is there and the stream is good so far.
    #[inline]
    pub(crate) fn whole(&self, bytes: &[u8]) -> Option<Header> {
        let header = Header::at_front(bytes)?;
        (header.size() <= self.limit && bytes.len() >= usize::from(header.size())).then_some(header)
    }

    /// Why [`whole`](Self::whole) found nothing: the packet is still on its way, or the stream does not frame.
    #[cold]
    pub(crate) fn judge(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if let Some(error) = self.dead {
            return Err(error);
        }
        let Some(head) = bytes.first_chunk() else { return Ok(()) };
        match Header::parse(*head) {
            Ok(header) if header.size() <= self.max_in => Ok(()),
            // WIRE §1.3: "A receiver may set a limit; a size over it closes the connection as soon as the header is there."
            Ok(header) => self.fail(FrameError::SizeOverLimit { size: header.size(), max: self.max_in }),
            Err(error) => self.fail(error),
        }
    }

    /// Takes back an error that was found and not told.
    pub(crate) const fn revive(&mut self) {
        self.dead = None;
        self.limit = self.max_in;
    }

    #[cold]
    fn fail<T>(&mut self, error: FrameError) -> Result<T, FrameError> {
        self.dead = Some(error);
        self.limit = 0;
        Err(error)
    }
}

impl Default for FrameCodec {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        Ok(self.decode_frame(src)?)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        match self.decode_frame(src)? {
            Some(frame) => Ok(Some(frame)),
            None => Ok(self.finish(src).map(|()| None)?),
        }
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = CodecError;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> Result<(), CodecError> {
        Ok(self.encode_frame(&frame, dst)?)
    }
}

impl Encoder<&Frame> for FrameCodec {
    type Error = CodecError;

    fn encode(&mut self, frame: &Frame, dst: &mut BytesMut) -> Result<(), CodecError> {
        Ok(self.encode_frame(frame, dst)?)
    }
}

/// The header of a packet that goes out, within `max` bytes.
#[inline]
pub(crate) fn header_out(
    id: PacketId,
    kind: PacketType,
    body_len: usize,
    max: u16,
) -> Result<Header, FrameError> {
    // First: what is within `max` is within the wire's own limit, so that this is all there is to compare.
    if body_len.saturating_add(Header::LEN) > usize::from(max) {
        return Err(FrameError::BodyTooLong { id, body: body_len, max });
    }
    Header::new(id, kind, body_len)
}

/// Appends a frame of at most `max` bytes, or nothing.
// Always: called through an adapter, it would be a second call for each packet.
#[inline(always)]
pub(super) fn append_frame(frame: &Frame, dst: &mut BytesMut, max: u16) -> Result<(), FrameError> {
    let header = header_out(frame.id, frame.kind, frame.body.len(), max)?;
    dst.reserve(usize::from(header.size()));
    dst.extend_from_slice(&header.to_bytes());
    dst.extend_from_slice(&frame.body);
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{FrameCodec, FrameError};

    #[test]
    fn no_setting_brings_a_dead_codec_back() {
        let mut codec = FrameCodec::new();
        let dead = Err(FrameError::SizeBelowHeader { size: 1 });
        assert_eq!(codec.decode_frame(&mut BytesMut::from(&b"\x01\0\0\0\0"[..])), dead);
        let mut codec = codec.clone().max_in(100);
        assert_eq!(codec.decode_frame(&mut BytesMut::from(&b"\x05\0\x01\0\0"[..])), dead);
    }
}
