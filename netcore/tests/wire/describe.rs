//! What `Describe` makes of serde's and prost's attributes, and what a schema says of a body without it.
#![cfg(all(feature = "msgpack", feature = "protobuf"))]

use std::collections::{BTreeMap, HashMap};

use netcore::schema::{By, Enum, Field, Form, Int, Len, Shared, Struct, Type, Variant};
use netcore::{Describe, Packet};
use serde::{Deserialize, Serialize};

fn fields_of(ty: &Type) -> &[Field] {
    match ty {
        Type::Struct(Struct { fields, .. }) => fields,
        other => panic!("{other:?}"),
    }
}

fn variants_of(ty: &Type) -> &[Variant] {
    match ty {
        Type::Enum(Enum { variants, .. }) => variants,
        other => panic!("{other:?}"),
    }
}

fn names_of(ty: &Type) -> Vec<&str> {
    match ty {
        Type::Struct(Struct { fields, .. }) => fields.iter().map(|field| &*field.name).collect(),
        Type::Enum(Enum { variants, .. }) => variants.iter().map(|variant| &*variant.name).collect(),
        other => panic!("{other:?}"),
    }
}

fn int(bytes: u8, signed: bool, form: Form) -> Type {
    Type::Int(Int { bytes, signed, form })
}

/// The keys that serde really writes.
fn keys_of(value: &impl Serialize) -> Vec<String> {
    let value = serde_json::to_value(value).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

/// A room.
#[derive(Describe, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Room {
    /// Its number.
    room_number: i32,
    #[serde(rename = "TITLE")]
    title: String,
    #[serde(rename(serialize = "out", deserialize = "in"))]
    both_ways: bool,
    #[serde(skip)]
    hidden: u8,
    #[serde(default, alias = "x")]
    r#type: Option<Vec<f32>>,
    #[serde(with = "as_text")]
    as_text: u8,
    #[describe(opaque)]
    unknown: Unknown,
}

#[derive(Serialize, Deserialize, Default)]
struct Unknown;

mod as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u8, to: S) -> Result<S::Ok, S::Error> {
        value.to_string().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[test]
fn a_serde_struct_is_described_by_the_names_that_serde_writes() {
    let Type::Struct(shape) = Room::TYPE else { panic!() };
    assert_eq!((&*shape.name, shape.by), ("Room", By::Name));
    let mut names = names_of(Room::TYPE);
    assert_eq!(names, ["roomNumber", "TITLE", "out", "type", "asText", "unknown"]);
    names.sort_unstable();
    assert_eq!(names, keys_of(&Room::default()));
    let types: Vec<_> = shape.fields.iter().map(|field| &*field.ty).collect();
    assert_eq!(*types[0], int(4, true, Form::Own));
    assert_eq!(*types[1], Type::Text(Len::Own));
    assert_eq!(*types[2], Type::Bool);
    let floats = Type::List { item: Shared::Static(f32::TYPE), len: Len::Own };
    assert_eq!(*types[3], Type::Option(Shared::Owned(floats.into())));
    assert_eq!((types[4], types[5]), (&Type::Opaque, &Type::Opaque));
    assert_eq!(&*shape.fields[0].doc, "Its number.");
    assert!(shape.fields.iter().all(|field| field.number == 0));
}

macro_rules! renamed {
    ($($rule:literal $name:ident)*) => {$(
        mod $name {
            use super::*;

            #[derive(Describe, Serialize, Default)]
            #[serde(rename_all = $rule)]
            struct Fields {
                user: u8,
                user_id2: u8,
                _odd__one: u8,
                httpPort: u8,
            }

            #[derive(Describe, Serialize)]
            #[serde(rename_all = $rule)]
            enum Variants {
                User,
                UserId2,
                HTTPPort,
                Odd_One,
            }

            #[test]
            fn names_are_serdes_own() {
                let mut names = names_of(Fields::TYPE);
                names.sort_unstable();
                assert_eq!(names, keys_of(&Fields::default()));
                let variants = [Variants::User, Variants::UserId2, Variants::HTTPPort, Variants::Odd_One];
                for (name, variant) in names_of(Variants::TYPE).into_iter().zip(variants) {
                    assert_eq!(serde_json::to_value(variant).unwrap(), name);
                }
            }
        }
    )*};
}

#[allow(non_snake_case, non_camel_case_types)]
mod rename_all {
    use super::*;

