//! What can be wrong with a stream of frames.

use std::io;

use super::foreign::begins;
use super::{BodyError, PacketId};

/// The stream does not frame, or a body that is announced as compressed does not inflate: nothing that follows can be
/// trusted, so the connection is closed. The good packets before the error are delivered first.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{FrameCodec, FrameError};
///
/// let mut codec = FrameCodec::new().max_in(100);
/// let error = codec.decode_frame(&mut BytesMut::from(&b"\xff\x01\x01\0\0"[..])).unwrap_err();
/// assert_eq!(error, FrameError::SizeOverLimit { size: 511, max: 100 });
/// assert_eq!(error.to_string(), "packet size 511 is over the limit of 100 bytes (`max_in`)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The peer sent a size of 0 to 4, less than the header itself.
    #[error("packet size {size} is less than the 5 bytes of the header")]
    SizeBelowHeader {
        /// The size field as it came.
        size: u16,
    },
    /// The peer sent a size over our limit.
    #[error("packet size {size} is over the limit of {max} bytes (`max_in`){}", begins((*size).into()))]
    SizeOverLimit {
        /// The size field as it came.
        size: u16,
        /// The limit, header included.
        max: u16,
    },
    /// The peer's stream ended inside a packet.
    #[error("the stream ended inside a packet: {have} of {need} bytes had come{}", begins(*need))]
    EndInsidePacket {
        /// Bytes of the packet that had come.
        have: usize,
        /// Bytes the packet needs; 5 while its header is not whole.
        need: usize,
    },
    /// Our own side tried to send a packet over the limit. Nothing of it was written.
    #[error(
        "packet {id} with a body of {body} bytes is over the limit of {max} bytes, header included (`max_out`)"
    )]
    BodyTooLong {
        /// The packet's id.
        id: PacketId,
        /// The body's length in bytes.
        body: usize,
        /// The limit, header included.
        max: u16,
    },
    /// The peer sent a body that it says is compressed, on a connection that has compression on.
    #[error("the compressed body of packet {id}: {error}")]
    Inflate {
        /// The packet's id.
        id: PacketId,
        /// What is wrong with the body.
        error: InflateError,
    },
}

/// What can be wrong with a compressed body: WIRE §9.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// It has fewer than the four bytes that say how long it is when it is inflated.
    #[error("the four bytes of its length are not all there")]
    NoLength,
    /// It claims to inflate to more than may be.
    #[error("it claims to inflate to {claimed} bytes, over the limit of {max} (`max_inflated`)")]
    TooLarge {
        /// The length that it claims.
        claimed: u32,
        /// The most bytes that a body may have.
        max: u32,
    },
    /// It claims more than so many compressed bytes can hold, which is 255 for each.
    #[error("it claims to inflate to {claimed} bytes, which {have} compressed ones cannot hold")]
    Impossible {
        /// The length that it claims.
        claimed: u32,
        /// How many compressed bytes there are.
        have: u32,
    },
    /// It is no LZ4 block, or inflates to more than it claims.
    #[error("it is no LZ4 block of the length that it claims")]
    Damaged,
    /// It inflates to less than it claims.
    #[error("it claims to inflate to {claimed} bytes, and has {is}")]
    WrongLength {
        /// The length that it claims.
        claimed: u32,
        /// The length that it has.
        is: u32,
    },
    /// The session's bodies inflate to more bytes a second than allowed.
    #[error("the session inflates to more bytes a second than allowed (`inflated_rate`)")]
    OverRate,
}

/// What a stream holds in place of a packet.
///
/// One pointer in size, and one type for the stream's errors and the packet's: a decoded packet travels in a `Result`
/// with it on the hot path. With the error beside the packet in place of a pointer, or a second `Result` around the
/// first, decoding a small packet takes twice the time.
///
/// ```
/// use netcore::{Frame, Packet, PacketErrorKind, PacketId, body::BodyErrorKind};
///
/// #[derive(Packet, Debug)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Say { user: u8, #[raw(len = u8)] text: String },
/// }
///
/// let error = ToServer::from_frame(&Frame::new(1, &b"\x07\x05hi"[..])).unwrap_err();
/// let PacketErrorKind::Malformed { id: PacketId(1), source } = error.kind() else { panic!("{error}") };
/// assert_eq!(source.path(), "Say.text");
/// assert_eq!(source.kind(), BodyErrorKind::Short { need: 5, have: 2 });
///
/// let error = ToServer::from_frame(&Frame::new(9, "")).unwrap_err();
/// assert!(matches!(error.into_kind(), PacketErrorKind::Unknown { id: PacketId(9) }));
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PacketError(#[from] Box<PacketErrorKind>);

/// Why there is no packet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PacketErrorKind {
    /// The enum has no packet with this id, nor a catch-all variant.
    #[error("packet id {id} is not known")]
    Unknown {
        /// The id.
        id: PacketId,
    },
    /// The id is known, the body does not decode.
    #[error("the body of packet {id} does not decode")]
    Malformed {
        /// The id.
        id: PacketId,
        /// What is wrong with the body.
        source: BodyError,
    },
    /// The stream does not frame: this is its last item. After the other errors the next packet follows.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl PacketError {
    /// Why.
    #[must_use]
    pub fn kind(&self) -> &PacketErrorKind {
        &self.0
    }

    /// Why, with the body's error.
    #[must_use]
    pub fn into_kind(self) -> PacketErrorKind {
        *self.0
    }
}

impl From<PacketErrorKind> for PacketError {
    #[cold]
    fn from(kind: PacketErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl From<FrameError> for PacketError {
    #[cold]
    fn from(error: FrameError) -> Self {
        PacketErrorKind::Frame(error).into()
    }
}

/// A packet could not be encoded: a mistake on our side, never the peer's. Nothing of it was written.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{EncodeError, Packet, body::BodyErrorKind};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Say { #[raw(len = u16, max = 5)] text: String },
/// }
///
/// let mut wire = BytesMut::new();
/// let error = ToServer::Say { text: "too long".into() }.encode(&mut wire, u16::MAX).unwrap_err();
/// let EncodeError::Body { source, .. } = error else { panic!("{error}") };
/// assert_eq!(source.kind(), BodyErrorKind::TooLong { len: 8, max: 5 });
/// assert!(wire.is_empty());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// It is too large for the wire or for `max_out`.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Its body breaks one of its own bounds.
    #[error("packet {id} does not encode: {source}")]
    Body {
        /// The id.
        id: PacketId,
        /// What is wrong with the body.
        source: BodyError,
    },
}

/// Any of the above, or the socket's own error: what a codec under [`tokio_util::codec::Framed`] returns.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{CodecError, FrameCodec};
/// use tokio_util::codec::Decoder;
///
/// let error = FrameCodec::new().decode(&mut BytesMut::from(&b"\0\0\0\0\0"[..])).unwrap_err();
/// assert!(matches!(error, CodecError::Packet(_)));
/// assert_eq!(error.to_string(), "packet size 0 is less than the 5 bytes of the header");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The peer's packet is unknown or malformed, or its stream does not frame.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// Our packet does not encode.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The transport failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<FrameError> for CodecError {
    fn from(error: FrameError) -> Self {
        Self::Packet(error.into())
    }
}
