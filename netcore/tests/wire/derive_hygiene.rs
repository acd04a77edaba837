//! The derive macros work wherever a type may stand: under names that hide the prelude's, with netcore under another
//! name, with fields and variants that are called what the expansion calls its own.
#![cfg(all(feature = "msgpack", feature = "protobuf"))]
#![deny(warnings, missing_docs, clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test crate has no public items, and the macros must do `pub`"
)]

use bytes::{Bytes, BytesMut};
use netcore::{Describe, Frame, Packet};

/// Encodes and decodes.
fn round_trip<P: Packet>(packet: &P) -> P {
    let mut wire = BytesMut::new();
    packet.encode(&mut wire, u16::MAX).unwrap();
    let body = wire.split_off(5).freeze();
    P::from_frame(&Frame { id: packet.id(), kind: packet.kind(), body }).unwrap()
}

/// Where the prelude is not, and its names are other things.
#[allow(dead_code, non_camel_case_types, missing_docs, reason = "all this is what must not be in the way")]
mod hidden_prelude {
    #![no_implicit_prelude]

    use ::core::clone::Clone;
    use ::core::cmp::PartialEq;
    use ::core::fmt::Debug;

    pub struct Ok;
    pub struct Err;
    pub struct Some;
    pub struct None;
    pub struct Result;
    pub struct Self_;
    pub struct Iterator;
    pub struct Box;
    pub struct u8;
    pub struct u16;
    pub struct u32;
    pub struct i64;
    pub struct usize;
    pub struct i128;
    pub struct bool;
    pub struct str;
    pub struct BytesMut;
    pub struct Reader;
    pub struct Type;
    pub struct Frame;
    pub struct Raw;
    pub struct BodyError;
    pub trait Sink {}
    pub trait Format {}
    pub mod core {}
    pub mod std {}
    pub mod netcore {}

    #[derive(::netcore::Raw, Debug, Clone, PartialEq)]
    pub struct Item {
        pub number: ::core::primitive::u16,
        #[raw(len = u8, max = 9)]
        pub text: ::std::string::String,
    }

    #[derive(::netcore::Raw, Debug, Clone, PartialEq)]
    #[raw(big_endian)]
    pub struct All {
        pub number: ::core::primitive::i64,
        pub truth: ::core::primitive::bool,
        pub array: [::core::primitive::u8; 2],
        pub option: ::core::option::Option<::core::primitive::u16>,
        pub size: ::core::primitive::u8,
        #[raw(len_in = size, max = 9)]
        pub held: ::std::string::String,
        #[raw(fixed = 4, trim = both)]
        pub fixed: ::std::vec::Vec<::core::primitive::u8>,
        #[raw(count = i16, item(len = u8))]
        pub names: ::std::vec::Vec<::std::string::String>,
        #[raw(count_in = size)]
        pub held_list: ::std::vec::Vec<Item>,
        #[raw(len = u32)]
        pub maybe: ::core::option::Option<::std::string::String>,
        pub shape: Shape,
        pub unit: Unit,
        #[raw(rest)]
        pub rest: ::bytes::Bytes,
    }

    #[derive(::netcore::Raw, Debug, Clone, PartialEq)]
    pub struct Unit;

    #[derive(::netcore::Raw, Debug, Clone, PartialEq)]
    #[raw(tag = i8)]
    pub enum Shape {
        None,
        Some(::core::primitive::u16),
        #[raw(tag = -1)]
        Ok {
            value: Item,
        },
        #[raw(tag = 5)]
        Err,
    }

    #[derive(::netcore::Describe)]
    pub struct Described {
        pub number: ::core::primitive::u16,
        pub list: ::std::vec::Vec<::core::option::Option<::std::string::String>>,
        #[describe(opaque)]
        pub opaque: ::core::primitive::u8,
    }

    #[derive(::netcore::Describe)]
    pub enum Choice {
        A,
        B(::core::primitive::u8),
        C { x: ::core::primitive::u8 },
    }

    #[derive(::netcore::Packet, Debug, Clone, PartialEq)]
    pub enum Packets {
        #[packet(id = 1)]
        Ok,
        #[packet(id = 2)]
        Err(All),
        #[packet(id = 3, max = 100, ignore_extra)]
        Some {
            at: ::core::primitive::u16,
            #[raw(len = u8)]
            text: ::std::string::String,
        },
        #[packet(id = 4)]
        None(Shape),
        #[packet(id = 8)]
        Fixed { a: ::core::primitive::u8, b: [::core::primitive::u16; 2] },
        #[packet(id = 9, reply = 10, numbered)]
        Asked(::core::primitive::u32, Shape),
        #[packet(id = 10, numbered)]
        Answered { request: ::core::primitive::u32, truth: ::core::primitive::bool },
        #[packet(id = 11, numbered)]
        Alone(::core::primitive::u32),
        #[packet(other)]
        Other(::netcore::Frame),
    }

