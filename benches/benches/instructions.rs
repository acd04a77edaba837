//! Instructions a packet, counted by valgrind: the same on a busy machine as on an idle one.
//!
//! Each workload runs in a process of its own, once with one round of it and once with two; the difference is the
//! round, without start-up, preparation and what happens only the first time.

use std::env;
use std::error::Error;
use std::hint::black_box;
use std::mem::forget;
use std::process::{Command, Stdio};

use bytes::BytesMut;
use netcore::body::{Format, Reader};
use netcore::{MsgPack, MsgPackArray, Protobuf, Raw};
use netcore_benches::messages::{
    ById, ChatLine, Inventory, Message, Move, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket, RawPacket,
    header, msgpack_array_by_scratch, msgpack_by_scratch, taken,
};
use netcore_benches::packets::{
    Large, Medium, ROUND, Sample, Small, frames, packets, payloads, per_round, stream,
};
use netcore_benches::{decode, encode, host};
use prost::Message as _;

/// Tells a process under valgrind which workload is its own, and how many rounds of it to run.
const ONE: &str = "NETCORE_BENCHES_WORKLOAD";

/// How many bodies a round of the message workloads takes.
const BODIES: usize = 1000;

/// Work that is done so many rounds of.
type Rounds = Box<dyn Fn(usize)>;

/// netcore's work beside its peer's.
struct Pair {
    name: String,
    packets: usize,
    netcore: Rounds,
    peer_name: &'static str,
    peer: Rounds,
    goal: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let pairs = pairs();
    if let Ok(workload) = env::var(ONE) {
        return run_one(&pairs, &workload);
    }
    // As criterion has it: without cargo's `--bench`, each workload only shows that it works.
    if env::args().any(|arg| arg == "--test") || !env::args().any(|arg| arg == "--bench") {
        for pair in &pairs {
            (pair.netcore)(1);
            (pair.peer)(1);
        }
        println!("{} pairs of workloads ran once, uncounted", pairs.len());
        return Ok(());
    }
    if !Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    {
        println!("valgrind is not installed, so that no instructions are counted");
        return Ok(());
    }
    host::print();
    println!("instructions a packet; `!` marks a ratio over its goal");
    println!("{:<34} {:>9}  {:<28} {:>9}  {:>6}  {:>6}", "netcore", "", "peer", "", "ratio", "goal");
    let filters: Vec<_> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (index, pair) in pairs.iter().enumerate() {
        if !filters.is_empty() && !filters.iter().any(|filter| pair.name.contains(filter)) {
            continue;
        }
        let netcore = a_round(index, "netcore")? / pair.packets as f64;
        let peer = a_round(index, "peer")? / pair.packets as f64;
        let (ratio, goal) = (netcore / peer, pair.goal);
        let over = if ratio > goal { "!" } else { "" };
        println!(
            "{:<34} {netcore:>9.1}  {:<28} {peer:>9.1}  {ratio:>6.2}  {goal:>6.2} {over}",
            pair.name, pair.peer_name
        );
    }
    Ok(())
}

fn run_one(pairs: &[Pair], workload: &str) -> Result<(), Box<dyn Error>> {
    let [index, side, rounds] = workload.split(' ').collect::<Vec<_>>()[..] else {
        return Err("a workload is an index, a side and a number of rounds".into());
    };
    let pair = pairs.get(index.parse::<usize>()?).ok_or("there is no such pair")?;
    let run = if side == "peer" { &pair.peer } else { &pair.netcore };
    run(rounds.parse()?);
    Ok(())
}

/// What the second round costs.
fn a_round(index: usize, side: &str) -> Result<f64, Box<dyn Error>> {
    Ok((count(index, side, 2)? - count(index, side, 1)?) as f64)
}

fn count(index: usize, side: &str, rounds: usize) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .env(ONE, format!("{index} {side} {rounds}"))
        .output()?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(report.into());
    }
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    Ok(collected.ok_or("valgrind counted nothing")?.1.trim().parse()?)
}

fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    streams::<Small>(&mut pairs);
    streams::<Medium>(&mut pairs);
    streams::<Large>(&mut pairs);
    bodies::<Move>(&mut pairs);
    bodies::<ChatLine>(&mut pairs);
    bodies::<Inventory>(&mut pairs);
    pairs
}

fn decoding(wire: fn() -> Vec<u8>, decode: fn(&mut BytesMut) -> usize) -> Rounds {
    Box::new(move |rounds| {
        // Both are made however many rounds there are, so that only the rounds differ.
        let mut inputs = [BytesMut::from(&wire()[..]), BytesMut::from(&wire()[..])];
        for input in inputs.iter_mut().take(rounds) {
            black_box(decode(input));
        }
    })
}

fn encoding<T: 'static>(make: impl Fn() -> T + 'static, encode: fn(T, &mut BytesMut)) -> Rounds {
    Box::new(move |rounds| {
        let mut to = BytesMut::with_capacity(ROUND);
        // What an encoder takes by value it also drops; the other one is kept past the end.
        let mut inputs = [make(), make()].map(Some);
        for input in inputs.iter_mut().take(rounds) {
            to.clear();
            if let Some(input) = input.take() {
                encode(input, &mut to);
            }
        }
        inputs.into_iter().for_each(std::mem::forget);
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
        for _ in 0..rounds * BODIES {
            to.clear();
            assert!(work(black_box(&value), black_box(&mut to)));
        }
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
