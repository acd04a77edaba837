//! MessagePack bodies: what readers accept, what writers write, and what a hostile peer gets.

use bytes::BytesMut;
use netcore::body::{BodyError, BodyErrorKind, Format, Reader};
use netcore::{Frame, MsgPack, MsgPackArray, Packet, PacketErrorKind};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Entered {
    result: i64,
    name: String,
}

fn decode<F: Format<T>, T>(bytes: &[u8]) -> Result<T, BodyError> {
    F::decode(&mut Reader::new(bytes))
}

fn encode<F: Format<T>, T>(value: &T) -> Vec<u8> {
    let mut out = BytesMut::from(&b"in front"[..]);
    F::encode(value, &mut out).unwrap();
    assert!(out.starts_with(b"in front"));
    out[8..].to_vec()
}

#[test]
fn structs_are_written_as_maps_or_as_arrays_and_both_are_read() {
    let value = Entered { result: 1, name: "ann".into() };
    assert_eq!(encode::<MsgPack, _>(&value), b"\x82\xa6Result\x01\xa4Name\xa3ann");
    assert_eq!(encode::<MsgPackArray, _>(&value), b"\x92\x01\xa3ann");
    for bytes in [&b"\x82\xa6Result\x01\xa4Name\xa3ann"[..], b"\x92\x01\xa3ann"] {
        assert_eq!(decode::<MsgPack, Entered>(bytes).unwrap(), value);
        assert_eq!(decode::<MsgPackArray, Entered>(bytes).unwrap(), value);
    }
}

#[test]
fn readers_take_any_width_bin_for_text_any_order_and_unknown_keys() {
    let value = Entered { result: 1, name: "ann".into() };
    let others: [&[u8]; 4] = [
        b"\x82\xa6Result\xd3\0\0\0\0\0\0\0\x01\xa4Name\xa3ann",
        b"\x82\xa6Result\xcf\0\0\0\0\0\0\0\x01\xa4Name\xc4\x03ann",
        b"\x82\xa4Name\xd9\x03ann\xa6Result\xd1\0\x01",
        b"\x83\xa3New\x93\x01\x02\x81\x01\x02\xa6Result\x01\xa4Name\xa3ann",
    ];
    for bytes in others {
        assert_eq!(decode::<MsgPack, Entered>(bytes).unwrap(), value, "{bytes:02x?}");
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Nest {
    Leaf,
    In(Box<Nest>),
    Many(Vec<Nest>),
}

#[test]
fn values_that_lie_too_deep_are_refused_however_they_nest() {
    let nest = |deep: usize, level: &[u8], end: &[u8]| [level.repeat(deep), end.to_vec()].concat();
    let enums = |deep| nest(deep, b"\x81\xa2In", b"\xa4Leaf");
    let lists = |deep| nest(deep, b"\x81\xa4Many\x91", b"\xa4Leaf");
    // A unit variant is a level too.
    assert!(decode::<MsgPack, Nest>(&enums(31)).is_ok());
    assert!(decode::<MsgPack, Nest>(&enums(32)).is_err());
    assert!(decode::<MsgPack<4>, Nest>(&enums(3)).is_ok());
    assert!(decode::<MsgPack<4>, Nest>(&enums(4)).is_err());
    assert!(decode::<MsgPack, Nest>(&lists(15)).is_ok());
    assert!(decode::<MsgPack, Nest>(&lists(16)).is_err());
    // As deep as a body can be: it must not run out of stack.
    assert!(decode::<MsgPack, Nest>(&enums(16_000)).is_err());
    let unknown = [b"\x82\xa1x".to_vec(), vec![0x91; 60_000]].concat();
    assert!(decode::<MsgPack, Entered>(&unknown).is_err());
}

#[test]
fn lengths_over_the_bound_are_refused() {
    assert!(decode::<MsgPack<32, 3>, Vec<u8>>(b"\x93\x01\x02\x03").is_ok());
    assert!(decode::<MsgPack<32, 3>, Vec<u8>>(b"\x94\x01\x02\x03\x04").is_err());
    assert!(decode::<MsgPack<32, 3>, String>(b"\xa3abc").is_ok());
    assert!(decode::<MsgPack<32, 3>, String>(b"\xa4abcd").is_err());
    assert!(decode::<MsgPack<32, 3>, String>(b"\xc4\x04abcd").is_err());
}

#[derive(Packet, Debug, PartialEq)]
enum Short {
    #[packet(id = 1, format = MsgPack<32, 4>)]
    Map { name: String },
    #[packet(id = 2, format = MsgPackArray<32, 4>)]
    Array { name: String, more: Vec<u8> },
    #[packet(id = 3, format = MsgPack<32, 4>)]
    List(Vec<Vec<u8>>),
}

#[test]
fn what_the_peer_would_refuse_for_its_length_is_not_sent() {
    let refused = |packet: Short| {
        let mut wire = BytesMut::from(&b"before"[..]);
        let error = packet.encode(&mut wire, u16::MAX).unwrap_err();
        assert_eq!(&wire[..], b"before");
        let whole = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        whole.last().unwrap().to_string()
    };
    let long = refused(Short::Map { name: "abcde".into() });
    assert_eq!(long, "a length of 5 is over the bound of 4");
    refused(Short::Array { name: String::new(), more: vec![7; 5] });
    refused(Short::List(vec![vec![1, 2], vec![1, 2, 3, 4, 5]]));
    for good in [
        Short::Map { name: "abcd".into() },
        Short::Array { name: "abcd".into(), more: vec![7; 4] },
        Short::List(vec![vec![7; 4]; 4]),
    ] {
        assert_eq!(Short::from_frame(&Frame::from_packet(&good).unwrap()).unwrap(), good);
    }
}

#[test]
fn a_list_that_claims_many_items_gets_no_room_for_them() {
    /// As large as a page, so that room for many would be seen.
    #[derive(Debug)]
    struct Large(#[allow(dead_code)] [u64; 512]);

    thread_local! {
        static HINT: std::cell::Cell<Option<usize>> = const { std::cell::Cell::new(None) };
    }

    impl<'de> Deserialize<'de> for Large {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct Look;
            impl<'de> serde::de::Visitor<'de> for Look {
                type Value = Large;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a list")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, items: A) -> Result<Large, A::Error> {
                    HINT.set(items.size_hint());
                    Err(serde::de::Error::custom("seen"))
                }
            }
            from.deserialize_seq(Look)
        }
    }

    impl Serialize for Large {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_unit()
        }
    }

    assert!(decode::<MsgPack, Large>(b"\xdd\0\0\xff\0").is_err());
    assert_eq!(HINT.take(), Some(64));
    // Over the bound, it is not even looked at.
    assert!(decode::<MsgPack, Large>(b"\xdd\xff\xff\xff\xff").is_err());
    assert_eq!(HINT.get(), None);
}

