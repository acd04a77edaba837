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

mod put;
mod read;

use super::{PacketSchema, Schema, Shared};
use crate::PacketId;
use crate::body::{BodyError, Reader};
use put::{put_count, put_text, put_type};
use read::{many, number, owned, text, ty};

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

/// A peer's names end up in logs and terminals.
fn refuse_control(text: &str) -> Result<(), SchemaError> {
    if text.contains(char::is_control) { Err(SchemaError::ControlCharacter) } else { Ok(()) }
}
