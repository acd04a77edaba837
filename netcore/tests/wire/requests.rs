//! Requests and answers: the declared pair of ids, and the request number in front of a body, byte by byte.
#![cfg(all(feature = "msgpack", feature = "protobuf"))]

use bytes::{Bytes, BytesMut};
use netcore::body::{BodyError, BodyErrorKind, Format, Reader};
use netcore::schema::{By, Form, Int, Schema, SchemaError, Type};
use netcore::{Describe, EncodeError, Frame, Packet, PacketErrorKind, PacketId, Raw};
use serde::{Deserialize, Serialize};

/// One letter a byte, upside down.
struct Flipped;

impl Format<u8> for Flipped {
    const NAME: &'static str = "flipped";
    const SHARES: bool = false;

    fn encode(value: &u8, dst: &mut BytesMut) -> Result<(), BodyError> {
        dst.extend_from_slice(&[!value]);
        Ok(())
    }

    fn decode(body: &mut Reader<'_>) -> Result<u8, BodyError> {
        body.array().map(|[byte]| !byte)
    }
}

#[derive(Raw, Debug, Clone, PartialEq)]
#[raw(big_endian)]
struct Place {
    x: u16,
    y: u16,
}

#[derive(Raw, Debug, Clone, PartialEq)]
struct Line {
    len: u8,
    #[raw(len_in = len)]
    text: String,
}

#[derive(Describe, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Account {
    user: String,
}

#[derive(Describe, Clone, PartialEq, prost::Message)]
struct Chat {
    #[prost(uint64, tag = "1")]
    user: u64,
    #[prost(bytes = "bytes", tag = "2")]
    text: Bytes,
}

