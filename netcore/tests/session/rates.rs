//! How much a peer may send: what is over a rate is dropped, counted, or closes the session.

use netcore::testing::Side::*;
use netcore::{CloseReason, Frame, Heartbeat, Limits, Over, Rate, Slow};

use super::{lives_for, numbered, numbers, pair, quiet, secs, wire};

fn flood(pair: &netcore::testing::Pair, numbers: std::ops::Range<u32>) {
    for number in numbers {
        pair.send(Left, &numbered(number), Slow::Disconnect);
    }
}

#[test]
fn packets_over_the_rate_are_dropped_and_counted_and_those_within_it_stay_in_order() {
    let mut pair = pair(quiet().packets(Rate::per_second(10).burst(30).over(Over::Drop)));
    flood(&pair, 0..1000);
    pair.run();
    assert_eq!(numbers(pair.received(Right)), (0..30).collect::<Vec<_>>());
    let counts = pair.session(Right).counts();
    assert_eq!((counts.packets_in, counts.rate_dropped, counts.rate_warned), (1000, 970, 0));
    lives_for(&mut pair, secs(1));
    flood(&pair, 1000..1100);
    pair.run();
    assert_eq!(numbers(&pair.received(Right)[30..]), (1000..1010).collect::<Vec<_>>());
}

#[test]
fn packets_over_the_rate_pass_and_are_counted_where_it_only_warns() {
    let mut pair = pair(quiet().packets(Rate::per_second(10).burst(30).over(Over::Warn)));
    flood(&pair, 0..1000);
    pair.run();
    assert_eq!(pair.received(Right).len(), 1000);
    let counts = pair.session(Right).counts();
    assert_eq!((counts.packets_in, counts.rate_dropped, counts.rate_warned), (1000, 0, 970));
}

#[test]
fn a_packet_over_the_rate_closes_after_those_within_it_were_handled() {
    let mut pair = pair(quiet().packets(Rate::per_second(10).burst(300)));
    flood(&pair, 0..301);
    pair.run();
    assert_eq!(pair.received(Right).len(), 300);
    assert_eq!(pair.ended(Right), Some(CloseReason::PacketRate));
}

#[test]
fn a_steady_peer_at_the_rate_is_never_over_it() {
    for over in [Over::Drop, Over::Close] {
        let mut pair = pair(quiet().packets(Rate::per_second(50).burst(1).over(over)));
        for number in 0..500 {
            flood(&pair, number..number + 1);
            lives_for(&mut pair, std::time::Duration::from_millis(20));
        }
        assert_eq!(pair.received(Right).len(), 500);
    }
}

#[test]
fn a_rate_of_nothing_lets_the_burst_pass_and_no_more() {
    let mut pair = pair(quiet().packets(Rate::per_second(0).burst(3).over(Over::Drop)));
    flood(&pair, 0..2);
    pair.advance(secs(1_000));
    flood(&pair, 2..9);
    pair.run();
    assert_eq!(numbers(pair.received(Right)), [0, 1, 2]);
}

#[test]
fn bytes_over_the_rate_close_with_the_packet_that_they_make_whole() {
    let mut pair = pair(quiet().bytes(Rate::per_second(100).burst(90)));
    flood(&pair, 0..10);
    pair.run();
    assert_eq!((pair.received(Right).len(), pair.ended(Right)), (10, None));
    pair.advance(secs(1) / 10 - super::NANO);
    pair.inject(Left, &wire(11));
    pair.run();
    assert_eq!((pair.received(Right).len(), pair.ended(Right)), (10, Some(CloseReason::ByteRate)));
}

#[test]
fn a_read_of_a_thousand_packets_does_not_slip_under_the_rate_of_bytes() {
    let mut pair = pair(quiet().bytes(Rate::per_second(900).burst(900).over(Over::Drop)));
    flood(&pair, 0..1000);
    pair.run();
    let got = pair.received(Right).len();
    assert!((95..=100).contains(&got), "{got} packets of 9 bytes passed");
    assert_eq!(pair.session(Right).counts().rate_dropped, 1000 - got as u64);
}

