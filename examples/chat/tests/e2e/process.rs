//! The real binary: flags, the `listening` lines, signals.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

use support::testing::{Server, assert_defaults, assert_helps, assert_refused, connect, exchange};

use crate::wire::*;

pub(crate) fn chat(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    command.args(args).env_remove("API_KEY");
    command
}

pub(crate) const ANYWHERE: [&str; 8] = [
    "--raw",
    "127.0.0.1:0",
    "--msgpack",
    "127.0.0.1:0",
    "--protobuf",
    "127.0.0.1:0",
    "--text",
    "127.0.0.1:0",
];

#[test]
fn it_says_where_each_door_is_and_they_lead_into_the_same_rooms() {
    for workers in ["1", "4"] {
        let server = Server::start(&mut chat(&[&ANYWHERE[..], &["--workers", workers]].concat()), 4);
        let names: Vec<&str> = server.doors.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["raw", "msgpack", "protobuf", "text"]);
        for ((_, at), f) in server.doors.iter().zip(FORMATS) {
            let said =
                [f.result(702, OK), f.entered(OK, 3, 1 + f as u64), f.chatted(1 + f as u64, "hi")].concat();
            let asked = [f.login("ann"), f.enter(3), f.chat("hi"), f.leave()].concat();
            let came = exchange(connect(*at), asked);
            assert_eq!(came, [said, f.result(732, OK), f.result(727, OK)].concat());
        }
        let lines = exchange(connect(server.doors[3].1), b"/join 3\n/quit\n".to_vec());
        assert!(String::from_utf8(lines).unwrap().ends_with("you are in room 3, as number 4\nbye\n"));
        assert_eq!(server.terminate().code, Some(0));
    }
}

#[test]
fn its_doors_may_be_at_addresses_of_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: doors at [::1], for want of IPv6");
        return;
    }
    let at = ["--raw", "--msgpack", "--protobuf", "--text"].map(|door| [door, "[::1]:0"]);
    let server = Server::start(&mut chat(at.as_flattened()), 4);
    assert!(server.doors.iter().all(|(_, at)| at.is_ipv6() && at.port() != 0), "{:?}", server.doors);
    for (f, (_, at)) in FORMATS.into_iter().zip(&server.doors) {
        let said = [f.result(702, OK), f.entered(OK, 3, 1 + f as u64)].concat();
        assert_eq!(exchange(connect(*at), [f.login("ann"), f.enter(3)].concat()), said, "{f:?}");
    }
    let lines = exchange(connect(server.doors[3].1), b"/join 3\n/quit\n".to_vec());
    assert!(String::from_utf8(lines).unwrap().ends_with("you are in room 3, as number 4\nbye\n"));
}

#[test]
fn doors_may_be_closed_and_rooms_set_up_by_flags() {
    let flags = "--msgpack off --protobuf off --text off --raw 127.0.0.1:0 --rooms 2 --first-room 10 --room-users 1 \
                 --max-packet 64";
    let server = Server::start(&mut chat(&flags.split_whitespace().collect::<Vec<_>>()), 1);
    let f = Raw;
    let mut ann = server.connect();
    ann.write_all(&[f.login("ann"), f.enter(11)].concat()).unwrap();
    let answers = [f.result(702, OK), f.entered(OK, 11, 1)].concat();
    assert_eq!(support::testing::read(&mut ann, answers.len()), answers);
    let asked = [f.login("bob"), f.enter(9), f.enter(12), f.enter(11), f.chat("x".repeat(80))].concat();
    let answers = [f.result(702, OK), f.error(NO_ROOM), f.error(NO_ROOM), f.not_entered(FULL)].concat();
    assert_eq!(exchange(server.connect(), asked), answers, "and the long packet closes");
    drop(ann);
}

#[test]
fn a_school_behind_one_address_is_let_in() {
    let server = Server::start(&mut chat(&ANYWHERE), 4);
    let mut clients: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for (number, client) in (0..).zip(&mut clients) {
        client.write_all(&Raw.ping(number)).unwrap();
        let pong = Raw.pong(number);
        assert_eq!(support::testing::read(client, pong.len()), pong);
    }
}

