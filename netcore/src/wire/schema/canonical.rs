//! What of a schema is on the wire, as bytes that two sides can compare: the ground of fingerprint and comparison.

use super::runs::{put_runs, runs};
use super::{By, Enum, Field, Form, Int, Len, PacketSchema, Schema, Struct, Type};

impl Schema {
    /// A number that changes when what is on the wire changes, and only then.
    ///
    /// It covers packet ids, formats, and of each body: place and type for raw, key and type for MessagePack, number
    /// and type for protobuf. Names of packets, of types and of raw fields, documentation and bounds are not covered:
    /// renaming a variant or allowing a longer text leaves every byte where it was. So does putting raw fields together
    /// into a struct or an array.
    ///
    /// Of a type that contains itself it covers which of the types around the place is meant, by how far out that is, and the
    /// lists and maps between. Of a type that is told by name alone, since it is none of those around, it covers nothing
    /// else: in a circle of protobuf messages, each sees of the others only that they are there.
    ///
    /// One change it sees although no byte moves: an array in place of its items' fields one by one, where the items
    /// have more than one field and hold a list, an option, an enum or a length in another field, or come to more than
    /// 64 fields together.
    ///
    /// ```
    /// use netcore::{Packet, Raw};
    ///
    /// #[derive(Raw)]
    /// struct Point {
    ///     x: f32,
    ///     y: f32,
    /// }
    ///
    /// #[derive(Packet)]
    /// enum Old {
    ///     #[packet(id = 1)]
    ///     Line { x1: f32, y1: f32, x2: f32, y2: f32 },
    /// }
    ///
    /// #[derive(Packet)]
    /// enum New {
    ///     #[packet(id = 1)]
    ///     Line { ends: [Point; 2] },
    /// }
    ///
    /// #[derive(Packet)]
    /// enum Newer {
    ///     #[packet(id = 1)]
    ///     Line { ends: [Point; 3] },
    /// }
    ///
    /// assert_eq!(Old::SCHEMA.fingerprint(), New::SCHEMA.fingerprint());
    /// assert_ne!(New::SCHEMA.fingerprint(), Newer::SCHEMA.fingerprint());
    /// ```
    ///
    /// It is the 64-bit FNV-1a hash of a canonical form; two protocols with one fingerprint are an accident of about
    /// 1 in 2⁶⁴, not a proof against somebody who looks for one.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut out = Vec::new();
        for packet in self.by_id() {
            put_packet(&mut out, packet);
        }
        out.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// The packets in the order of their ids.
    pub(super) fn by_id(&self) -> Vec<&PacketSchema> {
        let mut packets: Vec<_> = self.packets.iter().collect();
        packets.sort_by_key(|packet| packet.id);
        packets
    }
}

/// What the format makes of structs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Structs and arrays leave no trace: their values follow each other.
    Raw,
    /// Fields that have names go by their places all the same.
    Placed,
    /// As the type says.
    Own,
}

pub(super) fn put_packet(out: &mut Vec<u8>, packet: &PacketSchema) {
    out.extend_from_slice(&packet.id.0.to_le_bytes());
    put_str(out, &packet.format);
    put_type(out, &packet.body, Within::packet(packet.way()), &[]);
}

/// Where a type stands: what the format makes of structs, and the structs and enums around it.
#[derive(Clone, Copy)]
pub(super) struct Within<'a> {
    pub(super) way: Way,
    around: Option<(&'a str, &'a Self)>,
}

impl<'a> Within<'a> {
    pub(super) const fn packet(way: Way) -> Self {
        Self { way, around: None }
    }

    /// Inside of a struct or an enum of that name.
    pub(super) const fn of(&'a self, name: &'a str) -> Self {
        Self { way: self.way, around: Some((name, self)) }
    }

    /// How many structs and enums further out than the innermost the one of that name is: the name itself is not on the
    /// wire. In a raw body, where structs leave no trace, there is no telling.
    fn levels_to(&self, name: &str) -> Option<u32> {
        let (mut around, mut levels) = (self.around.filter(|_| self.way != Way::Raw), 0);
        while let Some((other, outer)) = around {
            if other == name {
                return Some(levels);
            }
            (around, levels) = (outer.around, levels + 1);
        }
        None
    }
}

impl PacketSchema {
    pub(super) fn way(&self) -> Way {
        match &*self.format {
            "raw" => Way::Raw,
            "msgpack-array" => Way::Placed,
            _ => Way::Own,
        }
    }
}

