//! What a schema says of packets, bodies and fields.

use super::Shared;
use crate::PacketId;

/// All packets of one direction, as `#[derive(Packet)]` found them. A constant; one that came from a peer is owned.
///
/// ```
/// use netcore::{Packet, PacketId, schema::{Form, Int, Type}};
///
/// /// What a player says.
/// #[derive(Packet)]
/// enum ToServer {
///     /// Into a room.
///     #[packet(id = 721)]
///     Enter { room: i32 },
/// }
///
/// let schema = ToServer::SCHEMA;
/// assert_eq!((&*schema.name, &*schema.doc), ("ToServer", "What a player says."));
/// let enter = &schema.packets[0];
/// assert_eq!((enter.id, &*enter.name, &*enter.format), (PacketId(721), "Enter", "raw"));
/// let Type::Struct(body) = &*enter.body else { panic!("no fields") };
/// assert_eq!(&*body.fields[0].name, "room");
/// assert_eq!(*body.fields[0].ty, Type::Int(Int { bytes: 4, signed: true, form: Form::Little }));
/// assert_eq!(body.fields[0].ty.to_string(), "i32");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schema {
    /// The enum's name.
    pub name: Shared<str>,
    /// Its documentation.
    pub doc: Shared<str>,
    /// Its packets, in the order of the source.
    pub packets: Shared<[PacketSchema]>,
}

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketSchema {
    /// Its id.
    pub id: PacketId,
    /// The variant's name.
    pub name: Shared<str>,
    /// The variant's documentation.
    pub doc: Shared<str>,
    /// The format's name: `raw`, `msgpack`, `msgpack-array`, `protobuf`, or a team's own.
    pub format: Shared<str>,
    /// What the body looks like.
    pub body: Shared<Type>,
    /// The most bytes of body; 65,530 unless the variant says less.
    pub max: u32,
    /// Whether bytes behind the body are ignored.
    pub ignore_extra: bool,
    /// The id of the packet that answers it, which is one of the other direction's. Nothing of that is on the wire.
    pub reply: Option<PacketId>,
    /// Whether a request number stands first in the body. `body` then is a struct by position that begins with it: the
    /// field `request`; behind it, for a raw packet, its fields, and else one field without a name, which is the body in
    /// its format.
    pub numbered: bool,
}

/// What a value looks like on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// Nothing is known of it: a body type of its own that describes nothing.
    Opaque,
    /// A bool.
    Bool,
    /// An integer.
    Int(Int),
    /// An IEEE 754 number.
    Float {
        /// 4 or 8.
        bytes: u8,
        /// Its byte order.
        form: Form,
    },
    /// UTF-8 text.
    Text(Len),
    /// Bytes.
    Bytes(Len),
    /// Some items of one type.
    List {
        /// The items' type.
        item: Shared<Type>,
        /// How their number is told.
        len: Len,
    },
    /// So many items of one type.
    Array {
        /// The items' type.
        item: Shared<Type>,
        /// How many.
        count: u32,
    },
    /// A value that may be missing.
    Option(Shared<Type>),
    /// Keys with values.
    Map {
        /// The keys' type.
        key: Shared<Type>,
        /// The values' type.
        value: Shared<Type>,
    },
    /// Fields.
    Struct(Struct),
    /// One of several.
    Enum(Enum),
    /// A type that contains itself, by name: the innermost struct or enum around it that has the name.
    Recursive(Shared<str>),
}

/// An integer's size, sign and form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int {
    /// 1, 2, 4, 8 or 16.
    pub bytes: u8,
    /// Whether it may be below zero.
    pub signed: bool,
    /// How it is written.
    pub form: Form,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
    /// As the format writes numbers.
    Own,
    /// As a protobuf varint.
    Varint,
    /// As a protobuf zigzag varint.
    ZigZag,
}

/// How the end of text, bytes or a list is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Len {
    /// As the format tells it.
    Own,
    /// It always has so many bytes, padded with zeros.
    Fixed(u32),
    /// A length or count in front.
    Prefix {
        /// The length's own type.
        int: Int,
        /// The most it may say.
        max: u32,
    },
    /// Another field holds it.
    Field {
        /// That field's name.
        name: Shared<str>,
        /// That field's place among its siblings, from 0.
        index: u32,
        /// The most it may say.
        max: u32,
    },
    /// The body's end.
    Rest {
        /// The most there may be.
        max: u32,
    },
}

/// The fields of a struct, or of an enum's variant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Struct {
    /// The struct's name.
    pub name: Shared<str>,
    /// How a reader knows which field is which.
    pub by: By,
    /// The fields, in the order of the source.
    pub fields: Shared<[Field]>,
}

/// How a reader knows which field, or which variant, is which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// By its place.
    Position,
    /// By its name.
    Name,
    /// By its number.
    Number,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its name on the wire, where names are on the wire.
    pub name: Shared<str>,
    /// Its documentation.
    pub doc: Shared<str>,
    /// Its number, where numbers are on the wire; else 0.
    pub number: u32,
    /// What it looks like.
    pub ty: Shared<Type>,
}

/// One of several variants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enum {
    /// The enum's name.
    pub name: Shared<str>,
    /// The type of the tag in front, where there is one.
    pub tag: Option<Int>,
    /// How a reader knows which variant it is; by position means by the tag's value.
    pub by: By,
    /// The variants, in the order of the source.
    pub variants: Shared<[Variant]>,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variant {
    /// Its name.
    pub name: Shared<str>,
    /// Its documentation.
    pub doc: Shared<str>,
    /// Its tag's value, or its number.
    pub tag: i64,
    /// What it holds.
    pub body: Shared<Type>,
}

/// What the derive macros build constants with; the structs are `#[non_exhaustive]`.
#[doc(hidden)]
impl Schema {
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str, packets: &'static [PacketSchema]) -> Self {
        Self { name: Shared::of(name), doc: Shared::of(doc), packets: Shared::of(packets) }
    }
}

#[doc(hidden)]
impl PacketSchema {
    #[must_use]
    pub const fn new(
        id: u16,
        name: &'static str,
        doc: &'static str,
        format: &'static str,
        body: &'static Type,
        max: u32,
        ignore_extra: bool,
    ) -> Self {
        Self {
            id: PacketId(id),
            name: Shared::of(name),
            doc: Shared::of(doc),
            format: Shared::of(format),
            body: Shared::of(body),
            max,
            ignore_extra,
            reply: None,
            numbered: false,
        }
    }

    #[must_use]
    pub const fn answered_by(mut self, reply: u16) -> Self {
        self.reply = Some(PacketId(reply));
        self
    }

    #[must_use]
    pub const fn numbered(mut self) -> Self {
        self.numbered = true;
        self
    }
}

#[doc(hidden)]
impl Struct {
    #[must_use]
    pub const fn new(name: &'static str, by: By, fields: &'static [Field]) -> Self {
        Self { name: Shared::of(name), by, fields: Shared::of(fields) }
    }
}

#[doc(hidden)]
impl Field {
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str, number: u32, ty: &'static Type) -> Self {
        Self { name: Shared::of(name), doc: Shared::of(doc), number, ty: Shared::of(ty) }
    }
}

#[doc(hidden)]
impl Enum {
    #[must_use]
    pub const fn new(name: &'static str, tag: Option<Int>, by: By, variants: &'static [Variant]) -> Self {
        Self { name: Shared::of(name), tag, by, variants: Shared::of(variants) }
    }
}

#[doc(hidden)]
impl Variant {
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str, tag: i64, body: &'static Type) -> Self {
        Self { name: Shared::of(name), doc: Shared::of(doc), tag, body: Shared::of(body) }
    }
}
