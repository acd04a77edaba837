//! One direction's closed set of packets.

use bytes::BytesMut;

use super::body::{BodyErrorKind, Reader};
use super::{
    BodyError, EncodeError, Frame, Header, PacketError, PacketErrorKind, PacketId, PacketType, schema::Schema,
};

/// One direction's closed set of packets. `#[derive(Packet)]` implements it for an enum.
///
/// ```
/// use bytes::{Bytes, BytesMut};
/// use netcore::{Frame, Packet, Raw};
///
/// #[derive(Raw, Debug, PartialEq)]
/// struct Point {
///     x: f32,
///     y: f32,
/// }
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Ping,
///     #[packet(id = 2)]
///     Move(Point),
///     #[packet(id = 3, max = 128)]
///     Say {
///         #[raw(len = u16)]
///         text: String,
///     },
///     #[packet(id = 4, ignore_extra)]
///     Leave,
///     #[packet(id = 5)]
///     Relay(#[raw(rest)] Bytes),
///     #[packet(other)]
///     Unknown(Frame),
/// }
///
/// let mut wire = BytesMut::new();
/// ToServer::Say { text: "hi".into() }.encode(&mut wire, u16::MAX)?;
/// assert_eq!(&wire[..], b"\x09\0\x03\0\0\x02\0hi");
/// assert_eq!(ToServer::SAY_ID.0, 3);
///
/// let frame = Frame::new(2, vec![0; 8]);
/// assert_eq!(ToServer::from_frame(&frame)?, ToServer::Move(Point { x: 0.0, y: 0.0 }));
/// assert!(ToServer::from_frame(&Frame::new(2, vec![0; 9])).is_err());
/// assert_eq!(ToServer::from_frame(&Frame::new(99, "?"))?, ToServer::Unknown(Frame::new(99, "?")));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Attributes
/// On the enum:
/// - `#[packet(format = MsgPack)]`: the format of its bodies; [`Raw`](struct@crate::Raw) unless it is given
/// - `#[packet(answered_by = ToClient)]`: the other direction's enum, which has the packets that answer these. `cargo check`
///   says then whether each `reply` is one of them; without it, the build of a client's request does
/// - `#[packet(crate = path)]`: where netcore is, when it is not `::netcore`
///
/// On a variant:
/// - `#[packet(id = 701)]`: its id, 0 to 65,535
/// - `#[packet(format = …)]`: its own format. A bare `Raw`, `MsgPack`, `MsgPackArray` or `Protobuf` is netcore's; a bare
///   name that is almost one of these, or that begins with a small letter, is refused. A format of one's own may have
///   such a name behind a path: `self::Row`
/// - `#[packet(max = 128)]`: the most bytes of its body
/// - `#[packet(ignore_extra)]`: bytes behind its body are no error
/// - `#[packet(reply = 702)]`: the id, in the other direction's enum, of the packet that [answers](Self::reply) it.
///   Nothing of that is on the wire. A client's request does not build where that enum has no such packet, unless it has
///   an `other` variant
/// - `#[packet(numbered)]`: a [request number](Self::request_number) stands first in its body, four bytes. The answer's
///   variant, in the other enum, is `numbered` too
/// - `#[packet(other)]`: takes what no other variant does, as a [`Frame`]
///
/// A unit variant has an empty body. A tuple variant has one body type. The fields of a struct variant are those of a
/// raw struct or a MessagePack map; other formats take a tuple variant. In a `numbered` variant the first field is the
/// number: `Ping(u32)`, `Login(u32, LoginBody)` or `Enter { request: u32, room: u16 }`. Only what is behind it is in the
/// variant's format.
///
/// ```
/// use netcore::{Frame, Packet, PacketId};
///
/// #[derive(Packet, Debug, PartialEq)]
/// #[packet(answered_by = ToClient)]
/// enum ToServer {
///     #[packet(id = 721, reply = 722, numbered)]
///     Enter { request: u32, room: u16 },
/// }
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum ToClient {
///     #[packet(id = 722, numbered)]
///     Entered { request: u32, full: bool },
/// }
///
/// let mut ask = ToServer::Enter { request: 0, room: 9 };
/// ask.set_request_number(7);
/// assert_eq!(ask.reply(), Some(ToClient::ENTERED_ID));
/// assert_eq!(&Frame::from_packet(&ask)?.body[..], b"\x07\0\0\0\x09\0");
///
/// let answer = ToClient::from_frame(&Frame::new(722, &b"\x07\0\0\0\0"[..]))?;
/// assert_eq!(answer.request_number(), ask.request_number());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// The macro also gives the enum constants for each variant's id and name (`Say` → `SAY_ID`, `SAY_NAME`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of packets",
    note = "derive `netcore::Packet` for an enum: one variant a packet, each with `#[packet(id = …)]`",
    note = "all doors of a server have the game's own types: lines of text come into a game of packets at `Door::text`, with a `TextProtocol`"
)]
pub trait Packet: Sized {
    /// What the packets look like on the wire.
    const SCHEMA: &'static Schema;

