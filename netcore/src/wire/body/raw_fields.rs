//! What the code of `#[derive(Raw)]` calls for fields that have attributes: text and bytes, whose end is told by a length,
//! a fixed size, another field or the body's end, and lengths themselves.

use super::raw::{Endian, RawBody};
use super::raw_text::Text;
use super::{BodyError, BodyErrorKind, FixedSink, Reader, Sink};
use crate::wire::schema::{Form, Int, Len, Shared, Type};

/// An integer that counts bytes or items.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a length",
    label = "a length is u8, u16, u32, i8, i16 or i32"
)]
pub trait Length: Copy {
    /// How the schema shows it.
    const INT: Int;
    /// The largest that it can say.
    const LARGEST: usize;
    /// The length, if it is none below zero.
    fn to_len(self) -> Option<usize>;
    /// The integer for a length, if it fits.
    fn from_len(len: usize) -> Option<Self>;
}

macro_rules! lengths {
    ($($int:ident)*) => {$(
        impl Length for $int {
            const INT: Int = Int { bytes: size_of::<$int>() as u8, signed: $int::MIN != 0, form: Form::Little };
            const LARGEST: usize = $int::MAX as usize;

            #[inline]
            fn to_len(self) -> Option<usize> {
                usize::try_from(self).ok()
            }

            #[inline]
            fn from_len(len: usize) -> Option<Self> {
                Self::try_from(len).ok()
            }
        }
    )*};
}

lengths!(u8 u16 u32 i8 i16 i32);

/// Which zeros around padded text are padding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    /// Those behind it.
    End,
    /// Those in front of it too.
    Both,
}

impl Trim {
    #[inline]
    fn apply(self, bytes: &[u8]) -> &[u8] {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let bytes = bytes.get(..end).unwrap_or_default();
        match self {
            Self::End => bytes,
            Self::Both => {
                let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
                bytes.get(start..).unwrap_or_default()
            }
        }
    }
}

/// How the schema shows an integer in front.
#[must_use]
pub const fn int<E: Endian, L: Length>() -> Int {
    let form = if E::BIG && L::INT.bytes > 1 { Form::Big } else { Form::Little };
    Int { bytes: L::INT.bytes, signed: L::INT.signed, form }
}

/// How the schema shows a length in front.
#[must_use]
pub const fn prefix<E: Endian, L: Length>(max: u32) -> Len {
    Len::Prefix { int: int::<E, L>(), max }
}

/// The fewest bytes of all variants.
#[must_use]
pub const fn fewest(variants: &[(usize, bool)]) -> usize {
    let (mut fewest, mut rest) = (usize::MAX, variants);
    while let Some(((min, _), more)) = rest.split_first() {
        if *min < fewest {
            fewest = *min;
        }
        rest = more;
    }
    fewest
}

/// Whether all variants always take the same number of bytes.
#[must_use]
pub const fn all_fixed(variants: &[(usize, bool)]) -> bool {
    let mut rest = variants;
    while let Some(((min, fixed), more)) = rest.split_first() {
        if !*fixed || *min != fewest(variants) {
            return false;
        }
        rest = more;
    }
    true
}

/// How the schema shows a length in another field.
#[must_use]
pub const fn held(name: &'static str, index: u32, max: u32) -> Len {
    Len::Field { name: Shared::of(name), index, max }
}

/// How the schema shows text or bytes.
#[must_use]
pub const fn text_type<T: Text>(len: Len) -> Type {
    if T::UTF8 { Type::Text(len) } else { Type::Bytes(len) }
}

/// A length in front, judged against its bound.
#[inline]
pub fn read_len<E: Endian, L: Length + RawBody<E>>(
    from: &mut Reader<'_>,
    max: usize,
) -> Result<usize, BodyError> {
    check_len(L::read(from)?, max)
}

/// A length from another field, judged against its bound.
#[inline]
pub fn check_len<L: Length>(len: L, max: usize) -> Result<usize, BodyError> {
    match len.to_len() {
        Some(len) if len <= max => Ok(len),
        Some(len) => Err(BodyError::new(BodyErrorKind::TooLong { len, max })),
        None => Err(BodyError::new(BodyErrorKind::NegativeLength)),
    }
}

/// Writes a length in front.
#[inline]
pub fn write_len<E: Endian, L: Length + RawBody<E>>(
    len: usize,
    max: usize,
    to: &mut impl Sink,
) -> Result<(), BodyError> {
    check_max(len, max)?;
    match L::from_len(len) {
        Some(prefix) => prefix.write(to),
        None => Err(BodyError::new(BodyErrorKind::TooLong { len, max: max.min(L::LARGEST) })),
    }
}

