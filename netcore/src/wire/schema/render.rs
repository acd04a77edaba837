//! A schema in words: plain text for a terminal, Markdown for a page.

use std::fmt::{self, Write};

use super::{By, Enum, Field, Form, Int, Len, PacketSchema, Schema, Struct, Type};

impl Schema {
    /// The schema as plain text: a line a packet, a line a field with its offset, as far as offsets are fixed.
    ///
    /// ```
    /// use netcore::Packet;
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     /// A step.
    ///     #[packet(id = 1)]
    ///     Move { player: u16, x: f32 },
    /// }
    ///
    /// let text = ToServer::SCHEMA.to_text();
    /// let lines: Vec<_> = text.lines().skip(1).collect();
    /// assert_eq!(
    ///     lines,
    ///     ["  1  Move  raw, 6 bytes", "     A step.", "         0  player  u16", "         2  x  f32"],
    /// );
    /// ```
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!("{}  fingerprint {:016x}\n", &*self.name, self.fingerprint());
        for packet in self.by_id() {
            let _ = writeln!(out, "{:>3}  {}  {}", packet.id, &*packet.name, summary(packet));
            for line in packet.doc.lines() {
                let _ = writeln!(out, "     {line}");
            }
            for row in rows(&packet.body) {
                let _ = writeln!(out, "     {:>5}  {}  {}", row.offset, row.name, row.words);
            }
        }
        out
    }

    /// The schema as Markdown: a section a packet with a table of its fields.
    ///
    /// ```
    /// use netcore::Packet;
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     #[packet(id = 1)]
    ///     Move {
    ///         player: u16,
    ///         /// metres
    ///         x: f32,
    ///     },
    /// }
    ///
    /// let page = ToServer::SCHEMA.to_markdown();
    /// assert!(page.starts_with("# ToServer\n\nFingerprint `"));
    /// assert!(page.contains("\n## 1 Move\n\nraw, 6 bytes.\n"));
    /// assert!(page.ends_with("| 0 | `player` | u16 |  |\n| 2 | `x` | f32 | metres |\n"));
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# {}\n\n", &*self.name);
        if !self.doc.is_empty() {
            let _ = writeln!(out, "{}\n", &*self.doc);
        }
        let _ = writeln!(out, "Fingerprint `{:016x}`.", self.fingerprint());
        for packet in self.by_id() {
            let _ = writeln!(out, "\n## {} {}\n\n{}.", packet.id, &*packet.name, summary(packet));
            if !packet.doc.is_empty() {
                let _ = writeln!(out, "\n{}", &*packet.doc);
            }
            let rows = rows(&packet.body);
            if !rows.is_empty() {
                out.push_str("\n| offset | field | what | |\n|---|---|---|---|\n");
            }
            for row in rows {
                let (words, doc) = (cell(&row.words), cell(&row.doc));
                let _ = writeln!(out, "| {} | `{}` | {words} | {doc} |", row.offset, row.name);
            }
        }
        out
    }
}

/// A table's cell holds neither line breaks nor bars.
fn cell(text: &str) -> String {
    text.trim().replace('\n', " ").replace('|', "\\|")
}

fn summary(packet: &PacketSchema) -> String {
    let mut words = packet.format.to_string();
    let (min, max) = packet.body.sizes();
    let max = max.map_or(packet.max, |max| u32::try_from(max).unwrap_or(u32::MAX).min(packet.max));
    let raw = &*packet.format == "raw";
    let _ = match (raw, max) {
        (true, 0) => write!(words, ", empty"),
        (true, max) if max as usize == min => write!(words, ", {min} bytes"),
        (true, NO_LIMIT) => write!(words, ", {min} bytes or more"),
        (true, max) => write!(words, ", {min} to {max} bytes"),
        (false, NO_LIMIT) => Ok(()),
        (false, max) => write!(words, ", at most {max} bytes"),
    };
    if packet.numbered {
        words.push_str("; numbered");
    }
    if let Some(reply) = packet.reply {
        let _ = write!(words, "; answered by {reply}");
    }
    if packet.ignore_extra {
        words.push_str("; extra bytes are ignored");
    }
    words
}

/// What the wire itself allows: no limit worth a word.
const NO_LIMIT: u32 = crate::Header::MAX_BODY as u32;

struct Row {
    offset: String,
    name: String,
    words: String,
    doc: String,
}

fn rows(body: &Type) -> Vec<Row> {
    let mut rows = Vec::new();
    match body {
        Type::Struct(shape) => {
            let mut offset = Some(0usize);
            push_rows(&mut rows, "", shape, &mut offset, 0);
        }
        other => rows.push(Row {
            offset: "0".into(),
            name: "body".into(),
            words: other.to_string(),
            doc: String::new(),
        }),
    }
    rows
}

