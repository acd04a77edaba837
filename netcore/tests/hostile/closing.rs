//! Peers that leave in unusual ways.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use netcore::Limits;
use socket2::SockRef;

use crate::common::{LONG, door, each_way, packet, read_all, said, say, tell};

#[test]
fn a_reset_in_the_middle_of_a_packet_closes_that_session() {
    each_way(
        || door(Limits::new()),
        |stage| {
            for len in 1..9 {
                let mut peer = stage.connect();
                peer.write_all(&say(1)[..len]).unwrap();
                reset(peer);
            }
            let mut peer = stage.connect();
            peer.write_all(&packet(2, &[0; 1000])[..900]).unwrap();
            reset(peer);
            stage.closed(&[("broken", 9)], 0);
        },
    );
}

#[test]
fn a_reset_while_answers_are_on_their_way_closes_that_session() {
    each_way(
        || door(Limits::new().queue(4 * 1024 * 1024)),
        |stage| {
            for _ in 0..20 {
                let mut peer = stage.connect();
                peer.write_all(&tell(1000)).unwrap();
                // The first are here: the rest is being written, or waits.
                peer.peek(&mut [0]).unwrap();
                reset(peer);
            }
            stage.closed(&[("broken", 20)], 0);
        },
    );
}

#[test]
fn a_peer_that_closes_its_half_gets_all_its_answers() {
    const MANY: u32 = 2_000;
    let limits = || Limits::new().queue(4 * 1024 * 1024);
    each_way(
        || door(limits()),
        |stage| {
            let mut asking = stage.connect();
            let asks: Vec<u8> = (0..MANY).flat_map(say).collect();
            asking.write_all(&asks).unwrap();
            asking.shutdown(Shutdown::Write).unwrap();
            let expected: Vec<u8> = (0..MANY).flat_map(said).collect();
            assert!(read_all(&mut asking) == expected, "not all answers, or others");

            let mut long = stage.connect();
            long.write_all(&tell(MANY)).unwrap();
            long.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_all(&mut long).len(), LONG * MANY as usize);
            stage.closed(&[("peer_closed", 2)], 0);
        },
    );
}

#[test]
fn a_peer_that_closes_its_half_inside_a_packet_gets_the_answers_to_those_before() {
    each_way(
        || door(Limits::new()),
        |stage| {
            for len in 1..9 {
                let mut peer = stage.connect();
                peer.write_all(&[say(1), say(2)[..len].to_vec()].concat()).unwrap();
                peer.shutdown(Shutdown::Write).unwrap();
                assert_eq!(read_all(&mut peer), said(1));
            }
            stage.closed(&[("frame", 8)], 0);
        },
    );
}

#[test]
fn those_who_come_and_go_at_once_leave_nothing_behind() {
    const MANY: u64 = 1_000;
    each_way(
        || door(Limits::new()),
        |stage| {
            for n in 0..MANY {
                let peer = stage.connect();
                if n % 2 == 0 {
                    reset(peer);
                }
            }
            // A connection that is reset before it was accepted may not be one at all.
            let stats = stage.until("all gone", |stats| stats.open() == 2 && stats.closed >= MANY / 2);
            assert_eq!(
                stats.closed_for("broken") + stats.closed_for("peer_closed"),
                stats.closed,
                "{stats:?}"
            );
        },
    );
}

/// Closes with a reset instead of an end.
fn reset(peer: TcpStream) {
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
}
