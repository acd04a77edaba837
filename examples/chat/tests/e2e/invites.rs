//! Whispers and invitations, in and across rooms and workers.

use crate::scenario::{Step, all_in, closes, play, says};
use crate::wire::*;

/// Ann is alone in room 3, bob in room 4, cid has only logged in.
fn three(f: Format) -> Vec<Step> {
    let mut steps = Vec::new();
    for (who, name, room) in [(0, "ann", 3), (1, "bob", 4)] {
        let answers = [f.result(702, OK), f.entered(OK, room, 1)];
        steps.push(says(who, &[f.login(name), f.enter(room)], &[(who, &answers)]));
    }
    steps.push(says(2, &[f.login("cid")], &[(2, &[f.result(702, OK)])]));
    steps
}

#[test]
fn a_whisper_reaches_one_user_in_whatever_room() {
    play(|f| {
        let mut steps = three(f);
        let ok = [f.result(772, OK)];
        for (from, name, to, target) in [(0, "ann", 1, "bob"), (1, "bob", 2, "cid"), (2, "cid", 0, "ann")] {
            let heard = [f.whispered(name, "psst")];
            steps.push(says(from, &[f.whisper(target, "psst")], &[(from, &ok), (to, &heard)]));
        }
        // To oneself: heard, then answered.
        steps.push(says(
            0,
            &[f.whisper("ann", "me")],
            &[(0, &[f.whispered("ann", "me"), f.result(772, OK)])],
        ));
        let long = "x".repeat(127);
        steps.push(says(
            0,
            &[
                f.whisper("nobody", "psst"),
                f.whisper("", "psst"),
                f.whisper("0123456789abcdefg", "psst"),
                f.whisper("bob", ""),
                f.whisper("bob", &long),
            ],
            &[(
                0,
                &[
                    f.result(772, NO_SUCH_USER),
                    f.result(772, NO_SUCH_USER),
                    f.result(772, NO_SUCH_USER),
                    f.result(772, CHAT_LENGTH),
                    f.result(772, CHAT_LENGTH),
                ],
            )],
        ));
        steps
    });
}

#[test]
fn who_accepts_an_invitation_leaves_one_room_and_enters_the_other() {
    play(|f| {
        let mut steps = three(f);
        steps.extend([
            says(0, &[f.invite("bob")], &[(0, &[f.invite_result(OK, 1)]), (1, &[f.invited(1, 3, "ann")])]),
            says(
                1,
                &[f.answer(1, 1), f.chat("here")],
                &[
                    (
                        1,
                        &[
                            f.result(785, OK),
                            f.result(727, OK),
                            f.users(&[(1, "ann")]),
                            f.entered(OK, 3, 2),
                            f.chatted(2, "here"),
                            f.result(732, OK),
                        ],
                    ),
                    (0, &[f.invite_over(1, 1, "bob"), f.came(2, "bob"), f.chatted(2, "here")]),
                ],
            ),
            // One in no room needs not leave one. An invitation is answered once.
            says(1, &[f.invite("cid")], &[(1, &[f.invite_result(OK, 2)]), (2, &[f.invited(2, 3, "bob")])]),
            says(
                2,
                &[f.answer(2, 1)],
                &[
                    (2, &[f.result(785, OK), f.users(&[(1, "ann"), (2, "bob")]), f.entered(OK, 3, 3)]),
                    (1, &[f.invite_over(2, 1, "cid"), f.came(3, "cid")]),
                    (0, &[f.came(3, "cid")]),
                ],
            ),
            says(
                2,
                &[f.answer(2, 1), f.answer(2, 2)],
                &[(2, &[f.result(785, NO_INVITE), f.result(785, NO_INVITE)])],
            ),
        ]);
        steps
    });
}

#[test]
fn an_invitation_may_be_refused_and_is_nobody_else_s_to_answer() {
    play(|f| {
        let mut steps = three(f);
        steps.extend([
            says(0, &[f.invite("bob")], &[(0, &[f.invite_result(OK, 1)]), (1, &[f.invited(1, 3, "ann")])]),
            says(
                2,
                &[f.answer(1, 1), f.answer(9, 1)],
                &[(2, &[f.result(785, NO_INVITE), f.result(785, NO_INVITE)])],
            ),
            says(1, &[f.answer(1, 2)], &[(1, &[f.result(785, OK)]), (0, &[f.invite_over(1, 2, "bob")])]),
        ]);
        steps
    });
}

#[test]
fn an_invitation_to_a_full_room_stands_until_there_is_a_seat() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob", "cid", "dan"]);
        let went = [f.went(2)];
        let came = [f.came(5, "eve")];
        let others = f.users(&[(1, "ann"), (3, "cid"), (4, "dan")]);
        steps.extend([
            says(4, &[f.login("eve")], &[(4, &[f.result(702, OK)])]),
            says(0, &[f.invite("eve")], &[(0, &[f.invite_result(OK, 1)]), (4, &[f.invited(1, 3, "ann")])]),
            says(4, &[f.answer(1, 1)], &[(4, &[f.result(785, FULL)])]),
            says(1, &[f.leave()], &[(1, &[f.result(727, OK)]), (0, &went), (2, &went), (3, &went)]),
            says(
                4,
                &[f.answer(1, 1)],
                &[
                    (4, &[f.result(785, OK), others, f.entered(OK, 3, 5)]),
                    (0, &[f.invite_over(1, 1, "eve"), f.came(5, "eve")]),
                    (2, &came),
                    (3, &came),
                ],
            ),
        ]);
        steps
    });
}

#[test]
fn invitations_that_cannot_be_are_refused_and_a_guest_who_goes_ends_theirs() {
    play(|f| {
        let mut steps = three(f);
        let refused = [f.invite_result(NO_SUCH_USER, 0), f.invite_result(INVITE_HERE, 0)];
        steps.push(says(0, &[f.invite("nobody"), f.invite("ann")], &[(0, &refused)]));
        for invite in 1..=16 {
            let (answer, heard) = ([f.invite_result(OK, invite)], [f.invited(invite, 3, "ann")]);
            steps.push(says(0, &[f.invite("bob")], &[(0, &answer), (1, &heard)]));
        }
        steps.push(says(0, &[f.invite("bob")], &[(0, &[f.invite_result(TOO_MANY_INVITES, 0)])]));
        let over: Vec<_> = (1..=16).map(|invite| f.invite_over(invite, 3, "bob")).collect();
        steps.push(closes(1, &[(0, &over)]));
        steps
    });
}
