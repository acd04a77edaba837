//! A packet whose body nobody has looked into yet.

use bytes::{Bytes, BytesMut};

use super::body::{BodyError, Reader};
use super::codec::append_frame;
use super::schema::Schema;
use super::{EncodeError, FrameError, Header, Packet, PacketError, PacketId, PacketType};

/// One packet as it is on the wire: id, type byte, body.
///
/// The body usually shares the read buffer it came in: cloning a frame is cheap, and keeping one keeps that whole
/// buffer. A game that stores a small body for long copies it (`Bytes::copy_from_slice`).
///
/// A frame is a [`Packet`] too, of any id and type: what a proxy or a test speaks that knows no ids. Its schema is empty.
///
/// ```
/// use netcore::{Frame, Packet, PacketId, PacketType};
///
/// let ping = Frame { kind: PacketType(0x80), ..Frame::new(201, &b"\x01\0"[..]) };
/// assert_eq!(ping.header()?.to_bytes(), [7, 0, 201, 0, 0x80]);
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum FromServer {
///     #[packet(id = 731)]
///     Said { user: u8, #[raw(len = u8)] text: String },
/// }
///
/// // Encoded once, for as many receivers as there are: a clone counts a reference.
/// let said = FromServer::Said { user: 7, text: "hi".into() };
/// let frame = Frame::from_packet(&said)?;
/// assert_eq!((frame.id, &frame.body[..]), (PacketId(731), &b"\x07\x02hi"[..]));
/// assert_eq!(FromServer::from_frame(&frame.clone())?, said);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// What kind of packet the body is.
    pub id: PacketId,
    /// The type byte.
    pub kind: PacketType,
    /// What follows the header: at most 65,530 bytes on the wire.
    pub body: Bytes,
}

impl Frame {
    /// A frame of type 0.
    pub fn new(id: impl Into<PacketId>, body: impl Into<Bytes>) -> Self {
        Self { id: id.into(), kind: PacketType::NORMAL, body: body.into() }
    }

    /// Encodes a packet once, so that it can be sent many times.
    ///
    /// # Errors
    /// As [`Packet::encode`].
    pub fn from_packet<P: Packet>(packet: &P) -> Result<Self, EncodeError> {
        let mut wire = BytesMut::new();
        packet.encode(&mut wire, u16::MAX)?;
        let mut frame = Self { id: packet.id(), kind: packet.kind(), body: wire.freeze() };
        bytes::Buf::advance(&mut frame.body, Header::LEN);
        Ok(frame)
    }

    /// The frame's header.
    ///
    /// # Errors
    /// [`FrameError::BodyTooLong`] when the body has more than 65,530 bytes.
    pub fn header(&self) -> Result<Header, FrameError> {
        Header::new(self.id, self.kind, self.body.len())
    }
}

impl Packet for Frame {
    const SCHEMA: &'static Schema = &Schema::new("Frame", "Packets of any id, as they are.", &[]);
    const SHARES: bool = true;

    #[inline]
    fn id(&self) -> PacketId {
        self.id
    }

    #[inline]
    fn name(&self) -> &'static str {
        "Frame"
    }

    #[inline]
    fn kind(&self) -> PacketType {
        self.kind
    }

    // Always: out of line, the frame would go through memory once more.
    #[inline(always)]
    fn decode(header: Header, mut body: Reader<'_>) -> Result<Self, PacketError> {
        let rest = body.take_rest();
        Ok(Self { id: header.id, kind: header.kind, body: body.to_bytes(rest) })
    }

    #[inline]
    fn encode_body(&self, dst: &mut BytesMut) -> Result<(), BodyError> {
        dst.extend_from_slice(&self.body);
        Ok(())
    }

    // The codec's own way: it knows the body's length beforehand, and its limits are those of frames everywhere.
    #[inline]
    fn encode(&self, dst: &mut BytesMut, max_out: u16) -> Result<(), EncodeError> {
        Ok(append_frame(self, dst, max_out)?)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::Frame;
    use crate::{EncodeError, FrameCodec, FrameError, Packet, PacketErrorKind, PacketType};

    #[test]
    fn a_frame_is_a_packet_of_any_id_and_type() {
        let frame = Frame { kind: PacketType(0xfe), ..Frame::new(u16::MAX, vec![7; 100]) };
        let copy = Frame::from_frame(&frame).unwrap();
        assert_eq!(copy, frame);
        assert_eq!(copy.body.as_ptr(), frame.body.as_ptr(), "the body is shared");
        assert_eq!(Frame::from_packet(&frame).unwrap(), frame);
        assert_eq!((Packet::id(&frame), frame.name(), frame.kind()), (frame.id, "Frame", frame.kind));
        assert!(Frame::SCHEMA.packets.is_empty());
    }

    #[test]
    fn a_frame_is_written_within_the_limits_of_a_frame_codec() {
        for len in [0, 1, 95, 96, 65_530, 65_531, 70_000] {
            for max in [0, 4, 5, 6, 100, 101, u16::MAX - 1, u16::MAX] {
                let frame = Frame { kind: PacketType(9), ..Frame::new(3, vec![1; len]) };
                let (mut by_codec, mut by_packet) = (BytesMut::from("before"), BytesMut::from("before"));
                let expected = FrameCodec::new().max_out(max).encode_frame(&frame, &mut by_codec);
                let found = frame.encode(&mut by_packet, max).map_err(|error| match error {
                    EncodeError::Frame(error) => error,
                    EncodeError::Body { source, .. } => panic!("{source}"),
                });
                assert_eq!((found, by_packet), (expected, by_codec), "{len} bytes, limit {max}");
            }
        }
        let error = Frame::from_frame(&Frame::new(3, vec![0; 65_531])).unwrap_err();
        assert!(matches!(error.kind(), PacketErrorKind::Malformed { .. }));
        let error = Frame::new(3, vec![0; 65_531]).encode(&mut BytesMut::new(), u16::MAX).unwrap_err();
        assert!(matches!(error, EncodeError::Frame(FrameError::BodyTooLong { body: 65_531, .. })));
    }
}
