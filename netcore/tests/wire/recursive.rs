//! What a schema sees of types that contain themselves.
#![cfg(all(feature = "msgpack", feature = "protobuf"))]

use std::collections::HashMap;

use netcore::schema::{Schema, Shared, Type};
use netcore::{Describe, Packet};

/// Declares types a line, of which the last is the body of a packet, and returns its schema.
macro_rules! schemas {
    ($({ $($(#[$attr:meta])* $kind:ident $name:ident $body:tt)* })*) => {
        [$({
            $(
                #[derive(Describe, serde::Serialize, serde::Deserialize)]
                $(#[$attr])*
                #[allow(dead_code)]
                $kind $name $body
            )*
            #[derive(Packet)]
            #[packet(format = MsgPack)]
            #[allow(dead_code)]
            enum Packets {
                #[packet(id = 1)]
                Body(Tree),
            }
            Packets::SCHEMA
        }),*]
    };
}

#[test]
fn what_is_around_the_place_counts_and_which_type_is_meant_and_the_change_is_named() {
    let all = schemas! {
        { struct Tree { #[describe(recursive)] a: Option<Box<Tree>> } }
        { struct Tree { #[describe(recursive)] a: Vec<Tree> } }
        { struct Tree { #[describe(recursive)] a: HashMap<String, Tree> } }
        { struct Tree { #[describe(recursive)] a: HashMap<i32, Tree> } }
        { struct Tree { #[describe(recursive)] a: HashMap<i32, Vec<Tree>> } }
        { struct Tree { #[describe(recursive)] a: [Option<Box<Tree>>; 4] } }
        { struct Tree { #[describe(recursive)] a: [Option<Box<Tree>>; 8] } }
        { struct Leaf { #[describe(recursive)] b: Vec<Tree> } struct Tree { a: Vec<Leaf> } }
        { struct Leaf { #[describe(recursive)] b: Vec<Leaf> } struct Tree { a: Vec<Leaf> } }
        { enum Leaf { B { #[describe(recursive)] b: Vec<Tree> } } struct Tree { a: Vec<Leaf> } }
        { enum Leaf { B { #[describe(recursive)] b: Vec<Leaf> } } struct Tree { a: Vec<Leaf> } }
    };
    for (at, one) in all.iter().enumerate() {
        for (other_at, other) in all.iter().enumerate() {
            let same = at == other_at;
            assert_eq!(one.fingerprint() == other.fingerprint(), same, "{at} and {other_at}");
            let difference = one.compare(other);
            assert_eq!(difference.is_none(), same, "{at} and {other_at}");
            let field = difference.map_or("a".to_owned(), |difference| difference.field);
            assert!(field.starts_with('a'), "{field}");
        }
    }
    let difference = all[7].compare(all[8]).unwrap();
    assert_eq!(difference.to_string(), "packet 1 Body, field a[].b[]: here Tree again, there Leaf again");
}

#[test]
fn a_name_does_not_count() {
    mod renamed {
        use super::*;

        #[derive(Describe, serde::Serialize, serde::Deserialize)]
        pub(super) struct Oak {
            #[describe(recursive)]
            pub(super) a: HashMap<u8, Self>,
            pub(super) b: Vec<Acorn>,
        }

        #[derive(Describe, serde::Serialize, serde::Deserialize)]
        pub(super) struct Acorn {
            #[describe(recursive)]
            pub(super) oak: Option<Box<Oak>>,
        }

        #[derive(Packet)]
        #[packet(format = MsgPack)]
        pub(super) enum Packets {
            #[packet(id = 1)]
            Body(Oak),
        }
    }
    let [plain] = schemas! {
        {
            struct Leaf { #[describe(recursive)] oak: Option<Box<Tree>> }
            struct Tree { #[describe(recursive)] a: HashMap<u8, Tree>, b: Vec<Leaf> }
        }
    };
    assert_eq!(plain.fingerprint(), renamed::Packets::SCHEMA.fingerprint());
    assert_eq!(plain.compare(renamed::Packets::SCHEMA), None);
    let back = Schema::from_compact(&plain.to_compact().unwrap()).unwrap();
    assert_eq!(back.fingerprint(), plain.fingerprint());
}

#[test]
fn itself_is_the_type_and_not_the_variant_that_it_stands_in() {
    #[derive(Describe, serde::Serialize, serde::Deserialize)]
    enum Value {
        Null,
        Not(#[describe(recursive)] Box<Self>),
        All {
            #[describe(recursive)]
            of: Vec<Self>,
        },
    }
    let text = format!("{}", Value::TYPE);
    assert_eq!(text.matches("Value again").count(), 2, "{text}");
}

#[derive(Describe, Clone, PartialEq, prost::Message)]
struct Garden {
    #[prost(map = "sint32, message", tag = "1")]
    #[describe(recursive)]
    beds: HashMap<i32, Garden>,
    #[prost(oneof = "Next", tags = "2, 3")]
    next: Option<Next>,
}

#[derive(Describe, Clone, PartialEq, prost::Oneof)]
enum Next {
    #[prost(message, boxed, tag = "2")]
    Garden(Box<Garden>),
    #[prost(bool, tag = "3")]
    None(bool),
}

/// The same without a `oneof`, which is not on the wire.
mod apart {
    use super::*;

    #[derive(Describe, Clone, PartialEq, prost::Message)]
    pub(super) struct Garden {
        #[prost(map = "sint32, message", tag = "1")]
        #[describe(recursive)]
        beds: HashMap<i32, Garden>,
        #[prost(message, optional, boxed, tag = "2")]
        garden: Option<Box<Garden>>,
        #[prost(bool, tag = "3")]
        none: bool,
    }

    #[derive(Packet)]
    #[packet(format = Protobuf)]
    pub(super) enum Packets {
        #[packet(id = 1)]
        Garden(Garden),
    }
}

#[derive(Packet)]
#[packet(format = Protobuf)]
enum Packets {
    #[packet(id = 1)]
    Garden(Garden),
}

#[test]
fn a_protobuf_map_keeps_the_kind_of_its_key_and_a_oneof_is_no_level() {
    let Type::Struct(shape) = Garden::TYPE else { panic!() };
    let Type::Map { key, value } = &*shape.fields[0].ty else { panic!("{}", *shape.fields[0].ty) };
    assert_eq!(**value, Type::Recursive(Shared::Static("Garden")));
    assert_eq!(key.to_string(), "i32 zigzag");
    assert_eq!(Packets::SCHEMA.fingerprint(), apart::Packets::SCHEMA.fingerprint());
    assert_eq!(Packets::SCHEMA.compare(apart::Packets::SCHEMA), None);
}