    #[derive(::netcore::Packet)]
    pub enum Nothing {}
}

/// Where the prelude is not. The derives of serde and prost, which these bodies need, bear no other names in its place.
#[allow(missing_docs, reason = "only the names matter")]
mod no_prelude {
    #![no_implicit_prelude]

    use ::core::clone::Clone;
    use ::core::cmp::PartialEq;
    use ::core::fmt::Debug;
    use ::core::option::Option::Some;

    #[derive(::netcore::Describe, ::serde::Serialize, ::serde::Deserialize, Debug, Clone, PartialEq)]
    pub struct Described {
        pub number: u16,
        pub list: ::std::vec::Vec<::core::option::Option<::std::string::String>>,
        #[describe(opaque)]
        pub opaque: u8,
    }

    #[derive(::netcore::Describe, Clone, PartialEq, ::prost::Message)]
    pub struct Message {
        #[prost(string, tag = "1")]
        pub text: ::prost::alloc::string::String,
        #[prost(message, optional, boxed, tag = "2")]
        pub next: ::core::option::Option<::prost::alloc::boxed::Box<Message>>,
        #[prost(map = "string, uint32", tag = "3")]
        pub map: ::std::collections::HashMap<::prost::alloc::string::String, u32>,
    }

    #[derive(::netcore::Packet, Debug, Clone, PartialEq)]
    pub enum Packets {
        #[packet(id = 4, format = MsgPack)]
        None(Described),
        #[packet(id = 5, format = MsgPack)]
        Result {
            number: u16,
            #[serde(rename = "T")]
            text: ::std::string::String,
        },
        #[packet(id = 6, format = MsgPackArray)]
        Array { number: u16 },
        #[packet(id = 7, format = Protobuf)]
        Proto(Message),
        #[packet(id = 8, reply = 9, format = MsgPack, numbered)]
        AskedSerde(u32, Described),
        #[packet(id = 9, format = MsgPack, numbered)]
        AskedFields { request: u32, text: ::std::string::String },
        #[packet(id = 10, format = Protobuf, numbered)]
        AskedProto(u32, Message),
    }
}

#[test]
fn nothing_of_the_prelude_is_needed() {
    use hidden_prelude::{All, Item, Packets, Shape, Unit};

    let item = Item { number: 1, text: "a".into() };
    let all = All {
        number: -1,
        truth: true,
        array: [1, 2],
        option: Some(3),
        size: 1,
        held: "b".into(),
        fixed: vec![4],
        names: vec!["c".into()],
        held_list: vec![item.clone()],
        maybe: Some("d".into()),
        shape: Shape::Ok { value: item },
        unit: Unit,
        rest: Bytes::from_static(b"e"),
    };
    for packet in [
        Packets::Ok,
        Packets::Err(all),
        Packets::Some { at: 1, text: "i".into() },
        Packets::None(Shape::Some(1)),
        Packets::Fixed { a: 1, b: [2, 3] },
        Packets::Asked(1, Shape::Err),
        Packets::Answered { request: 1, truth: true },
        Packets::Alone(1),
        Packets::Other(Frame::new(99, "k")),
    ] {
        assert_eq!(round_trip(&packet), packet);
    }
    let mut asked = Packets::Asked(1, Shape::Err);
    asked.set_request_number(2);
    assert_eq!((asked.request_number(), asked.reply()), (Some(2), Some(Packets::ANSWERED_ID)));
    assert_eq!((Packets::OK_ID.0, Packets::OK_NAME), (1, "Ok"));
    assert!(hidden_prelude::Nothing::from_frame(&Frame::new(1, "")).is_err());
}

#[test]
fn nothing_of_the_prelude_is_needed_for_bodies_of_serde_and_prost() {
    use no_prelude::{Described, Message, Packets};

    let described = Described { number: 1, list: vec![None, Some("f".into())], opaque: 2 };
    let message = Message {
        text: "g".into(),
        next: Some(Box::default()),
        map: std::iter::once(("h".into(), 1)).collect(),
    };
    for packet in [
        Packets::None(described.clone()),
        Packets::Result { number: 1, text: "j".into() },
        Packets::Array { number: 1 },
        Packets::Proto(message.clone()),
        Packets::AskedSerde(1, described),
        Packets::AskedFields { request: 1, text: "k".into() },
        Packets::AskedProto(1, message),
    ] {
        assert_eq!(round_trip(&packet), packet);
    }
}

