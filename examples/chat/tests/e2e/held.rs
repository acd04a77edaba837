//! What waits has the bounds that flags give it, and is counted.

use support::testing::metrics::wait_for;
use support::testing::{Server, connect, read};

use crate::process::chat;
use crate::wire::*;

#[test]
fn the_metrics_say_what_waits_and_how_often_it_was_too_much() {
    let flags = "--msgpack off --protobuf off --text off --raw 127.0.0.1:0 --metrics 127.0.0.1:0 --invites 1";
    let server = Server::start(&mut chat(&flags.split_whitespace().collect::<Vec<_>>()), 2);
    let at = server.doors.iter().find(|(name, _)| name == "metrics").unwrap().1;
    let mut bob = connect(server.addr());
    let asked = |stream: &mut std::net::TcpStream, packets: &[Vec<u8>], answers: &[Vec<u8>]| {
        std::io::Write::write_all(stream, &packets.concat()).unwrap();
        let answers = answers.concat();
        assert_eq!(read(stream, answers.len()), answers);
    };
    asked(&mut bob, &[Raw.login("bob")], &[Raw.result(702, OK)]);
    let mut ann = connect(server.addr());
    asked(
        &mut ann,
        &[Raw.login("ann"), Raw.enter(3), Raw.invite("bob"), Raw.invite("bob")],
        &[
            Raw.result(702, OK),
            Raw.entered(OK, 3, 1),
            Raw.invite_result(OK, 1),
            Raw.invite_result(TOO_MANY_INVITES, 0),
        ],
    );
    for (series, value) in [
        ("lobby_held{kind=\"invites\"}", 1.0),
        ("lobby_held_over_total{kind=\"invites\"}", 1.0),
        ("lobby_held_over_total{kind=\"notices\"}", 0.0),
        ("lobby_held{kind=\"notices\"}", 0.0),
        ("lobby_names", 2.0),
        ("lobby_seats", 1.0),
        ("netcore_sessions_open", 2.0),
    ] {
        wait_for(at, series, value);
    }
    drop((ann, bob));
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0));
    let logged =
        ended.stderr.iter().any(|line| line.contains("too much waited") && line.contains("invites_over=1"));
    assert!(logged, "{:?}", ended.stderr);
}
