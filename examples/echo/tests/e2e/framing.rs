//! What comes back, and what closes the connection.

use std::io::Write;
use std::net::Shutdown;

use support::testing::{assert_same, exchange, read, read_to_end};

use crate::process::{assert_serves, packet, servers, servers_that_tell, servers_with};

fn good() -> Vec<u8> {
    [packet(1, 0, b""), packet(2, 0xff, b"A"), packet(0xffff, 3, &[7; 300])].concat()
}

#[test]
fn every_id_comes_back_as_it_was() {
    let all: Vec<u8> = (0..=u16::MAX).flat_map(|id| packet(id, 0, b"")).collect();
    for server in servers() {
        assert_same(&exchange(server.connect(), all.clone()), &all);
    }
}

#[test]
fn every_type_byte_comes_back_as_it_was() {
    let all: Vec<u8> = (0..=u8::MAX).flat_map(|kind| packet(101, kind, &[kind; 3])).collect();
    for server in servers() {
        assert_same(&exchange(server.connect(), all.clone()), &all);
    }
}

#[test]
fn bodies_from_the_empty_to_the_largest_come_back_as_they_were() {
    for server in servers() {
        let mut stream = server.connect();
        for len in [0, 1, 4, 5, 255, 256, 16_379, 16_384, 32_767, 65_529, 65_530] {
            let body: Vec<u8> = (0..len).map(|i| (i * 31 + len) as u8).collect();
            let sent = packet(500, 9, &body);
            stream.write_all(&sent).unwrap();
            assert_same(&read(&mut stream, sent.len()), &sent);
        }
    }
}

#[test]
fn packets_that_come_byte_by_byte_are_answered_when_they_are_whole() {
    for server in servers() {
        let mut stream = server.connect();
        for sent in [packet(1, 2, b"some body"), packet(2, 0, b""), packet(3, 1, b"x")] {
            for byte in &sent {
                stream.write_all(&[*byte]).unwrap();
            }
            assert_eq!(read(&mut stream, sent.len()), sent);
        }
    }
}

#[test]
fn many_packets_in_one_write_come_back_in_order() {
    for server in servers() {
        let mut stream = server.connect();
        let all: Vec<u8> =
            (0..2000).flat_map(|i: u16| packet(i, i as u8, &vec![i as u8; i as usize % 40])).collect();
        stream.write_all(&all).unwrap();
        assert_same(&read(&mut stream, all.len()), &all);
    }
}

#[test]
fn packets_cut_anywhere_come_back_in_order() {
    for server in servers() {
        let mut stream = server.connect();
        let all = [good(), good(), good()].concat();
        for cut in 1..40 {
            for piece in all.chunks(cut * 7) {
                stream.write_all(piece).unwrap();
            }
            assert_same(&read(&mut stream, all.len()), &all);
        }
    }
}

#[test]
fn a_size_below_five_closes_after_the_packets_before_it_are_answered() {
    for server in servers() {
        for size in 0..=4 {
            let bad = [size, 0, 101, 0, 0];

            let mut stream = server.connect();
            stream.write_all(&[&good()[..], &bad].concat()).unwrap();
            assert_eq!(read_to_end(&mut stream), good(), "size {size} in one write");

            let mut stream = server.connect();
            stream.write_all(&good()).unwrap();
            assert_eq!(read(&mut stream, good().len()), good());
            stream.write_all(&bad).unwrap();
            assert_eq!(read_to_end(&mut stream), b"", "size {size} in a write of its own");

            let mut stream = server.connect();
            stream.write_all(&[&good()[..], &bad[..2]].concat()).unwrap();
            assert_eq!(read(&mut stream, good().len()), good());
            stream.write_all(&bad[2..]).unwrap();
            assert_eq!(read_to_end(&mut stream), b"", "size {size} cut in its header");
        }
        assert_serves(&server);
    }
}

#[test]
fn input_behind_a_framing_error_does_not_destroy_the_answers_before_it() {
    for server in servers_that_tell() {
        let mut stream = server.connect();
        let peer = stream.local_addr().unwrap().to_string();
        // More than this side takes without reading, so that answers wait on the server's side: a reset would drop them.
        let answered = packet(1, 1, &[1; 995]).repeat(400);
        stream.write_all(&[&answered[..], &[1, 0, 0, 0, 0], &[0x55; 100_000]].concat()).unwrap();
        let _ = server.process.logged(&["closed", &peer]);
        assert_same(&read_to_end(&mut stream), &answered);
    }
}

#[test]
fn a_size_over_the_limit_closes_as_soon_as_its_header_is_there() {
    for server in servers_with(&["--max-packet", "64"]) {
        let mut stream = server.connect();
        let largest = packet(1, 1, &[1; 59]);
        stream.write_all(&[&largest[..], &[65, 0, 1, 0, 0]].concat()).unwrap();
        assert_eq!(read_to_end(&mut stream), largest);
        assert_serves(&server);
    }
}

#[test]
fn the_smallest_limit_takes_empty_bodies_only() {
    for server in servers_with(&["--max-packet", "5"]) {
        let mut stream = server.connect();
        stream.write_all(&[packet(1, 1, b""), packet(1, 1, b"x")].concat()).unwrap();
        assert_eq!(read_to_end(&mut stream), packet(1, 1, b""));
    }
}

#[test]
fn garbage_and_http_end_their_own_connection_only() {
    for server in servers_with(&["--max-packet", "1024"]) {
        let bystander = server.connect();
        let garbage: Vec<u8> =
            (0..50_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect();
        for sent in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &garbage, &[0; 5], &[0xff; 9]] {
            let mut stream = server.connect();
            stream.write_all(sent).unwrap();
            assert_eq!(read_to_end(&mut stream), b"");
        }
        assert_eq!(exchange(bystander, good()), good());
    }
}

#[test]
fn a_stream_that_ends_inside_a_packet_gets_the_answers_to_the_whole_ones() {
    for server in servers() {
        for rest in
            [&[9][..], &[9, 0, 1], &[9, 0, 1, 0, 0], &[9, 0, 1, 0, 0, b'b'], b"GET / HTTP/1.1\r\n\r\n"]
        {
            assert_eq!(exchange(server.connect(), rest.to_vec()), b"");
            assert_eq!(exchange(server.connect(), [&good()[..], rest].concat()), good());
        }
        assert_serves(&server);
    }
}

#[test]
fn a_framing_error_is_logged_with_the_peers_address() {
    for server in servers_that_tell() {
        let mut stream = server.connect();
        let peer = stream.local_addr().unwrap().to_string();
        stream.write_all(&[4, 0, 0, 0, 0]).unwrap();
        assert_eq!(read_to_end(&mut stream), b"");
        stream.shutdown(Shutdown::Both).unwrap();
        let line = server.process.logged(&["closed", &peer]);
        assert!(line.contains("DEBUG") && line.contains("packet size 4"), "{line}");
    }
}
