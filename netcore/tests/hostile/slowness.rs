//! Peers that begin and do not go on.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use netcore::{Binary, Door, Limits};

use crate::common::{Stage, connect, door, each_way, packet, read_all, said, say};

#[test]
fn half_a_header_then_silence_is_closed_at_its_deadline() {
    each_way(
        || door(Limits::new().unfinished(DEADLINE)),
        |stage| {
            let since = Instant::now();
            let mut peers: Vec<_> = (0..50).map(|_| stage.connect()).collect();
            for (len, peer) in peers.iter_mut().enumerate() {
                // Of each length from one byte of the header to one less than the packet.
                peer.write_all(&say(1)[..1 + len % 8]).unwrap();
            }
            for peer in &mut peers {
                assert_eq!(read_all(peer), b"");
                assert_in_time(since);
            }
            drop(peers);
            stage.closed(&[("unfinished", 50)], 0);
        },
    );
}

#[test]
fn half_a_packet_behind_good_ones_is_closed_at_its_deadline_and_they_are_answered() {
    each_way(
        || door(Limits::new().unfinished(DEADLINE)),
        |stage| {
            let mut peer = stage.connect();
            let since = Instant::now();
            peer.write_all(&[say(1), say(2)[..3].to_vec()].concat()).unwrap();
            assert_eq!(read_all(&mut peer), said(1));
            assert_in_time(since);
            drop(peer);
            stage.closed(&[("unfinished", 1)], 0);
        },
    );
}

#[test]
fn nothing_at_all_is_closed_at_the_deadline_of_the_first_packet() {
    // The healthy peers have sent theirs long before.
    each_way(
        || door(Limits::new().first_packet(DEADLINE)),
        |stage| {
            let since = Instant::now();
            let mut silent = stage.connect();
            let mut half = stage.connect();
            half.write_all(&say(1)[..7]).unwrap();
            assert_eq!(read_all(&mut silent), b"");
            assert_eq!(read_all(&mut half), b"");
            assert_in_time(since);
            drop((silent, half));
            stage.closed(&[("first_packet", 2)], 0);
        },
    );
}

#[test]
fn a_byte_at_a_time_does_not_renew_the_deadline() {
    let door = || Door::tcp_with("127.0.0.1:0", Binary::new()).limits(Limits::new().unfinished(DEADLINE));
    each_way(door, |stage| {
        let dripping: Vec<_> = (0..8).map(|_| drip(stage)).collect();
        for drip in dripping {
            let (took, sent) = drip.join().unwrap();
            assert!(took >= DEADLINE, "closed after {took:?}");
            // Many bytes went, and the deadline was that of the first.
            assert!(sent > 3 && took < DEADLINE * 10, "{sent} bytes in {took:?}");
        }
        stage.closed(&[("unfinished", 8)], 0);
    });
}

/// Sends a long packet, a byte at a time; how long it was let, and how far it came.
fn drip(stage: &Stage) -> std::thread::JoinHandle<(Duration, usize)> {
    let address = stage.address();
    std::thread::spawn(move || {
        let mut peer = connect(address);
        let since = Instant::now();
        for (sent, byte) in packet(1, &[0; 60_000]).into_iter().enumerate() {
            if peer.write_all(&[byte]).is_err() || has_ended(&mut peer) {
                return (since.elapsed(), sent);
            }
        }
        panic!("the whole packet was taken, byte by byte");
    })
}

/// Waits a moment for the end of the stream.
fn has_ended(peer: &mut TcpStream) -> bool {
    peer.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    match peer.read(&mut [0]) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => false,
        Err(_) | Ok(0) => true,
        Ok(_) => panic!("an answer to half a packet"),
    }
}

fn assert_in_time(since: Instant) {
    let took = since.elapsed();
    assert!(took >= DEADLINE, "closed after {took:?}, before its time");
    assert!(took < DEADLINE * 10, "closed after {took:?}, long after its time");
}

const DEADLINE: Duration = Duration::from_millis(400);
