//! What a signal does.
#![cfg(unix)]

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use support::testing::{Process, Server, read, read_to_end};

use crate::process::{echo, packet, servers};

#[test]
fn a_signal_ends_idle_sessions_and_the_exit_code_is_zero() {
    for (signal, server) in ["TERM", "INT"].into_iter().cycle().zip(servers().chain(servers())) {
        let mut stream = server.connect();
        stream.write_all(&packet(1, 2, b"before")).unwrap();
        assert_eq!(read(&mut stream, 11), packet(1, 2, b"before"));
        server.process.signal(signal);
        assert_eq!(read_to_end(&mut stream), b"");
        drop(stream);
        let addr = server.addr();
        assert_eq!(server.process.end().code, Some(0), "{signal}");
        assert_eq!(TcpStream::connect(addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}

#[test]
fn sigterm_flushes_the_answers_to_what_was_read() {
    for server in servers() {
        let mut stream = server.connect();
        let one = packet(300, 4, &[0xa5; 10_000]);
        // A write that takes this long is a server in the middle of an answer that nobody reads.
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        while stream.write_all(&one).is_ok() {}
        server.process.signal("TERM");
        let answers = read_to_end(&mut stream);
        assert!(!answers.is_empty());
        assert_eq!(answers.len() % one.len(), 0, "a packet was cut");
        assert!(answers.chunks(one.len()).all(|chunk| chunk == one));
        drop(stream);
        let ended = server.process.end();
        assert_eq!(ended.code, Some(0));
        assert!(!ended.stderr.iter().any(|line| line.contains("cut off")), "{:?}", ended.stderr);
    }
}

#[test]
fn sigterm_does_not_wait_for_a_peer_that_does_not_read() {
    // Side by side: each shutdown waits for two seconds.
    let stalled: Vec<_> = servers()
        .map(|server| {
            let mut stream = server.connect();
            let large = packet(7, 7, &[0x5a; 65_530]);
            stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
            while stream.write_all(&large).is_ok() {}
            server.process.signal("TERM");
            (server, stream)
        })
        .collect();
    for (server, stream) in stalled {
        let ended = server.process.end();
        assert_eq!(ended.code, Some(0));
        assert!(ended.stderr.iter().any(|line| line.contains("cut off")), "{:?}", ended.stderr);
        drop(stream);
    }
}

#[test]
fn the_first_signal_says_how_long_it_may_take_and_the_second_ends_it_at_once() {
    for (first, second) in [("INT", "INT"), ("TERM", "INT"), ("INT", "TERM")] {
        let server = Server::start(&mut echo(&["--raw", "127.0.0.1:0"]), 1);
        // It is waited for: it does not read.
        let mut stream = server.connect();
        let large = packet(7, 7, &[0x5a; 65_530]);
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        while stream.write_all(&large).is_ok() {}
        server.process.signal(first);
        let line = server.process.logged(&[" INFO server: stopping, for 2s at most"]);
        assert!(line.ends_with("; a second signal ends it at once"), "{line}");
        server.process.signal(second);
        let ended = server.process.end();
        assert_eq!(ended.code, Some(130), "{:?}", ended.stderr);
        assert!(!ended.stderr.iter().any(|line| line.contains("stopped")), "{:?}", ended.stderr);
        drop(stream);
    }
}

#[test]
fn how_it_stopped_is_said_in_whole_milliseconds() {
    let server = Server::start(&mut echo(&["--raw", "127.0.0.1:0"]), 1);
    server.process.signal("INT");
    let line = server.process.logged(&[" INFO server: stopped sessions=0 cut=0 took_ms="]);
    let (_, took) = line.rsplit_once('=').unwrap();
    assert!(took.parse::<u64>().is_ok(), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_takes_no_line_is_told_and_the_server_goes_on() {
    let script = "exec \"$0\" --raw 127.0.0.1:0 >/dev/full";
    let process = Process::start(Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_echo")]));
    let _ = process.logged(&["WARN", "stdout takes no line"]);
    process.signal("TERM");
    assert_eq!(process.end().code, Some(0));
}
