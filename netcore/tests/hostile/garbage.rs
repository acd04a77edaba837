//! Bytes that mean nothing.

use std::io::Write;
use std::net::Shutdown;

use netcore::{Binary, Door, Limits};

use crate::common::{Stage, door, each_way, packet, read_all, said, say};

#[test]
fn garbage_closes_the_session_that_sent_it() {
    let small = || door(Limits::new());
    each_way(small, garbage);
    // Where every size from 5 upwards may be one.
    let large = || Door::tcp_with("127.0.0.1:0", Binary::new());
    each_way(large, garbage);
}

fn garbage(stage: &Stage) {
    const PEERS: u64 = 200;
    let mut random = Random(2026);
    for _ in 0..PEERS {
        let mut peer = stage.connect();
        let len = 2 + random.next() as usize % 8192;
        let bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        peer.write_all(&bytes).unwrap();
        // What is left may promise a packet that never comes.
        peer.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&mut peer), b"");
    }
    let stats = stage.until("all closed", |stats| stats.closed >= PEERS);
    let reasons = ["frame", "unknown", "malformed"].map(|label| stats.closed_for(label));
    println!("{:?}: frame, unknown, malformed: {reasons:?}", stage.way);
    assert_eq!(reasons.iter().sum::<u64>(), PEERS, "{stats:?}");
    assert_eq!((stats.closed, stats.panics), (PEERS, 0));
}

#[test]
fn garbage_behind_good_packets_does_not_take_their_answers() {
    each_way(
        || door(Limits::new()),
        |stage| {
            let cases = [
                (packet(9, b""), "unknown"),
                (packet(1, b"abc"), "malformed"),
                (packet(1, b"abcde"), "malformed"),
                (vec![255; 300], "frame"),
            ];
            for (bad, _) in &cases {
                let mut peer = stage.connect();
                let bytes = [say(1), say(2), bad.clone(), say(3)].concat();
                peer.write_all(&bytes).unwrap();
                assert_eq!(read_all(&mut peer), [said(1), said(2)].concat(), "{bad:?}");
            }
            stage.closed(&[("unknown", 1), ("malformed", 2), ("frame", 1)], 0);
        },
    );
}

/// Splitmix: the same bytes each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let stirred = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        stirred ^ (stirred >> 31)
    }
}
