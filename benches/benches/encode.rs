//! A round of packets, encoded by netcore and by its peers into a buffer that has room.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use netcore_benches::packets::{Large, Medium, ROUND, Sample, Small, frames, packets, payloads, per_round};
use netcore_benches::{encode, host};

fn size<P: Sample>(criterion: &mut Criterion) {
    let (packets, frames, payloads) = (packets::<P>(), frames(P::BODY), payloads(P::BODY));
    let mut group = criterion.benchmark_group(format!("encode/{}", P::BODY));
    group.throughput(Throughput::ElementsAndBytes {
        elements: per_round(P::BODY) as u64,
        bytes: (per_round(P::BODY) * (P::BODY + 5)) as u64,
    });
    let mut vec = Vec::with_capacity(ROUND);
    let mut to = BytesMut::with_capacity(ROUND);
    group.bench_function("hand-written packets, Vec", |bencher| {
        bencher.iter(|| {
            vec.clear();
            encode::packets_by_hand(&packets, black_box(&mut vec));
        });
    });
    group.bench_function("hand-written packets, BytesMut", |bencher| {
        bencher.iter(|| {
            to.clear();
            encode::packets_by_hand(&packets, black_box(&mut to));
        });
    });
    group.bench_function("netcore typed", |bencher| {
        bencher.iter(|| {
            to.clear();
            encode::typed(&packets, black_box(&mut to));
        });
    });
    group.bench_function("hand-written frames, Vec", |bencher| {
        bencher.iter(|| {
            vec.clear();
            encode::frames_by_hand(&frames, black_box(&mut vec));
        });
    });
    group.bench_function("hand-written frames, BytesMut", |bencher| {
        bencher.iter(|| {
            to.clear();
            encode::frames_by_hand(&frames, black_box(&mut to));
        });
    });
    group.bench_function("netcore frames", |bencher| {
        bencher.iter(|| {
            to.clear();
            encode::frames(&frames, black_box(&mut to));
        });
    });
    group.bench_function("LengthDelimitedCodec", |bencher| {
        bencher.iter_batched(
            || payloads.clone(),
            |payloads| {
                to.clear();
                encode::length_delimited(payloads, black_box(&mut to));
            },
            BatchSize::PerIteration,
        );
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