/// A type; `siblings` says where each field of the raw struct around it begins, if there is one.
pub(super) fn put_type(out: &mut Vec<u8>, ty: &Type, within: Within<'_>, siblings: &[u64]) {
    match ty {
        Type::Struct(Struct { by: By::Position, .. }) | Type::Array { .. } if within.way == Way::Raw => {
            put_runs(out, &runs(ty, siblings));
        }
        Type::Opaque => out.push(0),
        Type::Bool => out.push(1),
        Type::Int(int) => {
            out.push(2);
            put_int(out, *int);
        }
        Type::Float { bytes, form } => out.extend([3, *bytes, form_code(*form)]),
        Type::Text(len) => {
            out.push(4);
            put_len(out, len, siblings);
        }
        Type::Bytes(len) => {
            out.push(5);
            put_len(out, len, siblings);
        }
        Type::List { item, len } => {
            out.push(6);
            put_len(out, len, siblings);
            put_type(out, item, within, siblings);
        }
        Type::Array { item, count } => {
            out.push(7);
            out.extend_from_slice(&count.to_le_bytes());
            put_type(out, item, within, siblings);
        }
        Type::Option(value) => {
            out.push(8);
            put_type(out, value, within, siblings);
        }
        Type::Map { key, value } => {
            out.push(9);
            put_type(out, key, within, siblings);
            put_type(out, value, within, siblings);
        }
        Type::Struct(shape) => put_struct(out, shape, within),
        Type::Enum(choice) => put_enum(out, choice, within),
        Type::Recursive(name) => {
            out.push(12);
            out.extend_from_slice(&within.levels_to(name).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
}

fn put_struct(out: &mut Vec<u8>, shape: &Struct, within: Within<'_>) {
    let (by, fields) = in_order(shape, within.way);
    out.extend([10, by_code(by)]);
    put_count(out, fields.len());
    for field in fields {
        match by {
            By::Position => {}
            By::Name => put_str(out, &field.name),
            By::Number => out.extend_from_slice(&field.number.to_le_bytes()),
        }
        put_type(out, plain(&field.ty, by), within.of(&shape.name), &[]);
    }
}

/// The fields as a reader finds them: in their order, or by key where the order does not matter. The members of a
/// protobuf `oneof` are fields like any other.
pub(super) fn in_order(shape: &Struct, way: Way) -> (By, Vec<Field>) {
    let by = if way == Way::Placed && shape.by == By::Name { By::Position } else { shape.by };
    let mut fields = Vec::with_capacity(shape.fields.len());
    for field in shape.fields.iter() {
        match (by, plain(&field.ty, by)) {
            (By::Number, Type::Enum(Enum { by: By::Number, tag: None, variants, .. })) => {
                fields.extend(variants.iter().map(|variant| Field {
                    name: variant.name.clone(),
                    doc: variant.doc.clone(),
                    number: u32::try_from(variant.tag).unwrap_or(0),
                    ty: variant.body.clone(),
                }));
            }
            _ => fields.push(field.clone()),
        }
    }
    match by {
        By::Position => {}
        By::Name => fields.sort_by(|a, b| a.name.cmp(&b.name)),
        By::Number => fields.sort_by_key(|field| field.number),
    }
    (by, fields)
}

/// The type without what is not on the wire: a protobuf field that may be missing is written like any other.
pub(super) fn plain(ty: &Type, by: By) -> &Type {
    match ty {
        Type::Option(value) if by == By::Number => value,
        other => other,
    }
}

fn put_enum(out: &mut Vec<u8>, choice: &Enum, within: Within<'_>) {
    out.extend([11, by_code(choice.by), u8::from(choice.tag.is_some())]);
    if let Some(tag) = choice.tag {
        put_int(out, tag);
    }
    let mut variants: Vec<_> = choice.variants.iter().collect();
    match choice.by {
        By::Name => variants.sort_by(|a, b| a.name.cmp(&b.name)),
        By::Position | By::Number => variants.sort_by_key(|variant| variant.tag),
    }
    put_count(out, variants.len());
    for variant in variants {
        match choice.by {
            By::Name => put_str(out, &variant.name),
            By::Position | By::Number => out.extend_from_slice(&variant.tag.to_le_bytes()),
        }
        put_type(out, &variant.body, within.of(&choice.name), &[]);
    }
}

fn put_int(out: &mut Vec<u8>, int: Int) {
    out.extend([int.bytes, u8::from(int.signed), form_code(int.form)]);
}

fn put_len(out: &mut Vec<u8>, len: &Len, siblings: &[u64]) {
    match len {
        Len::Own => out.push(0),
        Len::Fixed(count) => {
            out.push(1);
            out.extend_from_slice(&count.to_le_bytes());
        }
        Len::Prefix { int, .. } => {
            out.push(2);
            put_int(out, *int);
        }
        Len::Field { index, .. } => {
            let start = siblings.get(*index as usize).copied().unwrap_or(u64::from(*index));
            out.push(3);
            out.extend_from_slice(&u32::try_from(start).unwrap_or(u32::MAX).to_le_bytes());
        }
        Len::Rest { .. } => out.push(4),
    }
}

fn put_str(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u64).to_le_bytes());
}

pub(super) const fn form_code(form: Form) -> u8 {
    match form {
        Form::Little => 0,
        Form::Big => 1,
        Form::Own => 2,
        Form::Varint => 3,
        Form::ZigZag => 4,
    }
}

pub(super) const fn by_code(by: By) -> u8 {
    match by {
        By::Position => 0,
        By::Name => 1,
        By::Number => 2,
    }
}