    /// Whether a decoded packet may keep slices of the read buffer. Where it says `false`, decoding shares nothing.
    const SHARES: bool;

    /// Whether [`SCHEMA`](Self::SCHEMA) has every packet there can be: the derive says so of an enum without a catch-all.
    /// Requests are then compared with it when they are compiled.
    #[doc(hidden)]
    const CLOSED_SET: bool = false;

    /// Has the compiler look whether `In` has what answers these packets: called where a request is made. The derive's own
    /// one does it at the attributes, so that an error shows there.
    #[doc(hidden)]
    #[inline]
    fn check_replies<In: Packet>() {
        const { crate::derive::check_replies::<In, Self>() }
    }

    /// The packet's id.
    fn id(&self) -> PacketId;

    /// The packet's name: its variant's.
    fn name(&self) -> &'static str;

    /// The packet's type byte: 0, or the frame's own in a catch-all variant.
    fn kind(&self) -> PacketType {
        PacketType::NORMAL
    }

    /// The id of the packet that answers this one, one of the other direction's: what `#[packet(reply = 702)]` says.
    fn reply(&self) -> Option<PacketId> {
        None
    }

    /// The request number in front of the body, where the packet has one: `#[packet(numbered)]`.
    fn request_number(&self) -> Option<u32> {
        None
    }

    /// Sets the request number; a packet without one stays as it is.
    fn set_request_number(&mut self, number: u32) {
        let _ = number;
    }

    /// Reads the body that follows `header`.
    ///
    /// # Errors
    /// [`PacketErrorKind::Unknown`] for an id that is not in the set, [`PacketErrorKind::Malformed`] for a body that does not
    /// decode or has bytes left over.
    fn decode(header: Header, body: Reader<'_>) -> Result<Self, PacketError>;

    /// Reads the body that follows `header` and hands the packet to `take`, or leaves in `refused` why there is none:
    /// [`decode`](Self::decode) with the error beside the packet, for [`Packets::good`](crate::Packets::good).
    ///
    /// Where `take` keeps it, each variant's fields are written straight to their place: a packet that is put together
    /// first and then moved is read back in larger pieces than it was written in, which stalls.
    #[doc(hidden)]
    #[inline(always)]
    fn decode_to<R>(
        header: Header,
        body: Reader<'_>,
        refused: &mut Option<PacketError>,
        take: impl FnOnce(Self) -> R,
    ) -> Option<R> {
        match Self::decode(header, body) {
            Ok(packet) => Some(take(packet)),
            Err(error) => {
                *refused = Some(error);
                None
            }
        }
    }

    /// Appends the body to `dst`.
    ///
    /// # Errors
    /// When it breaks one of its own bounds; some of it may have been written then.
    fn encode_body(&self, dst: &mut BytesMut) -> Result<(), BodyError>;

    /// Reads a frame's body.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); a frame too long for the wire is malformed.
    fn from_frame(frame: &Frame) -> Result<Self, PacketError> {
        match frame.header() {
            Ok(header) => Self::decode(header, Reader::shared(&frame.body)),
            Err(_) => {
                let (len, max) = (frame.body.len(), Header::MAX_BODY);
                let source = BodyError::new(BodyErrorKind::TooLong { len, max });
                Err(PacketErrorKind::Malformed { id: frame.id, source }.into())
            }
        }
    }

    /// Appends the whole packet to `dst`: header, then body. `max_out` is the most bytes of it, header included.
    ///
    /// # Errors
    /// [`EncodeError`] when the body breaks a bound or the packet is over `max_out`; `dst` is then as it was.
    #[inline]
    fn encode(&self, dst: &mut BytesMut, max_out: u16) -> Result<(), EncodeError> {
        crate::derive::encode(self, dst, max_out)
    }
}
