//! What Prometheus reads.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::time::{Duration, Instant};

use support::testing::metrics::{get, scrape, wait_for};
use support::testing::{Process, Server, connect, read};

use crate::process::{WORKERS, echo, packet};

#[test]
fn packets_and_sessions_are_there_to_be_scraped() {
    for workers in WORKERS {
        let flags = ["--raw", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--workers", workers];
        let server = Server::start(&mut echo(&flags), 2);
        let [(raw, _), (name, at)] = &server.doors[..] else { panic!("{:?}", server.doors) };
        assert_eq!((&raw[..], &name[..]), ("raw", "metrics"));
        let mut stream = server.connect();
        for _ in 0..10 {
            stream.write_all(&packet(7, 0, b"hello")).unwrap();
            assert_eq!(read(&mut stream, 10), packet(7, 0, b"hello"));
        }
        for series in ["netcore_packets_received_total", "netcore_packets_sent_total"] {
            wait_for(*at, &format!("{series}{{door=\"raw\",packet=\"other\"}}"), 10.0);
        }
        let body = scrape(*at);
        assert!(body.contains("# TYPE netcore_packets_received_total counter"), "{body}");
        wait_for(*at, "netcore_sessions_open", 1.0);
        wait_for(*at, "netcore_bytes_sent_total", 100.0);
        assert!(scrape(*at).contains("netcore_queue_bytes_bucket{door=\"raw\",le=\"0\"}"));
        drop(stream);
        wait_for(*at, "netcore_sessions_closed_total{reason=\"peer_closed\"}", 1.0);
        wait_for(*at, "netcore_sessions_open", 0.0);
        #[cfg(unix)]
        assert_eq!(server.terminate().code, Some(0));
    }
}

#[test]
fn what_is_no_scrape_gets_an_answer_or_an_end() {
    let server = Server::start(&mut echo(&["--raw", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]), 2);
    let at = server.doors[1].1;
    assert!(get(at, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(get(at, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(get(at, "\r\n\r\n").starts_with("HTTP/1.1 405 "));
    // Half a request is dropped, and one that never ends.
    let stream = connect(at);
    (&stream).write_all(b"GET /metrics").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&stream).read(&mut [0; 10]).unwrap(), 0);
    let mut stream = connect(at);
    while stream.write_all(&[b'x'; 1024]).is_ok() {}
    // Those that say nothing take the places, and give them back.
    let idle: Vec<_> = (0..16).map(|_| connect(at)).collect();
    let start = Instant::now();
    let mut refused = connect(at);
    let _ = refused.write_all(b"GET /metrics HTTP/1.1\r\n\r\n");
    let mut answer = Vec::new();
    let _ = refused.read_to_end(&mut answer);
    assert!(answer.is_empty() && start.elapsed() < Duration::from_secs(4));
    for mut stream in idle {
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
    }
    let _ = scrape(at);
}

#[test]
fn an_address_for_metrics_that_is_taken_is_refused_in_one_sentence() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    let sentence = Process::start(&mut echo(&["--raw", "127.0.0.1:0", "--metrics", &busy])).end().refused();
    let words = format!("cannot listen on {busy} (metrics): the address is already in use");
    assert!(sentence.contains(&words), "{sentence}");
}
