//! A packet whose body nobody has looked into yet.

use bytes::{Bytes, BytesMut};

use super::{EncodeError, FrameError, Header, Packet, PacketId, PacketType};

/// One packet as it is on the wire: id, type byte, body.
///
/// The body usually shares the read buffer it came in: cloning a frame is cheap, and keeping one keeps that whole
/// buffer. A game that stores a small body for long copies it (`Bytes::copy_from_slice`).
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
