//! Raw structs: fields one behind the other, without names, tags or padding.

use byteorder::ByteOrder;
use bytes::BytesMut;

use super::{BodyError, Format, Reader, Sink};
use crate::wire::schema::Type;

pub use byteorder::{BigEndian, LittleEndian};

/// The raw format: a struct's fields one behind the other. Bodies derive it with `#[derive(Raw)]`.
///
/// # Layout
/// | field | bytes |
/// |---|---|
/// | `u8` … `u128`, `i8` … `i128`, `f32`, `f64` | 1 to 16, little-endian unless `#[raw(big_endian)]` says otherwise |
/// | `bool` | one: 0 or 1, nothing else |
/// | `[T; N]` | N times T |
/// | `Option<T>` | one: 0, or 1 and the T |
/// | a struct that derives `Raw` | its fields |
/// | an enum that derives `Raw`, with `#[raw(tag = u8)]` | its tag, then the variant's fields |
/// | `String`, `Vec<u8>`, `Bytes` with `#[raw(len = u16)]` | a length in bytes (`u8`, `u16`, `u32` or signed), then the bytes |
/// | … with `#[raw(len_in = field)]` | the bytes; the length is another field, before it |
/// | … with `#[raw(fixed = 16)]` | 16 bytes; what is shorter is padded with zeros, which the reader trims |
/// | … with `#[raw(rest)]` | what is left of the body |
/// | `Vec<T>` with `#[raw(count = u8)]`, `#[raw(count_in = field)]`, `#[raw(rest)]` | a count, then the items |
///
/// Every length takes a bound: `#[raw(len = u16, max = 126)]`; one that the length could never say (`len = u8, max = 400`)
/// does not compile. Without one the body's 65,530 bytes are the bound, and a
/// list may take (items × `size_of` the item) bytes of memory. Attributes of an `Option`'s or list's items:
/// `#[raw(len = u8)] name: Option<String>`, `#[raw(count = u8, item(len = u8))] names: Vec<String>`. Padded text that
/// may carry zeros in front too is read with `trim = both`.
///
/// ```
/// use netcore::{Packet, Raw};
///
/// #[derive(Raw, Debug, PartialEq)]
/// struct User {
///     id: u64,
///     #[raw(len = i8, max = 16)]
///     name: String,
/// }
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum FromServer {
///     #[packet(id = 723)]
///     Users {
///         #[raw(count = i8)]
///         users: Vec<User>,
///     },
/// }
///
/// let packet = FromServer::Users { users: vec![User { id: 1, name: "ann".into() }] };
/// let mut wire = bytes::BytesMut::new();
/// packet.encode(&mut wire, u16::MAX)?;
/// assert_eq!(&wire[5..], b"\x01\x01\0\0\0\0\0\0\0\x03ann");
/// # Ok::<_, netcore::EncodeError>(())
/// ```
///
/// An enum says what its tag is. A variant's own is what it is given there, else its discriminant (`Stay = 4`), else one more
/// than that of the variant before it; the first has 0. Any other tag on the wire is an error of the body.
///
/// ```
/// use netcore::{Frame, Packet, Raw};
///
/// #[derive(Raw, Debug, PartialEq)]
/// #[raw(tag = u8)]
/// enum Order {
///     #[raw(tag = 1)]
///     Walk { dx: i8, dy: i8 },
///     #[raw(tag = 7)]
///     Attack(u16),
///     Stay, // 8
/// }
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Orders {
///         #[raw(count = u8)]
///         orders: Vec<Order>,
///     },
/// }
///
/// let orders = vec![Order::Walk { dx: 1, dy: -1 }, Order::Attack(9), Order::Stay];
/// let frame = Frame::from_packet(&ToServer::Orders { orders })?;
/// assert_eq!(frame.body[..], [3, 1, 1, 255, 7, 9, 0, 8]);
/// // One order with the tag 2.
/// assert!(ToServer::from_frame(&Frame::new(1, [1, 2].to_vec())).is_err());
/// # Ok::<_, netcore::EncodeError>(())
/// ```
///
/// # Attributes
/// On a struct or an enum that derives `Raw`:
/// - `#[raw(big_endian)]`: its numbers, lengths, counts and tag begin with the most significant byte, and so do those of what it
///   holds. Without it they have the order of what holds it; a packet begins with little-endian
/// - `#[raw(tag = u8)]`: the tag of an enum, which must have one: `u8`, `u16`, `u32`, `i8`, `i16` or `i32`
/// - `#[raw(crate = path)]`: where netcore is, when it is not `::netcore`
///
/// On a variant of such an enum:
/// - `#[raw(tag = 1)]`: its own tag, an integer literal
///
/// On a field, of a struct, of a variant, or of a packet's raw variant (in a tuple, `Relay(#[raw(rest)] Bytes)`). How text, bytes
/// or a list ends, one of:
/// - `len = u16`: a length in bytes stands in front: `u8`, `u16`, `u32`, `i8`, `i16` or `i32`
/// - `count = u16`: a number of items stands in front, of the same types
/// - `len_in = field`, `count_in = field`: it is in that field, an integer before this one. Who sends sets it; where it says
///   otherwise than there is, the packet does not encode
/// - `fixed = 16`: so many bytes, a constant
/// - `rest`: it takes what is left of the body, and nothing follows it
///
/// And beside these:
/// - `max = 126`: the most bytes, or items; not with `fixed`
/// - `trim = both`: with `fixed`, zeros in front are padding too; `trim = end` is the default
/// - `item(…)`: with `count`, `count_in` or `rest`, how each item ends: `len`, `fixed` or `count`, each with its own `max`, `trim`
///   or `item(…)`
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl<T: RawBody> Format<T> for Raw {
    const NAME: &'static str = "raw";
    const SHARES: bool = T::SHARES;

    #[inline]
    fn encode(value: &T, dst: &mut BytesMut) -> Result<(), BodyError> {
        value.write(dst)
    }

    #[inline]
    fn decode(body: &mut Reader<'_>) -> Result<T, BodyError> {
        T::read(body)
    }
}

/// A byte order: `byteorder`'s [`LittleEndian`] or [`BigEndian`].
///
/// ```
/// use bytes::BytesMut;
/// use netcore::body::{BigEndian, LittleEndian, RawBody};
///
/// let mut wire = BytesMut::new();
/// RawBody::<LittleEndian>::write(&1u16, &mut wire)?;
/// RawBody::<BigEndian>::write(&1u16, &mut wire)?;
/// assert_eq!(&wire[..], [1, 0, 0, 1]);
/// # Ok::<_, netcore::BodyError>(())
/// ```
pub trait Endian: ByteOrder + sealed::Sealed {
    /// Whether the most significant byte comes first.
    const BIG: bool;
}

impl Endian for LittleEndian {
    const BIG: bool = false;
}

impl Endian for BigEndian {
    const BIG: bool = true;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for byteorder::LittleEndian {}
    impl Sealed for byteorder::BigEndian {}
}

/// A value with a raw layout. `#[derive(Raw)]` implements it.
///
/// Whoever implements it by hand: `read` takes what `write` puts, at least [`MIN`](Self::MIN) bytes; where
/// [`FIXED`](Self::FIXED) is `true`, `write` puts exactly that many, and what it puts beyond them is lost.
///
/// The byte order is that of whoever holds the value, so that a struct without `#[raw(big_endian)]` takes the order of
/// the struct around it; a packet starts with little-endian.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::body::{BodyError, Endian, RawBody, Reader, Sink};
/// use netcore::schema::Type;
/// use netcore::{Frame, Packet};
///
/// /// An angle: a turn has 256 steps on the wire.
/// #[derive(Debug, PartialEq)]
/// struct Angle(f32);
///
/// impl<E: Endian> RawBody<E> for Angle {
///     const MIN: usize = 1;
///     const FIXED: bool = true;
///     const SHARES: bool = false;
///     const OPEN: bool = false;
///     const TYPE: &'static Type = <u8 as RawBody<E>>::TYPE;
///
///     fn read(from: &mut Reader<'_>) -> Result<Self, BodyError> {
///         let [steps] = *from.array()?;
///         Ok(Self(f32::from(steps) * 360.0 / 256.0))
///     }
///
///     fn write<S: Sink>(&self, to: &mut S) -> Result<(), BodyError> {
///         to.put(&[(self.0.rem_euclid(360.0) / 360.0 * 256.0) as u8]);
///         Ok(())
///     }
/// }
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Turn { player: u16, to: Angle },
/// }
///
/// let turn = ToServer::Turn { player: 7, to: Angle(90.0) };
/// let frame = Frame::from_packet(&turn)?;
/// assert_eq!(&frame.body[..], [7, 0, 64]);
/// assert_eq!(ToServer::from_frame(&frame)?, turn);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no raw layout of its own",
    label = "no raw layout",
    note = "a struct or enum gets one by `#[derive(netcore::Raw)]`",
    note = "text and bytes need to know where they end: `#[raw(len = u16)]`, `#[raw(len_in = field)]`, `#[raw(fixed = 16)]` or `#[raw(rest)]`",
    note = "a list needs `#[raw(count = u16)]`, `#[raw(count_in = field)]` or `#[raw(rest)]`",
    note = "`usize` and `isize` differ between machines: use `u32` or `u64`"
)]
pub trait RawBody<E: Endian = LittleEndian>: Sized {
    /// The fewest bytes a value takes.
    const MIN: usize;
    /// Whether every value takes [`MIN`](Self::MIN) bytes.
    const FIXED: bool;
    /// Whether a decoded value may keep slices of the read buffer.
    const SHARES: bool;
    /// Whether a value takes all that is left of the body, so that nothing can follow it.
    const OPEN: bool;
    /// What it looks like on the wire.
    const TYPE: &'static Type;