    renamed! {
        "lowercase" lower
        "UPPERCASE" upper
        "PascalCase" pascal
        "camelCase" camel
        "snake_case" snake
        "SCREAMING_SNAKE_CASE" screaming_snake
        "kebab-case" kebab
        "SCREAMING-KEBAB-CASE" screaming_kebab
    }
}

#[derive(Describe, Serialize, Deserialize)]
#[allow(dead_code)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    room: Room,
}

#[derive(Describe, Serialize, Deserialize)]
struct Metres(f64);

#[derive(Describe, Serialize, Deserialize)]
#[serde(transparent)]
#[allow(dead_code)]
struct Wrapper {
    metres: Metres,
    #[serde(skip)]
    cache: u8,
}

#[derive(Describe, Serialize, Deserialize)]
struct Pair(u8, String);

#[derive(Describe, Serialize, Deserialize)]
struct Nothing;

#[test]
fn a_struct_whose_fields_lie_among_anothers_is_opaque() {
    assert_eq!(*Flat::TYPE, Type::Opaque);
}

#[test]
fn a_newtype_is_what_it_holds() {
    assert_eq!(*Metres::TYPE, Type::Float { bytes: 8, form: Form::Own });
    assert_eq!(Wrapper::TYPE, Metres::TYPE);
}

#[test]
fn a_tuple_struct_is_told_apart_by_position() {
    let Type::Struct(pair) = Pair::TYPE else { panic!() };
    assert_eq!((pair.by, names_of(Pair::TYPE)), (By::Position, vec!["0", "1"]));
    assert!(fields_of(Nothing::TYPE).is_empty());
}

/// An event.
#[derive(Describe, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "UPPERCASE")]
#[allow(dead_code)]
enum Event {
    /// Somebody came.
    UserJoined,
    Said(String),
    MovedTo {
        x: f32,
        y: f32,
    },
    #[serde(rename = "LEFT", rename_all = "camelCase")]
    Left {
        last_word: String,
    },
    #[serde(skip)]
    Internal,
    Pair(u8, u16),
}

#[derive(Describe, Serialize, Deserialize)]
#[serde(tag = "kind")]
#[allow(dead_code)]
enum Tagged {
    A { x: u8 },
}

#[derive(Describe, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Untagged {
    A(u8),
}

#[derive(Describe, Serialize, Deserialize)]
#[allow(dead_code)]
enum OneUntagged {
    A,
    #[serde(untagged)]
    B {
        x: u8,
    },
}

