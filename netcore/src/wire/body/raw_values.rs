//! The raw layout of numbers, bools, arrays, options and boxes.

use super::raw::{Endian, RawBody};
use super::raw_fields::reason;
use super::{BodyError, BodyErrorKind, Reader, Sink};
use crate::wire::schema::{Form, Int, Shared, Type};

/// One byte has no order.
const fn form<E: Endian>(bytes: usize) -> Form {
    if bytes > 1 && E::BIG { Form::Big } else { Form::Little }
}

macro_rules! numbers {
    ($($number:ident $make:ident($($arg:expr),*);)*) => {$(
        impl<E: Endian> RawBody<E> for $number {
            const MIN: usize = size_of::<$number>();
            const FIXED: bool = true;
            const SHARES: bool = false;
            const OPEN: bool = false;
            const TYPE: &'static Type = &$make($($arg,)* form::<E>(size_of::<$number>()));

            #[inline]
            fn read(from: &mut Reader<'_>) -> Result<Self, BodyError> {
                from.array().map(|bytes| of::<E, $number, _>(*bytes, $number::from_le_bytes, $number::from_be_bytes))
            }

            #[inline]
            fn write<S: Sink>(&self, to: &mut S) -> Result<(), BodyError> {
                to.put(&if E::BIG { self.to_be_bytes() } else { self.to_le_bytes() });
                Ok(())
            }

            #[inline]
            fn read_array<const N: usize>(
                from: &mut Reader<'_>,
                refused: &mut Option<BodyError>,
            ) -> Option<[Self; N]> {
                let bytes = from.take(N * size_of::<$number>()).map_err(|error| *refused = Some(error)).ok()?;
                // Not `map` over an array, which goes through memory once more.
                let mut items = [0 as $number; N];
                for (item, bytes) in items.iter_mut().zip(bytes.as_chunks().0) {
                    *item = of::<E, $number, _>(*bytes, $number::from_le_bytes, $number::from_be_bytes);
                }
                Some(items)
            }

            #[inline]
            fn write_array<S: Sink, const N: usize>(items: &[Self; N], to: &mut S) -> Result<(), BodyError> {
                to.fill(N * size_of::<$number>(), |room| {
                    for (room, item) in room.as_chunks_mut().0.iter_mut().zip(items) {
                        *room = if E::BIG { item.to_be_bytes() } else { item.to_le_bytes() };
                    }
                });
                Ok(())
            }
        }
    )*};
}

#[inline]
fn of<E: Endian, T, B>(bytes: B, little: fn(B) -> T, big: fn(B) -> T) -> T {
    if E::BIG { big(bytes) } else { little(bytes) }
}

const fn int(bytes: u8, signed: bool, form: Form) -> Type {
    Type::Int(Int { bytes, signed, form })
}

const fn float(bytes: u8, form: Form) -> Type {
    Type::Float { bytes, form }
}

numbers! {
    u8 int(1, false);
    u16 int(2, false);
    u32 int(4, false);
    u64 int(8, false);
    u128 int(16, false);
    i8 int(1, true);
    i16 int(2, true);
    i32 int(4, true);
    i64 int(8, true);
    i128 int(16, true);
    f32 float(4);
    f64 float(8);
}

impl<E: Endian> RawBody<E> for bool {
    const MIN: usize = 1;
    const FIXED: bool = true;
    const SHARES: bool = false;
    const OPEN: bool = false;
    const TYPE: &'static Type = &Type::Bool;

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, BodyError> {
        match from.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(BodyError::new(BodyErrorKind::Bool(*other))),
        }
    }

    #[inline]
    fn write<S: Sink>(&self, to: &mut S) -> Result<(), BodyError> {
        to.put(&[u8::from(*self)]);
        Ok(())
    }
}

impl<E: Endian, T: RawBody<E>, const N: usize> RawBody<E> for [T; N] {
    const MIN: usize = {
        assert!(
            !T::OPEN || N < 2,
            "an item of this array takes all that is left of the body (`rest`), so that no other could follow"
        );
        N * T::MIN
    };
    const FIXED: bool = T::FIXED;
    const SHARES: bool = T::SHARES;
    const OPEN: bool = T::OPEN;
    const TYPE: &'static Type = &Type::Array { item: Shared::Static(T::TYPE), count: N as u32 };

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, BodyError> {
        let mut refused = None;
        T::read_array(from, &mut refused).ok_or_else(|| reason(refused))
    }

    #[inline]
    fn read_or(from: &mut Reader<'_>, refused: &mut Option<BodyError>) -> Option<Self> {
        T::read_array(from, refused)
    }

    #[inline]
    fn write<S: Sink>(&self, to: &mut S) -> Result<(), BodyError> {
        T::write_array(self, to)
    }
}

impl<E: Endian, T: RawBody<E>> RawBody<E> for Option<T> {
    const MIN: usize = 1;
    const FIXED: bool = false;
    const SHARES: bool = T::SHARES;
    const OPEN: bool = T::OPEN;
    const TYPE: &'static Type = &Type::Option(Shared::Static(T::TYPE));

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, BodyError> {
        super::raw_fields::read_option(from, T::read)
    }

    #[inline]
    fn write<S: Sink>(&self, to: &mut S) -> Result<(), BodyError> {
        super::raw_fields::write_option(self, to, T::write)
    }
}

impl<E: Endian, T: RawBody<E>> RawBody<E> for Box<T> {
    const MIN: usize = T::MIN;
    const FIXED: bool = T::FIXED;
    const SHARES: bool = T::SHARES;
    const OPEN: bool = T::OPEN;
    const TYPE: &'static Type = T::TYPE;

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, BodyError> {
        T::read(from).map(Self::new)
    }

    #[inline]
    fn write<S: Sink>(&self, to: &mut S) -> Result<(), BodyError> {
        (**self).write(to)
    }
}
