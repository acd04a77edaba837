//! A schema in few bytes, for a handshake, a capture or a file. The reader trusts nothing.
//!
//! ```text
//! schema  = version u8 (1), text name, u16 count, packets
//! packet  = u16 id, text name, text format, u32 max, u8 flags, u16 reply where there is one, type
//! text    = u16 length, UTF-8
//! type    = u8 kind, then by kind
//! ```
//!
//! All integers are little-endian. Documentation is not in it.

use std::sync::Arc;

use super::canonical::{by_code, form_code};
use super::{By, Enum, Field, Form, Int, Len, PacketSchema, Schema, Shared, Struct, Type, Variant};
use crate::PacketId;
use crate::body::{BodyError, RawBody, Reader};

/// A compact schema that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// It takes more than [`Schema::MAX_COMPACT`] bytes.
    #[error("the schema takes {size} bytes, more than the {} it may", Schema::MAX_COMPACT)]
    TooLarge {
        /// The bytes it takes.
        size: usize,
    },
    /// Its first byte names a version that this library does not know.
    #[error("the schema's version {version} is not known")]
    Version {
        /// The version.
        version: u8,
    },
    /// Types lie within types more than 32 deep.
    #[error("the schema's types are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// A code stands for nothing.
    #[error("the schema has the code {code} where {what} is due")]
    Code {
        /// What was expected.
        what: &'static str,
        /// What came.
        code: u8,
    },
    /// A name holds a line break or another control character.
    #[error("a name in the schema holds a control character")]
    ControlCharacter,
    /// It ends early, goes on behind its end, or holds text that is not UTF-8.
    #[error("the schema does not decode")]
    Malformed(#[from] BodyError),
}

const VERSION: u8 = 1;
const MAX_DEPTH: usize = 32;

// A packet's flags.
const IGNORE_EXTRA: u8 = 1;
const NUMBERED: u8 = 2;
const REPLY: u8 = 4;

impl Schema {
    /// The most bytes of a compact schema: 64 KiB.
    pub const MAX_COMPACT: usize = 64 * 1024;

    /// The schema in few bytes, without its documentation.
    ///
    /// ```
    /// use netcore::{Packet, Schema, schema::SchemaError};
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     #[packet(id = 1)]
    ///     Move { player: u16, x: f32 },
    /// }
    ///
    /// let bytes = ToServer::SCHEMA.to_compact()?;
    /// let theirs = Schema::from_compact(&bytes)?;
    /// assert_eq!(theirs.compare(ToServer::SCHEMA), None);
    /// assert!(matches!(Schema::from_compact(b"\x02"), Err(SchemaError::Version { version: 2 })));
    /// # Ok::<_, SchemaError>(())
    /// ```
    ///
    /// # Errors
    /// [`SchemaError::TooLarge`] over [`MAX_COMPACT`](Self::MAX_COMPACT), [`SchemaError::TooDeep`] over 32 levels,
    /// [`SchemaError::ControlCharacter`] for a name that holds one.
    pub fn to_compact(&self) -> Result<Vec<u8>, SchemaError> {
        let mut out = vec![VERSION];
        put_text(&mut out, &self.name)?;
        put_count(&mut out, self.packets.len());
        for packet in self.packets.iter() {
            out.extend(packet.id.0.to_le_bytes());
            put_text(&mut out, &packet.name)?;
            put_text(&mut out, &packet.format)?;
            out.extend(packet.max.to_le_bytes());
            out.push(
                if packet.ignore_extra { IGNORE_EXTRA } else { 0 }
                    | if packet.numbered { NUMBERED } else { 0 }
                    | if packet.reply.is_some() { REPLY } else { 0 },
            );
            out.extend(packet.reply.iter().flat_map(|reply| reply.0.to_le_bytes()));
            put_type(&mut out, &packet.body, 0)?;
        }
        if out.len() > Self::MAX_COMPACT { Err(SchemaError::TooLarge { size: out.len() }) } else { Ok(out) }
    }