#[test]
fn a_large_packet_over_the_rate_of_bytes_is_not_paid_for_by_small_ones_behind_it() {
    let mut pair = pair(quiet().bytes(Rate::per_second(10_000).over(Over::Drop)));
    for _ in 0..100 {
        pair.inject(Left, &wire(60_000));
        (0..255).for_each(|_| pair.inject(Left, &wire(5)));
        pair.run();
    }
    let got: usize = pair.received(Right).iter().map(|frame| 5 + frame.body.len()).sum();
    assert_eq!(got, 20_000, "the burst, and no more, in packets of five bytes");
    assert_eq!(pair.session(Right).counts().rate_dropped, 100 * 256 - 4_000);
}

#[test]
fn which_packets_are_over_the_rate_of_bytes_does_not_depend_on_the_cut() {
    for over in [Over::Drop, Over::Warn, Over::Close] {
        let heard = [7, 1000, usize::MAX].map(|cut| {
            let mut pair = pair(quiet().bytes(Rate::per_second(1_000).burst(2_000).over(over)));
            pair.pipe(Left).cut = cut;
            for size in [10, 10, 1_990, 10, 3_000, 1_950, 10, 10] {
                pair.inject(Left, &wire(size));
            }
            pair.run();
            let sizes: Vec<_> = pair.received(Right).iter().map(|frame| 5 + frame.body.len()).collect();
            let counts = pair.session(Right).counts();
            (sizes, counts.rate_dropped + counts.rate_warned, pair.ended(Right))
        });
        let expected = match over {
            Over::Drop => (vec![10, 10, 10, 1_950, 10, 10], 2, None),
            Over::Warn => (vec![10, 10, 1_990, 10, 3_000, 1_950, 10, 10], 2, None),
            Over::Close => (vec![10, 10], heard[0].1, Some(CloseReason::ByteRate)),
        };
        for heard in heard {
            assert_eq!((&heard.0, heard.2), (&expected.0, expected.2), "{over:?}");
            assert!(over == Over::Close || heard.1 == expected.1, "{over:?}: {}", heard.1);
        }
    }
}

#[test]
fn each_rate_is_paid_by_itself_and_the_worst_decides() {
    let limits = quiet()
        .packets(Rate::per_second(1).burst(2).over(Over::Drop))
        .bytes(Rate::per_second(1).burst(50).over(Over::Close));
    let mut pair = pair(limits);
    (0..6).for_each(|_| pair.inject(Left, &wire(10)));
    pair.run();
    // What is dropped for the one has come all the same, and counts for the other.
    assert_eq!((pair.received(Right).len(), pair.ended(Right)), (2, Some(CloseReason::ByteRate)));
}

#[test]
fn a_packet_that_comes_in_many_reads_does_not_slip_under_the_rate_of_bytes() {
    let mut pair = pair(quiet().bytes(Rate::per_second(100).burst(100).over(Over::Drop)));
    pair.pipe(Left).cut = 7;
    for _ in 0..10 {
        pair.inject(Left, &wire(1000));
    }
    pair.run();
    assert_eq!(pair.received(Right).len(), 0);
    assert_eq!(pair.session(Right).counts().rate_dropped, 10);
}

#[test]
fn tiny_packets_pay_for_themselves_alone() {
    let rate = Rate::per_second(1).burst(3);
    let mut mixed = Vec::new();
    for at in 0..10 {
        mixed.extend(wire(12));
        mixed.extend(wire(if at < 5 { 5 } else { 13 }));
    }

    let mut dropping = pair(quiet().tiny(12, rate.over(Over::Drop)));
    dropping.inject(Left, &mixed);
    dropping.run();
    let tiny = |pair: &netcore::testing::Pair| {
        pair.received(Right).iter().filter(|frame| frame.body.is_empty()).count()
    };
    assert_eq!((dropping.received(Right).len(), tiny(&dropping)), (18, 3));
    assert_eq!(dropping.session(Right).counts().rate_dropped, 2);

    let mut warning = pair(quiet().tiny(12, rate.over(Over::Warn)));
    warning.inject(Left, &mixed);
    warning.run();
    assert_eq!((warning.received(Right).len(), tiny(&warning)), (20, 5));
    assert_eq!(warning.session(Right).counts().rate_warned, 2);

    let mut closing = pair(quiet().tiny(12, rate));
    closing.inject(Left, &mixed);
    closing.run();
    // The fourth tiny one, and everything behind it, is not handled.
    assert_eq!((closing.received(Right).len(), tiny(&closing)), (7, 3));
    assert_eq!(closing.ended(Right), Some(CloseReason::TinyRate));
}

