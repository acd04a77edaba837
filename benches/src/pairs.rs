//! netcore's work beside its peer's, for the benches that hold the one against the other.

use std::cell::{OnceCell, RefCell};
use std::hint::black_box;
use std::mem::forget;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use netcore::body::{Format, Reader};
use netcore::{Frame, MsgPack, MsgPackArray, Packet as _, Protobuf, Raw};
use prost::Message as _;

use crate::messages::{
    ById, ChatLine, Inventory, Message, Move, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket, RawPacket,
    header, msgpack_array_by_scratch, msgpack_by_scratch, taken, used,
};
use crate::packets::{
    Large, Medium, Mixed, ROUND, Sample, Small, frames, packets, payloads, per_round, stream,
};
use crate::{decode, encode};

/// How many bodies a round of the message workloads takes.
const BODIES: usize = 1000;

/// Work that is done so many rounds of, with input prepared for so many, and how long it took without the preparation.
pub type Rounds = Box<dyn Fn(usize, usize) -> Duration>;

/// Takes everything out of a buffer, and says how many items there were.
type Decode = fn(&mut BytesMut) -> usize;

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
    mixed(&mut pairs);
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

fn decoding(wire: fn() -> Vec<u8>, decode: Decode) -> Rounds {
    let made = OnceCell::new();
    Box::new(move |rounds, prepared| {
        let wire = made.get_or_init(wire);
        let mut inputs: Vec<_> = (0..prepared).map(|_| BytesMut::from(&wire[..])).collect();
        timed(|| {
            for input in inputs.iter_mut().take(rounds) {
                black_box(decode(input));
            }
        })
    })
}

/// `encode` returns what is left of its input.
fn encoding<T: 'static>(
    make: impl Fn() -> T + 'static,
    encode: impl Fn(T, &mut BytesMut) -> T + 'static,
) -> Rounds {
    // Kept, and written to before: no page of it is new to the measurement.
    let to = RefCell::new(BytesMut::new());
    Box::new(move |rounds, prepared| {
        let mut to = to.borrow_mut();
        to.resize(ROUND, 1);
        let mut inputs = (0..prepared).map(|_| make()).collect::<Vec<_>>().into_iter();
        let mut left = Vec::with_capacity(rounds);
        let took = timed(|| {
            for input in inputs.by_ref().take(rounds) {
                to.clear();
                left.push(encode(input, &mut to));
            }
        });
        // To drop an input is part of the encoder that takes it by value, and of no other's.
        if prepared > 1 {
            inputs.for_each(forget);
            forget(left);
        }
        took
    })
}

fn by_length_delimited(body: usize) -> Rounds {
    encoding(
        move || payloads(body),
        |payloads, to| {
            encode::length_delimited(payloads, to);
            Vec::new()
        },
    )
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
    let walk = decoding(wire, decode::walk::<P>);
    add("decode typed, good", decoding(wire, decode::typed_good::<P>), "hand-written walk", walk, 1.15);
    let walk = decoding(wire, decode::walk_using::<P>);
    let good = decoding(wire, decode::typed_good_using::<P>);
    add("decode typed, good, fields used", good, "hand-written walk", walk, 1.15);
    let frames_of: [(_, Decode); 3] = [
        ("batch, frames borrowed", decode::batch_borrowed),
        ("batch, frames taken", decode::batch),
        ("decode_frame", decode::frames),
    ];
    for (name, decode) in frames_of {
        let peer = decoding(wire, decode::length_delimited);
        add(&format!("decode {name}"), decoding(wire, decode), "LengthDelimitedCodec", peer, 0.25);
    }
    // What safe code can do at all with frames that own their bodies, and with bytes that have to be copied.
    let peer = decoding(wire, decode::length_delimited);
    let by_hand = decoding(wire, decode::frames_by_hand);
    add("(by hand) frames", by_hand, "LengthDelimitedCodec", peer, f64::INFINITY);
    let netcore = encoding(
        move || frames(body),
        |frames, to| {
            encode::frames(&frames, to);
            frames
        },
    );
    let peer = by_length_delimited(body);
    add("encode frames", netcore, "LengthDelimitedCodec", peer, 0.5);
    for (name, encode) in [
        ("(by hand) encode frames", encode::frames_by_hand as fn(&[Frame], &mut BytesMut)),
        ("(copy) the bodies alone", encode::bodies),
    ] {
        let copied = encoding(
            move || frames(body),
            move |frames, to| {
                encode(&frames, to);
                frames
            },
        );
        let peer = by_length_delimited(body);
        add(name, copied, "LengthDelimitedCodec", peer, f64::INFINITY);
    }
    let netcore = encoding(packets::<P>, |packets, to| {
        encode::typed(&packets, to);
        packets
    });
    let peer = encoding(packets::<P>, |packets, to| {
        encode::packets_by_hand(&packets, to);
        packets
    });
    add("encode typed", netcore, "hand-written", peer, 1.1);
}

/// Packets of an integer and floats, as games have them. A decoded packet comes in a `Result` whose error takes a pointer,
/// which lies over the first two fields: what that costs by hand stands beside it.
fn mixed(pairs: &mut Vec<Pair>) {
    let wire = stream::<Mixed>;
    let mut add = |name: &str, decode: Decode, peer: Decode, goal| {
        pairs.push(Pair {
            name: format!("{name}, integer and floats"),
            packets: per_round(Mixed::BODY),
            netcore: decoding(wire, decode),
            peer_name: "hand-written walk",
            peer: decoding(wire, peer),
            goal,
        });
    };
    add("decode typed", decode::typed::<Mixed>, decode::walk::<Mixed>, 1.15);
    add("decode typed, fields used", decode::typed_using::<Mixed>, decode::walk_using::<Mixed>, 1.15);
    add("decode typed, good", decode::typed_good::<Mixed>, decode::walk::<Mixed>, 1.15);
    let used = decode::walk_using::<Mixed>;
    add("decode typed, good, fields used", decode::typed_good_using::<Mixed>, used, 1.15);
    add("(by hand) boxed error", decode::walk_boxed::<Mixed>, decode::walk::<Mixed>, f64::INFINITY);
}

/// A round that takes one body after the other.
fn each<T: 'static>(value: T, work: impl FnMut(&T, &mut BytesMut) -> bool + Clone + 'static) -> Rounds {
    Box::new(move |rounds, _| {
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

/// A packet out of a body, likewise. Which packet it is only the header says.
fn into<M: Message, P: ById + 'static>(body: &BytesMut) -> [Rounds; 2] {
    [
        each(body.clone(), |body, _| {
            let Some(header) = black_box(header::<M>(body.len())) else { return false };
            taken(P::decode(header, Reader::new(body)))
        }),
        each(body.clone(), |body, _| {
            let Some(header) = black_box(header::<M>(body.len())) else { return false };
            taken(P::read(header.id, body))
        }),
    ]
}

/// A raw packet out of a body, likewise, and all of its fields are used.
fn into_using<M: Message>(body: &BytesMut) -> [Rounds; 2] {
    [
        each(body.clone(), |body, _| {
            let Some(header) = black_box(header::<M>(body.len())) else { return false };
            used(RawPacket::decode(header, Reader::new(body)))
        }),
        each(body.clone(), |body, _| {
            let Some(header) = black_box(header::<M>(body.len())) else { return false };
            used(RawPacket::read(header.id, body))
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
    let [netcore, by_id] = into_using::<M>(&raw);
    add("decode raw, fields used", [netcore, by_id], "hand-written, by id", 1.15);
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
