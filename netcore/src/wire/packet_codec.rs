//! Typed packets out of a byte stream, straight from the read buffer, and back.

use std::marker::PhantomData;

use bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::body::Reader;
use super::{CodecError, FrameCodec, Header, Packet, Packets};

/// Reads the packets of `In` from a stream and writes those of `Out` to one.
///
/// Under [`tokio_util::codec::Framed`] it is a typed connection, whose stream ends with the first error. Without a
/// socket, [`packets`](Self::packets) takes everything that a read brought, and an unknown or malformed packet is a
/// value among the others.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{Packet, PacketCodec, PacketErrorKind};
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum Number {
///     #[packet(id = 1)]
///     Is { value: u16 },
/// }
///
/// let mut codec = PacketCodec::<Number, Number>::new();
/// let mut buf = BytesMut::from(&b"\x07\0\x01\0\0\x2a\0\x06\0\x63\0\0?\x07\0\x01"[..]);
///
/// let mut packets = codec.packets(&mut buf);
/// assert_eq!(packets.next().unwrap().unwrap(), Number::Is { value: 42 });
/// let error = packets.next().unwrap().unwrap_err();
/// assert!(matches!(error.kind(), PacketErrorKind::Unknown { .. }));
/// assert!(packets.next().is_none());
/// drop(packets);
/// assert_eq!(&buf[..], b"\x07\0\x01"); // the third packet is not whole yet
/// ```
#[derive(Debug)]
pub struct PacketCodec<In, Out> {
    frames: FrameCodec,
    types: PhantomData<fn(Out) -> In>,
}

impl<In: Packet, Out: Packet> PacketCodec<In, Out> {
    /// A codec with the wire's own limits.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_frames(FrameCodec::new())
    }

    /// A codec with the limits of `frames`.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use netcore::{EncodeError, FrameCodec, FrameError, Packet, PacketCodec, PacketErrorKind};
    ///
    /// #[derive(Packet, Debug)]
    /// enum Number {
    ///     #[packet(id = 1)]
    ///     Is { value: u64 },
    /// }
    ///
    /// let frames = FrameCodec::new().max_in(10).max_out(10);
    /// let mut codec = PacketCodec::<Number, Number>::with_frames(frames);
    /// let mut wire = BytesMut::new();
    /// let error = codec.encode_packet(&Number::Is { value: 7 }, &mut wire).unwrap_err();
    /// assert!(matches!(error, EncodeError::Frame(FrameError::BodyTooLong { body: 8, max: 10, .. })));
    ///
    /// wire.extend_from_slice(b"\x0d\0\x01\0\0");
    /// let error = codec.packets(&mut wire).next().unwrap().unwrap_err();
    /// assert!(matches!(error.kind(), PacketErrorKind::Frame(FrameError::SizeOverLimit { size: 13, max: 10 })));
    /// ```
    #[must_use]
    pub const fn with_frames(frames: FrameCodec) -> Self {
        Self { frames, types: PhantomData }
    }

    /// Every complete packet of `buf`, decoded one by one as the iterator is driven. What it has yielded is gone from
    /// `buf` when it is dropped, what it has not is still there: after a last, incomplete packet this is all there is.
    ///
    /// Where no packet of `In` can keep a slice of the buffer ([`Packet::SHARES`]), nothing is shared, and no reference
    /// is counted. Otherwise the complete packets are split off the buffer once for all of them; to stop early then
    /// costs a copy of what was not taken.
    pub fn packets<'a>(&'a mut self, buf: &'a mut BytesMut) -> Packets<'a, In> {
        self.packets_of(buf, usize::MAX, true)
    }

    /// As [`packets`](Self::packets), where who calls takes at most `most`: to stop there costs nothing. Unless they are to
    /// keep slices of `buf`, what they keep is copied.
    pub(crate) fn packets_of<'a>(
        &'a mut self,
        buf: &'a mut BytesMut,
        most: usize,
        share: bool,
    ) -> Packets<'a, In> {
        Packets::of(&mut self.frames, buf, most, share)
    }

    /// Appends a packet to `dst`.
    ///
    /// # Errors
    /// As [`Packet::encode`], with the codec's `max_out`.
    #[inline]
    pub fn encode_packet(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), super::EncodeError> {
        packet.encode(dst, self.frames.out_limit())
    }
}

#[cfg(feature = "runtime")]
impl<In, Out> PacketCodec<In, Out> {
    /// Says whether the stream may end here: [`FrameCodec::finish`].
    pub(crate) fn finish(&mut self, rest: &[u8]) -> Result<(), super::FrameError> {
        self.frames.finish(rest)
    }
}

impl<In: Packet, Out: Packet> Default for PacketCodec<In, Out> {
    fn default() -> Self {
        Self::new()
    }
}

impl<In, Out> Clone for PacketCodec<In, Out> {
    fn clone(&self) -> Self {
        Self { frames: self.frames.clone(), types: PhantomData }
    }
}

impl<In: Packet, Out: Packet> Decoder for PacketCodec<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        let Some(header) = self.frames.whole(src) else {
            return Ok(self.frames.judge(src).map(|()| None)?);
        };
        let size = usize::from(header.size());
        let packet = if In::SHARES {
            let mut body = src.split_to(size);
            body.advance(Header::LEN);
            In::decode(header, Reader::shared(&body.freeze()))
        } else {
            let packet = In::decode(header, Reader::new(src.get(Header::LEN..size).unwrap_or_default()));
            src.advance(size);
            packet
        };
        Ok(Some(packet?))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        match self.decode(src)? {
            Some(packet) => Ok(Some(packet)),
            None => Ok(self.frames.finish(src).map(|()| None)?),
        }
    }
}

impl<In: Packet, Out: Packet> Encoder<Out> for PacketCodec<In, Out> {
    type Error = CodecError;

    fn encode(&mut self, packet: Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        Ok(self.encode_packet(&packet, dst)?)
    }
}

impl<'p, In: Packet, Out: Packet> Encoder<&'p Out> for PacketCodec<In, Out> {
    type Error = CodecError;

    fn encode(&mut self, packet: &'p Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        Ok(self.encode_packet(packet, dst)?)
    }
}
