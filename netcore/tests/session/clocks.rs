//! Every deadline at its exact instant.

use netcore::testing::{Pair, Side::*};
use netcore::{CloseReason, Frame, FrameError, Heartbeat, Limits, Slow, Verdict};

use super::{ends_after, lives_for, numbered, pair, quiet, secs, wire};

#[test]
fn the_first_packet_has_its_time_and_half_of_one_does_not_lift_it() {
    let limits = || quiet().first_packet(secs(60));
    ends_after(&mut pair(limits()), secs(60), CloseReason::FirstPacket(secs(60)));

    let mut half = pair(limits());
    half.advance(secs(10));
    half.inject(Left, &wire(9)[..8]);
    ends_after(&mut half, secs(50), CloseReason::FirstPacket(secs(60)));

    let mut whole = pair(limits());
    whole.advance(secs(60) - super::NANO);
    whole.inject(Left, &wire(9));
    lives_for(&mut whole, secs(3600));
}

#[test]
fn a_packet_that_comes_at_the_very_instant_of_the_deadline_is_in_time() {
    let mut pair = pair(quiet().first_packet(secs(60)));
    pair.pipe(Left).latency = secs(60);
    pair.inject(Left, &wire(9));
    lives_for(&mut pair, secs(61));
}

#[test]
fn the_login_deadline_is_lifted_by_the_game_and_by_nothing_else() {
    let limits = || quiet().login(secs(30));
    let mut talking = pair(limits());
    talking.inject(Left, &wire(9));
    talking.advance(secs(29));
    talking.inject(Left, &wire(9));
    ends_after(&mut talking, secs(1), CloseReason::Login(secs(30)));

    let mut admitted = pair(limits());
    admitted.advance(secs(30) - super::NANO);
    admitted.admit(Right);
    lives_for(&mut admitted, secs(3600));
}

#[test]
fn a_drip_does_not_lengthen_the_time_of_an_unfinished_packet() {
    let mut pair = pair(quiet().unfinished(secs(10)));
    pair.advance(secs(100));
    for byte in &wire(300)[..9] {
        lives_for(&mut pair, secs(0));
        pair.inject(Left, &[*byte]);
        pair.advance(secs(1));
    }
    ends_after(&mut pair, secs(1), CloseReason::Unfinished(secs(10)));
}

#[test]
fn packets_that_each_begin_with_the_end_of_the_last_have_each_a_time_of_their_own() {
    let mut pair = pair(quiet().unfinished(secs(10)));
    pair.inject(Left, &wire(20)[..1]);
    for _ in 0..10 {
        lives_for(&mut pair, secs(10) - super::NANO);
        let mut next = wire(20).split_off(1);
        next.push(20);
        pair.inject(Left, &next);
    }
    lives_for(&mut pair, secs(0));
    assert_eq!(pair.received(Right).len(), 10);
    ends_after(&mut pair, secs(10), CloseReason::Unfinished(secs(10)));
}

#[test]
fn a_finished_packet_stops_the_clock_of_unfinished_ones() {
    let mut pair = pair(quiet().unfinished(secs(10)));
    pair.inject(Left, &wire(20)[..15]);
    pair.advance(secs(9));
    pair.inject(Left, &wire(20)[15..]);
    lives_for(&mut pair, secs(3600));
}

#[test]
fn idle_is_silence_of_the_peer_whatever_we_say_ourselves() {
    let mut pair = pair(quiet().idle(secs(20)));
    pair.advance(secs(15));
    pair.inject(Left, &wire(9)[..1]);
    lives_for(&mut pair, secs(19));
    assert_eq!(pair.send(Right, &numbered(1), Slow::Disconnect), Verdict::Queued);
    ends_after(&mut pair, secs(1), CloseReason::Idle(secs(20)));
    assert_eq!(pair.received(Left).len(), 1);
}

#[test]
fn without_a_heartbeat_nobody_is_idle() {
    lives_for(&mut pair(quiet()), secs(1_000_000));
}

fn beating() -> Heartbeat {
    Heartbeat::new(Frame { kind: netcore::PacketType(3), ..Frame::new(65_001, "?!") }, 65_002).every(secs(15))
}

#[test]
fn a_heartbeat_that_nobody_answers_ends_the_session_after_three_of_them() {
    let mut pair = pair(quiet().heartbeat(beating()));
    pair.advance(secs(15) - super::NANO);
    assert_eq!(pair.faults(Left).len(), 0);
    pair.advance(super::NANO);
    assert_eq!(pair.faults(Left).len(), 1, "the left has no heartbeat: it is an unknown packet there");
    lives_for(&mut pair, secs(15));
    assert_eq!(pair.faults(Left).len(), 2);
    ends_after(&mut pair, secs(15), CloseReason::Idle(secs(45)));
}

#[test]
fn a_heartbeat_that_is_slow_has_three_beats_too() {
    let mut pair = pair(quiet().heartbeat(beating().every(secs(60))));
    lives_for(&mut pair, secs(179));
    assert_eq!(pair.faults(Left).len(), 2);
    ends_after(&mut pair, secs(1), CloseReason::Idle(secs(180)));
}

