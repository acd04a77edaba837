//! Those who come and go while a game is on.

use crate::scenario::{PATIENT, RESTLESS, Step, all_in, closes, play, says};
use crate::wire::*;

/// Ann, bob and cid are in room 3, and a game has begun.
fn betting() -> Vec<Step> {
    let mut steps = all_in(3, &["ann", "bob", "cid"]);
    let begun = [started()];
    steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &begun), (2, &begun)]));
    steps
}

/// One of the three bets, and the others hear it.
fn bets(who: usize, side: i8) -> Step {
    let user = who as u64 + 1;
    let heard = [has_bet(user, side)];
    let (other, third) = ((who + 1) % 3, (who + 2) % 3);
    let own = [bet_is(OK), has_bet(user, side)];
    says(who, &[bet(side)], &[(who, &own), (other, &heard), (third, &heard)])
}

#[test]
fn nobody_waits_for_who_leaves() {
    play(PATIENT, || {
        let mut steps = betting();
        steps.extend([bets(1, PLAYER), bets(2, BANKER)]);
        let out = [RAW.went(1), result(3, 0)];
        steps.push(says(0, &[RAW.leave()], &[(0, &[RAW.result(727, OK)]), (1, &out), (2, &out)]));
        steps
    });
    play(PATIENT, || {
        let mut steps = betting();
        steps.extend([bets(0, PLAYER), bets(2, BANKER)]);
        let out = [RAW.went(2), result(3, 0)];
        steps.push(closes(1, &[(0, &out), (2, &out)]));
        steps
    });
}

#[test]
fn what_a_leaver_has_bet_does_not_count_for_the_others() {
    play(PATIENT, || {
        let mut steps = betting();
        let gone = [RAW.went(2)];
        steps.extend([
            bets(1, PLAYER),
            says(1, &[RAW.leave()], &[(1, &[RAW.result(727, OK)]), (0, &gone), (2, &gone)]),
            says(0, &[bet(PLAYER)], &[(0, &[bet_is(OK), has_bet(1, PLAYER)]), (2, &[has_bet(1, PLAYER)])]),
        ]);
        let last = [has_bet(3, BANKER), result(3, 0)];
        let own = [bet_is(OK), has_bet(3, BANKER), result(3, 0)];
        steps.push(says(2, &[bet(BANKER)], &[(2, &own), (0, &last)]));
        steps
    });
}

#[test]
fn who_comes_back_has_bet_nothing_and_is_waited_for() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann", "bob"]);
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()]), (1, &[started()])]));
        steps.push(says(
            1,
            &[bet(PLAYER), RAW.leave(), RAW.enter(3)],
            &[
                (
                    1,
                    &[
                        bet_is(OK),
                        has_bet(2, PLAYER),
                        RAW.result(727, OK),
                        RAW.users(&[(1, "ann")]),
                        RAW.entered(OK, 3, 3),
                    ],
                ),
                (0, &[has_bet(2, PLAYER), RAW.went(2), RAW.came(3, "bob")]),
            ],
        ));
        steps.push(says(
            0,
            &[bet(BANKER)],
            &[(0, &[bet_is(OK), has_bet(1, BANKER)]), (1, &[has_bet(1, BANKER)])],
        ));
        let last = [has_bet(3, PLAYER), result(3, 0)];
        let own = [bet_is(OK), has_bet(3, PLAYER), result(3, 0)];
        steps.push(says(1, &[bet(PLAYER)], &[(1, &own), (0, &last)]));
        steps
    });
}

#[test]
fn who_enters_during_a_game_is_told_nothing_of_it_and_may_bet() {
    play(RESTLESS, || {
        let mut steps = all_in(3, &["ann"]);
        steps.push(says(0, &[start()], &[(0, &[start_is(OK), started()])]));
        steps.push(says(
            1,
            &[RAW.login("bob"), RAW.enter(3)],
            &[
                (1, &[RAW.result(702, OK), RAW.users(&[(1, "ann")]), RAW.entered(OK, 3, 2)]),
                (0, &[RAW.came(2, "bob")]),
            ],
        ));
        // From now on all are two.
        steps.push(says(
            0,
            &[bet(PLAYER)],
            &[(0, &[bet_is(OK), has_bet(1, PLAYER)]), (1, &[has_bet(1, PLAYER)])],
        ));
        let last = [has_bet(2, BANKER), result(3, 0)];
        let own = [bet_is(OK), has_bet(2, BANKER), result(3, 0)];
        steps.push(says(1, &[bet(BANKER)], &[(1, &own), (0, &last)]));
        steps
    });
}

