//! What a peer's compressed bodies may cost.

use std::time::{Duration, Instant};

use netcore::{Binary, CloseReason, Compress, FaultKind, Frame, InflateError, Packet, PacketId};

use crate::{Reads, Sharing, frame, on, wire};

/// A packet of so many bytes of body, packed.
fn bomb(id: u16, len: usize) -> Vec<u8> {
    wire(&[Compress::new().pack(&frame(id, 0, vec![7; len]))])
}

#[test]
fn a_session_that_inflates_more_than_its_budget_is_closed_and_one_within_it_is_not() {
    let start = Instant::now();
    let adapter = Binary::new().compress(Compress::new().max_inflated(1005).inflated_rate(1000, 3000));
    let mut reads = Reads::<Frame>::new(&adapter, start);
    let mut found = Vec::new();
    reads.read(start, &bomb(1, 1000).repeat(3), &mut found).unwrap();
    let second = start + Duration::from_secs(1);
    reads.read(second, &bomb(2, 1000), &mut found).unwrap();
    let plain = wire(&[frame(3, 0, vec![7; 5000])]);
    reads.read(second, &plain, &mut found).unwrap();
    // The packets before the one that is over it are taken; no time has passed since.
    let over = [&plain[..], &bomb(4, 300), &plain].concat();
    assert_eq!(reads.read(second, &over, &mut found), Err(CloseReason::InflateRate));
    let ids: Vec<u16> = found.iter().map(|packet| packet.as_ref().unwrap().id.0).collect();
    assert_eq!(ids, [1, 1, 1, 2, 3, 3]);
    assert_eq!(reads.end(), CloseReason::InflateRate);
    // The largest packet is let through after a silence, whatever the burst.
    let adapter = Binary::new().compress(Compress::new().inflated_rate(1000, 1));
    let mut reads = Reads::<Frame>::new(&adapter, start);
    reads.read(start, &bomb(1, 65_000), &mut found).unwrap();
    assert_eq!(reads.read(second, &bomb(1, 2000), &mut found), Err(CloseReason::InflateRate));
    assert_eq!((CloseReason::InflateRate.code(), CloseReason::InflateRate.label()), (34, "inflate_rate"));
}

#[test]
fn what_is_inflated_at_once_is_bounded_and_the_rest_waits_for_the_next_batch() {
    let now = Instant::now();
    let generous = Binary::new().compress(Compress::new().inflated_rate(u32::MAX, u32::MAX));
    let mut reads = Reads::<Sharing>::new(&generous, now);
    let packet = bomb(742, 60_000);
    let sent = packet.repeat(50);
    assert!(sent.len() < 16 * 1024, "one read holds them: {}", sent.len());
    reads.once(now, &sent).unwrap();
    assert!(reads.batch.is_full(), "there is more");
    assert_eq!(reads.batch.len(), 5, "256 KiB and one packet");
    let (mut found, mut calls) = (reads.batch.by_ref().count(), 1);
    while reads.batch.is_full() {
        reads.once(now, &[]).unwrap();
        assert!(reads.batch.len() <= 5);
        found += reads.batch.by_ref().count();
        calls += 1;
    }
    assert_eq!((found, calls), (50, 11));
}

#[test]
fn a_claim_is_refused_by_what_it_says_before_anything_is_made_for_it() {
    for (claimed, block, error) in [
        (u32::MAX, 60_000, InflateError::TooLarge { claimed: u32::MAX, max: 65_530 }),
        (65_531, 60_000, InflateError::TooLarge { claimed: 65_531, max: 65_530 }),
        (65_530, 100, InflateError::Impossible { claimed: 65_530, have: 100 }),
    ] {
        let body = [&claimed.to_le_bytes()[..], &vec![0xff; block]].concat();
        let now = Instant::now();
        let result = Reads::<Frame>::new(&on(), now).read(now, &wire(&[frame(9, 1, body)]), &mut Vec::new());
        assert_eq!(result, Err(CloseReason::Inflate(PacketId(9), error)));
    }
    let reason = CloseReason::Inflate(PacketId(9), InflateError::Damaged);
    assert_eq!((reason.code(), reason.label(), reason.is_peers_fault()), (14, "inflate", true));
    assert_eq!(
        reason.to_string(),
        "the compressed body of packet 9: it is no LZ4 block of the length that it claims"
    );
}

#[test]
fn what_an_inflated_packet_keeps_does_not_pin_its_body() {
    let now = Instant::now();
    let mut reads = Reads::<Sharing>::new(&on(), now);
    let mut found = Vec::new();
    reads.read(now, &[bomb(742, 1000), bomb(742, 2000)].concat(), &mut found).unwrap();
    for (packet, len) in found.into_iter().zip([1000, 2000]) {
        let Ok(Sharing::Relay { body }) = packet else { panic!("{packet:?}") };
        assert_eq!(body, vec![7; len]);
        assert!(body.is_unique(), "nobody else has it");
    }
}

#[test]
fn a_compressed_packet_that_is_unknown_or_malformed_is_a_value_and_the_stream_goes_on() {
    #[derive(Packet, Debug, PartialEq)]
    enum Four {
        #[packet(id = 4)]
        Is { number: u32 },
    }
    let now = Instant::now();
    let mut reads = Reads::<Four>::new(&on(), now);
    let packed = |id, kind| Compress::new().pack(&frame(id, kind, vec![7; 1000]));
    let sent = wire(&[packed(4, 0), packed(9, 0x80), frame(4, 0, vec![1, 0, 0, 0])]);
    let mut found = Vec::new();
    reads.read(now, &sent, &mut found).unwrap();
    let kinds: Vec<_> = found.into_iter().map(|packet| packet.map_err(netcore::Fault::into_kind)).collect();
    let [Err(FaultKind::Malformed { id, body, .. }), Err(FaultKind::Unknown(unknown)), Ok(good)] = &kinds[..]
    else {
        panic!("{kinds:?}")
    };
    assert_eq!((*id, &body[..]), (PacketId(4), &[7; 1000][..]));
    assert_eq!(*unknown, frame(9, 0x80, vec![7; 1000]), "inflated, and without the bit");
    assert_eq!(*good, Four::Is { number: 1 });
}

#[test]
fn the_errors_stay_small() {
    assert!(size_of::<netcore::FrameError>() <= 24);
    assert!(size_of::<CloseReason>() <= 32);
}