#[test]
fn two_that_beat_live_for_ever_and_their_games_hear_nothing_of_it() {
    let limits = || Limits::new().first_packet(secs(60)).heartbeat(beating());
    let mut pair = Pair::new(limits(), limits(), 1);
    pair.pipe(Left).latency = secs(3);
    lives_for(&mut pair, secs(100_000));
    for side in [Left, Right] {
        assert_eq!((pair.received(side).len(), pair.faults(side).len()), (0, 0));
        let counts = pair.session(side).counts();
        assert!((5_000..15_000).contains(&counts.packets_in), "{counts:?}");
        assert!(counts.bytes_in <= counts.packets_in * 7, "{counts:?}");
    }
}

#[test]
fn a_ping_is_answered_with_its_body_and_type() {
    let mut pair = pair(quiet().heartbeat(beating()));
    pair.send(Left, &Frame { kind: netcore::PacketType(9), ..Frame::new(65_001, "echo") }, Slow::Disconnect);
    pair.send(Left, &Frame::new(65_002, "taken in silence"), Slow::Disconnect);
    pair.send(Left, &Frame::new(65_003, "not one of ours"), Slow::Disconnect);
    pair.run();
    assert_eq!(pair.faults(Right).len(), 1);
    let [pong] = pair.faults(Left) else { panic!("{:?}", pair.faults(Left)) };
    let netcore::FaultKind::Unknown(pong) = pong.kind() else { panic!("{pong:?}") };
    assert_eq!((pong.id.0, pong.kind.0, &pong.body[..]), (65_002, 9, &b"echo"[..]));
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_after_the_stall_time() {
    let mut pair = pair(quiet().stall(secs(5)));
    pair.pipe(Right).capacity = 4;
    pair.pipe(Right).stalled = true;
    lives_for(&mut pair, secs(1000));
    pair.send(Right, &numbered(1), Slow::Disconnect);
    ends_after(&mut pair, secs(5), CloseReason::Stalled(secs(5)));
    assert_eq!(pair.outbox(Right).closed(), Some(CloseReason::Stalled(secs(5))));
    pair.pipe(Right).stalled = false;
    pair.advance(secs(1));
    assert_eq!(pair.ended(Left), Some(CloseReason::Frame(FrameError::EndInsidePacket { have: 4, need: 5 })));
    assert_eq!(pair.dissolve(), [0; 3]);
}

#[test]
fn each_byte_that_goes_out_begins_the_stall_time_again() {
    let mut pair = pair(quiet().stall(secs(5)));
    pair.pipe(Right).capacity = 4;
    pair.pipe(Right).stalled = true;
    for number in 0..4 {
        pair.send(Right, &numbered(number), Slow::Disconnect);
    }
    for _ in 0..3 {
        lives_for(&mut pair, secs(5) - super::NANO);
        pair.pipe(Right).stalled = false;
        pair.pipe(Right).cut = 1;
        // One byte is read and one written, then it stalls again.
        pair.pipe(Right).capacity += 1;
        pair.pipe(Right).stalled = true;
        pair.run();
    }
    ends_after(&mut pair, secs(5), CloseReason::Stalled(secs(5)));
}

#[test]
fn while_our_game_does_not_keep_up_the_peers_clocks_stand_still() {
    let limits = quiet().first_packet(secs(60)).login(secs(100)).unfinished(secs(10)).idle(secs(20));
    let mut pair = pair(limits);
    pair.advance(secs(4));
    pair.inject(Left, &wire(20)[..1]);
    pair.advance(secs(3));
    pair.slow_game(Right, true);
    lives_for(&mut pair, secs(10_000));
    pair.slow_game(Right, false);
    ends_after(&mut pair, secs(7), CloseReason::Unfinished(secs(10)));
}

#[test]
fn the_log_in_deadline_goes_on_where_it_stood() {
    let mut pair = pair(quiet().login(secs(100)));
    for _ in 0..4 {
        pair.slow_game(Right, false);
        lives_for(&mut pair, secs(20));
        pair.slow_game(Right, true);
        lives_for(&mut pair, secs(70));
    }
    pair.slow_game(Right, false);
    ends_after(&mut pair, secs(20), CloseReason::Login(secs(100)));
}

#[test]
fn the_peers_own_slowness_is_not_excused_by_ours() {
    let mut pair = pair(quiet().stall(secs(5)));
    pair.pipe(Right).capacity = 0;
    pair.slow_game(Right, true);
    pair.send(Right, &numbered(1), Slow::Disconnect);
    ends_after(&mut pair, secs(5), CloseReason::Stalled(secs(5)));
}

#[test]
fn clocks_that_never_come_do_not_run() {
    let never = std::time::Duration::MAX;
    let limits = quiet().first_packet(never).login(never).unfinished(never).idle(never).stall(never);
    let mut pair = pair(limits);
    pair.pipe(Right).capacity = 0;
    pair.send(Right, &numbered(1), Slow::Disconnect);
    pair.inject(Left, &wire(9)[..1]);
    lives_for(&mut pair, secs(1_000_000));
    assert_eq!(pair.session(Right).poll_timeout(), None);
}