#[derive(Packet, Debug, Clone, PartialEq)]
enum Ask {
    #[packet(id = 1, reply = 101, numbered)]
    Ping(u32),
    #[packet(id = 2, reply = 65535, numbered)]
    Pong { request: u32 },
    #[packet(id = 3, numbered)]
    Move(u32, Place),
    #[packet(id = 4, numbered, max = 8)]
    Enter { request: u32, room: u32 },
    #[packet(id = 5, numbered)]
    Say(u32, #[raw(len = u16)] String),
    #[packet(id = 6, numbered)]
    Tell {
        request: u32,
        len: u8,
        #[raw(len_in = len)]
        text: String,
    },
    #[packet(id = 7, numbered)]
    Write(u32, Line),
    #[packet(id = 8, numbered)]
    Relay(u32, #[raw(rest)] Bytes),
    #[packet(id = 9, numbered, format = MsgPack, max = 40)]
    Login(u32, Account),
    #[packet(id = 10, numbered, format = MsgPack)]
    Map {
        request: u32,
        #[serde(rename = "User")]
        user: String,
    },
    #[packet(id = 11, numbered, format = MsgPackArray)]
    Array { request: u32, user: String },
    #[packet(id = 12, numbered, format = Protobuf)]
    Chat(u32, Chat),
    #[packet(id = 13, numbered, format = Flipped)]
    Own(u32, u8),
    #[packet(id = 14, numbered, format = MsgPack)]
    Bare { request: u32 },
    #[packet(id = 15, numbered, format = Protobuf)]
    BareTuple(u32),
    #[packet(id = 16, numbered, ignore_extra)]
    Loose(u32),
    #[packet(id = 20, reply = 0)]
    Plain { request: u32 },
    #[packet(id = 21)]
    Nothing,
    #[packet(other)]
    Other(Frame),
}

const NUMBER: u32 = 0x0403_0201;

/// Every numbered packet, and its body.
fn all() -> Vec<(Ask, &'static [u8])> {
    vec![
        (Ask::Ping(NUMBER), b"\x01\x02\x03\x04"),
        (Ask::Pong { request: NUMBER }, b"\x01\x02\x03\x04"),
        (Ask::Move(NUMBER, Place { x: 5, y: 6 }), b"\x01\x02\x03\x04\0\x05\0\x06"),
        (Ask::Enter { request: NUMBER, room: 9 }, b"\x01\x02\x03\x04\x09\0\0\0"),
        (Ask::Say(NUMBER, "hi".into()), b"\x01\x02\x03\x04\x02\0hi"),
        (Ask::Tell { request: NUMBER, len: 2, text: "hi".into() }, b"\x01\x02\x03\x04\x02hi"),
        (Ask::Write(NUMBER, Line { len: 2, text: "hi".into() }), b"\x01\x02\x03\x04\x02hi"),
        (Ask::Relay(NUMBER, Bytes::from_static(b"hi")), b"\x01\x02\x03\x04hi"),
        (Ask::Login(NUMBER, Account { user: "ann".into() }), b"\x01\x02\x03\x04\x81\xa4user\xa3ann"),
        (Ask::Map { request: NUMBER, user: "ann".into() }, b"\x01\x02\x03\x04\x81\xa4User\xa3ann"),
        (Ask::Array { request: NUMBER, user: "ann".into() }, b"\x01\x02\x03\x04\x91\xa3ann"),
        (
            Ask::Chat(NUMBER, Chat { user: 7, text: Bytes::from_static(b"hi") }),
            b"\x01\x02\x03\x04\x08\x07\x12\x02hi",
        ),
        (Ask::Own(NUMBER, 1), b"\x01\x02\x03\x04\xfe"),
        (Ask::Bare { request: NUMBER }, b"\x01\x02\x03\x04"),
        (Ask::BareTuple(NUMBER), b"\x01\x02\x03\x04"),
        (Ask::Loose(NUMBER), b"\x01\x02\x03\x04"),
    ]
}

#[test]
fn the_number_stands_in_front_of_a_body_of_any_format() {
    for (packet, body) in all() {
        let frame = Frame::from_packet(&packet).unwrap();
        assert_eq!(&frame.body[..], body, "{packet:?}");
        assert_eq!(Ask::from_frame(&frame).unwrap(), packet);
        let mut alone = BytesMut::new();
        packet.encode_body(&mut alone).unwrap();
        assert_eq!(&alone[..], body, "{packet:?}");
    }
}

#[test]
fn the_number_is_read_and_set_where_there_is_one() {
    for (mut packet, body) in all() {
        assert_eq!(packet.request_number(), Some(NUMBER), "{packet:?}");
        packet.set_request_number(u32::MAX);
        assert_eq!(packet.request_number(), Some(u32::MAX), "{packet:?}");
        let frame = Frame::from_packet(&packet).unwrap();
        assert_eq!((&frame.body[..4], &frame.body[4..]), (&[0xff; 4][..], &body[4..]));
    }
    for mut packet in [Ask::Plain { request: 3 }, Ask::Nothing, Ask::Other(Frame::new(99, "abcd"))] {
        let before = packet.clone();
        packet.set_request_number(7);
        assert_eq!((packet.request_number(), &packet), (None, &before));
    }
}

#[test]
fn a_packet_says_what_answers_it() {
    assert_eq!(Ask::Ping(1).reply(), Some(PacketId(101)));
    assert_eq!(Ask::Pong { request: 1 }.reply(), Some(PacketId(u16::MAX)));
    assert_eq!(Ask::Plain { request: 1 }.reply(), Some(PacketId(0)));
    assert_eq!(Ask::Nothing.reply(), None);
    assert_eq!(Ask::Other(Frame::new(1, "")).reply(), None);
}

#[test]
fn a_body_that_ends_in_its_number_is_malformed() {
    for (packet, body) in all() {
        for len in 0..4 {
            let frame = Frame::new(packet.id(), &body[..len]);
            match Ask::from_frame(&frame).unwrap_err().into_kind() {
                PacketErrorKind::Malformed { id, source } => {
                    assert_eq!(id, packet.id());
                    assert!(matches!(source.kind(), BodyErrorKind::Short { have, .. } if have == len));
                }
                other => panic!("{other:?}"),
            }
        }
        let mut longer = body.to_vec();
        longer.push(0);
        let taken = Ask::from_frame(&Frame::new(packet.id(), longer)).is_ok();
        assert_eq!(taken, matches!(packet, Ask::Loose(_) | Ask::Relay(..)), "{packet:?}");
    }
}

#[test]
fn an_error_names_the_packet_and_the_field() {
    let path = |id: u16, body: &'static [u8]| match Ask::from_frame(&Frame::new(id, body)) {
        Err(error) => match error.into_kind() {
            PacketErrorKind::Malformed { source, .. } => source.path(),
            other => panic!("{other:?}"),
        },
        Ok(packet) => panic!("{packet:?}"),
    };
    assert_eq!(path(5, b"\0"), "Say.request");
    assert_eq!(path(9, b"\0"), "Login.request");
    assert_eq!(path(7, b"\0\0\0\0\x02a"), "Write.text");
    assert_eq!(path(6, b"\0\0\0\0\x02a"), "Tell.text");
}

#[test]
fn the_number_counts_in_the_bound_of_a_body() {
    // 4 bytes of number, 7 of a map, an entry and its key, and the text with its length: 40 are taken, 41 are not.
    let login = |len: usize| Ask::Login(1, Account { user: "x".repeat(len) });
    let fits = login(40 - 4 - 1 - 5 - 1);
    let frame = Frame::from_packet(&fits).unwrap();
    assert_eq!(frame.body.len(), 40);
    assert_eq!(Ask::from_frame(&frame).unwrap(), fits);
    let over = login(41 - 4 - 1 - 5 - 1);
    match Frame::from_packet(&over) {
        Err(EncodeError::Body { source, .. }) => {
            assert_eq!(source.kind(), BodyErrorKind::TooLong { len: 41, max: 40 });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bytes_behind_the_number_share_the_buffer_they_came_in() {
    let frame = Frame::new(8, vec![7; 100]);
    let Ask::Relay(_, bytes) = Ask::from_frame(&frame).unwrap() else { panic!("not what was sent") };
    assert_eq!(bytes.as_ptr(), frame.body[4..].as_ptr());
    const { assert!(Ask::SHARES && !Only::SHARES) };
}

#[test]
fn the_schema_has_the_number_and_the_reply() {
    let packet = |id: u16| Ask::SCHEMA.packets.iter().find(|packet| packet.id.0 == id).unwrap();
    for (ask, _) in all() {
        let packet = packet(ask.id().0);
        assert!(packet.numbered, "{packet:?}");
        assert_eq!(packet.reply, ask.reply());
        let Type::Struct(shape) = &*packet.body else { panic!("{:?}", packet.body) };
        assert_eq!((shape.by, &*shape.fields[0].name), (By::Position, "request"));
        assert_eq!(*shape.fields[0].ty, Type::Int(Int { bytes: 4, signed: false, form: Form::Little }));
    }
    assert!(!packet(20).numbered && !packet(21).numbered);
    assert_eq!((packet(20).reply, packet(21).reply), (Some(PacketId(0)), None));
    for bare in [1, 2, 14, 15, 16] {
        assert_eq!((&*packet(bare).format, packet(bare).body.fixed_size()), ("raw", Some(4)));
    }
    assert_eq!(&*packet(9).format, "msgpack");
    assert_eq!(packet(3).body.fixed_size(), Some(8));
}

#[test]
fn the_words_have_the_number_and_the_reply() {
    let text = Ask::SCHEMA.to_text();
    let lines: Vec<_> = text.lines().skip(1).collect();
    let at = |words: &str| lines.iter().position(|line| *line == words).unwrap_or_else(|| panic!("{text}"));
    assert_eq!(at("  1  Ping  raw, 4 bytes; numbered; answered by 101") + 1, at("         0  request  u32"));
    let login = at("  9  Login  msgpack, at most 40 bytes; numbered");
    assert_eq!(
        &lines[login + 1..][..3],
        ["         0  request  u32", "            user  text", " 10  Map  msgpack; numbered"]
    );
    let places = at("  3  Move  raw, 8 bytes; numbered");
    assert_eq!(lines[places + 2], "         4  x  u16 big-endian");
    let chat = at(" 12  Chat  protobuf; numbered");
    assert_eq!(lines[chat + 2], "        #1  user  u64 varint");
    let own = at(" 13  Own  flipped; numbered");
    assert_eq!(lines[own + 2], "         4  body  u8");
    let page = Ask::SCHEMA.to_markdown();
    assert!(page.contains("## 1 Ping\n\nraw, 4 bytes; numbered; answered by 101.\n"), "{page}");
    assert!(page.contains("| 0 | `request` | u32 |  |\n|  | `user` | text |  |\n"), "{page}");
}

#[test]
fn the_compact_form_keeps_the_number_and_the_reply() {
    let bytes = Ask::SCHEMA.to_compact().unwrap();
    let back = Schema::from_compact(&bytes).unwrap();
    for (back, packet) in back.packets.iter().zip(Ask::SCHEMA.packets.iter()) {
        assert_eq!((back.numbered, back.reply), (packet.numbered, packet.reply));
    }
    assert_eq!(back.to_compact().unwrap(), bytes);
    assert_eq!(back.fingerprint(), Ask::SCHEMA.fingerprint());
    // One packet with a flag that is none.
    let odd = [1, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1];
    assert!(matches!(Schema::from_compact(&odd), Err(SchemaError::Code { code: 8, .. })));
}

/// Declares one enum of packets a line, and returns their schemas.
macro_rules! schemas {
    ($({ $($body:tt)* })*) => {
        [$({
            #[derive(Packet)]
            #[allow(dead_code)]
            enum Packets { $($body)* }
            Packets::SCHEMA
        }),*]
    };
}

#[test]
fn the_fingerprint_has_the_number_and_not_the_reply() {
    let [plain, answered, other] = schemas! {
        { #[packet(id = 1)] M { x: u8 } }
        { #[packet(id = 1, reply = 2)] M { x: u8 } }
        { #[packet(id = 1, reply = 3)] M { x: u8 } }
    };
    assert_eq!(plain.fingerprint(), answered.fingerprint());
    assert_eq!(answered.compare(other), None);

    for [without, with, words] in [
        schemas! {
            { #[packet(id = 1)] M { x: u8 } }
            { #[packet(id = 1, numbered)] M { request: u32, x: u8 } }
            { #[packet(id = 1, numbered)] M(u32, u8) }
        },
        schemas! {
            { #[packet(id = 1, format = MsgPack)] M(Account) }
            { #[packet(id = 1, format = MsgPack, numbered)] M(u32, Account) }
            { #[packet(id = 1, format = MsgPack, numbered)] M { request: u32, user: String } }
        },
        schemas! {
            { #[packet(id = 1, format = MsgPackArray)] M(Account) }
            { #[packet(id = 1, format = MsgPackArray, numbered)] M(u32, Account) }
            { #[packet(id = 1, format = MsgPackArray, numbered)] M { request: u32, user: String } }
        },
    ] {
        assert_ne!(without.fingerprint(), with.fingerprint(), "{}", with.to_text());
        assert!(without.compare(with).is_some());
        assert_eq!(with.fingerprint(), words.fingerprint(), "{}{}", with.to_text(), words.to_text());
        assert_eq!(with.compare(words), None);
    }
    let [proto, numbered] = schemas! {
        { #[packet(id = 1, format = Protobuf)] M(Chat) }
        { #[packet(id = 1, format = Protobuf, numbered)] M(u32, Chat) }
    };
    assert_ne!(proto.fingerprint(), numbered.fingerprint());
    // A raw number that the game wrote out itself is the same on the wire.
    let [own, numbered] = schemas! {
        { #[packet(id = 1)] M { anything: u32, line: Line } }
        { #[packet(id = 1, numbered)] M(u32, Line) }
    };
    assert_eq!(own.compare(numbered), None);
}

#[test]
fn a_difference_behind_the_number_is_named_without_it() {
    let [one, other, shorter, none] = schemas! {
        { #[packet(id = 1, numbered)] M(u32, Line) }
        { #[packet(id = 1, numbered)] M(u32, Place) }
        { #[packet(id = 1, numbered)] M(u32) }
        { #[packet(id = 1, format = MsgPack)] M(Account) }
    };
    assert_eq!(
        one.compare(other).unwrap().to_string(),
        "packet 1 M, field len: here u8, there u16 big-endian"
    );
    assert_eq!(one.compare(shorter).unwrap().to_string(), "packet 1 M, field len: here u8, there nothing");
    let [login, renamed] = schemas! {
        { #[packet(id = 1, format = MsgPack, numbered)] M(u32, Account) }
        { #[packet(id = 1, format = MsgPack, numbered)] M { request: u32, user: u8 } }
    };
    assert_eq!(login.compare(renamed).unwrap().to_string(), "packet 1 M, field user: here text, there u8");
    assert_eq!(
        none.compare(login).unwrap().to_string(),
        "packet 1 M: here Account { user: text; }, there M { request: u32; Account { user: text; }; }"
    );
}

/// All of them numbered, all of them answered.
#[derive(Packet, Debug, PartialEq)]
enum Only {
    #[packet(id = 1, reply = 2, numbered)]
    Ping(u32),
}

#[test]
fn an_enum_may_have_nothing_but_requests() {
    let mut ping = Only::Ping(1);
    ping.set_request_number(2);
    assert_eq!((ping.request_number(), ping.reply()), (Some(2), Some(PacketId(2))));
}