/// Inside another macro, the expansion's names are not those of the macro's caller.
mod made_by_a_macro {
    use netcore::{Frame, Packet, Raw};

    macro_rules! make {
        ($body:ident { $($name:ident: $ty:ty),* } $packets:ident $other:ty, $held:ident, $list:ty, $request:ident: $number:ty) => {
            /// A body.
            #[derive(Raw, Debug, Clone, PartialEq)]
            pub struct $body {
                $(
                    /// A field.
                    pub $name: $ty,
                )*
                /// A length.
                pub $held: u8,
                /// A text.
                #[raw(len_in = $held)]
                pub text: String,
                /// A list.
                #[raw(count_in = $held)]
                pub list: $list,
            }

            /// Packets.
            #[derive(Packet, Debug, Clone, PartialEq)]
            pub enum $packets {
                /// A body.
                #[packet(id = 1)]
                Body($body),
                /// Fields.
                #[packet(id = 2, format = MsgPack)]
                Fields {
                    $(
                        /// A field.
                        $name: $ty,
                    )*
                },
                /// A number and a body.
                #[packet(id = 4, reply = 5, numbered)]
                Asked($number, $body),
                /// A number and fields.
                #[packet(id = 5, format = MsgPack, numbered)]
                Answered {
                    /// The number.
                    $request: $number,
                    $(
                        /// A field.
                        $name: $ty,
                    )*
                },
                /// A number.
                #[packet(id = 6, numbered)]
                Alone {
                    /// The number.
                    $request: $number,
                },
                /// Everything else.
                #[packet(other)]
                Other($other),
            }
        };
    }

    make! { Body { value: u8, from: u16 } Packets Frame, size, Vec<u16>, request: u32 }

    macro_rules! around {
        ($($item:item)*) => {$(
            #[derive(Raw, Debug, Clone, PartialEq)]
            $item
        )*};
    }

    around! {
        /// A struct.
        pub struct Around {
            /// A length.
            pub size: u8,
            /// A text.
            #[raw(len_in = size)]
            pub text: String,
            /// A list.
            #[raw(count_in = size)]
            pub list: Vec<u8>,
        }
    }

    macro_rules! numbered {
        ($id:literal $max:expr, $tag:literal $value:expr) => {
            /// A kind.
            #[derive(Raw, Debug, Clone, PartialEq)]
            #[raw(tag = i8)]
            pub enum Kind {
                /// One.
                #[raw(tag = $tag)]
                Low,
                /// Another.
                High = $value,
            }

            /// Packets.
            #[derive(Packet, Debug, Clone, PartialEq)]
            pub enum Numbered {
                /// A struct.
                #[packet(id = $id, max = $max)]
                Around(Around),
                /// A kind.
                #[packet(id = 9)]
                Kind(Kind),
            }
        };
    }

    numbered! { 300 10 + 10, -2 7 }
}

#[test]
fn a_macro_may_make_the_types() {
    use made_by_a_macro::{Around, Body, Kind, Numbered, Packets};

    let body = Body { value: 1, from: 2, size: 1, text: "a".into(), list: vec![3] };
    for packet in [
        Packets::Body(body.clone()),
        Packets::Fields { value: 1, from: 2 },
        Packets::Asked(1, body),
        Packets::Answered { request: 1, value: 1, from: 2 },
        Packets::Alone { request: 1 },
        Packets::Other(Frame::new(3, "b")),
    ] {
        assert_eq!(round_trip(&packet), packet);
    }
    let around = Around { size: 1, text: "a".into(), list: vec![2] };
    for packet in [Numbered::Around(around), Numbered::Kind(Kind::Low), Numbered::Kind(Kind::High)] {
        assert_eq!(round_trip(&packet), packet);
    }
    assert_eq!((Numbered::AROUND_ID.0, Numbered::SCHEMA.packets[0].max), (300, 20));
}

/// netcore under another name, at another place.
mod renamed {
    /// Where netcore is.
    pub mod home {
        pub use ::netcore as other;
    }

    /// What `::netcore` would not be, were the attribute not heeded.
    pub mod inner {
        use super::home::other;