    /// Reads what [`to_compact`](Self::to_compact) wrote. Memory follows the bytes given, not the counts in them.
    ///
    /// # Errors
    /// [`SchemaError`], on anything else; no input makes it panic.
    pub fn from_compact(bytes: &[u8]) -> Result<Self, SchemaError> {
        if bytes.len() > Self::MAX_COMPACT {
            return Err(SchemaError::TooLarge { size: bytes.len() });
        }
        let mut from = Reader::new(bytes);
        match number::<u8>(&mut from)? {
            VERSION => {}
            version => return Err(SchemaError::Version { version }),
        }
        let name = text(&mut from)?;
        let packets = many(&mut from, |from| {
            let (id, name, format) = (PacketId(number::<u16>(from)?), text(from)?, text(from)?);
            let (max, flags) = (number::<u32>(from)?, number::<u8>(from)?);
            if flags & !(IGNORE_EXTRA | NUMBERED | REPLY) != 0 {
                return Err(SchemaError::Code { what: "a packet's flags", code: flags });
            }
            let reply = if flags & REPLY == 0 { None } else { Some(PacketId(number::<u16>(from)?)) };
            Ok(PacketSchema {
                id,
                name,
                doc: Shared::of(""),
                format,
                max,
                ignore_extra: flags & IGNORE_EXTRA != 0,
                reply,
                numbered: flags & NUMBERED != 0,
                body: owned(ty(from, 0)?),
            })
        })?;
        from.finish()?;
        Ok(Self { name, doc: Shared::of(""), packets })
    }
}

fn put_type(out: &mut Vec<u8>, ty: &Type, depth: usize) -> Result<(), SchemaError> {
    if depth > MAX_DEPTH {
        return Err(SchemaError::TooDeep);
    }
    match ty {
        Type::Opaque => out.push(0),
        Type::Bool => out.push(1),
        Type::Int(int) => {
            out.push(2);
            put_int(out, *int);
        }
        Type::Float { bytes, form } => out.extend([3, *bytes, form_code(*form)]),
        Type::Text(len) => {
            out.push(4);
            put_len(out, len)?;
        }
        Type::Bytes(len) => {
            out.push(5);
            put_len(out, len)?;
        }
        Type::List { item, len } => {
            out.push(6);
            put_len(out, len)?;
            put_type(out, item, depth + 1)?;
        }
        Type::Array { item, count } => {
            out.push(7);
            out.extend(count.to_le_bytes());
            put_type(out, item, depth + 1)?;
        }
        Type::Option(value) => {
            out.push(8);
            put_type(out, value, depth + 1)?;
        }
        Type::Map { key, value } => {
            out.push(9);
            put_type(out, key, depth + 1)?;
            put_type(out, value, depth + 1)?;
        }
        Type::Struct(shape) => {
            out.push(10);
            put_text(out, &shape.name)?;
            out.push(by_code(shape.by));
            put_count(out, shape.fields.len());
            for field in shape.fields.iter() {
                put_text(out, &field.name)?;
                out.extend(field.number.to_le_bytes());
                put_type(out, &field.ty, depth + 1)?;
            }
        }
        Type::Enum(choice) => {
            out.push(11);
            put_text(out, &choice.name)?;
            out.push(by_code(choice.by));
            out.push(u8::from(choice.tag.is_some()));
            if let Some(tag) = choice.tag {
                put_int(out, tag);
            }
            put_count(out, choice.variants.len());
            for variant in choice.variants.iter() {
                put_text(out, &variant.name)?;
                out.extend(variant.tag.to_le_bytes());
                put_type(out, &variant.body, depth + 1)?;
            }
        }
        Type::Recursive(name) => {
            out.push(12);
            put_text(out, name)?;
        }
    }
    Ok(())
}

