//! In which order a start and a bet are judged, and what each wrong one is told.

use baccarat::Pace;

use crate::scenario::{PATIENT, RESTLESS, all_in, play, says};
use crate::wire::*;

/// Starts and bets, right and wrong.
fn asked() -> Vec<Vec<u8>> {
    vec![start(), frame(751, "extra"), bet(PLAYER), bet(TIE), bet(-1), frame(761, ""), frame(761, [1, 2, 3])]
}

#[test]
fn before_log_in_and_outside_of_a_room_that_comes_first() {
    play(PATIENT, || {
        let (early, outside) =
            (vec![RAW.error(NOT_LOGGED_IN); asked().len()], vec![RAW.error(NOT_IN_ROOM); asked().len()]);
        let mut steps = vec![
            says(0, &asked(), &[(0, &early)]),
            says(0, &[RAW.login("ann")], &[(0, &[RAW.result(702, OK)])]),
            says(0, &asked(), &[(0, &outside)]),
            says(0, &[RAW.enter(3), RAW.leave()], &[(0, &[RAW.entered(OK, 3, 1), RAW.result(727, OK)])]),
        ];
        steps.push(says(0, &asked(), &[(0, &outside)]));
        steps
    });
}

#[test]
fn what_only_the_server_says_is_an_unknown_id() {
    play(PATIENT, || {
        let ids = [750, 752, 753, 754, 760, 762, 763, 764, 765];
        let packets: Vec<_> = ids.into_iter().map(|id| frame(id, [1, 0])).collect();
        let refused = vec![RAW.error(UNKNOWN_ID); ids.len()];
        let mut steps = all_in(3, &["ann"]);
        steps.push(says(0, &packets, &[(0, &refused)]));
        steps
    });
}

#[test]
fn of_a_start_the_state_is_looked_at_first_and_then_who_asks() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann", "bob"]);
        let not_now = [start_is(START_NOT_NOW)];
        steps.push(says(1, &[start()], &[(1, &[start_is(NOT_MASTER)])]));
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &[started()])]));
        for who in [0, 1] {
            steps.push(says(who, &[start()], &[(who, &not_now)]));
        }
        for who in [0, 1] {
            let user = who as u64 + 1;
            let out = if who == 1 { vec![result(3, 0)] } else { Vec::new() };
            let heard = [vec![has_bet(user, PLAYER)], out].concat();
            let own = [vec![bet_is(OK)], heard.clone()].concat();
            steps.push(says(who, &[bet(PLAYER)], &[(who, &own), (1 - who, &heard)]));
        }
        // The game rests.
        for who in [0, 1] {
            steps.push(says(who, &[start()], &[(who, &not_now)]));
        }
        steps
    });
}

#[test]
fn of_a_bet_the_state_is_looked_at_first_then_the_body_then_the_side() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann", "bob"]);
        let bets = [bet(PLAYER), bet(9), frame(761, "")];
        let not_now = vec![bet_is(BET_NOT_NOW); bets.len()];
        steps.push(says(0, &bets, &[(0, &not_now)]));
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &[started()])]));
        let sides = [0, TIE, 4, -1, i8::MIN, i8::MAX];
        let mut packets = vec![frame(761, "")];
        packets.extend(sides.map(bet));
        let mut answers = vec![bet_is(BET_BODY)];
        answers.extend(vec![bet_is(BET_SIDE); sides.len()]);
        steps.push(says(1, &packets, &[(1, &answers)]));
        steps.push(says(
            1,
            &[bet(BANKER), bet(BANKER), bet(BANKER)],
            &[
                (1, &[bet_is(OK), has_bet(2, BANKER), bet_is(SAME_SIDE), bet_is(SAME_SIDE)]),
                (0, &[has_bet(2, BANKER)]),
            ],
        ));
        // What was refused did not take the place of what was bet.
        steps.push(says(1, &[bet(4), bet(BANKER)], &[(1, &[bet_is(BET_SIDE), bet_is(SAME_SIDE)])]));
        let last = [has_bet(1, BANKER), result(3, 0)];
        steps.push(says(
            0,
            &[bet(BANKER)],
            &[(0, &[bet_is(OK), has_bet(1, BANKER), result(3, 0)]), (1, &last)],
        ));
        // The game rests.
        steps.push(says(1, &bets, &[(1, &not_now)]));
        steps
    });
}

#[test]
fn with_ties_a_fourth_side_is_still_none() {
    play(Pace { tie_bets: true, ..PATIENT }, || {
        let mut steps = all_in(3, &["ann"]);
        steps.push(says(
            0,
            &[start(), bet(0), bet(4), bet(TIE)],
            &[(
                0,
                &[
                    start_is(OK),
                    started(),
                    bet_is(BET_SIDE),
                    bet_is(BET_SIDE),
                    bet_is(OK),
                    has_bet(1, TIE),
                    result(3, 0),
                ],
            )],
        ));
        steps
    });
}

#[test]
fn what_is_behind_a_body_and_the_type_byte_are_ignored() {
    play(RESTLESS, || {
        let mut steps = all_in(3, &["ann"]);
        for (game, kind) in [1, 2, 3, 0xff].into_iter().enumerate() {
            let packets = [typed(751, kind, "extra"), typed(761, kind, [2, 9, 9, 9])];
            let answers = [start_is(OK), started(), bet_is(OK), has_bet(1, BANKER), result(3, game as u64)];
            steps.push(says(0, &packets, &[(0, &answers)]));
        }
        steps
    });
}
