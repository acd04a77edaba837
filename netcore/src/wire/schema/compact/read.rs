//! Reads it, and trusts nothing.

use std::sync::Arc;

use super::super::canonical::{by_code, form_code};
use super::super::{By, Enum, Field, Form, Int, Len, Shared, Struct, Type, Variant};
use super::{MAX_DEPTH, SchemaError, refuse_control};
use crate::body::{RawBody, Reader};

pub(super) fn ty(from: &mut Reader<'_>, depth: usize) -> Result<Type, SchemaError> {
    if depth > MAX_DEPTH {
        return Err(SchemaError::TooDeep);
    }
    let inner = |from: &mut Reader<'_>| ty(from, depth + 1).map(owned);
    Ok(match number::<u8>(from)? {
        0 => Type::Opaque,
        1 => Type::Bool,
        2 => Type::Int(int(from, &[1, 2, 4, 8, 16])?),
        3 => Type::Float { bytes: size(from, &[4, 8])?, form: form(from)? },
        4 => Type::Text(len(from)?),
        5 => Type::Bytes(len(from)?),
        6 => Type::List { len: len(from)?, item: inner(from)? },
        7 => Type::Array { count: number::<u32>(from)?, item: inner(from)? },
        8 => Type::Option(inner(from)?),
        9 => Type::Map { key: inner(from)?, value: inner(from)? },
        10 => Type::Struct(Struct {
            name: text(from)?,
            by: by(from)?,
            fields: many(from, |from| {
                Ok(Field {
                    name: text(from)?,
                    doc: Shared::of(""),
                    number: number::<u32>(from)?,
                    ty: owned(ty(from, depth + 1)?),
                })
            })?,
        }),
        11 => Type::Enum(Enum {
            name: text(from)?,
            by: by(from)?,
            tag: if number::<bool>(from)? { Some(int(from, &[1, 2, 4])?) } else { None },
            variants: many(from, |from| {
                Ok(Variant {
                    name: text(from)?,
                    doc: Shared::of(""),
                    tag: number::<i64>(from)?,
                    body: owned(ty(from, depth + 1)?),
                })
            })?,
        }),
        12 => Type::Recursive(text(from)?),
        code => return Err(SchemaError::Code { what: "a type", code }),
    })
}

pub(super) fn number<T: RawBody>(from: &mut Reader<'_>) -> Result<T, SchemaError> {
    Ok(T::read(from)?)
}

pub(super) fn owned<T>(value: T) -> Shared<T> {
    Shared::Owned(Arc::new(value))
}

pub(super) fn many<T>(
    from: &mut Reader<'_>,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<T, SchemaError>,
) -> Result<Shared<[T]>, SchemaError> {
    let count = number::<u16>(from)?;
    let items = (0..count).map(|_| item(from)).collect::<Result<Vec<_>, _>>()?;
    Ok(Shared::Owned(items.into()))
}

pub(super) fn text(from: &mut Reader<'_>) -> Result<Shared<str>, SchemaError> {
    let len = number::<u16>(from)?;
    let text: String = crate::wire::body::raw_fields::read_text(from, usize::from(len))?;
    refuse_control(&text)?;
    Ok(Shared::Owned(text.into()))
}

pub(super) fn int(from: &mut Reader<'_>, sizes: &[u8]) -> Result<Int, SchemaError> {
    Ok(Int { bytes: size(from, sizes)?, signed: number::<bool>(from)?, form: form(from)? })
}

/// A number's size in bytes. Others would make nonsense of every sum of sizes.
pub(super) fn size(from: &mut Reader<'_>, sizes: &[u8]) -> Result<u8, SchemaError> {
    let code = number::<u8>(from)?;
    if sizes.contains(&code) { Ok(code) } else { Err(SchemaError::Code { what: "a number's size", code }) }
}

pub(super) fn form(from: &mut Reader<'_>) -> Result<Form, SchemaError> {
    let forms = [Form::Little, Form::Big, Form::Own, Form::Varint, Form::ZigZag];
    let code = number::<u8>(from)?;
    let known = forms.into_iter().find(|form| form_code(*form) == code);
    known.ok_or(SchemaError::Code { what: "a number's form", code })
}

pub(super) fn by(from: &mut Reader<'_>) -> Result<By, SchemaError> {
    let code = number::<u8>(from)?;
    let known = [By::Position, By::Name, By::Number].into_iter().find(|by| by_code(*by) == code);
    known.ok_or(SchemaError::Code { what: "how fields are told apart", code })
}

pub(super) fn len(from: &mut Reader<'_>) -> Result<Len, SchemaError> {
    Ok(match number::<u8>(from)? {
        0 => Len::Own,
        1 => Len::Fixed(number::<u32>(from)?),
        2 => Len::Prefix { int: int(from, &[1, 2, 4])?, max: number::<u32>(from)? },
        3 => Len::Field { name: text(from)?, index: number::<u32>(from)?, max: number::<u32>(from)? },
        4 => Len::Rest { max: number::<u32>(from)? },
        code => return Err(SchemaError::Code { what: "a length", code }),
    })
}
