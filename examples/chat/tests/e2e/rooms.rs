//! Log-in, rooms, chat, relay: what each client hears, in which order.

use lobby::Settings;

use crate::scenario::{all_in, closes, is_closed, play, play_with, says};
use crate::wire::*;

#[test]
fn an_id_is_one_session_s_until_its_connection_closes() {
    play(|f| {
        vec![
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            says(
                0,
                &[f.login("ann"), f.login("bob")],
                &[(0, &[f.result(702, IN_USE), f.result(702, IN_USE)])],
            ),
            says(1, &[f.login("ann")], &[(1, &[f.result(702, IN_USE)])]),
            says(1, &[f.login("bob")], &[(1, &[f.result(702, OK)])]),
            says(2, &[f.login("")], &[(2, &[f.result(702, INVALID_ID)])]),
            says(2, &[f.login("0123456789abcdef")], &[(2, &[f.result(702, OK)])]),
        ]
    });
}

#[test]
fn zeros_around_an_id_are_none_of_it_and_those_inside_are() {
    play(|f| {
        vec![
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            says(1, &[f.login("\0\0ann\0")], &[(1, &[f.result(702, IN_USE)])]),
            says(1, &[f.login("\0\0")], &[(1, &[f.result(702, INVALID_ID)])]),
            says(1, &[f.login("a\0nn")], &[(1, &[f.result(702, OK)])]),
            says(1, &[f.enter(5)], &[(1, &[f.entered(OK, 5, 1)])]),
            says(
                0,
                &[f.enter(5)],
                &[(0, &[f.users(&[(1, "a\0nn")]), f.entered(OK, 5, 2)]), (1, &[f.came(2, "ann")])],
            ),
        ]
    });
}

#[test]
fn an_id_that_is_too_long_or_no_text_is_invalid() {
    play_with(&Settings::default(), &[MsgPack, Protobuf], |f| {
        vec![
            says(0, &[f.login("0123456789abcdefg")], &[(0, &[f.result(702, INVALID_ID)])]),
            says(0, &[f.login("\x000123456789abcdef\0")], &[(0, &[f.result(702, OK)])]),
        ]
    });
    play_with(&Settings::default(), &[Raw, MsgPack], |f| {
        vec![
            says(0, &[f.login(b"ann\xff")], &[(0, &[f.result(702, INVALID_ID)])]),
            says(0, &[f.login("가나다")], &[(0, &[f.result(702, OK)])]),
        ]
    });
}

#[test]
fn who_enters_hears_who_is_there_and_then_the_answer() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob", "cid"]);
        // Another room has numbers of its own.
        steps.push(says(3, &[f.login("dan")], &[(3, &[f.result(702, OK)])]));
        steps.push(says(3, &[f.enter(4)], &[(3, &[f.entered(OK, 4, 1)])]));
        steps
    });
}

#[test]
fn a_full_room_takes_nobody_until_somebody_has_left_and_ids_are_not_used_again() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob", "cid", "dan"]);
        let left = [f.went(2)];
        let came = [f.came(5, "eve")];
        let others = f.users(&[(1, "ann"), (3, "cid"), (4, "dan")]);
        steps.extend([
            says(4, &[f.login("eve")], &[(4, &[f.result(702, OK)])]),
            says(4, &[f.enter(3)], &[(4, &[f.not_entered(FULL)])]),
            // In the full room itself, the room's state is what is answered.
            says(0, &[f.enter(3), f.enter(9)], &[(0, &[f.not_entered(FULL), f.not_entered(FULL)])]),
            says(1, &[f.leave()], &[(1, &[f.result(727, OK)]), (0, &left), (2, &left), (3, &left)]),
            says(
                4,
                &[f.enter(3)],
                &[(4, &[others, f.entered(OK, 3, 5)]), (0, &came), (2, &came), (3, &came)],
            ),
        ]);
        steps
    });
}

#[test]
fn a_number_outside_is_an_error_and_the_next_enter_counts() {
    play(|f| {
        vec![
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            says(
                0,
                &[f.enter(1000), f.enter(-1), f.enter(i32::MIN), f.enter(999)],
                &[(0, &[f.error(NO_ROOM), f.error(NO_ROOM), f.error(NO_ROOM), f.entered(OK, 999, 1)])],
            ),
        ]
    });
    let settings = Settings { first_room: 50, rooms: 2, ..Settings::default() };
    play_with(&settings, &[Raw], |f| {
        vec![
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            says(
                0,
                &[f.enter(49), f.enter(52), f.enter(51)],
                &[(0, &[f.error(NO_ROOM), f.error(NO_ROOM), f.entered(OK, 51, 1)])],
            ),
        ]
    });
}

#[test]
fn who_is_in_a_room_enters_no_other() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann"]);
        steps.push(says(
            0,
            &[f.enter(3), f.enter(4), f.enter(5000)],
            &[(0, &[f.not_entered(IN_ROOM), f.not_entered(IN_ROOM), f.not_entered(IN_ROOM)])],
        ));
        steps
    });
}

