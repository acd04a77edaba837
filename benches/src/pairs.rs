//! netcore's work beside its peer's, for the benches that hold the one against the other.

use std::hint::black_box;
use std::mem::forget;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use netcore::body::{Format, Reader};
use netcore::{MsgPack, MsgPackArray, Protobuf, Raw};
use prost::Message as _;

use crate::messages::{
    ById, ChatLine, Inventory, Message, Move, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket, RawPacket,
    header, msgpack_array_by_scratch, msgpack_by_scratch, taken,
};
use crate::packets::{Large, Medium, ROUND, Sample, Small, frames, packets, payloads, per_round, stream};
use crate::{decode, encode};

/// How many bodies a round of the message workloads takes.
const BODIES: usize = 1000;

/// Work that is done so many rounds of, and how long it took without what was prepared for it.
pub type Rounds = Box<dyn Fn(usize) -> Duration>;

/// netcore's work beside its peer's.
pub struct Pair {
    /// What is done.
    pub name: String,
    /// How many packets a round takes.
    pub packets: usize,
    /// netcore's work.
    pub netcore: Rounds,
    /// Who the peer is.
    pub peer_name: &'static str,
    /// The peer's work.
    pub peer: Rounds,
    /// What netcore's part may be of the peer's.
    pub goal: f64,
}

/// All pairs.
#[must_use]
pub fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    streams::<Small>(&mut pairs);
    streams::<Medium>(&mut pairs);
    streams::<Large>(&mut pairs);
    bodies::<Move>(&mut pairs);
    bodies::<ChatLine>(&mut pairs);
    bodies::<Inventory>(&mut pairs);
    pairs
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn decoding(wire: fn() -> Vec<u8>, decode: fn(&mut BytesMut) -> usize) -> Rounds {
    Box::new(move |rounds| {
        // Both are made however many rounds there are, so that only the rounds differ.
        let mut inputs = [BytesMut::from(&wire()[..]), BytesMut::from(&wire()[..])];
        timed(|| {
            for input in inputs.iter_mut().take(rounds) {
                black_box(decode(input));
            }
        })
    })
}

fn encoding<T: 'static>(make: impl Fn() -> T + 'static, encode: fn(T, &mut BytesMut)) -> Rounds {
    Box::new(move |rounds| {
        let mut to = BytesMut::with_capacity(ROUND);
        // What an encoder takes by value it also drops; the other one is kept past the end.
        let mut inputs = [make(), make()].map(Some);
        let took = timed(|| {
            for input in inputs.iter_mut().take(rounds) {
                to.clear();
                if let Some(input) = input.take() {
                    encode(input, &mut to);
                }
            }
        });
        inputs.into_iter().for_each(forget);
        took
    })
}

fn streams<P: Sample + 'static>(pairs: &mut Vec<Pair>) {
    let body = P::BODY;
    let mut add = |name: &str, netcore, peer_name, peer, goal| {
        let packets = per_round(body);
        pairs.push(Pair { name: format!("{name}, {body} bytes"), packets, netcore, peer_name, peer, goal });
    };
    let wire = stream::<P>;
    let walk = decoding(wire, decode::walk::<P>);
    add("decode typed", decoding(wire, decode::typed::<P>), "hand-written walk", walk, 1.15);
    let walk = decoding(wire, decode::walk_using::<P>);
    add(
        "decode typed, fields used",
        decoding(wire, decode::typed_using::<P>),
        "hand-written walk",
        walk,
        1.15,
    );
    for (name, decode) in
        [("batch", decode::batch as fn(&mut BytesMut) -> usize), ("decode_frame", decode::frames)]
    {
        let peer = decoding(wire, decode::length_delimited);
        add(&format!("decode {name}"), decoding(wire, decode), "LengthDelimitedCodec", peer, 0.25);
    }
    let netcore = encoding(
        move || frames(body),
        |frames, to| {
            encode::frames(&frames, to);
            forget(frames);
        },
    );
    let peer = encoding(move || payloads(body), encode::length_delimited);
    add("encode frames", netcore, "LengthDelimitedCodec", peer, 0.5);
    let netcore = encoding(packets::<P>, |packets, to| {
        encode::typed(&packets, to);
        forget(packets);
    });
    let peer = encoding(packets::<P>, |packets, to| {
        encode::packets_by_hand(&packets, to);
        forget(packets);
    });
    add("encode typed", netcore, "hand-written", peer, 1.1);
}