        /// A body.
        #[derive(other::Raw, Debug, PartialEq, Clone)]
        #[raw(crate = other)]
        pub struct Body {
            /// Text.
            #[raw(len = u8)]
            pub text: String,
            /// A list.
            #[raw(count = u8)]
            pub list: Vec<Kind>,
        }

        /// A kind.
        #[derive(other::Raw, Debug, PartialEq, Clone)]
        #[raw(tag = u8, crate = super::home::other)]
        pub enum Kind {
            /// One.
            A,
            /// Another.
            B(u16),
        }

        /// A described body.
        #[derive(other::Describe, serde::Serialize, serde::Deserialize, Debug, PartialEq, Clone)]
        #[describe(crate = other)]
        pub struct Described {
            /// A number.
            pub number: u8,
        }

        /// Packets.
        #[derive(other::Packet, Debug, PartialEq, Clone)]
        #[packet(crate = other, format = MsgPack)]
        pub enum Packets {
            /// Raw.
            #[packet(id = 1, format = Raw)]
            Body(Body),
            /// By serde.
            #[packet(id = 2)]
            Described(Described),
            /// Fields.
            #[packet(id = 3)]
            Fields {
                /// A number.
                number: u8,
            },
            /// Numbered.
            #[packet(id = 4, reply = 5, numbered)]
            Asked(u32, Described),
            /// Numbered.
            #[packet(id = 5, format = Raw, numbered)]
            Answered(u32, Body),
            /// All else.
            #[packet(other)]
            Other(other::Frame),
        }
    }
}

#[test]
fn netcore_may_have_another_name() {
    use renamed::inner::{Body, Described, Kind, Packets};

    for packet in [
        Packets::Body(Body { text: "a".into(), list: vec![Kind::A, Kind::B(2)] }),
        Packets::Described(Described { number: 1 }),
        Packets::Fields { number: 2 },
        Packets::Asked(3, Described { number: 1 }),
        Packets::Answered(4, Body { text: "a".into(), list: vec![] }),
        Packets::Other(Frame::new(9, "b")),
    ] {
        assert_eq!(round_trip(&packet), packet);
    }
}

/// Names that are keywords, or the expansion's own.
mod names {
    use netcore::{Describe, Frame, Packet, Raw};

    /// Keywords.
    #[derive(Raw, Debug, Clone, PartialEq)]
    pub struct Keywords {
        /// The length of `match`.
        pub r#type: u8,
        /// A text.
        #[raw(len_in = r#type)]
        pub r#match: String,
        /// A list.
        #[raw(count_in = type)]
        pub r#fn: Vec<u8>,
    }

    /// What the expansion calls its own values.
    #[derive(Raw, Debug, Clone, PartialEq)]
    pub struct Clashes {
        /// A field.
        pub value: u8,
        /// A field.
        pub from: u8,
        /// A field.
        pub to: u8,
        /// A field.
        pub body: u8,
        /// A field.
        pub header: u8,
        /// A field.
        pub __from: u8,
        /// A field.
        pub __to: u8,
        /// A field.
        pub __value: u8,
        /// A field.
        pub __count: u8,
        /// A field.
        pub __field_value: u8,
        /// A field.
        #[raw(len_in = __from)]
        pub __len: String,
        /// A field.
        #[raw(count_in = __count, item(len = u8))]
        pub __error: Vec<String>,
        /// A field.
        #[raw(len = u8)]
        pub __piece: Option<String>,
    }

    /// The same in fixed size.
    #[derive(Raw, Debug, Clone, PartialEq)]
    pub struct Fixed {
        /// A field.
        pub __from: u8,
        /// A field.
        pub __room: u16,
        /// A field.
        pub __piece: [u8; 2],
    }

    /// Variants that hide the prelude's.
    #[derive(Raw, Debug, Clone, PartialEq)]
    #[raw(tag = u8)]
    pub enum Variants {
        /// A variant.
        Ok,
        /// A variant.
        Err(u8),
        /// A variant.
        None {
            /// A field.
            __value: u8,
            /// A field.
            __other: u8,
        },
        /// A variant.
        Some,
    }