/// Says whether the field that holds a length holds this one.
#[inline]
pub fn match_len<L: Length>(says: L, have: usize, max: usize) -> Result<(), BodyError> {
    match check_len(says, max)? {
        says if says == have => Ok(()),
        says => Err(BodyError::new(BodyErrorKind::CountMismatch { says, have })),
    }
}

/// Why a value was refused, as [`RawBody::read_or`] left it.
#[cold]
#[must_use]
pub fn reason(refused: Option<BodyError>) -> BodyError {
    // The compiler cannot see that there always is one.
    refused.unwrap_or_else(|| BodyError::new(BodyErrorKind::Short { need: 1, have: 0 }))
}

/// Leaves in `refused` why there is no value, and in which field.
#[inline(always)]
pub fn refuse<T>(refused: &mut Option<BodyError>, error: BodyError, name: &'static str) -> Option<T> {
    *refused = Some(named(error, name));
    None
}

/// Says of what is in `refused` in which field (struct, variant) it arose.
#[inline(always)]
pub fn refused_within<T>(refused: &mut Option<BodyError>, name: &'static str) -> Option<T> {
    let error = reason(refused.take());
    refuse(refused, error, name)
}

// By value: a reference to `refused` would keep it in memory, where it is looked at after every good packet too.
#[cold]
fn named(error: BodyError, name: &'static str) -> BodyError {
    // The body behind a request number has no name: the packet's stands for it.
    if name.is_empty() { error } else { error.within(name) }
}

/// The value, or what is in `refused`.
#[inline(always)]
pub fn or<T>(read: Result<T, BodyError>, refused: &mut Option<BodyError>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            *refused = Some(error);
            None
        }
    }
}

/// Says whether a length is within its bound.
#[inline]
pub fn check_max(len: usize, max: usize) -> Result<(), BodyError> {
    if len <= max { Ok(()) } else { Err(BodyError::new(BodyErrorKind::TooLong { len, max })) }
}

/// Text of `len` bytes.
#[inline]
pub fn read_text<T: Text>(from: &mut Reader<'_>, len: usize) -> Result<T, BodyError> {
    let bytes = from.take(len)?;
    T::from_slice(bytes, from)
}

/// The text that is left.
#[inline]
pub fn read_rest<T: Text>(from: &mut Reader<'_>, max: usize) -> Result<T, BodyError> {
    check_max(from.remaining(), max)?;
    let bytes = from.take_rest();
    T::from_slice(bytes, from)
}

/// Text, as it is.
#[inline]
pub fn write_text<T: Text>(text: &T, to: &mut impl Sink) {
    to.put(text.as_slice());
}

/// Text padded with zeros to `N` bytes.
#[inline]
pub fn read_padded<T: Text, const N: usize>(from: &mut Reader<'_>, trim: Trim) -> Result<T, BodyError> {
    let bytes = from.array::<N>()?;
    T::from_slice(trim.apply(bytes), from)
}

/// Text padded with zeros to `N` bytes. What would be read back as something else is refused.
#[inline]
pub fn write_padded<T: Text, const N: usize>(
    text: &T,
    trim: Trim,
    to: &mut impl Sink,
) -> Result<(), BodyError> {
    let bytes = text.as_slice();
    check_max(bytes.len(), N)?;
    if trim.apply(bytes).len() != bytes.len() {
        return Err(BodyError::new(BodyErrorKind::PaddedZero));
    }
    let mut padded = [0; N];
    if let Some(front) = padded.get_mut(..bytes.len()) {
        front.copy_from_slice(bytes);
    }
    to.put(&padded);
    Ok(())
}

/// A fixed layout of `N` bytes: room for all of it is made once, and each field writes where it stays.
#[inline(always)]
pub fn write_fixed<const N: usize, S: Sink>(
    to: &mut S,
    write: impl FnOnce(&mut FixedSink<'_>) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let mut written = Ok(());
    to.fill(N, |room| {
        if let Some(room) = room.first_chunk_mut::<N>() {
            written = write(&mut FixedSink::new(room));
        }
    });
    written
}

/// A 0, or a 1 and the value.
#[inline]
pub fn read_option<T>(
    from: &mut Reader<'_>,
    value: impl FnOnce(&mut Reader<'_>) -> Result<T, BodyError>,
) -> Result<Option<T>, BodyError> {
    if <bool as RawBody>::read(from)? { value(from).map(Some) } else { Ok(None) }
}

/// A 0, or a 1 and the value.
#[inline]
pub fn write_option<T, S: Sink>(
    value: &Option<T>,
    to: &mut S,
    write: impl FnOnce(&T, &mut S) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    <bool as RawBody>::write(&value.is_some(), to)?;
    value.as_ref().map_or(Ok(()), |value| write(value, to))
}
