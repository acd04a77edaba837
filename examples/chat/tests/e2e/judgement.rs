//! In which order a request is judged, and what a body that does not decode is told.

use lobby::Settings;

use crate::scenario::{Step, all_in, play, play_with, says};
use crate::wire::*;

/// Requests that say nothing wrong, one of each.
fn good(f: Format) -> Vec<Vec<u8>> {
    vec![
        f.enter(3),
        f.leave(),
        f.chat("hi"),
        f.relay(b"x"),
        f.whisper("ann", "hi"),
        f.invite("ann"),
        f.answer(1, 1),
    ]
}

/// A body that decodes in none of the formats: too short for raw, no value, a field without its length.
const BAD: [u8; 1] = [0xd9];

#[test]
fn before_log_in_everything_but_log_in_and_ping_is_refused_whatever_else_is_wrong() {
    play(|f| {
        let mut packets = good(f);
        for id in [721, 731, 771, 781, 784] {
            packets.push(frame(id, BAD));
        }
        for id in [0, 101, 211, 702, 751, 1602, u16::MAX] {
            packets.push(frame(id, "anything"));
        }
        let refused = vec![f.error(NOT_LOGGED_IN); packets.len()];
        vec![
            says(0, &packets, &[(0, &refused)]),
            says(0, &[f.ping(-2), f.login("ann")], &[(0, &[f.pong(-2), f.result(702, OK)])]),
        ]
    });
}

#[test]
fn an_unknown_id_is_refused_in_a_room_or_not() {
    play(|f| {
        let ids = [0, 1, 101, 202, 203, 211, 702, 722, 723, 733, 742, 751, 761, 773, 1602, u16::MAX];
        let packets: Vec<_> = ids.into_iter().map(|id| frame(id, "anything")).collect();
        let refused = vec![f.error(UNKNOWN_ID); ids.len()];
        vec![
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            says(0, &packets, &[(0, &refused)]),
            says(0, &[f.enter(3)], &[(0, &[f.entered(OK, 3, 1)])]),
            says(0, &packets, &[(0, &refused)]),
        ]
    });
}

#[test]
fn outside_of_a_room_that_comes_before_the_body() {
    play(|f| {
        let packets = [
            f.chat("hi"),
            f.chat(""),
            frame(731, BAD),
            f.relay(b"x"),
            f.leave(),
            f.invite("nobody"),
            frame(781, BAD),
        ];
        let refused = vec![f.error(NOT_IN_ROOM); packets.len()];
        vec![says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]), says(0, &packets, &[(0, &refused)])]
    });
}

#[test]
fn a_body_that_does_not_decode_is_told_in_the_answer_of_its_request() {
    play(|f| {
        let mut steps = vec![
            says(0, &[frame(701, BAD)], &[(0, &[f.result(702, BODY)])]),
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            says(0, &[frame(701, BAD)], &[(0, &[f.result(702, IN_USE)])]),
            says(
                0,
                &[frame(201, BAD), frame(721, BAD), frame(771, BAD), frame(784, BAD)],
                &[(0, &[f.error(BODY), f.not_entered(BODY), f.result(772, BODY), f.result(785, BODY)])],
            ),
            says(0, &[f.enter(3)], &[(0, &[f.entered(OK, 3, 1)])]),
            says(
                0,
                &[frame(721, BAD), frame(731, BAD), frame(781, BAD)],
                &[(0, &[f.not_entered(IN_ROOM), f.result(732, BODY), f.invite_result(BODY, 0)])],
            ),
        ];
        if f == Protobuf {
            steps.push(says(0, &[frame(741, BAD)], &[(0, &[f.error(BODY)])]));
        }
        steps
    });
}

fn raw(script: impl Fn() -> Vec<Step>) {
    play_with(&Settings::default(), &[Raw], |_| script());
}

