//! Peers that send as much as they can of what costs most.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use netcore::{Limits, Over, Rate};

use crate::common::{connect, door, each_way, packet, read_all, write_some};

#[test]
fn a_flood_of_tiny_packets_is_handled_and_harms_nobody() {
    each_way(
        || door(Limits::new()),
        |stage| {
            let address = stage.address();
            let floods: Vec<_> = (0..2).map(|_| std::thread::spawn(move || flood(address))).collect();
            let sent: u64 = floods.into_iter().map(|flood| flood.join().unwrap()).sum();
            println!("{:?}: {sent} packets of five bytes", stage.way);
            stage.closed(&[("peer_closed", 2)], 0);
            assert!(stage.stats().packets_in >= sent, "some were lost: {:?}", stage.stats());
        },
    );
}

/// Sends for a while, and waits until the server has taken all of it; how many packets that were.
fn flood(address: SocketAddr) -> u64 {
    let mut peer = connect(address);
    let (bytes, since, mut sent) = (nothing(PIECE), Instant::now(), 0);
    while since.elapsed() < Duration::from_millis(700) {
        peer.write_all(&bytes).unwrap();
        sent += PIECE as u64;
    }
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut peer), b"");
    sent
}

/// Sends until the server takes nothing more. It goes on taking for a second, so that no reset destroys its last words.
fn flood_until_closed(address: SocketAddr) {
    let (mut peer, bytes) = (connect(address), nothing(PIECE));
    while write_some(&mut peer, &bytes) {}
}

#[test]
fn a_flood_of_tiny_packets_over_their_rate_closes_that_session() {
    let rate = Rate::per_second(1_000).burst(2_000);
    each_way(
        || door(Limits::new().tiny(9, rate)),
        |stage| {
            let address = stage.address();
            let floods: Vec<_> =
                (0..4).map(|_| std::thread::spawn(move || flood_until_closed(address))).collect();
            floods.into_iter().for_each(|flood| flood.join().unwrap());
            stage.closed(&[("tiny_rate", 4)], 0);
            // Of each flood no more than its burst, and what was refilled, reached the game. Those that did not are counted.
            let stats = stage.stats();
            assert!(stats.rate_dropped >= 4, "{stats:?}");
        },
    );
}

#[test]
fn tiny_packets_over_their_rate_may_be_dropped_and_their_peer_stay() {
    const MANY: usize = 50_000;
    let rate = Rate::per_second(100).burst(200).over(Over::Drop);
    each_way(
        || door(Limits::new().tiny(9, rate)),
        |stage| {
            let mut peer = stage.connect();
            let since = Instant::now();
            peer.write_all(&nothing(MANY)).unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_all(&mut peer), b"");
            stage.closed(&[("peer_closed", 1)], 0);
            let passed = 200 + 100 * (since.elapsed().as_secs() + 1);
            let dropped = stage.stats().rate_dropped;
            assert!(dropped >= MANY as u64 - passed && dropped <= MANY as u64 - 200, "{dropped}");
        },
    );
}

#[test]
fn a_flood_of_bytes_over_its_rate_closes_that_session() {
    each_way(
        || door(Limits::new().bytes(Rate::per_second(64 * 1024))),
        |stage| {
            flood_until_closed(stage.address());
            stage.closed(&[("byte_rate", 1)], 0);
        },
    );
}

fn nothing(times: usize) -> Vec<u8> {
    packet(2, b"").repeat(times)
}

const PIECE: usize = 10_000;
