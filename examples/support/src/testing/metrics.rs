//! What a server says at its `--metrics`.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use super::{PATIENCE, connect};

/// One request over plain TCP, and the whole answer.
#[must_use]
pub fn get(at: SocketAddr, request: &str) -> String {
    let mut stream = connect(at);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The page that Prometheus reads.
#[track_caller]
#[must_use]
pub fn scrape(at: SocketAddr) -> String {
    let answer = get(at, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    body.to_owned()
}

/// Scrapes until a series has that value: packets are counted as they are sent, totals once a second.
#[track_caller]
pub fn wait_for(at: SocketAddr, series: &str, wanted: f64) {
    let start = Instant::now();
    loop {
        let body = scrape(at);
        if value(&body, series) == Some(wanted) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{series} is not {wanted}:\n{body}");
        thread::yield_now();
    }
}

fn value(body: &str, series: &str) -> Option<f64> {
    body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}
