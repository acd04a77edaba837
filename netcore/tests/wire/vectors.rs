//! Every golden vector of `proto/vectors/`, checked in full.

#![cfg(all(feature = "msgpack", feature = "protobuf"))]

mod packets;
mod values;

use bytes::{Bytes, BytesMut};
use netcore::{
    EncodeError, Frame, FrameCodec, FrameError, LineCodec, LineError, Packet, PacketError, PacketErrorKind,
    PacketId, PacketType, Schema,
};
use packets::{Answer, Example, Kinds, MsgPackAnswer, MsgPackRequest, Numbered, Recursive, Request, Sample};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use values::{bytes, exact, file, inexact, list, number, text, to_hex};

#[test]
fn every_stream_of_frames_reads_the_same_however_it_is_cut() {
    for vector in list(&file("frames.json"), "vectors") {
        let name = text(vector, "name");
        let stream = bytes(&vector["stream"]);
        let codec = FrameCodec::new().max_in(vector["max_in"].as_u64().map_or(u16::MAX, |max| max as u16));
        let frames: Vec<Frame> = vector["frames"].as_array().unwrap().iter().map(frame).collect();
        let expected = (frames, frame_error(&vector["error"]));
        // A thread a path: the largest packet has 65,536 places to be cut at.
        std::thread::scope(|scope| {
            for (path, read) in super::cuts::PATHS {
                let (stream, codec, expected) = (&stream, &codec, &expected);
                scope.spawn(move || {
                    every_cut(stream, |pieces, cut| {
                        let found = read(codec.clone(), pieces);
                        // Not `assert_eq!`: a packet of 64 KiB is no help on a terminal.
                        assert!(found == *expected, "{name}, {cut}, {path}: {:.500}", format!("{found:?}"));
                    });
                });
            }
        });
    }
}

#[test]
fn the_frames_of_every_good_stream_are_written_as_they_came() {
    for vector in list(&file("frames.json"), "vectors").iter().filter(|vector| vector["error"].is_null()) {
        let mut wire = BytesMut::new();
        for frame in vector["frames"].as_array().unwrap().iter().map(frame) {
            FrameCodec::new().encode_frame(&frame, &mut wire).unwrap();
        }
        assert!(wire == bytes(&vector["stream"]), "{}", text(vector, "name"));
    }
}

#[test]
fn every_stream_of_lines_reads_the_same_however_it_is_cut() {
    for vector in list(&file("lines.json"), "vectors") {
        let name = text(vector, "name");
        let stream = bytes(&vector["stream"]);
        let codec = match vector["max_line"].as_u64() {
            Some(max) => LineCodec::new().max_line(max as usize),
            None => LineCodec::new(),
        };
        let max = vector["max_line"].as_u64().unwrap_or(1024) as usize;
        let items: Vec<_> =
            vector["items"].as_array().unwrap().iter().map(|item| line_item(item, max)).collect();
        let end = vector["end"].as_object().map(|end| {
            assert_eq!(end["error"], "end_inside_line");
            LineError::EndInsideLine { have: number(&vector["end"], "have") as usize }
        });
        every_cut(&stream, |pieces, cut| {
            for (found, found_end) in super::cuts::lines(&codec, pieces) {
                assert_eq!(found, items, "{name}, {cut}");
                assert_eq!(found_end, end, "{name}, {cut}");
            }
        });
    }
}

#[test]
fn every_raw_body_decodes_and_encodes_as_its_vector_says() {
    bodies("raw.json");
}

#[test]
fn every_messagepack_body_decodes_and_encodes_as_its_vector_says() {
    bodies("msgpack.json");
}

#[test]
fn every_protobuf_body_decodes_and_encodes_as_its_vector_says() {
    bodies("protobuf.json");
}

#[test]
fn every_numbered_body_decodes_and_encodes_as_its_vector_says() {
    bodies("numbers.json");
}

