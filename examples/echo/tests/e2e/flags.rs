//! What the command line says and takes.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

use support::testing::{Process, Server, assert_defaults, assert_helps, read_to_end};

use crate::process::{assert_serves, echo, echo_load, packet};

#[test]
fn wrong_flags_of_the_server_are_refused_in_one_sentence() {
    for (args, word) in [
        (&["--unknown"][..], "--unknown"),
        (&["surplus"], "surplus"),
        (&["--raw"], "--raw"),
        (&["--raw", "nowhere"], "nowhere"),
        (&["--raw", "127.0.0.1"], "127.0.0.1"),
        (&["--raw", "127.0.0.1:65536"], "its port is too large: 65535 at most"),
        (&["--raw", "::1:80x"], "[IPv6]:PORT"),
        (&["--raw", ""], "--raw"),
        (&["--raw", "off", "--raw", "off"], "--raw"),
        (&["--raw", "off"], "every door is off"),
        (&["--max-packet", "4"], "5 to 65535"),
        (&["--max-packet", "65536"], "5 to 65535"),
        (&["--max-packet", "many"], "many"),
        (&["--workers", "-1"], "-1"),
        (&["--workers", "1025"], "0 to 1024"),
        (&["--metrics", "somewhere"], "somewhere"),
    ] {
        let sentence = Process::start(&mut echo(args)).end().refused();
        assert!(sentence.starts_with("echo: ") && sentence.contains(word), "{args:?}: {sentence}");
        assert!(sentence.ends_with("; see --help"), "{args:?}: {sentence}");
    }
}

#[test]
fn a_busy_port_and_a_foreign_address_are_refused_in_one_sentence() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap();
    let sentence = Process::start(&mut echo(&["--raw", &busy.to_string()])).end().refused();
    assert!(
        sentence.contains(&format!("cannot listen on {busy} (raw): the address is already in use")),
        "{sentence}"
    );
    drop(holder);
    // Reserved for documentation: no machine has it.
    let sentence = Process::start(&mut echo(&["--raw", "192.0.2.1:11020"])).end().refused();
    assert!(sentence.contains("cannot listen on 192.0.2.1:11020"), "{sentence}");
}

#[test]
fn a_port_that_two_flags_name_is_said_to_be_so() {
    // Nothing has been opened by then: that somebody else has the port is not said.
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    let sentence = Process::start(&mut echo(&["--raw", &busy, "--metrics", &busy])).end().refused();
    let words = "are one address, and each door needs one of its own";
    assert_eq!(sentence, format!("echo: --raw {busy} and --metrics {busy} {words}"));
}

#[cfg(unix)]
#[test]
fn why_a_session_closed_is_in_the_log_as_the_readme_shows_it() {
    let readme = include_str!("../../README.md");
    let shown: Vec<&str> = readme.lines().filter(|line| line.starts_with("DEBUG ")).collect();
    let server = Server::start(echo(&["--raw", "127.0.0.1:0"]).env("RUST_LOG", "debug"), 1);
    let mut stream = server.connect();
    let port = stream.local_addr().unwrap().port().to_string();
    stream.write_all(&[packet(101, 0, b"hi"), vec![4, 0, 101, 0, 0]].concat()).unwrap();
    assert_eq!(read_to_end(&mut stream), packet(101, 0, b"hi"));
    let lines = server.terminate().stderr;
    let is_of_it = |line: &str| line.contains(" session=0.0 ") || line.contains(" session{id=0.0 ");
    let logged = lines.iter().filter(|line| is_of_it(line));
    let logged: Vec<String> = logged.map(|line| line.replace(&port, "36062")).collect();
    assert_eq!(logged.len(), shown.len(), "{logged:?}");
    for (logged, shown) in logged.iter().zip(shown) {
        assert!(logged.ends_with(shown), "{logged} and not {shown}");
    }
}

