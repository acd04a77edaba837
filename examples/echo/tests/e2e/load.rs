//! The load generator against the server, and against servers that do not echo.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use support::testing::{Ended, Process};

use crate::process::{echo_load, servers};

fn load(addr: &str, args: &[&str]) -> Ended {
    Process::start(echo_load(&["--connect", addr]).args(args)).end()
}

#[test]
fn it_verifies_a_thousand_packets() {
    for server in servers() {
        let addr = server.addr().to_string();
        for args in [
            &["--size", "64", "--window", "1", "--id", "101"][..],
            &["--size", "0", "--window", "7", "--id", "0", "--connections", "3"],
            &["--size", "1000", "--window", "65536", "--id", "65535"],
            &["--size", "65530", "--window", "1000", "--connections", "2"],
            &["--size", "10", "--rate", "5000", "--connections", "30"],
        ] {
            let ended = load(&addr, &[args, &["--count", "1000"]].concat());
            assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]), "{args:?}");
            assert!(ended.stdout[0].starts_with("1000 packets of "), "{:?}", ended.stdout);
            for (line, word) in [(1, "p50"), (1, "p99.9"), (2, "packets/s"), (2, "MB/s")] {
                assert!(ended.stdout[line].contains(word), "{:?}", ended.stdout);
            }
        }
    }
}

#[test]
fn it_sends_for_a_while_and_reports_in_json() {
    for server in servers() {
        for args in [&["--window", "16"][..], &["--rate", "2000"]] {
            let args = [args, &["--connections", "5", "--duration", "0.3", "--json"]].concat();
            let ended = load(&server.addr().to_string(), &args);
            assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]), "{args:?}");
            let report: serde_json::Value = serde_json::from_str(&ended.stdout.concat()).unwrap();
            assert_eq!((&report["connections"], &report["packet_bytes"]), (&5.into(), &69.into()));
            let packets = report["packets"].as_u64().unwrap();
            match report["rate"].as_u64() {
                Some(2000) => assert_eq!(packets, 600),
                None => assert!(packets > 0),
                other => panic!("{other:?}"),
            }
            let latency = |name| report["latency_us"][name].as_f64().unwrap();
            let rising = ["min", "p50", "p90", "p99", "p99.9", "max"].map(latency);
            assert!(rising[0] > 0.0 && rising.is_sorted(), "{rising:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn interrupted_it_reports_what_was_done_until_then() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    for (json, whole) in [(false, ["--duration", "60"]), (true, ["--count", "100000000"])] {
        let more = if json { &["--json"][..] } else { &[] };
        let running = Process::start(echo_load(&["--connect", &addr]).args(whole).args(more));
        let (mut stream, _) = listener.accept().unwrap();
        let mut echo = |most: u64| {
            let mut bytes = [0; 4096];
            let mut came = 0;
            while came < most {
                let Ok(read @ 1..) = stream.read(&mut bytes) else { return };
                came += read as u64;
                if stream.write_all(&bytes[..read]).is_err() {
                    return;
                }
            }
        };
        // More than one window: what was sent before was counted when it came back.
        echo(1 << 20);
        running.signal("INT");
        echo(u64::MAX);
        let ended = running.end();
        assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]), "{whole:?}");
        if json {
            let report: serde_json::Value = serde_json::from_str(&ended.stdout.concat()).unwrap();
            assert!(report["packets"].as_u64().unwrap() > 0 && report["interrupted"] == true, "{report}");
        } else {
            assert!(ended.stdout.last().unwrap().ends_with(" s in all, interrupted"), "{:?}", ended.stdout);
        }
    }
}

#[test]
fn by_the_clock_a_stall_counts_for_all_who_wait_behind_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // A hundred packets, one each millisecond, and no answer before the last one has come.
        let mut packets = [0; 500];
        stream.read_exact(&mut packets).unwrap();
        stream.write_all(&packets).unwrap();
        let _ = stream.read(&mut [0]);
    });
    let ended = load(&addr, &["--rate", "1000", "--count", "100", "--size", "0", "--json"]);
    server.join().unwrap();
    assert_eq!(ended.code, Some(0), "{:?}", ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout.concat()).unwrap();
    // In the middle of the row, the wait was half of the row's time, at least.
    assert!(report["latency_us"]["p50"].as_f64().unwrap() >= 49_000.0, "{report}");
    assert!(report["latency_us"]["max"].as_f64().unwrap() >= 99_000.0, "{report}");
}

/// A server for one connection; what the load generator says about it. Three packets are sent, of 5 + 2 bytes each.
fn against(serve: impl FnOnce(&mut TcpStream, &mut [u8; 21]) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut packets = [0; 21];
        stream.read_exact(&mut packets).unwrap();
        serve(&mut stream, &mut packets);
        // Not closed before it has decided.
        let _ = stream.read(&mut [0]);
    });
    let ended = load(&addr, &["--count", "3", "--size", "2", "--window", "3", "--timeout-ms", "300"]);
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
    assert!(sentence.contains("no answer to packet 0 within 300 ms"), "{sentence}");
}

#[test]
fn an_answer_that_does_not_frame_fails_the_verification() {
    let sentence = against(|stream, _| stream.write_all(&[4, 0, 0, 0, 0]).unwrap());
    assert!(sentence.contains("packet size 4"), "{sentence}");
}

#[test]
fn one_connection_of_many_that_fails_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (kept, closed) = (listener.accept().unwrap(), listener.accept().unwrap());
        drop(closed);
        let mut stream = kept.0;
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    });
    let ended = load(&addr, &["--connections", "2"]);
    server.join().unwrap();
    assert_eq!((ended.code, ended.stdout), (Some(1), Vec::new()));
    let [sentence] = &ended.stderr[..] else { panic!("not one sentence: {:?}", ended.stderr) };
    assert!(sentence.starts_with("echo-load: connection "), "{sentence}");
}
