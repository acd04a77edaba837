use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::json;
use support::testing::{Server, connect};

use crate::http::parse;
use crate::world::{PASSWORD, World, api, files};

#[cfg(unix)]
#[test]
fn a_signal_ends_what_is_under_way_with_an_answer_and_the_exit_code_is_zero() {
    for signal in ["TERM", "INT"] {
        let world = World::in_memory(&["--match-size", "2"]);
        world.register("a", "a:1", 10, None);
        let ann = world.user("ann");
        let body = json!({"wait_ms": 20_000}).to_string();
        let mut waiting = connect(world.addr());
        let head = format!(
            "POST /v1/games/a/match HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            ann.session,
            body.len()
        );
        waiting.write_all(head.as_bytes()).unwrap();
        while world.metric("api_open_matches ") != 1.0 {}
        // Idle and half-finished connections do not hold it up.
        let _idle = connect(world.addr());
        let mut half = connect(world.addr());
        half.write_all(b"GET /health HT").unwrap();
        let began = Instant::now();
        world.server.process.signal(signal);
        let mut answer = String::new();
        waiting.read_to_string(&mut answer).unwrap();
        assert_eq!(parse(&answer).is(202).json()["state"], "waiting");
        let addr = world.addr();
        let World { server, .. } = world;
        let ended = server.process.end();
        assert_eq!(ended.code, Some(0), "{:?}", ended.stderr);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(std::net::TcpStream::connect(addr).is_err());
    }
}

#[cfg(unix)]
#[test]
fn after_a_signal_the_database_is_one_file_with_everything_in_it() {
    for signal in ["TERM", "INT"] {
        let mut world = World::in_memory(&["--signups-per-minute", "0"]);
        for turn in 0..5 {
            world.user(&format!("u{turn}"));
            // One more is signing up, and may find it closed.
            let mut late = connect(world.addr());
            let body = json!({"name": "late", "password": PASSWORD}).to_string();
            let head = "POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
            write!(late, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
            world.server.process.signal(signal);
            let World { server, dir, .. } = world;
            assert_eq!(server.process.end().code, Some(0));
            assert_eq!(files(&dir.file("")), ["api.db", "key"], "{signal}, the {turn}th time");
            world = World::of(Server::start(&mut api(&dir, None, &[]), 1), None, dir);
            world.log_in(&format!("u{turn}"));
        }
    }
}

#[cfg(unix)]
#[test]
fn of_two_servers_on_one_file_the_last_that_ends_takes_the_log_away() {
    let world = World::in_memory(&[]);
    let (other, there) = world.another(&[]);
    there.post("/v1/users", None, &json!({"name": "ann", "password": PASSWORD})).is(201);
    assert_eq!(other.terminate().code, Some(0));
    world.log_in("ann");
    let World { server, dir, .. } = world;
    assert_eq!(server.terminate().code, Some(0));
    assert_eq!(files(&dir.file("")), ["api.db", "key"]);
}