#[test]
fn every_packet_of_every_set_has_a_vector() {
    for (name, schema) in schemas() {
        let file = match name {
            "Example" => continue,
            "Request" | "Answer" | "Kinds" => file("raw.json"),
            "Sample" => file("protobuf.json"),
            "Numbered" => file("numbers.json"),
            _ => file("msgpack.json"),
        };
        for packet in schema.packets.iter() {
            let has = |vector: &&Value| vector["set"] == name && vector["id"] == packet.id.0;
            assert!(list(&file, "vectors").iter().any(|vector| has(&vector)), "{name}, {}", &*packet.name);
        }
    }
}

#[test]
fn every_schema_has_the_text_the_fingerprint_and_the_bytes_of_its_vector() {
    let file = file("schema.json");
    let vectors = list(&file, "vectors");
    assert_eq!(vectors.len(), schemas().len());
    for (vector, (name, schema)) in vectors.iter().zip(schemas()) {
        assert_eq!(text(vector, "name"), name);
        assert_eq!(values::schema(schema), vector["schema"], "{name}");
        let lines: Vec<_> = list(vector, "text").iter().map(|line| line.as_str().unwrap()).collect();
        assert_eq!(schema.to_text().lines().collect::<Vec<_>>(), lines, "{name}");
        assert_eq!(format!("{:016x}", schema.fingerprint()), text(vector, "fingerprint"), "{name}");
        let hash = bytes(&vector["canonical"]).iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        assert_eq!(
            format!("{hash:016x}"),
            text(vector, "fingerprint"),
            "{name}: the hash of the canonical bytes"
        );
        let compact = schema.to_compact().unwrap();
        assert_eq!(to_hex(&compact), text(vector, "compact"), "{name}");
        let back = Schema::from_compact(&compact).unwrap();
        assert_eq!(values::schema(&back), vector["schema"], "{name}");
        assert_eq!(back.fingerprint(), schema.fingerprint(), "{name}");
    }
}

#[test]
fn every_compact_schema_cut_short_or_with_a_byte_more_is_refused() {
    for vector in list(&file("schema.json"), "vectors") {
        let mut compact = bytes(&vector["compact"]);
        for end in 0..compact.len() {
            assert!(Schema::from_compact(&compact[..end]).is_err(), "{}, {end} bytes", text(vector, "name"));
        }
        compact.push(0);
        assert!(Schema::from_compact(&compact).is_err(), "{}", text(vector, "name"));
    }
}

#[test]
fn the_hex_examples_of_the_specification_are_those_of_the_vectors() {
    let wire = include_str!("../../../proto/WIRE.md");
    let shown = shown_hex(wire);
    let file = file("schema.json");
    let example = list(&file, "vectors").iter().find(|vector| vector["name"] == "Example").unwrap();
    assert!(wire.contains(text(example, "fingerprint")));
    for key in ["canonical", "compact"] {
        let hex = text(example, key);
        assert!(shown.iter().any(|block| block == hex), "the {key} of the example is not in WIRE.md");
    }
    for file in ["raw.json", "msgpack.json", "protobuf.json", "numbers.json"] {
        let file = values::file(file);
        for vector in list(&file, "vectors").iter().filter(|vector| !vector["section"].is_null()) {
            let hex = text(vector, "body");
            assert!(
                shown.iter().any(|block| block.contains(hex)),
                "{} is not in WIRE.md",
                text(vector, "name")
            );
        }
    }
}

#[cfg(feature = "protobuf-build")]
#[test]
fn the_sample_messages_are_those_of_the_proto_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto");
    let files = protox::compile(["samples.proto"], [folder]).unwrap();
    let described = values::schema(Sample::SCHEMA);
    for packet in list(&described, "packets") {
        let message =
            files.file[0].message_type.iter().find(|message| message.name() == text(packet, "name"));
        let fields =
            message.unwrap().field.iter().map(|field| (field.name(), u64::try_from(field.number()).unwrap()));
        let ours = list(&packet["body"], "fields");
        let ours = ours.iter().map(|field| (text(field, "name"), number(field, "number")));
        assert_eq!(fields.collect::<Vec<_>>(), ours.collect::<Vec<_>>());
    }
}

