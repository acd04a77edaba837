//! Peers that speak another protocol.

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use netcore::{Binary, Door, Limits};

use crate::common::{door, each_way, read_all};

const HTTP: &[u8] =
    b"GET /login HTTP/1.1\r\nHost: game.example\r\nUser-Agent: a browser\r\nAccept: */*\r\n\r\n";

#[test]
fn an_http_request_and_a_tls_hello_are_refused_at_once_where_packets_are_small() {
    // "GE" is a size of 17,735, and a handshake record of TLS 1.x one of 790.
    let door = || Door::tcp_with("127.0.0.1:0", Binary::new().max_in(512));
    each_way(door, |stage| {
        for hello in [HTTP, &client_hello()] {
            let mut peer = stage.connect();
            peer.write_all(hello).unwrap();
            assert_eq!(read_all(&mut peer), b"");
        }
        stage.closed(&[("frame", 2)], 0);
    });
}

#[test]
fn where_packets_may_be_large_they_are_begun_and_never_finished() {
    let limits = || Limits::new().unfinished(Duration::from_millis(300));
    let door = || Door::tcp_with("127.0.0.1:0", Binary::new()).limits(limits());
    each_way(door, |stage| {
        let mut peers = [HTTP.to_vec(), client_hello()].map(|hello| (stage.connect(), hello));
        for (peer, hello) in &mut peers {
            peer.write_all(hello).unwrap();
        }
        for (peer, _) in &mut peers {
            assert_eq!(read_all(peer), b"");
        }
        drop(peers);
        stage.closed(&[("unfinished", 2)], 0);
    });
}

#[test]
fn one_that_gives_up_has_ended_inside_a_packet() {
    each_way(
        || Door::tcp_with("127.0.0.1:0", Binary::new()),
        |stage| {
            for hello in [HTTP, &client_hello()] {
                let mut peer = stage.connect();
                peer.write_all(hello).unwrap();
                peer.shutdown(Shutdown::Write).unwrap();
                assert_eq!(read_all(&mut peer), b"");
            }
            stage.closed(&[("frame", 2)], 0);
        },
    );
}

#[test]
fn a_hello_that_frames_by_chance_is_an_unknown_packet() {
    // With enough behind it, the record's first bytes are a packet of 790 bytes.
    each_way(
        || door(Limits::new()),
        |stage| {
            let mut peer = stage.connect();
            let mut hello = client_hello();
            hello.resize(1500, 0);
            peer.write_all(&hello).unwrap();
            assert_eq!(read_all(&mut peer), b"");
            drop(peer);
            stage.closed(&[("unknown", 1)], 0);
        },
    );
}

/// A handshake record with a TLS 1.2 client's hello of 512 bytes: a random of zeros, one cipher, padding.
fn client_hello() -> Vec<u8> {
    let mut hello = vec![0x16, 0x03, 0x01, 0x02, 0x00];
    hello.extend([0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
    hello.extend([0; 32]);
    hello.extend([0x00, 0x00, 0x02, 0x13, 0x01, 0x01, 0x00]);
    hello.extend([0x01, 0xd1, 0x00, 0x15, 0x01, 0xcd]);
    hello.resize(5 + 512, 0);
    hello
}