#[test]
fn wrong_flags_and_a_busy_port_are_refused_in_one_sentence() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    assert_refused(
        chat,
        &[
            (&["--unknown"][..], "--unknown"),
            (&["--raw", "nowhere"], "HOST:PORT"),
            (
                &["--raw", "off", "--msgpack", "off", "--protobuf", "off", "--text", "off"],
                "every door is off",
            ),
            (&["--workers", "0"], "--workers"),
            (&["--room-users", "128"], "128"),
            (&["--room-users", "0"], "--room-users"),
            (&["--rooms", "0"], "--rooms"),
            (&["--first-room", "-1"], "it takes 0 to 2000000000"),
            (&["--login-ms", "-5"], "it takes 0 to 4294967295"),
            (&["--login-ms", "99999999999999999999"], "it takes 0 to 4294967295"),
            (&["--requests-per-second", "-1"], "it takes 0 to 4294967295"),
            (&["--max-packet", "4"], "--max-packet"),
            (&["--login-ms", "soon"], "--login-ms"),
            (&["--held-notices", "65537"], "--held-notices"),
            (&["--invites", "-1"], "--invites"),
            (&["--metrics", "somewhere"], "somewhere"),
            (
                &["--text", &busy, "--websocket", &busy],
                &format!("--text {busy} and --websocket {busy} are one"),
            ),
            (&["--tls", &busy, "--metrics", &busy], &format!("--tls {busy} and --metrics {busy} are one")),
            (&["--text", "0.0.0.0:11022"], "--msgpack 127.0.0.1:11022 and --text 0.0.0.0:11022 are one"),
            (&["--api", "http://127.0.0.1:1"], "--api-key-file"),
            (&["--api", "127.0.0.1:1", "--api-key-file", "none"], "http://HOST:PORT"),
            (
                &["--api", "http://127.0.0.1:1", "--api-key-file", "no/such/file"],
                "no/such/file: there is no such file",
            ),
            (&["--api-key-file", "key"], "--api"),
            (&["--public", "chat.example"], "--api"),
            (&["--api", "http://127.0.0.1:1", "--public", "a:b:c"], "DOOR=HOST:PORT"),
            (&["--node-ttl-ms", "5000"], "--redis"),
            (&["--held-elsewhere", "5"], "--redis"),
            (
                &["--tls", "127.0.0.1:0", "--tls-cert", "/", "--tls-key", "/"],
                "cannot read /: it is a directory",
            ),
            (&["--tls-cert", "cert.pem", "--tls-key", "key.pem"], "--tls and --websocket, which are off"),
            (&["--raw", &busy], &format!("cannot listen on {busy} (raw): the address is already in use")),
        ],
    );
}

#[test]
fn help_names_every_flag() {
    assert_helps(
        chat,
        &[
            "--raw",
            "--msgpack",
            "--protobuf",
            "--text",
            "--workers",
            "--rooms",
            "--first-room",
            "--room-users",
            "--max-packet",
            "--login-ms",
            "--enter-ms",
            "--ping-ms",
            "--requests-per-second",
            "--held-notices",
            "--invites",
            "--metrics",
            "--api",
            "--api-key-file",
            "--public",
            "API_KEY",
            "--tls",
            "--websocket",
            "--tls-cert",
            "--tls-key",
            "--redis",
            "--node-ttl-ms",
            "127.0.0.1:11021",
            "127.0.0.1:11022",
            "127.0.0.1:11023",
            "127.0.0.1:10004",
            "60000",
            "1024",
            "Example:",
            "SIGTERM",
        ],
    );
}

#[test]
fn without_flags_it_is_where_clients_look_for_it_and_has_rooms_as_they_know_them() {
    assert_defaults(chat, &lobby::testing::DEFAULTS);
    assert_defaults(
        chat,
        &[
            ("--raw", "127.0.0.1:11021"),
            ("--msgpack", "127.0.0.1:11022"),
            ("--protobuf", "127.0.0.1:11023"),
            ("--text", "127.0.0.1:10004"),
            ("--tls", "off"),
            ("--websocket", "off"),
            ("--metrics", "off"),
            ("--node-ttl-ms", "10000"),
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_in_order_and_people_are_told() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(&mut chat(&ANYWHERE), 4);
        let mut person = connect(server.doors[3].1);
        let hello = b"welcome, you are guest1: /help says what you can do\n\
                      you are in the lobby: /rooms shows the rooms, /join ROOM enters one\n";
        assert_eq!(support::testing::read(&mut person, hello.len()), hello);
        server.process.signal(signal);
        assert_eq!(support::testing::read_to_end(&mut person), b"the server stops\n");
        drop(person);
        assert_eq!(server.process.end().code, Some(0), "{signal}");
    }
}
