//! The real binary: flags, the `listening` lines, signals.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;

use support::testing::{Server, assert_defaults, assert_helps, assert_refused, connect};

/// The server with these flags.
pub(crate) fn shooter(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shooter"));
    command.args(args);
    command
}

/// All doors, wherever the system puts them.
pub(crate) const ANYWHERE: [&str; 6] =
    ["--text", "127.0.0.1:0", "--raw", "127.0.0.1:0", "--http", "127.0.0.1:0"];

#[cfg(unix)]
#[test]
fn it_says_where_its_doors_are_lives_and_is_ended_by_a_signal() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(&mut shooter(&ANYWHERE), 3);
        let names: Vec<&str> = server.doors.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["text", "raw", "http"]);
        // Bots play, also for who only looks on.
        let lines = BufReader::new(server.connect()).lines().map(Result::unwrap);
        let shots = lines.take_while(|line| !line.starts_with("FIRE 900")).count();
        assert!(shots > 6);
        let page = connect(server.doors[2].1);
        (&page).write_all(b"GET / HTTP/1.1\r\nHost: arena\r\n\r\n").unwrap();
        let mut status = String::new();
        BufReader::new(&page).read_line(&mut status).unwrap();
        assert_eq!(status, "HTTP/1.1 200 OK\r\n");
        server.process.signal(signal);
        assert_eq!(server.process.end().code, Some(0), "{signal}");
    }
}

#[test]
fn doors_may_be_closed() {
    let server = Server::start(
        &mut shooter(&["--text", "127.0.0.1:0", "--raw", "off", "--http", "off", "--bots", "0"]),
        1,
    );
    let mut stream = server.connect();
    stream.write_all(b"HIT 1 2 3 4\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert_eq!(
        lines.find(|line| !line.starts_with("PUTITEM ")).unwrap(),
        "ERROR who is hit, the server decides"
    );
    let alone = Server::start(&mut shooter(&["--text", "off", "--raw", "off", "--http", "127.0.0.1:0"]), 1);
    assert_eq!(alone.doors[0].0, "http");
}

#[test]
fn its_doors_may_be_at_addresses_of_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: doors at [::1], for want of IPv6");
        return;
    }
    let at = ["--text", "--raw", "--http"].map(|door| [door, "[::1]:0"]);
    let server = Server::start(&mut shooter(at.as_flattened()), 3);
    for (name, at) in &server.doors {
        assert!(at.is_ipv6() && at.port() != 0, "{name}: {at}");
        assert_eq!(connect(*at).peer_addr().unwrap(), *at, "{name}");
    }
}

#[test]
fn wrong_flags_and_a_busy_port_are_refused_in_one_sentence() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    let in_use = |door: &str| format!("cannot listen on {busy} ({door}): the address is already in use");
    assert_refused(
        shooter,
        &[
            (&["--unknown"][..], "--unknown"),
            (&["--text", "nowhere"], "HOST:PORT"),
            (&["--raw", "off", "--text", "off", "--http", "off"], "every door is off"),
            (&["--bots", "501"], "501"),
            (&["--bots", "-1"], "it takes 0 to 500"),
            (&["--hit-radius", "-1"], "it takes 1 to 200"),
            (&["--tick-hz", "0"], "--tick-hz"),
            (&["--hit-radius", "NaN"], "it takes 1 to 200"),
            (&["--seed", "x"], "--seed"),
            (
                &["--text", &busy, "--http", &busy],
                &format!("--text {busy} and --http {busy} are one address"),
            ),
            (&["--http", &busy], &in_use("http")),
            (&["--http", "off", "--text", &busy], &in_use("text")),
        ],
    );
}

#[test]
fn help_names_every_flag() {
    assert_helps(
        shooter,
        &[
            "--text",
            "--raw",
            "--http",
            "--bots",
            "--tick-hz",
            "--hit-radius",
            "--seed",
            "127.0.0.1:10005",
            "127.0.0.1:11025",
            "127.0.0.1:8080",
            "60",
            "20",
            "Example:",
            "SIGTERM",
        ],
    );
}

#[test]
fn without_flags_it_is_where_clients_look_for_it() {
    assert_defaults(
        shooter,
        &[
            ("--text", "127.0.0.1:10005"),
            ("--raw", "127.0.0.1:11025"),
            ("--http", "127.0.0.1:8080"),
            ("--bots", "6"),
            ("--tick-hz", "60"),
            ("--hit-radius", "20"),
        ],
    );
}
