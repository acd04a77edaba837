//! A game from its start to its result: what each client hears, in which order.

use baccarat::Pace;

use crate::scenario::{PATIENT, RESTLESS, all_in, play, says, time_goes_by};
use crate::wire::*;

#[test]
fn one_user_alone_plays() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann"]);
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()])]));
        steps.push(says(0, &[bet(PLAYER)], &[(0, &[bet_is(OK), has_bet(1, PLAYER), result(3, 0)])]));
        steps
    });
}

#[test]
fn answers_come_first_then_all_hear_and_the_result_comes_when_all_have_bet() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann", "bob", "cid"]);
        let begun = [started()];
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &begun), (2, &begun)]));
        let heard = [has_bet(2, BANKER)];
        steps.push(says(
            1,
            &[bet(BANKER)],
            &[(1, &[bet_is(OK), has_bet(2, BANKER)]), (0, &heard), (2, &heard)],
        ));
        let heard = [has_bet(1, PLAYER)];
        steps.push(says(
            0,
            &[bet(PLAYER)],
            &[(0, &[bet_is(OK), has_bet(1, PLAYER)]), (1, &heard), (2, &heard)],
        ));
        let last = [has_bet(3, BANKER), result(3, 0)];
        steps.push(says(
            2,
            &[bet(BANKER)],
            &[(2, &[bet_is(OK), has_bet(3, BANKER), result(3, 0)]), (0, &last), (1, &last)],
        ));
        steps
    });
}

#[test]
fn another_side_takes_the_place_of_the_first_and_is_told_to_all() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann", "bob"]);
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &[started()])]));
        // One who changes twice is still one who has bet.
        for side in [PLAYER, BANKER, PLAYER] {
            steps.push(says(
                0,
                &[bet(side)],
                &[(0, &[bet_is(OK), has_bet(1, side)]), (1, &[has_bet(1, side)])],
            ));
        }
        let last = [has_bet(2, PLAYER), result(3, 0)];
        steps.push(says(
            1,
            &[bet(PLAYER)],
            &[(1, &[bet_is(OK), has_bet(2, PLAYER), result(3, 0)]), (0, &last)],
        ));
        steps
    });
}

#[test]
fn one_bets_on_a_tie_where_the_flag_allows_it() {
    play(Pace { tie_bets: true, ..PATIENT }, || {
        let mut steps = all_in(3, &["ann"]);
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()])]));
        steps.push(says(0, &[bet(TIE)], &[(0, &[bet_is(OK), has_bet(1, TIE), result(3, 0)])]));
        steps
    });
}

#[test]
fn when_the_time_to_bet_is_over_the_result_comes_even_if_nobody_has_bet() {
    play(Pace { betting_ms: 30, next_game_ms: 0, tie_bets: false }, || {
        let mut steps = all_in(3, &["ann", "bob"]);
        for game in 0..3 {
            let out = [result(3, game)];
            steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &[started()])]));
            steps.push(time_goes_by(&[(0, &out), (1, &out)]));
        }
        steps
    });
}

#[test]
fn each_game_begins_without_bets_and_has_other_cards() {
    play(RESTLESS, || {
        let mut steps = all_in(3, &["ann", "bob"]);
        for game in 0..4 {
            steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &[started()])]));
            let (first, last) = ([has_bet(1, BANKER)], [has_bet(2, BANKER), result(3, game)]);
            steps.push(says(0, &[bet(BANKER)], &[(0, &[bet_is(OK), has_bet(1, BANKER)]), (1, &first)]));
            steps.push(says(
                1,
                &[bet(BANKER)],
                &[(1, &[bet_is(OK), has_bet(2, BANKER), result(3, game)]), (0, &last)],
            ));
        }
        steps
    });
}

#[test]
fn rooms_play_each_for_itself() {
    play(PATIENT, || {
        let mut steps = Vec::new();
        for (who, room) in [(0, 4), (1, 5), (2, 6)] {
            let name = ["ann", "bob", "cid"][who];
            steps.push(says(
                who,
                &[RAW.login(name), RAW.enter(room)],
                &[(who, &[RAW.result(702, OK), RAW.entered(OK, room, 1)])],
            ));
        }
        for who in [2, 0] {
            steps.push(says(who, &[start()], &[(who, &[start_is(OK), started()])]));
        }
        steps.push(says(1, &[bet(PLAYER)], &[(1, &[bet_is(BET_NOT_NOW)])]));
        for (who, room) in [(0, 4), (2, 6)] {
            steps.push(says(
                who,
                &[bet(PLAYER)],
                &[(who, &[bet_is(OK), has_bet(1, PLAYER), result(room, 0)])],
            ));
        }
        steps
    });
}

#[test]
fn a_fast_client_plays_in_one_room_after_the_other() {
    play(PATIENT, || {
        let (mut packets, mut answers) = (vec![RAW.login("ann")], vec![RAW.result(702, OK)]);
        for room in 0..7 {
            packets.extend([RAW.enter(room), start(), bet(BANKER), start(), RAW.chat("hi"), RAW.leave()]);
            answers.extend([
                RAW.entered(OK, room, 1),
                start_is(OK),
                started(),
                bet_is(OK),
                has_bet(1, BANKER),
                result(room, 0),
                start_is(START_NOT_NOW),
                RAW.chatted(1, "hi"),
                RAW.result(732, OK),
                RAW.result(727, OK),
            ]);
        }
        vec![says(0, &packets, &[(0, &answers)])]
    });
}

#[test]
fn people_talk_while_they_play() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann", "bob"]);
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &[started()])]));
        let (said, relayed) = (RAW.chatted(2, "banker!"), RAW.relayed(2, b"\0\xff"));
        steps.push(says(
            1,
            &[RAW.chat("banker!"), RAW.relay(b"\0\xff")],
            &[(1, &[said.clone(), RAW.result(732, OK), relayed.clone()]), (0, &[said, relayed])],
        ));
        steps
    });
}

#[test]
fn the_cards_of_a_seed_stay_what_they_are() {
    // Whoever has written down what a seed brings finds it again.
    let body = |room, game| result(room, game)[5..].to_vec();
    let first: Vec<Vec<u8>> = (0..3).map(|game| body(3, game)).collect();
    assert_eq!(first, FIRST.map(hex));
}

// The first three games of room 3, by seed 7.
const FIRST: [&str; 3] = ["1029ff 261c2a 07 07 03", "1b2527 2c1f0a 02 03 02", "210dff 2513ff 07 09 02"];
