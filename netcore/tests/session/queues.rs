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

/// The left sends a hundred packets of a hundred bytes each second, `burst` at once, of which ten arrive. When each one that
/// came was sent, in hundredths of a second (those of one burst as if one after the other), and when it came.
fn slow_reader(queue: usize, seconds: u32, burst: u32, slow: impl Fn(u32) -> Slow) -> Vec<(u32, u32)> {
    let mut pair = Pair::new(quiet().queue(queue), quiet(), 7);
    pair.pipe(Left).capacity = 1_000;
    pair.pipe(Left).latency = secs(1);
    let mut all = Vec::new();
    for now in (0..seconds * 100).filter(|now| (now + 1) % burst == 0) {
        for number in now + 1 - burst..=now {
            let mut body = number.to_le_bytes().to_vec();
            body.resize(95, 0);
            let _ = pair.send(Left, &netcore::Frame::new(1, body), slow(number));
        }
        pair.advance(secs(1) / 100 * burst);
        let fresh = numbers(&pair.received(Right)[all.len()..]);
        all.extend(fresh.into_iter().map(|sent| (sent, now)));
    }
    assert!(all.len() as u32 > seconds * 9, "{} arrived", all.len());
    assert!(all.is_sorted(), "nothing overtakes anything");
    all
}

#[test]
fn what_a_slow_reader_gets_is_as_fresh_as_its_queue_is_short() {
    for queue in [16 * 1024, 128 * 1024] {
        let all = slow_reader(queue, 400, 1, |_| Slow::DropOldest);
        // What was sent before anything had to be dropped is as old as it is.
        let ages = all.iter().filter(|(_, came)| *came > 30_000).map(|(sent, came)| came - sent);
        // The queue is filled in so many hundredths of a second; and 2 KiB and two times 1,000 bytes are on their way.
        let most = u32::try_from(queue).unwrap() / 100 + 205 + 10 + 200;
        let oldest = ages.max().unwrap();
        assert!(oldest <= most, "{oldest} of {most} hundredths of a second, with {queue} bytes");
    }
}

#[test]
fn to_a_slow_reader_each_key_has_its_turn() {
    // Sixty keys, all of them at once, which take six seconds to arrive.
    let all = slow_reader(64 * 1024, 400, 60, |number| Slow::Latest((number % 60).into()));
    let late: Vec<_> = all.iter().filter(|(_, came)| *came > 20_000).collect();
    let mut counts = [0; 60];
    late.iter().for_each(|(sent, _)| counts[*sent as usize % 60] += 1);
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*least > 25 && most - least <= 10, "{counts:?}");
    let oldest = late.iter().map(|(sent, came)| came - sent).max().unwrap();
    assert!(oldest <= 600 + 2 * 60 + 210, "{oldest} hundredths of a second");
}
