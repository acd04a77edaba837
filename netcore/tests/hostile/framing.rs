//! Sizes that cannot be.

use std::io::Write;

use netcore::Limits;

use crate::common::{door, each_way, packet, read_all, said, say};

#[test]
fn each_size_below_the_headers_closes_that_session_after_the_packets_before_it_were_answered() {
    each_way(
        || door(Limits::new()),
        |stage| {
            for size in 0..=4_u16 {
                let mut peer = stage.connect();
                let mut bytes = say(7);
                bytes.extend(size.to_le_bytes());
                bytes.extend([1, 0, 0]);
                bytes.extend(say(8));
                peer.write_all(&bytes).unwrap();
                assert_eq!(read_all(&mut peer), said(7), "size {size}");
            }
            stage.closed(&[("frame", 5)], 0);
        },
    );
}

#[test]
fn a_size_that_cannot_be_is_found_however_the_header_was_cut() {
    each_way(
        || door(Limits::new()),
        |stage| {
            for size in [0_u16, 4, 1025, 65_535] {
                let mut peer = stage.connect();
                let mut bytes = say(7);
                bytes.extend(size.to_le_bytes());
                bytes.extend([1, 0, 0]);
                for byte in bytes {
                    peer.write_all(&[byte]).unwrap();
                }
                assert_eq!(read_all(&mut peer), said(7), "size {size}");
            }
            stage.closed(&[("frame", 4)], 0);
        },
    );
}

#[test]
fn a_size_over_the_limit_closes_as_soon_as_the_header_is_there_and_the_largest_within_it_does_not() {
    each_way(
        || door(Limits::new()),
        |stage| {
            let mut over = stage.connect();
            // The header alone: nothing of the body that it promises.
            over.write_all(&packet(1, &[0; 1020])[..5]).unwrap();
            assert_eq!(read_all(&mut over), b"");
            drop(over);
            stage.closed(&[("frame", 1)], 0);

            let mut largest = stage.connect();
            largest.write_all(&packet(2, &[0; 1019])).unwrap();
            assert_eq!(read_all(&mut largest), b"");
            drop(largest);
            // It frames; only its body is not one of this packet's.
            stage.closed(&[("frame", 1), ("malformed", 1)], 0);
        },
    );
}