fn ty(from: &mut Reader<'_>, depth: usize) -> Result<Type, SchemaError> {
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

fn number<T: RawBody>(from: &mut Reader<'_>) -> Result<T, SchemaError> {
    Ok(T::read(from)?)
}

fn owned<T>(value: T) -> Shared<T> {
    Shared::Owned(Arc::new(value))
}

fn many<T>(
    from: &mut Reader<'_>,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<T, SchemaError>,
) -> Result<Shared<[T]>, SchemaError> {
    let count = number::<u16>(from)?;
    let items = (0..count).map(|_| item(from)).collect::<Result<Vec<_>, _>>()?;
    Ok(Shared::Owned(items.into()))
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    // More than 65,535 of anything take more than 64 KiB, which the caller refuses.
    out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), SchemaError> {
    refuse_control(text)?;
    put_count(out, text.len());
    out.extend(text.as_bytes());
    Ok(())
}

/// A peer's names end up in logs and terminals.
fn refuse_control(text: &str) -> Result<(), SchemaError> {
    if text.contains(char::is_control) { Err(SchemaError::ControlCharacter) } else { Ok(()) }
}

fn text(from: &mut Reader<'_>) -> Result<Shared<str>, SchemaError> {
    let len = number::<u16>(from)?;
    let text: String = crate::wire::body::raw_fields::read_text(from, usize::from(len))?;
    refuse_control(&text)?;
    Ok(Shared::Owned(text.into()))
}

fn put_int(out: &mut Vec<u8>, int: Int) {
    out.extend([int.bytes, u8::from(int.signed), form_code(int.form)]);
}

fn int(from: &mut Reader<'_>, sizes: &[u8]) -> Result<Int, SchemaError> {
    Ok(Int { bytes: size(from, sizes)?, signed: number::<bool>(from)?, form: form(from)? })
}

/// A number's size in bytes. Others would make nonsense of every sum of sizes.
fn size(from: &mut Reader<'_>, sizes: &[u8]) -> Result<u8, SchemaError> {
    let code = number::<u8>(from)?;
    if sizes.contains(&code) { Ok(code) } else { Err(SchemaError::Code { what: "a number's size", code }) }
}

fn form(from: &mut Reader<'_>) -> Result<Form, SchemaError> {
    let forms = [Form::Little, Form::Big, Form::Own, Form::Varint, Form::ZigZag];
    let code = number::<u8>(from)?;
    let known = forms.into_iter().find(|form| form_code(*form) == code);
    known.ok_or(SchemaError::Code { what: "a number's form", code })
}

fn by(from: &mut Reader<'_>) -> Result<By, SchemaError> {
    let code = number::<u8>(from)?;
    let known = [By::Position, By::Name, By::Number].into_iter().find(|by| by_code(*by) == code);
    known.ok_or(SchemaError::Code { what: "how fields are told apart", code })
}

fn put_len(out: &mut Vec<u8>, len: &Len) -> Result<(), SchemaError> {
    match len {
        Len::Own => out.push(0),
        Len::Fixed(count) => {
            out.push(1);
            out.extend(count.to_le_bytes());
        }
        Len::Prefix { int, max } => {
            out.push(2);
            put_int(out, *int);
            out.extend(max.to_le_bytes());
        }
        Len::Field { name, index, max } => {
            out.push(3);
            put_text(out, name)?;
            out.extend(index.to_le_bytes());
            out.extend(max.to_le_bytes());
        }
        Len::Rest { max } => {
            out.push(4);
            out.extend(max.to_le_bytes());
        }
    }
    Ok(())
}

fn len(from: &mut Reader<'_>) -> Result<Len, SchemaError> {
    Ok(match number::<u8>(from)? {
        0 => Len::Own,
        1 => Len::Fixed(number::<u32>(from)?),
        2 => Len::Prefix { int: int(from, &[1, 2, 4])?, max: number::<u32>(from)? },
        3 => Len::Field { name: text(from)?, index: number::<u32>(from)?, max: number::<u32>(from)? },
        4 => Len::Rest { max: number::<u32>(from)? },
        code => return Err(SchemaError::Code { what: "a length", code }),
    })
}
