//! What waits has the bounds that flags give it, and is counted.

use std::time::Duration;

use lobby::{HoldFlags, Settings, Shared};
use support::testing::metrics::wait_for;
use support::testing::{Server, connect, read};

use crate::memory::{InTest, pass};
use crate::process::chat;
use crate::waiting::Slow;
use crate::wire::*;

#[tokio::test(start_paused = true)]
async fn as_many_requests_wait_behind_a_log_in_as_the_flags_say() {
    for workers in [1, 3] {
        let hold = HoldFlags { held_requests: 3, held_bytes: 2048, ..HoldFlags::default() };
        let settings = Settings { workers, hold, ..Settings::default() };
        let server = InTest::over(Shared::new(settings).gate(Slow::default())).await;
        let mut ann = server.client(Raw);
        ann.says([Raw.login("ann"), Raw.ping(1).repeat(3)].concat()).await;
        pass(Duration::from_millis(1)).await;
        let held = server.shared.held();
        assert_eq!((held.requests, held.bytes, held.requests_over), (3, 3 * 64, 0));
        ann.hears(&[Raw.result(702, OK), Raw.pong(1), Raw.pong(1), Raw.pong(1)]).await;
        assert_eq!(server.shared.held().requests, 0);
        for too_much in [Raw.ping(1).repeat(4), Raw.relay(&[1; 1000]).repeat(2)] {
            let mut bob = server.client(Raw);
            bob.says([Raw.login("bob"), too_much].concat()).await;
            assert_eq!(bob.rest().await, Raw.error(TOO_FAST));
        }
        let held = server.shared.held();
        assert_eq!((held.requests, held.bytes, held.requests_over), (0, 0, 2));
        drop(ann);
        server.ends_empty().await;
    }
}

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
        ("lobby_held_over_total{kind=\"requests\"}", 0.0),
        ("lobby_held_over_total{kind=\"notices\"}", 0.0),
        ("lobby_held{kind=\"requests\"}", 0.0),
        ("lobby_held{kind=\"notices\"}", 0.0),
        ("lobby_held_bytes", 0.0),
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