    /// Packets with such names.
    #[derive(Packet, Debug, Clone, PartialEq)]
    pub enum Packets {
        /// A packet.
        #[packet(id = 1)]
        Ok(Keywords),
        /// A packet.
        #[packet(id = 2)]
        Err(Clashes),
        /// A packet.
        #[packet(id = 3)]
        None(Variants),
        /// A packet.
        #[packet(id = 4)]
        Some {
            /// A field.
            __header: u8,
            /// A field.
            __body: u8,
            /// A field.
            r#type: u8,
            /// A field.
            #[raw(len_in = type)]
            __from: String,
        },
        /// A packet.
        #[packet(id = 5, format = MsgPack)]
        Result {
            /// A field.
            r#type: u8,
            /// A field.
            __from: u8,
            /// A field.
            __to: u8,
            /// A field.
            __header: u8,
            /// A field.
            __body: u8,
        },
        /// A packet.
        #[packet(id = 6)]
        Fixed(Fixed),
        /// A packet.
        #[packet(id = 7)]
        Packet {
            /// A field.
            __to: u8,
            /// A field.
            __room: u8,
        },
        /// A packet.
        #[packet(id = 8, numbered)]
        Request {
            /// The number.
            r#request: u32,
            /// A field.
            __request: u8,
            /// A field.
            __number: u8,
        },
        /// A packet.
        #[packet(id = 10, format = MsgPack, numbered)]
        Number {
            /// The number.
            request: u32,
            /// A field.
            __request: u8,
            /// A field.
            __body: u8,
        },
        /// Everything else.
        #[packet(other)]
        Other(Frame),
    }

    /// A raw name.
    #[derive(Packet, Debug, Clone, PartialEq)]
    #[allow(non_camel_case_types, reason = "a keyword is in lower case")]
    pub enum r#Loop {
        /// A packet.
        #[packet(id = 1)]
        r#while,
        /// Everything else.
        #[packet(other)]
        r#else(Frame),
    }

    /// A described type.
    #[derive(Describe, serde::Serialize)]
    pub struct Described {
        /// A field.
        pub r#type: u8,
    }
}

