//! What a signal does.
#![cfg(unix)]

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use support::testing::{read, read_to_end};

use crate::process::{packet, servers};

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
