//! Back-pressure, half-closed connections, many of them.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use support::testing::{PATIENCE, Server, assert_same, exchange, read, read_to_end};

use crate::process::{assert_serves, packet, servers, servers_that_tell};

#[test]
fn a_half_closing_peer_gets_all_its_answers() {
    for server in servers() {
        let all: Vec<u8> = (0..3000).flat_map(|i: u16| packet(i, 0, &vec![i as u8; 1000])).collect();
        assert_same(&exchange(server.connect(), all.clone()), &all);

        // Here the end of the stream is on its way before the first answer is read.
        let mut stream = server.connect();
        stream.write_all(&all[..30_150]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_same(&read_to_end(&mut stream), &all[..30_150]);
    }
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from_and_others_are_served() {
    // More than the system's socket buffers hold on both ways.
    const FAR_TOO_MUCH: usize = 128 << 20;
    for server in servers() {
        let mut stream = server.connect();
        let large = packet(7, 7, &[0x5a; 65_530]);
        // A write that takes this long is a server that has stopped reading.
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut sent = 0;
        loop {
            match stream.write(&large[sent % large.len()..]) {
                Ok(written) => sent += written,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => panic!("{error}"),
            }
            assert!(sent < FAR_TOO_MUCH, "the server reads on and on");
        }
        assert_serves(&server);
        if let Some(peak) = server.process.peak_memory() {
            assert!(peak < 32 << 10, "{peak} KiB");
        }

        // Once it reads, nothing was lost: what is missing of its last packet follows.
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let missing = large[sent % large.len()..].to_vec();
        let total = sent + missing.len();
        let answers = exchange(stream, missing);
        assert_eq!(answers.len(), total);
        assert!(answers.chunks(large.len()).all(|chunk| chunk == large));
    }
}

#[test]
fn many_connections_at_once_get_their_own_answers() {
    for server in servers() {
        let mut streams: Vec<TcpStream> = (0..300).map(|_| server.connect()).collect();
        let sent = |i: usize| packet(i as u16, i as u8, format!("connection {i}").as_bytes());
        for _ in 0..3 {
            for (i, stream) in streams.iter_mut().enumerate() {
                stream.write_all(&sent(i)).unwrap();
            }
            for (i, stream) in streams.iter_mut().enumerate().rev() {
                assert_eq!(read(stream, sent(i).len()), sent(i));
            }
        }
    }
}

#[test]
fn busy_connections_side_by_side_get_all_their_answers() {
    for server in servers() {
        let threads: Vec<_> = (0..8_u8)
            .map(|i| {
                let stream = server.connect();
                thread::spawn(move || {
                    let all = packet(u16::from(i), i, &vec![i; 700]).repeat(1000);
                    assert_same(&exchange(stream, all.clone()), &all);
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

#[test]
fn peers_that_vanish_with_answers_unread_leave_the_server_serving() {
    for server in servers() {
        for _ in 0..20 {
            let mut stream = server.connect();
            stream.write_all(&packet(1, 1, &[1; 60_000])).unwrap();
            // An answer is there and is not read: dropping the stream resets the connection.
            assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
        }
        assert_serves(&server);
    }
}

#[cfg(unix)]
#[test]
fn a_server_out_of_descriptors_accepts_again_when_some_are_free() {
    let script = "ulimit -n 24; exec \"$0\" --raw 127.0.0.1:0";
    let server = Server::start(Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_echo")]), 1);
    let streams: Vec<TcpStream> = (0..40).map(|_| server.connect()).collect();
    let _ = server.process.logged(&["WARN", "cannot accept"]);
    drop(streams);
    assert_serves(&server);
}

#[test]
fn a_peer_that_goes_on_not_reading_is_closed() {
    // Side by side: each waits for the five seconds of the deadline.
    let servers: Vec<Server> = servers_that_tell().collect();
    let large = packet(7, 7, &[0x5a; 65_530]);
    let stalled: Vec<TcpStream> = servers.iter().map(Server::connect).collect();
    for stream in &stalled {
        stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        while (&*stream).write_all(&large).is_ok() {}
    }
    for (server, stream) in servers.iter().zip(&stalled) {
        let peer = stream.local_addr().unwrap().to_string();
        let line = server.process.logged(&["closed", &peer]);
        assert!(line.contains("the peer took nothing for 5s"), "{line}");
        assert_serves(server);
    }
}
