//! Three messages in every format, through netcore and by the bare libraries.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use netcore::body::Reader;
use netcore::{Header, Packet};
use netcore_benches::host;
use netcore_benches::messages::{
    ChatLine, Inventory, Message, Move, MsgPackArrayPacket, MsgPackPacket, ProtobufPacket, RawPacket, header,
    msgpack_array_by_scratch, msgpack_by_scratch, msgpack_by_writer,
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

fn netcore<P: Packet>(packet: &P, to: &mut BytesMut) -> bool {
    packet.encode_body(to).is_ok()
}

fn encoders<M: Message>(criterion: &mut Criterion) -> [Vec<u8>; 7] {
    let message = M::sample();
    let proto = message.clone().proto();
    let mut scratch = Vec::new();
    let mut group = criterion.benchmark_group(format!("encode/{}", M::NAME));
    let group = &mut group;

    let raw = encoder(group, "raw, hand-written", &message, |message, to| {
        message.write(to);
        true
    });
    encoder(group, "raw, netcore", &message.clone().raw(), netcore);

    let msgpack = encoder(group, "MessagePack, rmp_serde into a kept Vec", &message, |message, to| {
        msgpack_by_scratch(message, &mut scratch, to).is_ok()
    });
    encoder(group, "MessagePack, rmp_serde into BytesMut", &message, |message, to| {
        msgpack_by_writer(message, to).is_ok()
    });
    encoder(group, "MessagePack, netcore", &message.clone().msgpack(), netcore);

    let array = encoder(group, "MessagePack arrays, rmp_serde into a kept Vec", &message, |message, to| {
        msgpack_array_by_scratch(message, &mut scratch, to).is_ok()
    });
    encoder(group, "MessagePack arrays, netcore", &message.clone().msgpack_array(), netcore);

    let protobuf = encoder(group, "protobuf, prost", &proto, |proto, to| proto.encode(to).is_ok());
    encoder(group, "protobuf, netcore", &message.clone().protobuf(), netcore);

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
    group.bench_function(name, |bencher| bencher.iter(|| black_box(decode(black_box(body)))));
}

fn from_netcore<P: Packet>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    body: &[u8],
    header: impl Fn(usize) -> Option<Header>,
) {
    let Some(header) = header(body.len()) else { panic!("{name} does not fit a packet") };
    decoder(group, name, body, |body| P::decode(black_box(header), Reader::new(body)));
}

fn decoders<M: Message>(criterion: &mut Criterion, bodies: &[Vec<u8>; 7]) {
    let [raw, msgpack, array, protobuf, postcard, bincode, json] = bodies;
    let mut group = criterion.benchmark_group(format!("decode/{}", M::NAME));
    let group = &mut group;
    decoder(group, "raw, hand-written", raw, M::read);
    from_netcore::<RawPacket>(group, "raw, netcore", raw, header::<M>);
    decoder(group, "MessagePack, rmp_serde", msgpack, |body| rmp_serde::from_slice::<M>(body));
    from_netcore::<MsgPackPacket>(group, "MessagePack, netcore", msgpack, header::<M>);
    decoder(group, "MessagePack arrays, rmp_serde", array, |body| rmp_serde::from_slice::<M>(body));
    from_netcore::<MsgPackArrayPacket>(group, "MessagePack arrays, netcore", array, header::<M>);
    decoder(group, "protobuf, prost", protobuf, |body| M::Proto::decode(body));
    from_netcore::<ProtobufPacket>(group, "protobuf, netcore", protobuf, header::<M>);
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