#[cfg(unix)]
#[test]
fn rust_log_is_what_tracing_takes_and_a_target_alone_is_shown_alone() {
    let server = Server::start(echo(&["--raw", "127.0.0.1:0"]).env("RUST_LOG", "netcore"), 1);
    assert_serves(&server);
    let _ = server.process.logged(&["DEBUG", "netcore::"]);
    let ended = server.terminate();
    assert!(ended.stderr.iter().all(|line| line.contains(" netcore::")), "{:?}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_log_level_that_is_misspelt_is_said_to_be_none_and_so_is_what_cannot_be_read() {
    let levels = "(off, error, warn, info, debug, trace)";
    for (asked, words) in [
        ("loud", format!("names no level {levels}: only what the target loud logs is shown")),
        ("netcore=loud", format!("is no level {levels} and no TARGET=LEVEL: info is used")),
    ] {
        let server = Server::start(echo(&["--raw", "127.0.0.1:0"]).env("RUST_LOG", asked), 1);
        let mut stderr = server.terminate().stderr.into_iter();
        assert_eq!(stderr.next(), Some(format!("echo: RUST_LOG={asked} {words}")));
        let is_info_used = stderr.any(|line| line.contains("INFO") && line.contains("stopped"));
        assert_eq!(is_info_used, asked != "loud");
    }
}

#[test]
fn help_names_every_flag_and_an_example() {
    assert_helps(
        echo,
        &[
            "--raw",
            "--max-packet",
            "--workers",
            "--metrics",
            "Example:",
            "listening raw",
            "RUST_LOG",
            "SIGTERM",
            "off",
        ],
    );
}

#[test]
fn without_flags_it_is_where_clients_look_for_it() {
    assert_defaults(
        echo,
        &[("--raw", "127.0.0.1:11020"), ("--workers", "0"), ("--max-packet", "65535"), ("--metrics", "off")],
    );
}

#[test]
fn the_server_listens_on_ipv6_where_there_is_one() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let server = Server::start(&mut echo(&["--raw", "[::1]:0"]), 1);
        assert!(server.addr().is_ipv6() && server.addr().port() != 0);
        assert_serves(&server);
    }
}

#[test]
fn wrong_flags_of_the_load_generator_are_refused_in_one_sentence() {
    for (args, word) in [
        (&["--unknown"][..], "--unknown"),
        (&["--count", "0"], "1 to 1000000000000"),
        (&["--count", "5", "--duration", "1"], "--duration"),
        (&["--duration", "0"], "0.001 to 1000000"),
        (&["--duration", "NaN"], "0.001 to 1000000"),
        (&["--connections", "0"], "1 to 100000"),
        (&["--rate", "0"], "1 to 10000000"),
        (&["--size", "65531"], "0 to 65530"),
        (&["--window", "0"], "1 to 65536"),
        (&["--id", "65536"], "0 to 65535"),
        (&["--timeout-ms", "0"], "--timeout-ms"),
        (
            &["--connect", "foo"],
            "it has no port: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020",
        ),
        (&["--connect", "no host:1"], "an address is HOST:PORT"),
        (&["--connect", "127.0.0.1:70000"], "its port is too large"),
    ] {
        let sentence = Process::start(&mut echo_load(args)).end().refused();
        assert!(sentence.starts_with("echo-load: ") && sentence.contains(word), "{args:?}: {sentence}");
        assert!(sentence.ends_with("; see --help"), "{args:?}: {sentence}");
    }
}

#[test]
fn a_load_generator_without_a_server_says_how_to_start_one() {
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (addr, why) in [
        (&free[..], "nobody listens there"),
        (
            "no-such-host.invalid:11020",
            "no address is known for that name, or the name server does not answer",
        ),
    ] {
        let sentence = Process::start(&mut echo_load(&["--connect", addr])).end().refused();
        let words = format!("no server at {addr} ({why}): start one with `cargo run --release -p echo`");
        assert_eq!(sentence, format!("echo-load: {words}"));
    }
}

#[test]
fn a_name_without_an_address_is_said_to_be_one_wherever_it_is_a_doors() {
    let why = "no address is known for that name, or the name server does not answer";
    let at = "no-such-host.invalid:0";
    for (args, door) in
        [(["--raw", at, "--metrics", "off"], "raw"), (["--raw", "127.0.0.1:0", "--metrics", at], "metrics")]
    {
        let sentence = Process::start(&mut echo(&args)).end().refused();
        assert_eq!(sentence, format!("echo: cannot listen on {at} ({door}): {why}"));
    }
}

#[cfg(unix)]
#[test]
fn a_load_generator_out_of_descriptors_says_what_to_raise() {
    let server = Server::start(&mut echo(&["--raw", "127.0.0.1:0"]), 1);
    let script = format!("ulimit -n 40; exec \"$0\" --connect {} --connections 100", server.addr());
    let sentence = Process::start(Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_echo-load")]))
        .end()
        .refused();
    assert!(sentence.contains("ulimit -n 164"), "{sentence}");
}

#[cfg(unix)]
#[test]
fn without_files_for_a_runtime_there_is_one_sentence() {
    for program in [env!("CARGO_BIN_EXE_echo"), env!("CARGO_BIN_EXE_echo-load")] {
        // One that is refused altogether, and those of which a runtime would open some.
        for files in [4, 6, 7, 8, 10] {
            let script = format!("ulimit -n {files}; exec \"$0\"");
            let sentence = Process::start(Command::new("sh").args(["-c", &script, program])).end().refused();
            let words = "cannot start: this process may open no more files: raise `ulimit -n`";
            assert!(sentence.ends_with(words), "{files}: {sentence}");
        }
    }
}