/// Nested structs show their fields in place, with the outer field's name in front.
fn push_rows(rows: &mut Vec<Row>, prefix: &str, shape: &Struct, offset: &mut Option<usize>, depth: usize) {
    for field in shape.fields.iter() {
        let Field { name, doc, number, ty } = field;
        let name = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{}", &**name) };
        if let (Type::Struct(inner), By::Position, true) = (&**ty, shape.by, depth < 8) {
            push_rows(rows, &name, inner, offset, depth + 1);
            continue;
        }
        let place = match shape.by {
            By::Position => offset.map_or_else(|| "…".into(), |offset| offset.to_string()),
            By::Name => String::new(),
            By::Number => format!("#{number}"),
        };
        *offset = offset.zip(ty.fixed_size()).map(|(offset, size)| offset.saturating_add(size));
        // The body behind a request number has no name of its own.
        let name = if name.is_empty() { "body".into() } else { name };
        rows.push(Row { offset: place, name, words: ty.to_string(), doc: doc.to_string() });
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opaque => f.write_str("an opaque value"),
            Self::Bool => f.write_str("bool"),
            Self::Int(int) => int.fmt(f),
            Self::Float { bytes, form } => write!(f, "f{}{}", u16::from(*bytes) * 8, form.suffix()),
            Self::Text(len) => len.describe(f, "text"),
            Self::Bytes(len) => len.describe(f, "bytes"),
            Self::List { item, len } => {
                write!(f, "list of {}", Item(item))?;
                len.describe(f, "")
            }
            Self::Array { item, count } => write!(f, "{count} × {}", Item(item)),
            Self::Option(value) => write!(f, "optional {}", **value),
            Self::Map { key, value } => write!(f, "map of {} to {}", Item(key), Item(value)),
            Self::Struct(shape) => shape.fmt(f),
            Self::Enum(choice) => choice.fmt(f),
            Self::Recursive(name) => write!(f, "{} again", &**name),
        }
    }
}

/// A type inside another: in parentheses where its words would run into those behind it.
struct Item<'a>(&'a Type);

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Type::Bool | Type::Int(_) | Type::Float { .. } | Type::Struct(_) => self.0.fmt(f),
            other => write!(f, "({other})"),
        }
    }
}

impl fmt::Display for Struct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        f.write_str(" { ")?;
        for field in self.fields.iter() {
            match self.by {
                // The body behind a request number.
                _ if field.name.is_empty() => write!(f, "{}; ", *field.ty)?,
                By::Number => write!(f, "{} = {}: {}; ", &*field.name, field.number, *field.ty)?,
                By::Name | By::Position => write!(f, "{}: {}; ", &*field.name, *field.ty)?,
            }
        }
        f.write_str("}")
    }
}

impl fmt::Display for Enum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag {
            Some(tag) => write!(f, "{} with a tag {tag}: ", &*self.name)?,
            None => write!(f, "{}: ", &*self.name)?,
        }
        for (at, variant) in self.variants.iter().enumerate() {
            if at > 0 {
                f.write_str(" | ")?;
            }
            match self.by {
                By::Name => f.write_str(&variant.name)?,
                By::Position | By::Number => write!(f, "{} {}", variant.tag, &*variant.name)?,
            }
            match &*variant.body {
                Type::Struct(shape) if shape.fields.is_empty() => {}
                body => write!(f, " ({body})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.signed { 'i' } else { 'u' };
        write!(f, "{sign}{}{}", u16::from(self.bytes) * 8, self.form.suffix())
    }
}

impl Form {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Little | Self::Own => "",
            Self::Big => " big-endian",
            Self::Varint => " varint",
            Self::ZigZag => " zigzag",
        }
    }
}

impl Len {
    fn describe(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        let list = what.is_empty();
        f.write_str(what)?;
        let max = match self {
            Self::Own => return Ok(()),
            Self::Fixed(count) => return write!(f, ", {count} bytes, padded with zeros"),
            Self::Prefix { int, max } => {
                // "an i16", "a u16"; "an u8" would be wrong, and so would "a i8".
                let article = if int.signed { "an" } else { "a" };
                write!(f, " with {article} {int} {}", if list { "count" } else { "length" })?;
                max
            }
            Self::Field { name, max, .. } => {
                write!(f, " as many as `{}` says", &**name)?;
                max
            }
            Self::Rest { max } => {
                f.write_str(", what is left")?;
                max
            }
        };
        if *max == u32::MAX { Ok(()) } else { write!(f, ", at most {max}") }
    }
}