#[derive(Describe, Serialize, Deserialize)]
#[allow(dead_code)]
struct OneLeft(#[serde(skip)] u8, String);

#[derive(Describe, Serialize, Deserialize)]
enum Bare {
    J,
}

#[derive(Describe, Serialize, Deserialize)]
enum Parentheses {
    J(),
}

#[test]
fn what_serde_writes_in_another_shape_is_described_in_another() {
    assert_eq!(serde_json::to_value(OneLeft(1, "a".into())).unwrap(), serde_json::json!(["a"]));
    assert_eq!(fields_of(OneLeft::TYPE).len(), 1);
    assert_eq!(serde_json::to_value(Bare::J).unwrap(), serde_json::json!("J"));
    assert_eq!(serde_json::to_value(Parentheses::J()).unwrap(), serde_json::json!({ "J": [] }));
    assert_ne!(variants_of(Bare::TYPE)[0].body, variants_of(Parentheses::TYPE)[0].body);
}

#[derive(Describe)]
#[describe(opaque)]
#[allow(dead_code)]
struct Hidden {
    unknown: Unknown,
}

#[test]
fn a_serde_enum_is_its_variants_by_name() {
    let Type::Enum(shape) = Event::TYPE else { panic!() };
    assert_eq!((&*shape.name, shape.by, shape.tag), ("Event", By::Name, None));
    assert_eq!(names_of(Event::TYPE), ["user_joined", "said", "moved_to", "LEFT", "pair"]);
    let variants = variants_of(Event::TYPE);
    assert_eq!(&*variants[0].doc, "Somebody came.");
    assert!(fields_of(&variants[0].body).is_empty());
    assert_eq!(*variants[1].body, Type::Text(Len::Own));
    assert_eq!(names_of(&variants[2].body), ["X", "Y"]);
    assert_eq!(names_of(&variants[3].body), ["lastWord"]);
    assert_eq!(names_of(&variants[4].body), ["0", "1"]);
    let moved = serde_json::to_value(Event::MovedTo { x: 0.0, y: 0.0 }).unwrap();
    assert_eq!(moved, serde_json::json!({ "moved_to": { "X": 0.0, "Y": 0.0 } }));
    let left = serde_json::to_value(Event::Left { last_word: String::new() }).unwrap();
    assert_eq!(left, serde_json::json!({ "LEFT": { "lastWord": "" } }));
}

#[test]
fn an_enum_of_another_shape_is_opaque() {
    assert_eq!(*Tagged::TYPE, Type::Opaque);
    assert_eq!(*Untagged::TYPE, Type::Opaque);
    assert_eq!(*OneUntagged::TYPE, Type::Opaque);
    assert_eq!(*Hidden::TYPE, Type::Opaque);
}

#[derive(Describe, Serialize, Deserialize)]
#[allow(dead_code)]
struct Tree {
    name: String,
    #[describe(recursive)]
    left: Option<Box<Tree>>,
    #[describe(recursive)]
    others: Vec<Tree>,
    by_name: BTreeMap<String, u8>,
    by_id: HashMap<u16, Vec<bool>>,
    corners: [f32; 4],
}

#[test]
fn a_type_that_contains_itself_is_named_where_it_does() {
    let fields = fields_of(Tree::TYPE);
    let name = || Type::Recursive(Shared::Static("Tree"));
    assert_eq!(*fields[1].ty, Type::Option(Shared::Owned(name().into())));
    assert_eq!(*fields[2].ty, Type::List { item: Shared::Owned(name().into()), len: Len::Own });
}

#[test]
fn maps_and_arrays_are_described_by_what_they_hold() {
    let fields = fields_of(Tree::TYPE);
    let map = Type::Map { key: Shared::Static(String::TYPE), value: Shared::Static(u8::TYPE) };
    assert_eq!(*fields[3].ty, map);
    let Type::Map { value, .. } = &*fields[4].ty else { panic!() };
    assert_eq!(**value, Type::List { item: Shared::Static(bool::TYPE), len: Len::Own });
    assert_eq!(*fields[5].ty, Type::Array { item: Shared::Static(f32::TYPE), count: 4 });
}

#[derive(Describe, Clone, PartialEq, prost::Message)]
struct Scalars {
    /// The first.
    #[prost(int32, tag = "1")]
    a: i32,
    #[prost(int64, tag = "2")]
    b: i64,
    #[prost(uint32, tag = "3")]
    c: u32,
    #[prost(uint64, tag = "4")]
    d: u64,
    #[prost(sint32, tag = "5")]
    e: i32,
    #[prost(sint64, tag = "6")]
    f: i64,
    #[prost(fixed32, tag = "7")]
    g: u32,
    #[prost(fixed64, tag = "8")]
    h: u64,
    #[prost(sfixed32, tag = "9")]
    i: i32,
    #[prost(sfixed64, tag = "10")]
    j: i64,
    #[prost(float, tag = "11")]
    k: f32,
    #[prost(double, tag = "12")]
    l: f64,
    #[prost(bool, tag = "13")]
    m: bool,
    #[prost(string, tag = "14")]
    n: String,
    #[prost(bytes = "vec", tag = "15")]
    o: Vec<u8>,
    #[prost(bytes = "bytes", tag = "16")]
    p: bytes::Bytes,
    #[prost(enumeration = "Kind", tag = "100")]
    q: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum Kind {
    A = 0,
}

#[test]
fn every_protobuf_scalar_is_described_as_it_is_written() {
    use Form::{Little, Varint, ZigZag};

    let Type::Struct(shape) = Scalars::TYPE else { panic!() };
    assert_eq!(shape.by, By::Number);
    let types = [
        int(4, true, Varint),
        int(8, true, Varint),
        int(4, false, Varint),
        int(8, false, Varint),
        int(4, true, ZigZag),
        int(8, true, ZigZag),
        int(4, false, Little),
        int(8, false, Little),
        int(4, true, Little),
        int(8, true, Little),
        Type::Float { bytes: 4, form: Little },
        Type::Float { bytes: 8, form: Little },
        Type::Bool,
        Type::Text(Len::Own),
        Type::Bytes(Len::Own),
        Type::Bytes(Len::Own),
        int(4, true, Varint),
    ];
    let numbers = (1..=16).chain([100]);
    assert_eq!(shape.fields.len(), types.len());
    for ((field, ty), number) in shape.fields.iter().zip(types).zip(numbers) {
        assert_eq!((&*field.ty, field.number), (&ty, number), "{}", &*field.name);
    }
    assert_eq!(&*shape.fields[0].doc, "The first.");
}

#[derive(Describe, Clone, PartialEq, prost::Message)]
struct Node {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(uint32, repeated, packed = "true", tag = "2")]
    numbers: Vec<u32>,
    #[prost(message, optional, tag = "3")]
    inner: Option<Inner>,
    #[prost(message, repeated, tag = "4")]
    list: Vec<Inner>,
    #[prost(message, optional, boxed, tag = "5")]
    next: Option<Box<Node>>,
    #[prost(message, repeated, tag = "6")]
    #[describe(recursive)]
    children: Vec<Node>,
    #[prost(map = "string, message", tag = "7")]
    by_name: HashMap<String, Inner>,
    #[prost(btree_map = "uint32, enumeration(Kind)", tag = "8")]
    kinds: BTreeMap<u32, i32>,
    #[prost(oneof = "Choice", tags = "9, 10, 11")]
    choice: Option<Choice>,
    #[prost(enumeration = "Kind", repeated, tag = "12")]
    many: Vec<i32>,
}

#[derive(Describe, Clone, PartialEq, prost::Message)]
struct Inner {
    #[prost(bool, tag = "1")]
    on: bool,
}

#[derive(Describe, Clone, PartialEq, prost::Oneof)]
enum Choice {
    #[prost(string, tag = "9")]
    Text(String),
    #[prost(message, tag = "10")]
    Inner(Inner),
    #[prost(sint64, tag = "11")]
    Number(i64),
}

#[test]
fn protobuf_fields_are_described_inside_their_options_and_lists() {
    let fields = fields_of(Node::TYPE);
    let list = |item: &'static Type| Type::List { item: Shared::Static(item), len: Len::Own };
    assert_eq!(*fields[0].ty, Type::Text(Len::Own));
    let Type::List { item, .. } = &*fields[1].ty else { panic!() };
    assert_eq!(**item, int(4, false, Form::Varint));
    assert_eq!(*fields[2].ty, *Inner::TYPE);
    assert_eq!(*fields[3].ty, list(Inner::TYPE));
    let Type::List { item, .. } = &*fields[9].ty else { panic!() };
    assert_eq!(**item, int(4, true, Form::Varint));
}

#[test]
fn a_message_that_contains_itself_is_named_where_it_does() {
    let fields = fields_of(Node::TYPE);
    assert_eq!(*fields[4].ty, Type::Recursive(Shared::Static("Node")));
    let item = Shared::Owned(Type::Recursive(Shared::Static("Node")).into());
    assert_eq!(*fields[5].ty, Type::List { item, len: Len::Own });
}

#[test]
fn protobuf_maps_are_described_by_the_kinds_of_key_and_value() {
    let fields = fields_of(Node::TYPE);
    let Type::Map { key, value } = &*fields[6].ty else { panic!() };
    assert_eq!((&**key, &**value), (&Type::Text(Len::Own), Inner::TYPE));
    let Type::Map { key, value } = &*fields[7].ty else { panic!() };
    assert_eq!((&**key, &**value), (&int(4, false, Form::Varint), &int(4, true, Form::Varint)));
}

#[test]
fn a_oneof_is_an_enum_by_number() {
    assert_eq!(*fields_of(Node::TYPE)[8].ty, *Choice::TYPE);
    let Type::Enum(shape) = Choice::TYPE else { panic!() };
    assert_eq!((shape.by, shape.tag), (By::Number, None));
    let tags: Vec<_> = shape.variants.iter().map(|variant| variant.tag).collect();
    assert_eq!(tags, [9, 10, 11]);
    assert_eq!(*shape.variants[0].body, Type::Text(Len::Own));
    assert_eq!(*shape.variants[1].body, *Inner::TYPE);
    assert_eq!(*shape.variants[2].body, int(8, true, Form::ZigZag));
}

#[derive(Serialize, Deserialize)]
struct Undescribed {
    #[allow(dead_code)]
    x: u8,
}

#[derive(Packet)]
#[packet(format = MsgPack)]
#[allow(dead_code)]
enum ToServer {
    #[packet(id = 1)]
    Known(Pair),
    #[packet(id = 2)]
    Unknown(Undescribed),
    #[packet(id = 3, format = Protobuf)]
    Message(Inner),
    #[packet(id = 4)]
    Fields {
        #[serde(rename(serialize = "out", deserialize = "in"))]
        renamed: u8,
        unknown: Undescribed,
    },
    #[packet(id = 5, format = MsgPackArray)]
    Array(Pair),
    #[packet(id = 6, format = MsgPack<4, 100>)]
    Bounded(Vec<u8>),
    #[packet(id = 7, format = Protobuf)]
    Empty,
}

#[test]
fn a_body_that_does_not_say_what_it_looks_like_is_opaque() {
    let packets = &ToServer::SCHEMA.packets;
    assert_eq!(*packets[0].body, *Pair::TYPE);
    assert_eq!(*packets[1].body, Type::Opaque);
    assert_eq!(*packets[2].body, *Inner::TYPE);
    assert_eq!(names_of(&packets[3].body), ["out", "unknown"]);
    assert_eq!(*fields_of(&packets[3].body)[1].ty, Type::Opaque);
    assert_eq!(*packets[4].body, *Pair::TYPE);
    let formats: Vec<_> = packets.iter().map(|packet| &*packet.format).collect();
    assert_eq!(formats, ["msgpack", "msgpack", "protobuf", "msgpack", "msgpack-array", "msgpack", "raw"]);
}

#[derive(Describe, Clone, PartialEq, prost::Message)]
struct Grouped {
    #[prost(group, optional, tag = "1")]
    one: Option<Inner>,
    #[prost(group, repeated, tag = "2")]
    many: Vec<Inner>,
}

#[test]
fn a_group_is_described_as_the_message_that_it_holds() {
    let fields = fields_of(Grouped::TYPE);
    assert_eq!(*fields[0].ty, *Inner::TYPE);
    assert_eq!(*fields[1].ty, Type::List { item: Shared::Static(Inner::TYPE), len: Len::Own });
}