    /// Reads a value.
    ///
    /// # Errors
    /// When the bytes are no such value.
    fn read(from: &mut Reader<'_>) -> Result<Self, BodyError>;

    /// Writes the value.
    ///
    /// # Errors
    /// When it breaks one of its own bounds.
    fn write<S: Sink>(&self, to: &mut S) -> Result<(), BodyError>;

    /// Reads a value, or leaves in `refused` why there is none. In a `Result` the error would lie over a piece of an
    /// array of numbers or of a struct, which therefore went through memory in pieces, with a stall at each.
    #[doc(hidden)]
    #[inline]
    fn read_or(from: &mut Reader<'_>, refused: &mut Option<BodyError>) -> Option<Self> {
        Self::read(from).map_err(|error| *refused = Some(error)).ok()
    }

    /// Reads `N` values, as [`read_or`](Self::read_or) does. Numbers do it in one piece.
    #[doc(hidden)]
    #[inline]
    fn read_array<const N: usize>(
        from: &mut Reader<'_>,
        refused: &mut Option<BodyError>,
    ) -> Option<[Self; N]> {
        let items: Vec<Self> = (0..N).map_while(|_| Self::read_or(from, refused)).collect();
        items.try_into().ok()
    }

    /// Writes `N` values. Numbers do it in one piece.
    ///
    /// # Errors
    /// When one breaks its own bounds.
    #[doc(hidden)]
    #[inline]
    fn write_array<S: Sink, const N: usize>(items: &[Self; N], to: &mut S) -> Result<(), BodyError> {
        items.iter().try_for_each(|item| item.write(to))
    }
}