/// The hex of each indented block; the words behind it on a line are not hex.
fn shown_hex(page: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in page.lines() {
        match (line.strip_prefix("    "), blocks.last_mut()) {
            (Some(line), Some(block)) => {
                let is_hex = |word: &&str| word.len() == 2 && values::from_hex(word).is_some();
                block.extend(line.split_whitespace().take_while(is_hex));
            }
            _ => blocks.push(String::new()),
        }
    }
    blocks
}

fn schemas() -> [(&'static str, &'static Schema); 9] {
    [
        ("Example", Example::SCHEMA),
        ("Request", Request::SCHEMA),
        ("Answer", Answer::SCHEMA),
        ("Kinds", Kinds::SCHEMA),
        ("MsgPackRequest", MsgPackRequest::SCHEMA),
        ("MsgPackAnswer", MsgPackAnswer::SCHEMA),
        ("Sample", Sample::SCHEMA),
        ("Numbered", Numbered::SCHEMA),
        ("Recursive", Recursive::SCHEMA),
    ]
}

/// The stream whole, in two pieces at every place, and byte by byte.
fn every_cut(stream: &[u8], mut check: impl FnMut(&[&[u8]], &dyn std::fmt::Display)) {
    check(&[stream], &"whole");
    for at in 0..=stream.len() {
        let (front, back) = stream.split_at(at);
        check(&[front, back], &format_args!("cut at {at}"));
    }
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    check(&single, &"byte by byte");
}

fn bodies(name: &str) {
    let file = file(name);
    for vector in list(&file, "vectors") {
        by_set(vector, Check::Good);
    }
    for vector in list(&file, "refused") {
        by_set(vector, Check::Refused);
    }
    for vector in file["unwritable"].as_array().into_iter().flatten() {
        by_set(vector, Check::Unwritable);
    }
}

#[derive(Clone, Copy)]
enum Check {
    Good,
    Refused,
    Unwritable,
}

fn by_set(vector: &Value, check: Check) {
    match text(vector, "set") {
        "Request" => one::<Request>(vector, check),
        "Answer" => one::<Answer>(vector, check),
        "Kinds" => one::<Kinds>(vector, check),
        "MsgPackRequest" => one::<MsgPackRequest>(vector, check),
        "MsgPackAnswer" => one::<MsgPackAnswer>(vector, check),
        "Sample" => one::<Sample>(vector, check),
        "Numbered" => one::<Numbered>(vector, check),
        "Recursive" => one::<Recursive>(vector, check),
        other => panic!("{other} is no set"),
    }
}

fn one<P: Packet + Serialize + DeserializeOwned + std::fmt::Debug>(vector: &Value, check: Check) {
    match check {
        Check::Good => good::<P>(vector),
        Check::Refused => refused::<P>(vector),
        Check::Unwritable => unwritable::<P>(vector),
    }
}

fn good<P: Packet + Serialize + DeserializeOwned + std::fmt::Debug>(vector: &Value) {
    let name = text(vector, "name");
    let decoded = decode::<P>(vector).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(decoded.name(), text(vector, "packet"), "{name}");
    assert_eq!(fields(&decoded), vector["fields"], "{name}");
    let built = build::<P>(vector);
    assert_eq!(u64::from(built.id().0), number(vector, "id"), "{name}");
    let expected = bytes(vector.get("encodes_to").unwrap_or(&vector["body"]));
    let written = Frame::from_packet(&built).unwrap();
    assert_eq!(to_hex(&written.body), to_hex(&expected), "{name}");
    assert_eq!(written.kind, PacketType::NORMAL);
}