#[test]
fn no_name_of_a_field_or_variant_is_in_the_way() {
    use names::{Clashes, Fixed, Keywords, Loop, Packets, Variants};

    let clashes = Clashes {
        value: 1,
        from: 2,
        to: 3,
        body: 4,
        header: 5,
        __from: 1,
        __to: 7,
        __value: 8,
        __count: 1,
        __field_value: 10,
        __len: "a".into(),
        __error: vec!["b".into()],
        __piece: Some("c".into()),
    };
    for packet in [
        Packets::Ok(Keywords { r#type: 1, r#match: "a".into(), r#fn: vec![1] }),
        Packets::Err(clashes),
        Packets::None(Variants::Ok),
        Packets::None(Variants::Err(1)),
        Packets::None(Variants::None { __value: 1, __other: 2 }),
        Packets::None(Variants::Some),
        Packets::Some { __header: 1, __body: 2, r#type: 1, __from: "a".into() },
        Packets::Result { r#type: 1, __from: 2, __to: 3, __header: 4, __body: 5 },
        Packets::Fixed(Fixed { __from: 1, __room: 2, __piece: [3, 4] }),
        Packets::Packet { __to: 1, __room: 2 },
        Packets::Request { request: 1, __request: 2, __number: 3 },
        Packets::Number { request: 1, __request: 2, __body: 3 },
        Packets::Other(Frame::new(9, "b")),
    ] {
        assert_eq!(round_trip(&packet), packet);
    }
    assert_eq!((Loop::r#while.name(), Loop::WHILE_ID.0, Loop::WHILE_NAME), ("while", 1, "while"));
    assert_eq!(Loop::r#else(Frame::new(2, "")).name(), "else");
}

#[test]
fn a_keyword_is_shown_without_its_mark() {
    let words = format!("{:?} {:?}", names::Described::TYPE, names::Packets::SCHEMA);
    assert!(words.contains("\"type\"") && words.contains("\"match\""));
    assert!(!words.contains("r#"), "{words}");
}

/// What is out of date, and only its users are to hear of.
#[allow(dead_code, reason = "nobody uses it")]
mod out_of_date {
    use netcore::{Describe, Packet, Raw};

    /// A body.
    #[derive(Raw, Describe)]
    #[deprecated]
    pub struct Body {
        /// A field.
        pub number: u8,
    }

    /// A body.
    #[derive(Raw, Describe)]
    pub struct Part {
        /// A field.
        #[deprecated]
        pub number: u8,
        /// A text.
        #[raw(len = u8)]
        #[deprecated]
        pub text: String,
    }

    /// A kind.
    #[derive(Raw, Describe)]
    #[raw(tag = u8)]
    pub enum Kind {
        /// Out of date.
        #[deprecated]
        Old(u8),
        /// Up to date.
        New,
    }

    /// Packets.
    #[derive(Packet)]
    pub enum Packets {
        /// Out of date.
        #[packet(id = 1)]
        #[deprecated]
        Old,
        /// Out of date.
        #[packet(id = 2)]
        #[deprecated]
        Fields {
            /// Out of date.
            #[deprecated]
            number: u8,
        },
        /// Out of date.
        #[packet(id = 3, format = MsgPack)]
        #[deprecated]
        Map {
            /// Out of date.
            #[deprecated]
            number: u8,
        },
        /// Out of date.
        #[packet(id = 4)]
        #[deprecated]
        One(u8),
        /// Up to date.
        #[packet(id = 5)]
        Kind(Kind),
        /// Out of date.
        #[packet(id = 6, reply = 7, numbered)]
        #[deprecated]
        Asked {
            /// Out of date.
            #[deprecated]
            request: u32,
        },
        /// Out of date.
        #[packet(id = 7, format = MsgPack, numbered)]
        #[deprecated]
        Answered {
            /// Out of date.
            #[deprecated]
            request: u32,
            /// Out of date.
            #[deprecated]
            number: u8,
        },
        /// Out of date.
        #[packet(other)]
        #[deprecated]
        Other(netcore::Frame),
    }
}

#[test]
fn only_the_users_of_what_is_deprecated_are_told() {
    assert_eq!(out_of_date::Packets::SCHEMA.packets.len(), 7);
}

mod formats {
    use bytes::BytesMut;
    use netcore::body::{BodyError, Format, Reader};
    use netcore::{Frame, Packet};

    mod my {
        pub struct Raw;
    }

    impl Format<u16> for my::Raw {
        const NAME: &'static str = "decimal";
        const SHARES: bool = false;

        fn encode(value: &u16, dst: &mut BytesMut) -> Result<(), BodyError> {
            dst.extend_from_slice(value.to_string().as_bytes());
            Ok(())
        }

        fn decode(body: &mut Reader<'_>) -> Result<u16, BodyError> {
            let text = std::str::from_utf8(body.take_rest()).map_err(BodyError::format)?;
            text.parse().map_err(BodyError::format)
        }
    }

    #[derive(Packet, Debug, PartialEq)]
    #[packet(format = my::Raw)]
    enum Decimal {
        #[packet(id = 1)]
        Number(u16),
        #[packet(id = 2, format = netcore::Raw)]
        Bytes { number: u16 },
        #[packet(id = 3, format = self::Row)]
        Row(u16),
        #[packet(id = 4, format = self::msgpak)]
        Small(u16),
        #[packet(id = 5, format = Ron)]
        Ron(u16),
    }

    use my::Raw as Row;
    use my::Raw as Ron;
    #[allow(non_camel_case_types)]
    type msgpak = my::Raw;

    /// The names that serde's own derives use inside.
    #[derive(Packet, Debug, PartialEq)]
    #[packet(format = MsgPack)]
    enum SerdeNames {
        #[packet(id = 1)]
        Field { x: u8 },
        #[packet(id = 2)]
        Visitor { x: u8 },
        #[packet(id = 3)]
        A { x: u8 },
        #[packet(id = 4)]
        D { x: u8 },
    }

    #[test]
    fn a_path_to_a_format_of_ones_own_is_that_format_whatever_its_name() {
        assert_eq!(Frame::from_packet(&Decimal::Number(42)).unwrap().body, "42");
        assert_eq!(Frame::from_packet(&Decimal::Bytes { number: 42 }).unwrap().body, &b"\x2a\0"[..]);
        assert_eq!(&*Decimal::SCHEMA.packets[0].format, "decimal");
        super::round_trip(&Decimal::Number(7));
        // One letter from netcore's or no type's name, behind a path; two letters from netcore's, bare.
        for packet in [Decimal::Row(7), Decimal::Small(7), Decimal::Ron(7)] {
            assert_eq!(Frame::from_packet(&packet).unwrap().body, "7");
            super::round_trip(&packet);
        }
    }

    #[test]
    fn a_messagepack_variant_may_have_a_name_that_serde_uses() {
        for packet in [
            SerdeNames::Field { x: 1 },
            SerdeNames::Visitor { x: 2 },
            SerdeNames::A { x: 3 },
            SerdeNames::D { x: 4 },
        ] {
            assert_eq!(super::round_trip(&packet), packet);
        }
    }
}
