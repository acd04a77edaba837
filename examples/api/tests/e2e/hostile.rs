use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use support::testing::{connect, read_to_end};

use crate::http::{Answer, parse, send};
use crate::world::{KEY, PASSWORD, World};

/// Writes all of it and reads to the end, however that comes.
fn talk(world: &World, bytes: &[u8]) -> String {
    let mut stream = connect(world.addr());
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    rest(&mut stream)
}

fn rest(stream: &mut TcpStream) -> String {
    let (mut all, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        all.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// What a body that stops half-way is answered.
pub(crate) fn slow_body(world: &World) -> Answer {
    let mut body = connect(world.addr());
    let head = "POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{\"na";
    body.write_all(head.as_bytes()).unwrap();
    parse(&rest(&mut body))
}

#[test]
fn what_is_no_http_is_refused_and_harms_nobody() {
    let world = World::in_memory(&[]);
    for garbage in [
        &b"\0\0\0\0\0\0"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v1/users HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n: no name\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        &[b"GET /".to_vec(), vec![b'a'; 100_000], b" HTTP/1.1\r\n\r\n".to_vec()].concat(),
        &[b"GET / HTTP/1.1\r\n".to_vec(), b"X: y\r\n".repeat(100), b"\r\n".to_vec()].concat(),
        &[b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 100_000], b"\r\n\r\n".to_vec()].concat(),
        &(0..=255).cycle().take(50_000).collect::<Vec<u8>>(),
    ] {
        let said = talk(&world, garbage);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    world.get("/health").is(200);
}

#[test]
fn a_body_that_is_too_large_is_refused_and_not_read() {
    let world = World::in_memory(&[]);
    let json = "Content-Type: application/json\r\n";
    let large = vec![b' '; 4097];
    send(world.addr(), "POST", "/v1/users", json, &large).refused(413, "too_large");
    // Said before it comes, or without saying how much there will be.
    let mut stream = connect(world.addr());
    let head = format!("POST /v1/users HTTP/1.1\r\nHost: a\r\n{json}Content-Length: 99999999999\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&[b' '; 5000]).unwrap();
    parse(&rest(&mut stream)).refused(413, "too_large");
    let mut stream = connect(world.addr());
    let head = format!("POST /v1/users HTTP/1.1\r\nHost: a\r\n{json}Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [&b"1000\r\n"[..], &[b' '; 4096], b"\r\n"].concat();
    // It need not take more than two of them.
    let _ = stream.write_all(&chunk.repeat(3));
    parse(&rest(&mut stream)).refused(413, "too_large");
    // A game server's list of rooms is larger, to an end.
    let lines = format!("{json}Authorization: Bearer {}\r\n", KEY);
    let path = "/v1/games/a/servers";
    send(world.addr(), "POST", path, &lines, &vec![b' '; 512 * 1024 + 1]).refused(413, "too_large");
    send(world.addr(), "POST", path, &lines, &vec![b' '; 512 * 1024]).refused(400, "bad_body");
    // Without the key it is not even looked at.
    send(world.addr(), "POST", path, json, &large).refused(401, "bad_key");
}

#[test]
fn a_body_is_an_object_and_what_is_wrong_with_it_is_said_in_plain_words() {
    let world = World::in_memory(&[]);
    let ann = world.user("ann");
    let object = "an object";
    for (path, secret, body, words) in [
        ("/v1/users", None, json!(["ben", PASSWORD]), object),
        ("/v1/sessions", None, json!(["ann", PASSWORD]), object),
        ("/v1/users", None, json!(3), object),
        ("/v1/users", None, json!([]), object),
        ("/v1/tokens/redeem", Some(KEY), json!(["ann", "AAAAAAAAAAAAAAAA"]), object),
        ("/v1/games/a/servers", Some(KEY), json!([{"raw": "a:1"}, 4]), object),
        ("/v1/games/a/seat", Some(&*ann.session), json!([[]]), object),
        ("/v1/games/a/match", Some(&*ann.session), json!([[], 0]), object),
        ("/v1/games/a/match", Some(&*ann.session), json!({"wait_ms": -1}), "an integer of 0 or more"),
        ("/v1/games/a/servers", Some(KEY), json!({"doors": {}, "capacity": "x"}), "an integer of 0 to"),
        (
            "/v1/games/a/servers",
            Some(KEY),
            json!({"doors": {}, "capacity": 1, "load": {"users": 1, "occupied": [[1]]}}),
            "two integers",
        ),
    ] {
        let answer = world.post(path, secret, &body);
        assert!(answer.text.contains(&format!("expected {words}")), "{path}: {}", answer.text);
        answer.refused(400, "bad_body");
    }
    world
        .post("/v1/sessions", None, &json!({"name": "ben", "password": PASSWORD}))
        .refused(401, "wrong_login");
}

#[test]
fn a_slow_head_a_slow_body_and_a_silent_connection_are_ended() {
    let world = World::in_memory(&["--request-ms", "300"]);
    let mut silent = connect(world.addr());
    let mut half = connect(world.addr());
    half.write_all(b"GET /health HTTP/1.1\r\nHost").unwrap();
    // One that was good for a request, and then sends no other.
    let mut idle = connect(world.addr());
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    slow_body(&world).refused(408, "slow_body");
    let ended = |said: &str| assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    ended(&rest(&mut half));
    ended(&rest(&mut silent));
    assert!(rest(&mut idle).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_peer_that_drips_byte_by_byte_gains_no_time() {
    let world = World::in_memory(&["--request-ms", "500"]);
    let mut stream = connect(world.addr());
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let began = Instant::now();
    // A byte whenever nothing comes back for a moment.
    loop {
        if stream.write_all(b"G").is_err() {
            break;
        }
        match stream.read(&mut [0; 100]) {
            Ok(0) => break,
            Err(error)
                if !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                break;
            }
            _ => {}
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it goes on for ever");
    }
}

#[test]
fn connections_have_a_bound_in_all_and_from_one_address() {
    for flags in [["--connections", "3"], ["--connections-per-address", "3"]] {
        let world = World::in_memory(&flags);
        let held: Vec<TcpStream> = (0..3)
            .map(|_| {
                let mut stream = connect(world.addr());
                stream.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
                let mut first = [0; 12];
                stream.read_exact(&mut first).unwrap();
                assert_eq!(&first, b"HTTP/1.1 200");
                stream
            })
            .collect();
        assert_eq!(rest(&mut connect(world.addr())), "");
        drop(held);
        // As soon as it has noticed.
        let served = || {
            let mut stream = connect(world.addr());
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            rest(&mut stream)
        };
        let text = std::iter::repeat_with(served).find(|said| !said.is_empty()).unwrap();
        let turned_away =
            text.lines().find_map(|line| line.strip_prefix("api_connections_turned_away_total "));
        assert!(turned_away.unwrap().parse::<u32>().unwrap() >= 1, "{text}");
    }
}

#[test]
fn ten_thousand_wrong_log_ins_are_stopped_and_others_go_on() {
    let world = World::in_memory(&[]);
    let (ann, began) = (world.user("ann"), Instant::now());
    let body = json!({"name": "ann", "password": "another password"}).to_string();
    let request = |last: &str| {
        let len = body.len();
        let lines = format!("Content-Type: application/json\r\nContent-Length: {len}\r\n{last}");
        format!("POST /v1/sessions HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}")
    };
    let (mut wrong, mut stopped) = (0, 0);
    for _ in 0..10 {
        let mut stream = connect(world.addr());
        let mut writer = stream.try_clone().unwrap();
        let requests = request("").repeat(999) + &request("Connection: close\r\n");
        let writing = std::thread::spawn(move || writer.write_all(requests.as_bytes()).unwrap());
        let said = String::from_utf8(read_to_end(&mut stream)).unwrap();
        writing.join().unwrap();
        wrong += said.matches("HTTP/1.1 401").count();
        stopped += said.matches("HTTP/1.1 429").count();
    }
    assert_eq!(wrong + stopped, 10_000);
    // Ten at once, and one every six seconds.
    let allowed = 10 + began.elapsed().as_secs() as usize / 6 + 1;
    assert!((10..=allowed).contains(&wrong), "{wrong} in {:?}", began.elapsed());
    world.by(&ann, "GET", "/v1/users/me", None).is(200);
    assert!(world.metric("api_refusals_total{code=\"too_many_requests\"}") >= 9_900.0);
}

#[test]
fn a_hundred_log_ins_at_once_are_as_many_as_one_after_the_other() {
    let world = World::in_memory(&["--failures-per-minute", "5"]);
    world.user("ann");
    let api = *world;
    let wrong: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(move || {
                    let body = json!({"name": "ann", "password": "another password"});
                    usize::from(api.post("/v1/sessions", None, &body).status == 401)
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert!((5..=7).contains(&wrong), "{wrong}");
    let body = json!({"name": "ann", "password": PASSWORD});
    world.post("/v1/sessions", None, &body).refused(429, "too_many_requests");
}

#[test]
fn who_asks_a_thousand_times_and_never_reads_costs_little() {
    let world = World::in_memory(&[]);
    let mut stream = connect(world.addr());
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100);
    // Until the server stops taking requests, because its answers are not taken.
    while stream.write_all(&request).is_ok() {}
    world.get("/health").is(200);
    if let Some(peak) = world.server.process.peak_memory() {
        assert!(peak < 200 * 1024, "{peak} KiB");
    }
}

#[test]
fn forty_log_ins_at_once_take_the_memory_of_two() {
    let flags = ["--hashers", "2", "--failures-per-minute", "0", "--logins-per-minute", "0"];
    let world = World::in_memory(&flags);
    world.user("ann");
    let api = *world;
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(move || api.log_in("ann"));
        }
    });
    if let Some(peak) = world.server.process.peak_memory() {
        assert!(peak < 150 * 1024, "{peak} KiB");
    }
}