fn refused<P: Packet + std::fmt::Debug>(vector: &Value) {
    let name = text(vector, "name");
    match decode::<P>(vector).map_err(PacketError::into_kind) {
        Err(PacketErrorKind::Malformed { id, source }) => {
            assert_eq!(u64::from(id.0), number(vector, "id"), "{name}");
            assert_eq!(values::error_name(source.kind()), text(vector, "error"), "{name}: {source:?}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn unwritable<P: Packet + DeserializeOwned>(vector: &Value) {
    let name = text(vector, "name");
    let mut wire = BytesMut::from(&b"before"[..]);
    match build::<P>(vector).encode(&mut wire, u16::MAX) {
        Err(EncodeError::Body { source, .. }) => {
            assert_eq!(values::error_name(source.kind()), text(vector, "error"), "{name}");
        }
        other => panic!("{name}: {other:?}"),
    }
    assert_eq!(wire, "before", "{name}: nothing of it is written");
}

/// Decodes twice: from a buffer that is shared, and out of a stream.
fn decode<P: Packet>(vector: &Value) -> Result<P, PacketError> {
    let frame = Frame::new(number(vector, "id") as u16, bytes(&vector["body"]));
    let mut wire = BytesMut::new();
    FrameCodec::new().encode_frame(&frame, &mut wire).unwrap();
    let mut codec = netcore::PacketCodec::<P, P>::new();
    let from_stream = codec.packets(&mut wire).next().unwrap();
    let from_frame = P::from_frame(&frame);
    assert_eq!(from_stream.is_ok(), from_frame.is_ok(), "{}", text(vector, "name"));
    from_frame
}

/// A packet's fields, as the vectors write them: without its name, and `{}` for none. A request number in front of a
/// body type is one of the fields.
fn fields<P: Packet + Serialize>(packet: &P) -> Value {
    match serde_json::to_value(packet).unwrap() {
        Value::String(_) => json!({}),
        value => match exact(value[packet.name()].clone()) {
            Value::Array(parts) => {
                let [request, body] = &parts[..] else { panic!("{parts:?} is no number and body") };
                let mut fields = body.clone();
                fields["request"] = request.clone();
                fields
            }
            fields => fields,
        },
    }
}

fn build<P: DeserializeOwned>(vector: &Value) -> P {
    let (name, fields) = (text(vector, "packet"), inexact(vector["fields"].clone()));
    let mut body = fields.clone();
    let request = body.as_object_mut().and_then(|body| body.remove("request"));
    let forms = [json!(name), json!({ name: fields }), json!({ name: [request, body] })];
    let mut errors = Vec::new();
    for form in forms {
        match serde_json::from_value(form) {
            Ok(packet) => return packet,
            Err(error) => errors.push(error),
        }
    }
    panic!("{vector}: {errors:?}")
}

fn frame(value: &Value) -> Frame {
    Frame {
        id: PacketId(number(value, "id") as u16),
        kind: PacketType(number(value, "type") as u8),
        body: Bytes::from(bytes(&value["body"])),
    }
}

fn frame_error(value: &Value) -> Option<FrameError> {
    let get = |key| number(value, key);
    Some(match value["kind"].as_str()? {
        "size_below_header" => FrameError::SizeBelowHeader { size: get("size") as u16 },
        "size_over_limit" => FrameError::SizeOverLimit { size: get("size") as u16, max: get("max") as u16 },
        "end_inside_packet" => {
            FrameError::EndInsidePacket { have: get("have") as usize, need: get("need") as usize }
        }
        other => panic!("{other} is no error of a stream"),
    })
}

fn line_item(item: &Value, max: usize) -> Result<String, LineError> {
    match item["error"].as_str() {
        None => Ok(text(item, "line").to_owned()),
        Some("too_long") => Err(LineError::TooLong { max }),
        Some("not_utf8") => Err(LineError::NotUtf8 { valid: number(item, "valid") as usize }),
        Some(other) => panic!("{other} is no error of a line"),
    }
}
