//! The five bytes in front of every packet.

use std::fmt;

use super::FrameError;

/// A packet id: what kind of packet a body is. Any `u16` is a legal id on the wire.
///
/// An id that no packet enum knows is still a value; what to do about it is for the layers above.
///
/// ```
/// use netcore::{Packet, PacketId};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 731)]
///     Chat { #[raw(len = u16)] text: String },
/// }
///
/// let chat = ToServer::Chat { text: "hi".into() };
/// assert_eq!(chat.id(), ToServer::CHAT_ID);
/// assert_eq!(PacketId::from(731), PacketId(731));
/// assert_eq!(format!("packet {}", chat.id()), "packet 731");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PacketId(pub u16);

impl fmt::Debug for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketId({})", self.0)
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u16> for PacketId {
    fn from(id: u16) -> Self {
        Self(id)
    }
}

/// The type byte, a bit field. Bit 0 and bit 1 announce a transform of the whole body on a connection that turned it
/// on; elsewhere all eight bits are the application's, and netcore carries them as they are.
///
/// ```
/// use netcore::PacketType;
///
/// let kind = PacketType::COMPRESSED.with(PacketType(0b1000_0000));
/// assert_eq!(kind, PacketType(0b1000_0001));
/// assert!(kind.contains(PacketType::COMPRESSED) && !kind.contains(PacketType::SECURE));
/// assert_eq!(PacketType::default(), PacketType::NORMAL);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PacketType(pub u8);

impl PacketType {
    /// No bit set: what a packet has unless somebody says otherwise.
    pub const NORMAL: Self = Self(0);
    /// Bit 0: the body is compressed.
    pub const COMPRESSED: Self = Self(1);
    /// Bit 1: the body is secured.
    pub const SECURE: Self = Self(2);

    /// Whether every bit of `bits` is set.
    #[must_use]
    pub const fn contains(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// These bits and those of `bits`.
    #[must_use]
    pub const fn with(self, bits: Self) -> Self {
        Self(self.0 | bits.0)
    }

    /// These bits without those of `bits`.
    #[must_use]
    pub const fn without(self, bits: Self) -> Self {
        Self(self.0 & !bits.0)
    }
}

impl fmt::Debug for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketType({:#04x})", self.0)
    }
}

/// The five-byte header, little-endian.
///
/// ```text
/// offset  0        1        2        3        4        5
///         +--------+--------+--------+--------+--------+---------------
///         |  total size u16 |  packet id u16  | type u8|  body ...
///         +--------+--------+--------+--------+--------+---------------
/// ```
///
/// The size counts the header itself, so that 5 is the smallest and 65,535 the largest packet.
///
/// ```
/// use netcore::{Header, PacketId, PacketType};
///
/// let header = Header::parse([0x07, 0x00, 0x65, 0x00, 0x00]).unwrap();
/// assert_eq!((header.id, header.body_len()), (PacketId(101), 2));
/// assert_eq!(header.to_bytes(), [0x07, 0x00, 0x65, 0x00, 0x00]);
/// assert!(Header::parse([0x04, 0x00, 0x65, 0x00, 0x00]).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    // Private: a header with a size below 5 does not exist, so `body_len` cannot wrap.
    size: u16,
    /// What kind of packet the body is.
    pub id: PacketId,
    /// The type byte.
    pub kind: PacketType,
}

impl Header {
    /// The header's own length: 5 bytes.
    pub const LEN: usize = 5;
    /// The largest body: what a `u16` size leaves after the header, 65,530 bytes.
    pub const MAX_BODY: usize = u16::MAX as usize - Self::LEN;

    /// The header for a body of `body_len` bytes.
    ///
    /// # Errors
    /// [`FrameError::BodyTooLong`] when header and body together do not fit a `u16`.
    #[inline]
    pub fn new(id: PacketId, kind: PacketType, body_len: usize) -> Result<Self, FrameError> {
        match u16::try_from(body_len.saturating_add(Self::LEN)) {
            Ok(size) => Ok(Self { size, id, kind }),
            Err(_) => Err(FrameError::BodyTooLong { id, body: body_len, max: u16::MAX }),
        }
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`FrameError::SizeBelowHeader`] for a size of 0 to 4.
    #[inline]
    pub fn parse(bytes: [u8; Self::LEN]) -> Result<Self, FrameError> {
        let [s0, s1, i0, i1, kind] = bytes;
        let size = u16::from_le_bytes([s0, s1]);
        // WIRE §1.2: "A size of 0 to 4 cannot be: the header alone has five bytes."
        if usize::from(size) < Self::LEN {
            return Err(FrameError::SizeBelowHeader { size });
        }
        Ok(Self { size, id: PacketId(u16::from_le_bytes([i0, i1])), kind: PacketType(kind) })
    }

    /// The header at the front of `bytes`, where one is whole and possible.
    ///
    /// Read where it lies: the size is what the next packet waits for, and of an array by value it would be loaded byte by
    /// byte.
    #[inline]
    pub(crate) fn at_front(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<{ Self::LEN }>()?;
        let (size, rest) = head.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (size, kind) = (u16::from_le_bytes(*size), PacketType(*rest.first()?));
        (usize::from(size) >= Self::LEN).then_some(Self { size, id: PacketId(u16::from_le_bytes(*id)), kind })
    }

    /// The header's bytes.
    #[inline]
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let [s0, s1] = self.size.to_le_bytes();
        let [i0, i1] = self.id.0.to_le_bytes();
        [s0, s1, i0, i1, self.kind.0]
    }

    /// The whole packet's size in bytes, header included: 5 to 65,535.
    #[inline]
    #[must_use]
    pub const fn size(self) -> u16 {
        self.size
    }

    /// The body's length in bytes: 0 to 65,530.
    #[inline]
    #[must_use]
    pub const fn body_len(self) -> usize {
        self.size as usize - Self::LEN
    }
}
