//! A buffer full of packets, decoded by netcore and by its peers.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use netcore_benches::packets::{Large, Medium, Relay, Sample, Small, per_round, relay_stream, stream};
use netcore_benches::{decode, host};

fn decoder(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    wire: &[u8],
    decode: fn(&mut BytesMut) -> usize,
) {
    group.bench_function(name, |bencher| {
        // One buffer at a time, made in the same way for all and outside the measurement.
        bencher.iter_batched_ref(
            || BytesMut::from(wire),
            |wire| black_box(decode(wire)),
            BatchSize::PerIteration,
        );
    });
}

fn size<P: Sample>(criterion: &mut Criterion) {
    let wire = stream::<P>();
    let relayed = relay_stream(P::BODY);
    let mut group = criterion.benchmark_group(format!("decode/{}", P::BODY));
    group.throughput(Throughput::ElementsAndBytes {
        elements: per_round(P::BODY) as u64,
        bytes: wire.len() as u64,
    });
    decoder(&mut group, "hand-written walk", &wire, decode::walk::<P>);
    decoder(&mut group, "netcore typed", &wire, decode::typed::<P>);
    decoder(&mut group, "hand-written walk, fields used", &wire, decode::walk_using::<P>);
    decoder(&mut group, "netcore typed, fields used", &wire, decode::typed_using::<P>);
    decoder(&mut group, "netcore typed, sharing", &relayed, decode::typed::<Relay>);
    decoder(&mut group, "netcore batch", &wire, decode::batch);
    decoder(&mut group, "netcore batch, borrowed", &wire, decode::batch_borrowed);
    decoder(&mut group, "netcore decode_frame", &wire, decode::frames);
    decoder(&mut group, "hand-written frames", &wire, decode::frames_by_hand);
    decoder(&mut group, "LengthDelimitedCodec", &wire, decode::length_delimited);
    let mut to = vec![0; wire.len()];
    group.bench_function("memcpy", |bencher| {
        let copy = |wire: &mut BytesMut| decode::copy(wire, &mut to);
        bencher.iter_batched_ref(|| BytesMut::from(&wire[..]), copy, BatchSize::PerIteration);
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    host::print();
    size::<Small>(criterion);
    size::<Medium>(criterion);
    size::<Large>(criterion);
}

criterion_group!(benches, all);
criterion_main!(benches);
