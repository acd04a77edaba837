//! The vectors, cut anywhere.

use std::time::Instant;

use netcore::{
    Binary, CloseReason, Compress, Frame, FrameError, InflateError, Packed, Packet, PacketId, PacketType,
};
use serde_json::Value;

use crate::values::{bytes, file, list, number, text, to_hex};
use crate::{Copying, Reads, Sharing};

#[test]
fn every_stream_of_compressed_packets_reads_the_same_however_it_is_cut() {
    for vector in list(&file("compressed.json"), "vectors") {
        let (name, stream) = (text(vector, "name"), bytes(&vector["stream"]));
        let expected = (frames(vector), end(&vector["error"]));
        every_cut(&stream, |pieces, cut| {
            for (path, found) in [
                ("frames", read::<Frame>(&adapter(vector), pieces)),
                ("packets that share", read::<Sharing>(&adapter(vector), pieces)),
                ("packets that do not", read::<Copying>(&adapter(vector), pieces)),
            ] {
                assert!(found == expected, "{name}, {cut}, {path}: {:.500}", format!("{found:?}"));
            }
        });
    }
}

#[test]
fn the_frames_of_every_good_stream_come_back_from_our_own_sender() {
    for vector in list(&file("compressed.json"), "vectors").iter().filter(|vector| vector["error"].is_null())
    {
        for threshold in [0, 20, 256] {
            let compress = Compress::new().threshold(threshold);
            for frame in frames(vector) {
                let packed = compress.pack(&frame);
                assert!(packed.body.len() <= frame.body.len());
                assert_eq!(compress.unpack(&packed), Ok(frame), "{}", text(vector, "name"));
            }
        }
    }
}

#[test]
fn the_hex_examples_of_the_specification_are_those_of_the_vectors() {
    let wire: String = include_str!("../../../proto/WIRE.md").split_whitespace().collect();
    for vector in list(&file("compressed.json"), "vectors").iter().filter(|v| !v["section"].is_null()) {
        let stream = to_hex(&bytes(&vector["stream"]));
        assert!(wire.contains(&stream), "{} is not in WIRE.md", text(vector, "name"));
    }
}

fn adapter(vector: &Value) -> Packed {
    let limit = |key| vector[key].as_u64().map(|max| u16::try_from(max).unwrap());
    let compress = match limit("max_inflated") {
        Some(max) => Compress::new().max_inflated(max),
        None => Compress::new(),
    };
    Binary::new().max_in(limit("max_in").unwrap_or(u16::MAX)).compress(compress)
}

fn read<P: Packet + Into<Frame> + Send + 'static>(
    adapter: &Packed,
    pieces: &[&[u8]],
) -> (Vec<Frame>, CloseReason) {
    let now = Instant::now();
    let (mut reads, mut packets) = (Reads::<P>::new(adapter, now), Vec::new());
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| reads.read(now, piece, &mut packets));
    }
    let frames = packets.into_iter().map(|packet| packet.unwrap().into()).collect();
    match result {
        Ok(()) => (frames, reads.end()),
        Err(reason) => {
            assert_eq!(reads.end(), reason, "it says the same at the end");
            (frames, reason)
        }
    }
}

fn frames(vector: &Value) -> Vec<Frame> {
    let frame = |value: &Value| Frame {
        id: PacketId(number(value, "id") as u16),
        kind: PacketType(number(value, "type") as u8),
        body: bytes(&value["body"]).into(),
    };
    vector["frames"].as_array().unwrap().iter().map(frame).collect()
}

fn end(error: &Value) -> CloseReason {
    let get = |key| u32::try_from(number(error, key)).unwrap();
    let found = match error["kind"].as_str() {
        None => return CloseReason::PeerClosed,
        Some("end_inside_packet") => {
            let (have, need) = (get("have") as usize, get("need") as usize);
            return CloseReason::Frame(FrameError::EndInsidePacket { have, need });
        }
        Some("no_length") => InflateError::NoLength,
        Some("too_large") => InflateError::TooLarge { claimed: get("claimed"), max: get("max") },
        Some("impossible") => InflateError::Impossible { claimed: get("claimed"), have: get("have") },
        Some("damaged") => InflateError::Damaged,
        Some("wrong_length") => InflateError::WrongLength { claimed: get("claimed"), is: get("is") },
        Some(other) => panic!("{other} is no error"),
    };
    CloseReason::Inflate(PacketId(get("id") as u16), found)
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
