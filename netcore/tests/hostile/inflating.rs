//! Bodies that say they are compressed.

use std::io::Write;
use std::net::Shutdown;

use netcore::{Binary, Compress, Door};

use crate::common::{Ask, Hear, each_way, packet, read_all, said, say, write_some};

fn door() -> Door<Ask, Hear> {
    let compress = Compress::new().inflated_rate(100, 10_000);
    Door::tcp_with("127.0.0.1:0", Binary::new().max_in(1024).compress(compress))
}

/// A packet whose body claims to be compressed, written down independently of the library.
fn packed(id: u16, claimed: u32, block: &[u8]) -> Vec<u8> {
    let mut bytes = packet(id, &[&claimed.to_le_bytes()[..], block].concat());
    bytes[4] = 1;
    bytes
}

#[test]
fn a_body_that_does_not_inflate_closes_that_session_after_the_packets_before_it_were_answered() {
    // 40 letters in 11 bytes.
    let good = b"\x1fa\x01\0\x0fPaaaaa";
    let mut short = packet(2, b"\x01\0");
    short[4] = 1;
    let cases = [
        packed(2, u32::MAX, good),
        packed(2, 1020, good),
        packed(2, 1019, &good[..3]),
        packed(2, 40, &good[..7]),
        packed(2, 41, good),
        packed(2, 39, good),
        packed(2, 40, b"\x1fa\x02\0\x0fPaaaaa"),
        packed(2, 200, &[0xff; 100]),
        short,
    ];
    each_way(door, |stage| {
        for bad in &cases {
            let mut peer = stage.connect();
            peer.write_all(&[say(1), say(2), bad.clone(), say(3)].concat()).unwrap();
            assert_eq!(read_all(&mut peer), [said(1), said(2)].concat(), "{bad:?}");
        }
        for bad in &cases {
            let mut peer = stage.connect();
            for byte in [&say(1)[..], bad].concat() {
                peer.write_all(&[byte]).unwrap();
            }
            assert_eq!(read_all(&mut peer), said(1), "{bad:?}, byte by byte");
        }
        stage.closed(&[("inflate", 2 * cases.len() as u64)], 0);
    });
}

#[test]
fn bodies_that_inflate_past_the_budget_close_that_session_alone() {
    // `Say`, four bytes of body in five, which a receiver takes all the same.
    let packet = packed(1, 4, b"\x40\x07\0\0\0");
    each_way(door, |stage| {
        let mut within = stage.connect();
        within.write_all(&packet.repeat(2500)).unwrap();
        within.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&mut within), said(7).repeat(2500));
        stage.closed(&[("peer_closed", 1)], 0);

        let mut over = stage.connect();
        write_some(&mut over, &packet.repeat(10_000));
        // The burst, and what has been added since the first.
        let answers = read_all(&mut over).len() / said(7).len();
        assert!((2500..9000).contains(&answers), "{answers}");
        stage.closed(&[("peer_closed", 1), ("inflate_rate", 1)], 0);
    });
}
