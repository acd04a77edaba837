//! The end of a session: nothing accepted is lost or doubled silently.

use std::io::ErrorKind;

use netcore::testing::{Pair, Side::*};
use netcore::{CloseReason, FrameError, Slow, Verdict};

use super::{numbered, numbers, quiet, secs, wire};

fn slow_wire(seed: u64) -> Pair {
    let mut pair = Pair::new(quiet(), quiet(), seed);
    for side in [Left, Right] {
        let pipe = pair.pipe(side);
        (pipe.capacity, pipe.cut, pipe.latency) = (64, 20, secs(1) / 100);
    }
    pair
}

#[test]
fn a_close_flushes_what_was_sent_and_then_ends_both() {
    let mut pair = slow_wire(1);
    for number in 0..500 {
        pair.send(Left, &numbered(number), Slow::Disconnect);
        pair.send(Right, &numbered(number), Slow::Disconnect);
    }
    pair.close(Left, CloseReason::Game(7));
    assert_eq!(pair.send(Left, &numbered(500), Slow::Disconnect), Verdict::Closed);
    pair.advance(secs(30));
    assert_eq!(numbers(pair.received(Right)), (0..500).collect::<Vec<_>>());
    assert_eq!(pair.finished(Left), Some(CloseReason::Game(7)));
    assert_eq!([pair.ended(Right), pair.finished(Right)], [Some(CloseReason::PeerClosed); 2]);
    assert_eq!(pair.dissolve(), [0; 3]);
}

#[test]
fn an_abort_throws_away_what_waits_and_the_peer_gets_whole_packets_or_an_error() {
    let mut pair = slow_wire(2);
    for number in 0..500 {
        pair.send(Left, &numbered(number), Slow::Disconnect);
    }
    pair.run();
    pair.abort(Left, CloseReason::Ended);
    pair.advance(secs(30));
    let got = numbers(pair.received(Right));
    assert!(got.len() < 500);
    assert_eq!(got, (0..got.len() as u32).collect::<Vec<_>>());
    assert!(matches!(
        pair.ended(Right),
        Some(CloseReason::PeerClosed | CloseReason::Frame(FrameError::EndInsidePacket { .. }))
    ));
    assert_eq!(pair.dissolve(), [0; 3]);
}

#[test]
fn an_abort_after_a_close_keeps_the_first_reason() {
    let mut pair = slow_wire(3);
    pair.pipe(Left).stalled = true;
    for number in 0..500 {
        pair.send(Left, &numbered(number), Slow::Disconnect);
    }
    pair.close(Left, CloseReason::Stopping);
    pair.run();
    assert_eq!(pair.finished(Left), None);
    pair.abort(Left, CloseReason::Ended);
    pair.close(Left, CloseReason::Panicked);
    pair.run();
    assert_eq!(pair.finished(Left), Some(CloseReason::Stopping));
}

#[test]
fn a_close_towards_a_peer_that_never_reads_ends_after_the_stall_time() {
    let mut pair = slow_wire(4);
    pair.pipe(Left).stalled = true;
    for number in 0..500 {
        pair.send(Left, &numbered(number), Slow::Disconnect);
    }
    pair.close(Left, CloseReason::Stopping);
    pair.advance(secs(5) - super::NANO);
    assert_eq!(pair.finished(Left), None);
    pair.advance(super::NANO);
    assert!(pair.finished(Left).is_some());
    assert_eq!(pair.outbox(Left).closed(), Some(CloseReason::Stopping));
    assert_eq!(pair.dissolve(), [0; 3]);
}

#[test]
fn both_may_close_at_once_and_both_get_everything() {
    let mut pair = slow_wire(5);
    for number in 0..300 {
        pair.send(Left, &numbered(number), Slow::Disconnect);
        pair.send(Right, &numbered(number), Slow::Disconnect);
    }
    for side in [Left, Right] {
        pair.half_close(side, CloseReason::Ended);
    }
    pair.advance(secs(30));
    for side in [Left, Right] {
        assert_eq!(numbers(pair.received(side)), (0..300).collect::<Vec<_>>());
        assert_eq!(pair.finished(side), Some(CloseReason::Ended));
    }
}

#[test]
fn who_half_closes_still_gets_the_answers() {
    let mut pair = slow_wire(6);
    pair.stay_open(Right);
    pair.send(Left, &numbered(1), Slow::Disconnect);
    pair.half_close(Left, CloseReason::Ended);
    pair.advance(secs(20));
    assert_eq!(pair.ended(Right), Some(CloseReason::PeerClosed));
    for number in 0..300 {
        assert_eq!(pair.send(Right, &numbered(number), Slow::Disconnect), Verdict::Queued);
    }
    pair.close(Right, CloseReason::Ended);
    pair.advance(secs(20));
    assert_eq!(pair.received(Left).len(), 300);
    assert_eq!(pair.ended(Left), Some(CloseReason::PeerClosed));
}

#[test]
fn an_end_inside_a_packet_says_so() {
    let mut pair = slow_wire(7);
    pair.inject(Left, &wire(10));
    pair.inject(Left, &wire(10)[..7]);
    pair.close(Left, CloseReason::Ended);
    pair.advance(secs(1));
    let reason = CloseReason::Frame(FrameError::EndInsidePacket { have: 7, need: 10 });
    assert_eq!((pair.received(Right).len(), pair.ended(Right)), (1, Some(reason)));
}

#[test]
fn a_reset_ends_both_for_the_same_reason_and_leaves_nothing_queued() {
    let mut pair = slow_wire(8);
    for number in 0..300 {
        pair.send(Left, &numbered(number), Slow::Disconnect);
    }
    pair.advance(secs(1) / 50);
    pair.reset();
    pair.run();
    for side in [Left, Right] {
        assert_eq!(pair.ended(side), Some(CloseReason::Broken(ErrorKind::ConnectionReset)));
        assert_eq!(pair.send(side, &numbered(0), Slow::Disconnect), Verdict::Closed);
    }
    assert_eq!(pair.dissolve(), [0; 3]);
}

#[test]
fn the_same_seed_runs_the_same() {
    let run = |seed| {
        let mut pair = slow_wire(seed);
        for number in 0..200 {
            pair.send(Left, &numbered(number), Slow::Latest(u64::from(number % 20)));
            pair.advance(secs(1) / 1000);
        }
        pair.advance(secs(3));
        (numbers(pair.received(Right)), pair.outbox(Left).dropped())
    };
    assert_eq!(run(9), run(9));
    assert!(run(9).1 > 0);
}
