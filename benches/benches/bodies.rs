//! Three messages in every format, through netcore and by the bare libraries.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use netcore::body::{Format, Reader};
use netcore::{MsgPack, MsgPackArray, Protobuf, Raw};
use netcore_benches::host;
use netcore_benches::messages::{
    ById, ChatLine, Inventory, Message, Move, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket, RawPacket,
    header, msgpack_array_by_scratch, msgpack_by_scratch, msgpack_by_writer, taken,
};
use prost::Message as _;

/// More than any of the samples takes in any format.
const ROOM: usize = 64 * 1024;

fn encoder<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    value: &T,
    mut encode: impl FnMut(&T, &mut BytesMut) -> bool,
) -> Vec<u8> {
    let mut to = BytesMut::with_capacity(ROOM);
    assert!(encode(value, &mut to), "{name} does not encode");
    let encoded = to.to_vec();
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            to.clear();
            black_box(encode(black_box(value), black_box(&mut to)))
        });
    });
    encoded
}

/// A packet through netcore, and by hand around the bare library; then a value alone through netcore. The library's own
/// value alone comes first, from the caller.
fn encoders_of<T, P: ById, F: Format<T>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    value: &T,
    packet: P,
) {
    let mut scratch = Vec::new();
    encoder(group, &format!("{name}, netcore value"), value, |value, to| F::encode(value, to).is_ok());
    encoder(group, &format!("{name}, by id"), &packet, |packet, to| packet.write(&mut scratch, to));
    encoder(group, &format!("{name}, netcore"), &packet, |packet, to| packet.encode_body(to).is_ok());
}

fn encoders<M: Message>(criterion: &mut Criterion) -> [Vec<u8>; 7] {
    let message = M::sample();
    let proto = message.clone().proto();
    let mut scratch = Vec::new();
    let mut group = criterion.benchmark_group(format!("encode/{}", M::NAME));
    let group = &mut group;

    let raw = encoder(group, "raw, hand-written", &message, |message, to| {
        message.write_by_hand(to);
        true
    });
    encoders_of::<_, _, Raw>(group, "raw", &message, message.clone().raw());

    let msgpack = encoder(group, "MessagePack, rmp_serde into a kept Vec", &message, |message, to| {
        msgpack_by_scratch(message, &mut scratch, to).is_ok()
    });
    encoder(group, "MessagePack, rmp_serde into BytesMut", &message, |message, to| {
        msgpack_by_writer(message, to).is_ok()
    });
    encoders_of::<_, _, MsgPack>(group, "MessagePack", &message, message.clone().msgpack());

    let array = encoder(group, "MessagePack arrays, rmp_serde into a kept Vec", &message, |message, to| {
        msgpack_array_by_scratch(message, &mut scratch, to).is_ok()
    });
    let packet = message.clone().msgpack_array();
    encoders_of::<_, _, MsgPackArray>(group, "MessagePack arrays", &message, packet);

    let protobuf = encoder(group, "protobuf, prost", &proto, |proto, to| proto.encode(to).is_ok());
    encoders_of::<_, _, Protobuf>(group, "protobuf", &proto, message.clone().protobuf());

    let mut room = vec![0; ROOM];
    let postcard = encoder(group, "postcard", &message, |message, to| {
        postcard::to_slice(message, &mut room).map(|bytes| to.extend_from_slice(bytes)).is_ok()
    });
    let bincode = encoder(group, "bincode", &message, |message, to| {
        let written = bincode::serde::encode_into_slice(message, &mut room, bincode::config::standard());
        written.map(|len| to.extend_from_slice(&room[..len])).is_ok()
    });
    let json = encoder(group, "JSON, serde_json", &message, |message, to| {
        scratch.clear();
        let written = serde_json::to_writer(&mut scratch, message);
        to.extend_from_slice(&scratch);
        written.is_ok()
    });
    [raw, msgpack, array, protobuf, postcard, bincode, json]
}

fn decoder<T, E>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    body: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
) {
    assert!(decode(body).is_ok(), "{name} does not decode");
    group.bench_function(name, |bencher| {
        bencher.iter(|| taken(decode(black_box(body))));
    });
}

/// As [`encoders_of`].
fn decoders_of<M: Message, T, P: ById, F: Format<T>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    body: &[u8],
) {
    let Some(header) = header::<M>(body.len()) else { panic!("{name} does not fit a packet") };
    decoder(group, &format!("{name}, netcore value"), body, |body| F::decode(&mut Reader::new(body)));
    decoder(group, &format!("{name}, by id"), body, |body| P::read(black_box(header).id, body));
    decoder(group, &format!("{name}, netcore"), body, |body| P::decode(black_box(header), Reader::new(body)));
}

fn decoders<M: Message>(criterion: &mut Criterion, bodies: &[Vec<u8>; 7]) {
    let [raw, msgpack, array, protobuf, postcard, bincode, json] = bodies;
    let mut group = criterion.benchmark_group(format!("decode/{}", M::NAME));
    let group = &mut group;
    decoder(group, "raw, hand-written", raw, M::read_by_hand);
    decoders_of::<M, M, RawPacket, Raw>(group, "raw", raw);
    decoder(group, "MessagePack, rmp_serde", msgpack, |body| rmp_serde::from_slice::<M>(body));
    decoders_of::<M, M, MsgPackPacket, MsgPack>(group, "MessagePack", msgpack);
    decoder(group, "MessagePack arrays, rmp_serde", array, |body| rmp_serde::from_slice::<M>(body));
    decoders_of::<M, M, MsgPackArrayPacket, MsgPackArray>(group, "MessagePack arrays", array);
    decoder(group, "protobuf, prost", protobuf, |body| M::Proto::decode(body));
    decoders_of::<M, M::Proto, ProtobufPacket, Protobuf>(group, "protobuf", protobuf);
    decoder(group, "postcard", postcard, |body| postcard::from_bytes::<M>(body));
    decoder(group, "bincode", bincode, |body| {
        bincode::serde::decode_from_slice::<M, _>(body, bincode::config::standard())
    });
    decoder(group, "JSON, serde_json", json, |body| serde_json::from_slice::<M>(body));
}

fn message<M: Message>(criterion: &mut Criterion) {
    let bodies = encoders::<M>(criterion);
    let names = ["raw", "MessagePack", "MessagePack arrays", "protobuf", "postcard", "bincode", "JSON"];
    let sizes: Vec<_> =
        names.iter().zip(&bodies).map(|(name, body)| format!("{name} {}", body.len())).collect();
    println!("{} in bytes: {}\n", M::NAME, sizes.join(", "));
    decoders::<M>(criterion, &bodies);
}

fn all(criterion: &mut Criterion) {
    host::print();
    message::<Move>(criterion);
    message::<ChatLine>(criterion);
    message::<Inventory>(criterion);
}

criterion_group!(benches, all);
criterion_main!(benches);