#[test]
fn raw_bodies_have_exactly_their_length() {
    raw(|| {
        let f = Raw;
        let login = |len| frame(701, vec![b'x'; len]);
        let enter = |len| frame(721, vec![0; len]);
        vec![
            says(
                0,
                &[login(0), login(31), login(33), frame(201, ""), frame(201, "123")],
                &[(
                    0,
                    &[
                        f.result(702, BODY),
                        f.result(702, BODY),
                        f.result(702, BODY),
                        f.error(BODY),
                        f.error(BODY),
                    ],
                )],
            ),
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            says(
                0,
                &[enter(0), enter(3), enter(5), enter(8)],
                &[(0, &[f.not_entered(BODY), f.not_entered(BODY), f.not_entered(BODY), f.not_entered(BODY)])],
            ),
            says(0, &[enter(4)], &[(0, &[f.entered(OK, 0, 1)])]),
        ]
    });
}

#[test]
fn a_raw_chat_is_its_length_and_as_many_bytes_of_text() {
    raw(|| {
        let f = Raw;
        let mut steps = all_in(f, 3, &["ann", "bob"]);
        let bad = ["", "02", "0200 68", "0200 686961", "ffff", "ffff 6869", "0300 6869ff", "0080 00"];
        let packets: Vec<_> = bad.into_iter().map(|body| frame(731, hex(body))).collect();
        steps.push(says(0, &packets, &[(0, &vec![f.result(732, BODY); bad.len()])]));
        let said = f.chatted(1, "hi");
        steps.push(says(
            0,
            &[frame(731, hex("0200 6869"))],
            &[(0, &[said.clone(), f.result(732, OK)]), (1, &[said])],
        ));
        steps
    });
}

fn msgpack(script: impl Fn() -> Vec<Step>) {
    play_with(&Settings::default(), &[MsgPack], |_| script());
}

#[test]
fn msgpack_readers_take_what_other_writers_write() {
    msgpack(|| {
        let f = MsgPack;
        let mut steps = vec![
            // An array in place of the map, as from other Go clients; `bin` for `str`.
            says(
                0,
                &[frame(701, b"\x92\xc4\x03ann\xc4\x02pw"), frame(721, b"\x91\xd3\0\0\0\0\0\0\0\x03")],
                &[(0, &[f.result(702, OK), f.entered(OK, 3, 1)])],
            ),
            // Keys in any order, keys that nobody knows, a nil password.
            says(
                1,
                &[frame(701, b"\x83\xa1x\x93\x01\x02\x03\xa6UserPW\xc0\xa6UserID\xa3bob")],
                &[(1, &[f.result(702, OK)])],
            ),
        ];
        // Every width of a room number.
        let widths: [&[u8]; 9] = [
            b"\x04",
            b"\xcc\x04",
            b"\xcd\0\x04",
            b"\xce\0\0\0\x04",
            b"\xcf\0\0\0\0\0\0\0\x04",
            b"\xd0\x04",
            b"\xd1\0\x04",
            b"\xd2\0\0\0\x04",
            b"\xd3\0\0\0\0\0\0\0\x04",
        ];
        for (user, number) in (1..).zip(widths) {
            let enter = frame(721, [&b"\x81\xaaRoomNumber"[..], number].concat());
            steps.push(says(1, &[enter, f.leave()], &[(1, &[f.entered(OK, 4, user), f.result(727, OK)])]));
        }
        for chat in [
            &b"\x91\xa2hi"[..],
            b"\x81\xa3Msg\xc4\x02hi",
            b"\x81\xc4\x03Msg\xd9\x02hi",
            b"\x82\xa1a\x01\xa3Msg\xda\0\x02hi",
        ] {
            steps.push(says(0, &[frame(731, chat)], &[(0, &[f.chatted(1, "hi"), f.result(732, OK)])]));
        }
        // An empty request has an empty body; what else is in it is ignored.
        steps.push(says(0, &[frame(726, b"\x80")], &[(0, &[f.result(727, OK)])]));
        steps
    });
}