#[test]
fn before_log_in_only_so_many_packets_are_taken_and_then_the_session_is_closed() {
    let limits = || quiet().login(secs(30)).admission(1_000_000, 300);
    let mut flooding = pair(limits());
    flood(&flooding, 0..300);
    lives_for(&mut flooding, secs(1));
    flood(&flooding, 300..302);
    flooding.run();
    assert_eq!(flooding.received(Right).len(), 300);
    assert_eq!(flooding.ended(Right), Some(CloseReason::Admission));

    let mut admitted = pair(limits());
    flood(&admitted, 0..300);
    admitted.run();
    admitted.admit(Right);
    flood(&admitted, 300..5000);
    lives_for(&mut admitted, secs(100));
    assert_eq!(admitted.received(Right).len(), 5000);
}

#[test]
fn before_log_in_only_so_many_bytes_are_taken_even_of_one_unfinished_packet() {
    let mut pair = pair(quiet().login(secs(30)).admission(100, 300));
    pair.inject(Left, &wire(1000)[..100]);
    lives_for(&mut pair, secs(1));
    pair.inject(Left, &[0]);
    pair.run();
    assert_eq!(pair.ended(Right), Some(CloseReason::Admission));
}

#[test]
fn without_a_log_in_there_is_no_budget_for_it() {
    let mut pair = pair(quiet().admission(0, 0));
    flood(&pair, 0..1000);
    lives_for(&mut pair, secs(1));
    assert_eq!(pair.received(Right).len(), 1000);
}

#[test]
fn a_ping_before_a_close_for_a_rate_is_not_the_games() {
    let beat = || Heartbeat::new(Frame::new(65_001, ""), 65_002);
    let each: [fn(Limits) -> Limits; 2] = [
        |limits| limits.packets(Rate::per_second(1).burst(5)),
        |limits| limits.login(secs(30)).admission(1_000_000, 5),
    ];
    for limit in each {
        let mut pair = pair(limit(quiet().heartbeat(beat())));
        for _ in 0..4 {
            pair.send(Left, &Frame::new(65_001, ""), Slow::Disconnect);
        }
        flood(&pair, 0..10);
        pair.run();
        assert!(pair.ended(Right).is_some());
        assert_eq!((pair.faults(Right).len(), numbers(pair.received(Right))), (0, vec![0]));
    }
}

#[test]
fn packets_behind_a_full_batch_are_not_forgotten_when_some_of_it_are_taken_out() {
    let mut pair = pair(quiet().heartbeat(Heartbeat::new(Frame::new(65_001, ""), 65_002)));
    for number in 0..1000 {
        pair.send(Left, &Frame::new(65_002, ""), Slow::Disconnect);
        pair.send(Left, &numbered(number), Slow::Disconnect);
    }
    pair.run();
    assert_eq!(numbers(pair.received(Right)), (0..1000).collect::<Vec<_>>());
}

#[test]
fn what_does_not_frame_closes_after_the_good_packets_before_it() {
    let mut pair = pair(quiet());
    let stream = [wire(9), wire(9), vec![4, 0, 0, 0, 0], wire(9)].concat();
    pair.inject(Left, &stream);
    pair.run();
    let reason = CloseReason::Frame(netcore::FrameError::SizeBelowHeader { size: 4 });
    assert_eq!((pair.received(Right).len(), pair.ended(Right)), (2, Some(reason)));
}
