//! The real binary: flags, the `listening` line, signals.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

use support::testing::{Server, assert_defaults, assert_helps, assert_refused, exchange};

use crate::wire::*;

pub(crate) fn baccarat(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baccarat"));
    command.args(args).env_remove("API_KEY");
    command
}

pub(crate) const ANYWHERE: [&str; 2] = ["--raw", "127.0.0.1:0"];

#[test]
fn it_says_where_its_door_is_and_takes_games_as_the_flags_say() {
    let asked = [RAW.login("ann"), RAW.enter(3), start(), bet(TIE), start(), RAW.leave()].concat();
    for workers in ["1", "4"] {
        let flags = ["--workers", workers, "--seed", "7", "--tie-bets", "--next-game-ms", "0"];
        let server = Server::start(&mut baccarat(&[&ANYWHERE[..], &flags].concat()), 1);
        assert_eq!(server.doors[0].0, "raw");
        let answers = [
            RAW.result(702, OK),
            RAW.entered(OK, 3, 1),
            start_is(OK),
            started(),
            bet_is(OK),
            has_bet(1, TIE),
            result(3, 0),
            start_is(OK),
            started(),
            RAW.result(727, OK),
        ];
        assert_eq!(exchange(server.connect(), asked.clone()), answers.concat());
        assert_eq!(server.terminate().code, Some(0));
    }
    // Without them: no ties, and a rest.
    let server = Server::start(&mut baccarat(&ANYWHERE), 1);
    let came = exchange(server.connect(), [asked, RAW.enter(3), start(), bet(PLAYER), start()].concat());
    let answers = [
        RAW.result(702, OK),
        RAW.entered(OK, 3, 1),
        start_is(OK),
        started(),
        bet_is(BET_SIDE),
        start_is(START_NOT_NOW),
        RAW.result(727, OK),
        RAW.entered(OK, 3, 2),
        start_is(OK),
        started(),
        bet_is(OK),
        has_bet(2, PLAYER),
    ]
    .concat();
    assert!(came.starts_with(&answers), "{came:02x?}");
    // The cards are anybody's guess.
    assert_eq!(came.len(), answers.len() + 14 + 7);
    assert!(came.ends_with(&start_is(START_NOT_NOW)));
    assert_eq!(server.terminate().code, Some(0));
}

#[test]
fn its_door_may_be_at_an_address_of_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: the door at [::1], for want of IPv6");
        return;
    }
    let server = Server::start(&mut baccarat(&["--raw", "[::1]:0"]), 1);
    assert!(server.addr().is_ipv6() && server.addr().port() != 0, "{}", server.addr());
    let came = exchange(server.connect(), [RAW.login("ann"), RAW.enter(3), start()].concat());
    assert_eq!(came, [RAW.result(702, OK), RAW.entered(OK, 3, 1), start_is(OK), started()].concat());
}

#[test]
fn the_time_to_bet_is_a_flag() {
    let flags = ["--betting-ms", "20", "--seed", "7", "--rooms", "1", "--first-room", "3"];
    let server = Server::start(&mut baccarat(&[&ANYWHERE[..], &flags].concat()), 1);
    let mut ann = server.connect();
    ann.write_all(&[RAW.login("ann"), RAW.enter(3), start()].concat()).unwrap();
    let answers =
        [RAW.result(702, OK), RAW.entered(OK, 3, 1), start_is(OK), started(), result(3, 0)].concat();
    assert_eq!(support::testing::read(&mut ann, answers.len()), answers);
}

#[test]
fn a_school_behind_one_address_is_let_in() {
    let server = Server::start(&mut baccarat(&ANYWHERE), 1);
    let mut clients: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for (number, client) in (0..).zip(&mut clients) {
        client.write_all(&RAW.ping(number)).unwrap();
        let pong = RAW.pong(number);
        assert_eq!(support::testing::read(client, pong.len()), pong);
    }
}

#[test]
fn wrong_flags_and_a_busy_port_are_refused_in_one_sentence() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    assert_refused(
        baccarat,
        &[
            (&["--unknown"][..], "--unknown"),
            (&["--raw", "nowhere"], "HOST:PORT"),
            (&["--raw", "off"], "every door is off"),
            (
                &["--raw", &busy, "--metrics", &busy],
                &format!("--raw {busy} and --metrics {busy} are one address"),
            ),
            (&["--betting-ms", "0"], "--betting-ms"),
            (&["--betting-ms", "-1"], "-1"),
            (&["--next-game-ms", "soon"], "--next-game-ms"),
            (&["--next-game-ms", "3600001"], "3600001"),
            (&["--seed", "luck"], "--seed"),
            (&["--seed", "-1"], "it takes 0 to 18446744073709551615"),
            (&["--tie-bets", "yes"], "yes"),
            (&["--workers", "0"], "--workers"),
            (&["--room-users", "128"], "128"),
            // Rooms that no other server shares.
            (&["--held-elsewhere", "5"], "--held-elsewhere"),
            (&["--api", "http://127.0.0.1:1"], "--api-key-file"),
            (&["--raw", &busy], &format!("cannot listen on {busy} (raw): the address is already in use")),
        ],
    );
}

#[test]
fn help_names_every_flag() {
    assert_helps(
        baccarat,
        &[
            "--raw",
            "--betting-ms",
            "--next-game-ms",
            "--tie-bets",
            "--seed",
            "--workers",
            "--rooms",
            "--first-room",
            "--room-users",
            "--max-packet",
            "--login-ms",
            "--enter-ms",
            "--ping-ms",
            "--requests-per-second",
            "--invites",
            "--metrics",
            "--api",
            "--api-key-file",
            "servers do not share them",
            "127.0.0.1:11024",
            "5000",
            "10000",
            "1024",
            "Example:",
            "SIGTERM",
        ],
    );
}

#[test]
fn without_flags_it_is_where_clients_look_for_it_and_plays_at_their_pace() {
    assert_defaults(baccarat, &lobby::testing::DEFAULTS);
    assert_defaults(
        baccarat,
        &[
            ("--raw", "127.0.0.1:11024"),
            ("--betting-ms", "5000"),
            ("--next-game-ms", "10000"),
            ("--metrics", "off"),
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_in_order_in_the_middle_of_a_game() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(&mut baccarat(&ANYWHERE), 1);
        let mut ann = server.connect();
        ann.write_all(&[RAW.login("ann"), RAW.enter(3), start()].concat()).unwrap();
        let answers = [RAW.result(702, OK), RAW.entered(OK, 3, 1), start_is(OK), started()].concat();
        assert_eq!(support::testing::read(&mut ann, answers.len()), answers);
        server.process.signal(signal);
        assert_eq!(support::testing::read_to_end(&mut ann), b"");
        drop(ann);
        assert_eq!(server.process.end().code, Some(0), "{signal}");
    }
}