#[test]
fn msgpack_ids_that_are_missing_or_empty_are_invalid_and_other_wrong_keys_do_not_decode() {
    msgpack(|| {
        let f = MsgPack;
        let mut steps = Vec::new();
        for (body, code) in [
            (&b""[..], BODY),
            (b"\xc0", BODY),
            (b"\x80", INVALID_ID),
            (b"\x90", INVALID_ID),
            (b"\x81\xa6UserPW\xa2pw", INVALID_ID),
            (b"\x82\xa6UserID\xa0\xa6UserPW\xa2pw", INVALID_ID),
            (b"\x82\xa6UserID\xa4ann\xff\xa6UserPW\xa2pw", INVALID_ID),
            (b"\x82\xa6UserID\xc0\xa6UserPW\xa2pw", BODY),
            (b"\x82\xa6UserID\x07\xa6UserPW\xa2pw", BODY),
            (b"\x82\xa6UserID\xa3ann\xa6UserPW\x07", BODY),
            (b"\x81\xa6UserPW\x07", BODY),
            (b"\x81\xa6UserID\xa3an", BODY),
            (b"\x81\xa6UserID\xa3ann\x01", BODY),
            (b"\x81\xa6UserID\xa3ann", OK),
        ] {
            steps.push(says(0, &[frame(701, body)], &[(0, &[f.result(702, code)])]));
        }
        for body in [
            &b""[..],
            b"\x80",
            b"\x90",
            b"\x81\xaaRoomNumber\xc0",
            b"\x81\xaaRoomNumber\xa11",
            b"\x81\xaaRoomNumber\xca\0\0\0\0",
            b"\x81\xaaroomNumber\x03",
        ] {
            steps.push(says(0, &[frame(721, body)], &[(0, &[f.not_entered(BODY)])]));
        }
        for outside in [
            &b"\xce\x80\0\0\0"[..],
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xd3\xff\xff\xff\xff\0\0\0\0",
            b"\xcd\x03\xe8",
            b"\xff",
        ] {
            let enter = frame(721, [&b"\x81\xaaRoomNumber"[..], outside].concat());
            steps.push(says(0, &[enter], &[(0, &[f.error(NO_ROOM)])]));
        }
        steps.push(says(0, &[f.enter(3)], &[(0, &[f.entered(OK, 3, 1)])]));
        for body in [
            &b""[..],
            b"\x80",
            b"\x81\xa3Msg\xc0",
            b"\x81\xa3Msg\x01",
            b"\x81\xa3Msg\xa2h\xff",
            b"\x81\xa3msg\xa2hi",
        ] {
            steps.push(says(0, &[frame(731, body)], &[(0, &[f.result(732, BODY)])]));
        }
        steps
    });
}

#[test]
fn an_empty_protobuf_body_is_the_message_with_its_defaults() {
    play_with(&Settings::default(), &[Protobuf], |f| {
        vec![
            says(0, &[frame(701, "")], &[(0, &[f.result(702, INVALID_ID)])]),
            says(0, &[f.login("ann")], &[(0, &[f.result(702, OK)])]),
            // 2^32 + 3 is not 3.
            says(0, &[frame(721, b"\x08\x83\x80\x80\x80\x10")], &[(0, &[f.error(NO_ROOM)])]),
            says(0, &[frame(721, "")], &[(0, &[f.entered(OK, 0, 1)])]),
            says(0, &[frame(731, "")], &[(0, &[f.result(732, CHAT_LENGTH)])]),
            says(0, &[frame(741, "")], &[(0, &[f.relayed(1, b"")])]),
            says(0, &[frame(784, b"\x08\x01\x10\x07")], &[(0, &[f.result(785, BODY)])]),
        ]
    });
}

/// In the other formats such an id decodes, and is invalid. Here it is a `string` of the message, which by protobuf's own
/// rules holds UTF-8 and nothing else: with any other bytes in it there is no message, so no id to look at.
#[test]
fn a_protobuf_id_that_is_not_utf8_is_a_body_that_does_not_decode() {
    play_with(&Settings::default(), &[Protobuf], |f| {
        let name = bytes(1, b"ann\xff");
        let text = [name.clone(), bytes(2, "hi")].concat();
        vec![
            says(
                0,
                &[f.login(b"ann\xff"), f.login("ann")],
                &[(0, &[f.result(702, BODY), f.result(702, OK)])],
            ),
            says(0, &[f.enter(3)], &[(0, &[f.entered(OK, 3, 1)])]),
            says(
                0,
                &[frame(771, &text), frame(781, &name)],
                &[(0, &[f.result(772, BODY), f.invite_result(BODY, 0)])],
            ),
        ]
    });
}