#[test]
fn a_chat_is_heard_by_all_before_it_is_answered() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob"]);
        let long = "x".repeat(126);
        for (who, user, what) in [(0, 1, "hi"), (1, 2, "안녕"), (0, 1, &long), (0, 1, "\0")] {
            let said = f.chatted(user, what);
            steps.push(says(
                who,
                &[f.chat(what)],
                &[(who, &[said.clone(), f.result(732, OK)]), (1 - who, &[said])],
            ));
        }
        steps
    });
}

#[test]
fn a_chat_of_no_bytes_or_too_many_is_heard_by_nobody() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob"]);
        let refused = [f.result(732, CHAT_LENGTH), f.result(732, CHAT_LENGTH), f.result(732, CHAT_LENGTH)];
        let packets = [f.chat(""), f.chat("x".repeat(127)), f.chat("가".repeat(43))];
        steps.push(says(0, &packets, &[(0, &refused)]));
        steps
    });
}

#[test]
fn a_relay_is_heard_by_all_as_it_came_and_not_answered() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob"]);
        for what in [&b"\0\xff\xfe"[..], b"", &[7; 1000]] {
            let relayed = [f.relayed(1, what)];
            steps.push(says(0, &[f.relay(what)], &[(0, &relayed), (1, &relayed)]));
        }
        steps
    });
}

#[test]
fn who_leaves_is_told_so_and_the_others_are_told_too() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob"]);
        steps.extend([
            // Bytes behind an empty body are ignored.
            says(0, &[frame(726, "extra")], &[(0, &[f.result(727, OK)]), (1, &[f.went(1)])]),
            says(0, &[f.leave()], &[(0, &[f.error(NOT_IN_ROOM)])]),
            says(
                0,
                &[f.enter(3)],
                &[(0, &[f.users(&[(2, "bob")]), f.entered(OK, 3, 3)]), (1, &[f.came(3, "ann")])],
            ),
        ]);
        steps
    });
}

#[test]
fn a_connection_that_closes_leaves_the_room_and_frees_the_id() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann", "bob"]);
        steps.extend([
            closes(0, &[(1, &[f.went(1)])]),
            says(2, &[f.login("ann")], &[(2, &[f.result(702, OK)])]),
            says(
                2,
                &[f.enter(3)],
                &[(2, &[f.users(&[(2, "bob")]), f.entered(OK, 3, 3)]), (1, &[f.came(3, "ann")])],
            ),
            closes(1, &[(2, &[f.went(2)])]),
        ]);
        steps
    });
}

#[test]
fn a_room_that_was_empty_in_between_goes_on_counting() {
    play(|f| {
        let mut steps = all_in(f, 3, &["ann"]);
        for user in 2..5 {
            let packets = [f.leave(), f.enter(3)];
            steps.push(says(0, &packets, &[(0, &[f.result(727, OK), f.entered(OK, 3, user)])]));
        }
        steps
    });
}

#[test]
fn a_fast_client_is_answered_in_order_across_rooms_on_different_workers() {
    play(|f| {
        let (mut packets, mut answers) = (vec![f.login("ann")], vec![f.result(702, OK)]);
        for room in 0..7 {
            packets.extend([f.enter(room), f.chat("hi"), f.ping(3), f.relay(b"x"), f.leave(), f.chat("hi")]);
            answers.extend([
                f.entered(OK, room, 1),
                f.chatted(1, "hi"),
                f.result(732, OK),
                f.pong(3),
                f.relayed(1, b"x"),
                f.result(727, OK),
                f.error(NOT_IN_ROOM),
            ]);
        }
        vec![says(0, &packets, &[(0, &answers)])]
    });
}

#[test]
fn the_type_byte_of_a_request_does_not_matter_and_answers_have_none() {
    play(|f| {
        let typed = |packet: Vec<u8>, kind| {
            let mut packet = packet;
            packet[4] = kind;
            packet
        };
        vec![says(
            0,
            &[
                typed(f.login("ann"), 0xff),
                typed(f.enter(3), 1),
                typed(f.chat("hi"), 2),
                typed(f.ping(1), 0x80),
            ],
            &[(
                0,
                &[f.result(702, OK), f.entered(OK, 3, 1), f.chatted(1, "hi"), f.result(732, OK), f.pong(1)],
            )],
        )]
    });
}

#[test]
fn a_header_that_cannot_be_closes_after_the_good_packets_were_answered() {
    for size in [0_u16, 1, 4, 1025, u16::MAX] {
        play(|f| {
            let mut steps = all_in(f, 3, &["ann", "bob"]);
            let bad = [&size.to_le_bytes()[..], &[219, 2, 0]].concat();
            let said = f.chatted(1, "hi");
            steps.extend([
                says(
                    0,
                    &[f.chat("hi"), bad],
                    &[(0, &[said.clone(), f.result(732, OK)]), (1, &[said, f.went(1)])],
                ),
                is_closed(0),
            ]);
            steps
        });
    }
}

#[test]
fn the_largest_packet_goes_out_longer_than_it_came_in() {
    play_with(&Settings::default(), &[Raw, MsgPack], |f| {
        let mut steps = all_in(f, 3, &["ann"]);
        let relay = f.relay(&[9; 1019]);
        let relayed = f.relayed(1, &[9; 1019]);
        assert_eq!((relay.len(), relayed.len()), (1024, 1032));
        steps.push(says(0, &[relay], &[(0, &[relayed])]));
        steps
    });
}
