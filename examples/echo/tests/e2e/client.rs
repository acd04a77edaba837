//! The client against the server, and against servers that do not echo.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::process::{Ended, Process, Server, echo_client};

fn client(addr: &str, args: &[&str]) -> Ended {
    Process::start(echo_client(&["--connect", addr]).args(args)).end()
}

#[test]
fn the_client_verifies_a_thousand_packets() {
    let server = Server::start();
    let addr = server.addr.to_string();
    for args in [
        &["--size", "64", "--window", "1", "--id", "101"][..],
        &["--size", "0", "--window", "7", "--id", "0"],
        &["--size", "1000", "--window", "65536", "--id", "65535"],
        &["--size", "65530", "--window", "1000"],
    ] {
        let ended = client(&addr, &[args, &["--count", "1000"]].concat());
        assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]), "{args:?}");
        assert!(ended.stdout[0].starts_with("1000 packets of "), "{:?}", ended.stdout);
        assert!(
            ended.stdout[1].contains("p50") && ended.stdout[2].contains("packets/s"),
            "{:?}",
            ended.stdout
        );
    }
}

/// A server for one connection; what the client says about it. Three packets are sent, of 5 + 2 bytes each.
fn against(serve: impl FnOnce(&mut TcpStream, &mut [u8; 21]) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut packets = [0; 21];
        stream.read_exact(&mut packets).unwrap();
        serve(&mut stream, &mut packets);
        // Not closed before the client has decided.
        let _ = stream.read(&mut [0]);
    });
    let ended = client(&addr, &["--count", "3", "--size", "2", "--window", "3", "--timeout-ms", "300"]);
    server.join().unwrap();
    assert_eq!((ended.code, ended.stdout), (Some(1), Vec::new()), "{:?}", ended.stderr);
    let [sentence] = &ended.stderr[..] else { panic!("not one sentence: {:?}", ended.stderr) };
    sentence.clone()
}

#[test]
fn a_changed_id_type_byte_or_body_fails_the_verification() {
    for at in [9, 10, 11, 12, 13] {
        let sentence = against(move |stream, packets| {
            packets[at] ^= 0x10;
            stream.write_all(packets).unwrap();
        });
        assert!(sentence.contains("packet 1 came back wrong"), "byte {at}: {sentence}");
    }
}

#[test]
fn answers_out_of_order_fail_the_verification() {
    let sentence = against(|stream, packets| {
        packets.rotate_left(7);
        stream.write_all(packets).unwrap();
    });
    assert!(sentence.contains("packet 0 came back wrong"), "{sentence}");
}

#[test]
fn a_surplus_answer_fails_the_verification() {
    let sentence = against(|stream, packets| {
        stream.write_all(&[&packets[..], &packets[..7]].concat()).unwrap();
    });
    assert!(sentence.contains("more than it was sent"), "{sentence}");
    let sentence = against(|stream, packets| {
        stream.write_all(&[&packets[..], &[7]].concat()).unwrap();
    });
    assert!(sentence.contains("more than it was sent"), "{sentence}");
}

#[test]
fn a_server_that_closes_early_fails_the_verification() {
    let sentence = against(|stream, packets| {
        stream.write_all(&packets[..7]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    });
    assert!(sentence.contains("closed the connection before it answered packet 1"), "{sentence}");
    let sentence = against(|stream, packets| {
        stream.write_all(&packets[..10]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    });
    assert!(sentence.contains("ended inside a packet"), "{sentence}");
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for_for_ever() {
    let sentence = against(|_, _| {});
    assert!(sentence.contains("no answer to packet 0 of 3 within 300 ms"), "{sentence}");
}

#[test]
fn an_answer_that_does_not_frame_fails_the_verification() {
    let sentence = against(|stream, _| stream.write_all(&[4, 0, 0, 0, 0]).unwrap());
    assert!(sentence.contains("packet size 4"), "{sentence}");
}