#[derive(Packet, Debug, PartialEq)]
#[packet(format = MsgPack)]
enum Lobby {
    #[packet(id = 1)]
    Enter(Entered),
    #[packet(id = 2)]
    Login {
        #[serde(rename = "UserID")]
        user: String,
        #[serde(rename = "UserPW", default)]
        password: Option<String>,
    },
    #[packet(id = 3)]
    Leave,
    #[packet(id = 4, ignore_extra)]
    Loose(u8),
}

#[test]
fn a_struct_variant_is_a_map_of_its_fields() {
    let login = Lobby::Login { user: "ann".into(), password: None };
    let frame = Frame::from_packet(&login).unwrap();
    assert_eq!(&frame.body[..], b"\x82\xa6UserID\xa3ann\xa6UserPW\xc0");
    assert_eq!(Lobby::from_frame(&frame).unwrap(), login);
    assert_eq!(Lobby::from_frame(&Frame::new(2, &b"\x81\xa6UserID\xa3ann"[..])).unwrap(), login);
    assert!(Lobby::from_frame(&Frame::new(2, &b"\x81\xa6UserPW\xa3ann"[..])).is_err());
}

#[test]
fn a_unit_variant_has_an_empty_body() {
    let frame = Frame::from_packet(&Lobby::Leave).unwrap();
    assert_eq!(frame, Frame::new(3, ""));
    assert!(Lobby::from_frame(&Frame::new(3, "\u{0}")).is_err());
}

#[test]
fn bytes_behind_the_value_are_counted_unless_they_are_allowed() {
    let kind = |bytes: &'static [u8]| match Lobby::from_frame(&Frame::new(1, bytes)).unwrap_err().into_kind()
    {
        PacketErrorKind::Malformed { source, .. } => source.kind(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(b"\x92\x01\xa3ann\x05\x06"), BodyErrorKind::Trailing { extra: 2 });
    assert_eq!(kind(b"\x92\x01\xa3ann\x92"), BodyErrorKind::Trailing { extra: 1 });
    assert_eq!(kind(b"\x92\x01\xa3ann\xc1"), BodyErrorKind::Trailing { extra: 1 });
    assert_eq!(kind(b"\x92\x01"), BodyErrorKind::Format);
    assert_eq!(Lobby::from_frame(&Frame::new(4, &b"\x07\x08\x09"[..])).unwrap(), Lobby::Loose(7));
}

#[test]
fn a_value_that_encodes_another_while_it_is_written_harms_neither() {
    struct Outer;
    impl Serialize for Outer {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let inner = Frame::from_packet(&Lobby::Loose(9)).unwrap();
            to.serialize_bytes(&inner.body)
        }
    }
    impl<'de> Deserialize<'de> for Outer {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    assert_eq!(encode::<MsgPack, _>(&(1u8, Outer)), b"\x92\x01\xc4\x01\x09");
}

#[test]
fn a_value_that_panics_while_it_is_written_leaves_nothing_for_the_next() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("on purpose")
        }
    }
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    let broken = std::panic::catch_unwind(|| encode::<MsgPack, _>(&("half of it".to_owned(), Panics)));
    assert!(broken.is_err());
    assert_eq!(encode::<MsgPack, _>(&7u8), [7]);
}

#[test]
fn a_panic_while_a_packet_is_written_leaves_the_send_buffer_as_it_was() {
    #[derive(Deserialize)]
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("on purpose")
        }
    }
    #[derive(Packet)]
    #[packet(format = MsgPack)]
    enum Broken {
        #[packet(id = 1)]
        Body(Panics),
    }
    let mut send = BytesMut::from(&b"another packet"[..]);
    let broken = std::panic::AssertUnwindSafe(|| Broken::Body(Panics).encode(&mut send, u16::MAX));
    assert!(std::panic::catch_unwind(broken).is_err());
    assert_eq!(send, "another packet");
}

#[test]
fn a_type_of_options_and_newtypes_alone_has_an_end() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Chain(Option<Box<Chain>>);
    assert!(decode::<MsgPack, Chain>(b"\x01").is_err());
    assert!(decode::<MsgPack, Chain>(b"\xc0").is_ok());
}

#[derive(Packet, Debug, PartialEq)]
#[packet(format = MsgPack)]
enum WithoutFields {
    #[packet(id = 1)]
    Ping {},
}

#[test]
fn a_struct_variant_without_fields_is_an_empty_map() {
    let frame = Frame::from_packet(&WithoutFields::Ping {}).unwrap();
    assert_eq!(&frame.body[..], b"\x80");
    assert_eq!(WithoutFields::from_frame(&frame).unwrap(), WithoutFields::Ping {});
}
