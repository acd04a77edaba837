use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use crate::document;
use crate::http::{Answer, call, send};
use crate::world::{PASSWORD, World};

/// What nobody can provoke from outside.
const INNER: [&str; 4] = ["database_failed", "internal", "store_busy", "store_full"];

#[test]
fn every_code_of_the_document_can_be_had() {
    let mut seen = BTreeSet::new();
    let mut see = |answer: Answer| seen.insert(answer.code());
    let flags =
        ["--match-size", "2", "--match-queue", "2", "--match-ms", "3000", "--servers", "1", "--hashers", "1"];
    let more = ["--request-ms", "500", "--failures-per-minute", "0", "--logins-per-minute", "0"];
    let world = World::in_memory(&[&flags[..], &more].concat());
    let [ann, ben, cem] = ["ann", "ben", "cem"].map(|name| world.user(name));
    let login = json!({"name": "ann", "password": PASSWORD});
    let ask = |path: &str, body: Value| world.by(&ann, "POST", path, Some(&body));
    see(ask("/v1/games/A/seat", json!({})));
    see(ask("/v1/games/a/seat", json!({"x": 1})));
    see(ask("/v1/games/a/seat", json!({})));
    see(send(world.addr(), "POST", "/v1/users", "", b"{}"));
    let json = "Content-Type: application/json\r\n";
    see(send(world.addr(), "POST", "/v1/users", json, &[b' '; 5000]));
    see(world.get("/v1/users/me"));
    see(world.post("/v1/sessions", None, &json!({"name": "ann", "password": "another password"})));
    see(world.post("/v1/users", None, &login));
    see(world.post("/v1/tokens/redeem", None, &json!({})));
    see(world.redeem("ann", "AAAAAAAAAAAAAAAA"));
    let id = world.register("a", "a:1", 1, None);
    let server = json!({"doors": {"raw": "b:1"}, "capacity": 1});
    see(world.with_key("POST", "/v1/games/a/servers", Some(&server)));
    see(world.report("a", "nobody", &json!({"users": 1})));
    for game in 1..64 {
        world.register(&format!("game{game}"), "a:1", 1, None);
    }
    see(world.with_key("POST", "/v1/games/more/servers", Some(&server)));
    world.report("a", &id, &json!({"users": 1})).is(200);
    see(ask("/v1/games/a/seat", json!({})));
    // The queue.
    let wait =
        |who, wait_ms: u64| world.by(who, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": wait_ms})));
    wait(&ann, 0).is(202);
    wait(&ben, 0).is(202);
    see(wait(&cem, 0));
    see(wait(&ben, 20_000));
    let api = *world;
    let held = {
        let ben = ben.clone();
        thread::spawn(move || api.by(&ben, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": 20_000}))))
    };
    while world.metric("api_open_matches ") != 1.0 {}
    world.by(&ben, "DELETE", "/v1/games/a/match", None).is(204);
    see(held.join().unwrap());
    // A body that does not come.
    see(crate::hostile::slow_body(&world));
    // More passwords than one core hashes in a while.
    let crowd: Vec<_> = (0..200)
        .map(|_| {
            let login = login.clone();
            thread::spawn(move || api.post("/v1/sessions", None, &login))
        })
        .collect();
    for one in crowd {
        see(one.join().unwrap());
    }
    // Somebody else has the file.
    let file = rusqlite::Connection::open(world.dir.file("api.db")).unwrap();
    file.execute_batch("BEGIN IMMEDIATE").unwrap();
    see(world.post("/v1/users", None, &json!({"name": "dan", "password": PASSWORD})));
    file.execute_batch("ROLLBACK").unwrap();

    let strict = World::in_memory(&["--signups-per-minute", "1"]);
    strict.user("ann");
    see(strict.post("/v1/users", None, &json!({"name": "ben", "password": PASSWORD})));
    let mut keyless = std::process::Command::new(env!("CARGO_BIN_EXE_api"));
    // A Redis that is not there.
    keyless.args(["--http", "127.0.0.1:0", "--db", ":memory:", "--redis", "redis://127.0.0.1:1"]);
    let keyless = support::testing::Server::start(&mut keyless, 1);
    see(call(keyless.addr(), "POST", "/v1/tokens/redeem", Some("x"), Some(&json!({}))));
    let somebody = format!("1.{}", "A".repeat(32));
    see(call(keyless.addr(), "GET", "/v1/users/me", Some(&somebody), None));

    let known = document::codes();
    let missing: Vec<&String> =
        known.iter().filter(|code| !seen.contains(*code) && !INNER.contains(&code.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
