//! A slow reader fills its own queue, and meets its own policy.

use netcore::testing::{Pair, Side, Side::*};
use netcore::{CloseReason, Slow, Verdict};

use super::{numbered, numbers, quiet, secs};

/// The left writes into a pipe that holds `capacity` bytes and does not move.
fn stuck(queue: usize, capacity: usize) -> Pair {
    let mut pair = Pair::new(quiet().queue(queue), quiet(), 3);
    pair.pipe(Left).capacity = capacity;
    pair.pipe(Left).stalled = true;
    pair.run();
    pair
}

fn let_go(pair: &mut Pair, side: Side) {
    pair.pipe(side).stalled = false;
    pair.advance(secs(1));
}

#[test]
fn only_the_latest_of_each_key_waits_for_a_blocked_peer_while_a_fast_one_gets_all() {
    let mut slow = stuck(64 * 1024, 9);
    let mut fast = Pair::new(quiet().queue(64 * 1024), quiet(), 4);
    for number in 0..10_000 {
        for pair in [&mut slow, &mut fast] {
            let verdict = pair.send(Left, &numbered(number), Slow::Latest(u64::from(number % 7)));
            assert_eq!(verdict, Verdict::Queued);
            pair.run();
        }
        assert!(slow.outbox(Left).queued() <= 9 * 8, "one of each key, and one that was begun");
    }
    assert_eq!((slow.outbox(Left).dropped(), fast.outbox(Left).dropped()), (10_000 - 9, 0));
    let_go(&mut slow, Left);
    // The first went into the pipe and the second was in the transport's hands.
    assert_eq!(numbers(slow.received(Right)), [&[0, 1][..], &(9993..10_000).collect::<Vec<_>>()].concat());
    assert_eq!(numbers(fast.received(Right)), (0..10_000).collect::<Vec<_>>());
}

#[test]
fn the_newest_is_dropped_when_there_is_no_room_and_what_waited_arrives() {
    let mut pair = stuck(90, 4);
    let verdicts: Vec<_> =
        (0..20).map(|number| pair.send(Left, &numbered(number), Slow::DropNewest)).collect();
    assert_eq!(verdicts[..10], [Verdict::Queued; 10]);
    assert_eq!(verdicts[10..], [Verdict::Dropped; 10]);
    let_go(&mut pair, Left);
    assert_eq!(numbers(pair.received(Right)), (0..10).collect::<Vec<_>>());
    assert_eq!(pair.outbox(Left).dropped(), 10);
}

#[test]
fn the_oldest_make_room_but_none_of_which_a_byte_went_out() {
    let mut pair = stuck(90, 4);
    pair.send(Left, &numbered(0), Slow::DropOldest);
    pair.run();
    for number in 1..100 {
        assert_eq!(pair.send(Left, &numbered(number), Slow::DropOldest), Verdict::Queued);
        pair.run();
    }
    let_go(&mut pair, Left);
    assert_eq!(numbers(pair.received(Right)), [&[0][..], &(91..100).collect::<Vec<_>>()].concat());
    assert_eq!(pair.outbox(Left).dropped(), 90);
}

#[test]
fn droppable_packets_make_room_for_one_that_is_not_and_nothing_overtakes() {
    let mut pair = stuck(90, 0);
    pair.run();
    pair.send(Left, &numbered(0), Slow::Disconnect);
    pair.run();
    for number in 1..10 {
        let slow = if number % 2 == 0 { Slow::Disconnect } else { Slow::Latest(number.into()) };
        pair.send(Left, &numbered(number), slow);
    }
    for number in 10..15 {
        assert_eq!(pair.send(Left, &numbered(number), Slow::Disconnect), Verdict::Queued, "{number}");
    }
    pair.pipe(Left).capacity = 100;
    let_go(&mut pair, Left);
    assert_eq!(numbers(pair.received(Right)), [0, 2, 4, 6, 8, 10, 11, 12, 13, 14]);
    assert_eq!(pair.outbox(Left).dropped(), 5);
}

#[test]
fn a_packet_that_may_not_be_dropped_and_has_no_room_closes_the_session() {
    let mut pair = stuck(90, 0);
    for number in 0..10 {
        assert_eq!(pair.send(Left, &numbered(number), Slow::Disconnect), Verdict::Queued);
    }
    pair.run();
    assert_eq!(pair.send(Left, &numbered(10), Slow::Disconnect), Verdict::Closed);
    pair.run();
    assert_eq!(pair.finished(Left), Some(CloseReason::QueueFull(90)), "it does not wait for a peer in vain");
    let_go(&mut pair, Left);
    assert_eq!(pair.ended(Right), Some(CloseReason::PeerClosed));
    assert_eq!(pair.dissolve(), [0; 3]);
}

#[test]
fn a_burst_of_the_whole_bound_survives_a_peer_that_reads_slowly() {
    for cut in [1, 3, 100, usize::MAX] {
        let mut pair = Pair::new(quiet().queue(9 * 1000), quiet(), cut as u64);
        pair.pipe(Left).capacity = 100;
        pair.pipe(Left).cut = cut;
        pair.pipe(Left).latency = secs(1) / 10;
        for number in 0..1000 {
            assert_eq!(pair.send(Left, &numbered(number), Slow::Disconnect), Verdict::Queued);
        }
        pair.advance(secs(60));
        assert_eq!(numbers(pair.received(Right)), (0..1000).collect::<Vec<_>>());
        assert_eq!((pair.outbox(Left).queued(), pair.total()), (0, 0));
    }
}

#[test]
fn the_bound_of_all_holds_and_is_told_before_it_is_met() {
    let mut pair = Pair::within(quiet(), quiet(), 5, 9 * 100);
    for side in [Left, Right] {
        pair.pipe(side).capacity = 0;
        pair.stay_open(side);
    }
    for number in 0..90 {
        assert_eq!(pair.send(Left, &numbered(number), Slow::DropNewest), Verdict::Queued);
    }
    assert_eq!(pair.told(), 0);
    for number in 90..99 {
        assert_eq!(pair.send(Right, &numbered(number), Slow::Disconnect), Verdict::Queued);
    }
    assert_eq!(pair.told(), 1, "while there is still room");
    assert_eq!(pair.send(Right, &numbered(99), Slow::Disconnect), Verdict::Queued);
    assert_eq!(pair.send(Left, &numbered(100), Slow::DropNewest), Verdict::Dropped);
    assert_eq!((pair.told(), pair.total()), (2, 900));
    pair.abort(Left, CloseReason::ServerQueueFull);
    pair.run();
    assert_eq!(pair.send(Right, &numbered(101), Slow::Disconnect), Verdict::Queued);
    pair.run();
    assert_eq!(pair.total(), 99);
    assert_eq!(pair.dissolve(), [0, 9, 0], "what nobody took is queued until its queue goes");
}