/// A round that takes one body after the other.
fn each<T: 'static>(value: T, work: impl FnMut(&T, &mut BytesMut) -> bool + Clone + 'static) -> Rounds {
    Box::new(move |rounds| {
        let mut work = work.clone();
        let mut to = BytesMut::with_capacity(ROUND);
        timed(|| {
            for _ in 0..rounds * BODIES {
                to.clear();
                assert!(work(black_box(&value), black_box(&mut to)));
            }
        })
    })
}

/// A body out of a packet: netcore's work, and the same by hand around the bare library.
fn out_of<P: ById + Clone + 'static>(packet: P) -> [Rounds; 2] {
    let (netcore, mut scratch) = (packet.clone(), Vec::with_capacity(ROUND));
    [
        each(netcore, |packet, to| packet.encode_body(to).is_ok()),
        each(packet, move |packet, to| packet.write(&mut scratch, to)),
    ]
}

/// A packet out of a body, likewise.
fn into<M: Message, P: ById + 'static>(body: &BytesMut) -> [Rounds; 2] {
    [
        each(body.clone(), |body, _| {
            let Some(header) = header::<M>(body.len()) else { return false };
            taken(P::decode(header, Reader::new(body)))
        }),
        each(body.clone(), |body, _| {
            let Some(header) = header::<M>(body.len()) else { return false };
            taken(P::read(header.id, body))
        }),
    ]
}

/// A value out of a body, through netcore's format and by the bare library.
fn values<T: 'static, E, F: Format<T>>(
    body: &BytesMut,
    bare: impl Fn(&[u8]) -> Result<T, E> + Clone + 'static,
) -> [Rounds; 2] {
    [
        each(body.clone(), |body, _| taken(F::decode(&mut Reader::new(body)))),
        each(body.clone(), move |body, _| taken(bare(body))),
    ]
}

fn bodies<M: Message + 'static>(pairs: &mut Vec<Pair>) {
    let message = M::sample();
    let proto = message.clone().proto();
    let mut add = |name: &str, [netcore, peer]: [Rounds; 2], peer_name, goal| {
        let name = format!("{name}, {}", M::NAME);
        pairs.push(Pair { name, packets: BODIES, netcore, peer_name, peer, goal });
    };

    let (mut raw, mut protobuf) = (BytesMut::new(), BytesMut::new());
    let (mut maps, mut arrays, mut scratch) = (BytesMut::new(), BytesMut::new(), Vec::with_capacity(ROUND));
    message.write_by_hand(&mut raw);
    assert!(msgpack_by_scratch(&message, &mut scratch, &mut maps).is_ok());
    assert!(msgpack_array_by_scratch(&message, &mut scratch, &mut arrays).is_ok());
    assert!(proto.encode(&mut protobuf).is_ok());

    add("encode raw", out_of(message.clone().raw()), "hand-written, by id", 1.1);
    add("decode raw", into::<M, RawPacket>(&raw), "hand-written, by id", 1.15);
    add("decode raw value", values::<M, _, Raw>(&raw, M::read_by_hand), "hand-written", 1.15);

    let rmp = "rmp_serde, by id";
    add("encode MessagePack", out_of(message.clone().msgpack()), rmp, 1.05);
    add("decode MessagePack", into::<M, MsgPackPacket>(&maps), rmp, 1.05);
    let bare = |body: &[u8]| rmp_serde::from_slice(body);
    add("decode MessagePack value", values::<M, _, MsgPack>(&maps, bare), "rmp_serde::from_slice", 1.05);

    add("encode MessagePack arrays", out_of(message.clone().msgpack_array()), rmp, 1.05);
    add("decode MessagePack arrays", into::<M, MsgPackArrayPacket>(&arrays), rmp, 1.05);
    let value = values::<M, _, MsgPackArray>(&arrays, bare);
    add("decode MessagePack arrays value", value, "rmp_serde::from_slice", 1.05);

    add("encode protobuf", out_of(message.protobuf()), "prost, by id", 1.05);
    add("decode protobuf", into::<M, ProtobufPacket>(&protobuf), "prost, by id", 1.05);
    let value = values::<M::Proto, _, Protobuf>(&protobuf, |body| M::Proto::decode(body));
    add("decode protobuf value", value, "prost", 1.05);
}
