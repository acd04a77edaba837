use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::json;
use support::testing::connect;

use crate::http::parse;
use crate::world::World;

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