#[test]
fn who_enters_while_the_game_rests_is_told_nothing_and_waits_like_the_others() {
    play(PATIENT, || {
        let mut steps = all_in(3, &["ann"]);
        steps.push(says(
            0,
            &[start(), bet(PLAYER)],
            &[(0, &[start_is(OK), started(), bet_is(OK), has_bet(1, PLAYER), result(3, 0)])],
        ));
        steps.push(says(
            1,
            &[RAW.login("bob"), RAW.enter(3), bet(PLAYER), start()],
            &[
                (
                    1,
                    &[
                        RAW.result(702, OK),
                        RAW.users(&[(1, "ann")]),
                        RAW.entered(OK, 3, 2),
                        bet_is(BET_NOT_NOW),
                        start_is(START_NOT_NOW),
                    ],
                ),
                (0, &[RAW.came(2, "bob")]),
            ],
        ));
        steps
    });
}

#[test]
fn a_master_who_leaves_hands_over_to_who_has_been_there_longest() {
    play(RESTLESS, || {
        let mut steps = betting();
        let gone = [RAW.went(1)];
        steps.push(says(0, &[RAW.leave()], &[(0, &[RAW.result(727, OK)]), (1, &gone), (2, &gone)]));
        // The game goes on without the master.
        steps.push(says(
            2,
            &[bet(PLAYER)],
            &[(2, &[bet_is(OK), has_bet(3, PLAYER)]), (1, &[has_bet(3, PLAYER)])],
        ));
        let last = [has_bet(2, PLAYER), result(3, 0)];
        let own = [bet_is(OK), has_bet(2, PLAYER), result(3, 0)];
        steps.push(says(1, &[bet(PLAYER)], &[(1, &own), (2, &last)]));
        steps.push(says(2, &[start()], &[(2, &[start_is(NOT_MASTER)])]));
        // Who was the master comes back as the last one.
        let back = [RAW.came(4, "ann")];
        let own = [RAW.users(&[(2, "bob"), (3, "cid")]), RAW.entered(OK, 3, 4), start_is(NOT_MASTER)];
        steps.push(says(0, &[RAW.enter(3), start()], &[(0, &own), (1, &back), (2, &back)]));
        let begun = [started()];
        steps.push(says(1, &[start()], &[(1, &[start_is(OK), started()]), (0, &begun), (2, &begun)]));
        // And so on.
        let gone = [RAW.went(2)];
        steps.push(closes(1, &[(0, &gone), (2, &gone)]));
        let begun = [start_is(START_NOT_NOW)];
        steps.push(says(2, &[start()], &[(2, &begun)]));
        steps
    });
}

#[test]
fn when_everybody_has_left_the_next_who_comes_finds_no_game() {
    play(PATIENT, || {
        let mut steps = betting();
        for who in 0..3 {
            let (own, gone) = ([RAW.result(727, OK)], [RAW.went(who as u64 + 1)]);
            let mut hear: Vec<(usize, &[Vec<u8>])> = (who + 1..3).map(|other| (other, &gone[..])).collect();
            hear.push((who, &own));
            steps.push(says(who, &[RAW.leave()], &hear));
        }
        // Bob, who is alone, is the master.
        steps.push(says(
            1,
            &[RAW.enter(3), bet(PLAYER), start(), bet(PLAYER)],
            &[(
                1,
                &[
                    RAW.entered(OK, 3, 4),
                    bet_is(BET_NOT_NOW),
                    start_is(OK),
                    started(),
                    bet_is(OK),
                    has_bet(4, PLAYER),
                    result(3, 0),
                ],
            )],
        ));
        // And a game that rests is over, too; the cards go on.
        steps.push(says(
            1,
            &[RAW.leave(), RAW.enter(3), start(), bet(BANKER)],
            &[(
                1,
                &[
                    RAW.result(727, OK),
                    RAW.entered(OK, 3, 5),
                    start_is(OK),
                    started(),
                    bet_is(OK),
                    has_bet(5, BANKER),
                    result(3, 1),
                ],
            )],
        ));
        steps
    });
}
