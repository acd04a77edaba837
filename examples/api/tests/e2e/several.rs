//! Several servers on one database and one Redis.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{PASSWORD, World};

#[test]
fn two_servers_are_one() {
    let Some(world) = World::in_redis(&["--match-size", "2"]) else { return };
    let (_server, other) = world.another(&["--match-size", "2"]);
    let (ann, ben) = (world.user("ann"), other.user("ben"));
    // Accounts and sessions.
    assert_eq!(other.log_in("ann").id, ann.id);
    other.by(&ann, "GET", "/v1/users/me", None).is(200);
    let taken = json!({"name": "ann", "password": PASSWORD});
    other.post("/v1/users", None, &taken).refused(409, "name_taken");
    // Tokens.
    let token = world.token(&ann);
    other.redeem("ann", &token).is(200);
    world.redeem("ann", &token).refused(403, "bad_token");
    // Servers and seats.
    let id = world.register("a", "a:1", 3, None);
    other.report("a", &id, &json!({"users": 2})).is(200);
    other.by(&ben, "POST", "/v1/games/a/seat", Some(&json!({}))).is(201);
    world.by(&ann, "POST", "/v1/games/a/seat", Some(&json!({}))).refused(503, "no_room");
    // Matches: the one who waits there hears of it.
    world.report("a", &id, &json!({"users": 0, "entered": [ben.id]})).is(200);
    let api = *world;
    let waits = {
        let ann = ann.clone();
        thread::spawn(move || api.by(&ann, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": 20_000}))))
    };
    while world.metric("api_open_matches ") != 1.0 {}
    let began = Instant::now();
    let bens = other.by(&ben, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": 20_000}))).is(200).json();
    let anns = waits.join().unwrap().is(200).json();
    assert_eq!((&anns["server"], &anns["users"]), (&bens["server"], &bens["users"]));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // Log-out.
    other.by(&ann, "DELETE", "/v1/sessions", None).is(204);
    world.by(&ann, "GET", "/v1/users/me", None).refused(401, "no_session");
    assert!(!world.redis.as_ref().unwrap().expiring_keys().is_empty());
}

#[test]
fn an_older_request_that_breaks_at_one_server_does_not_speak_for_a_newer_one_at_another() {
    let Some(world) = World::in_redis(&["--match-size", "2"]) else { return };
    let (_server, other) = world.another(&["--match-size", "2"]);
    let (ann, ben) = (world.user("ann"), other.user("ben"));
    world.register("a", "a:1", 4, None);
    let (mut older, body) = (TcpStream::connect(world.addr()).unwrap(), r#"{"wait_ms":20000}"#);
    let length = body.len();
    write!(
        older,
        "POST /v1/games/a/match HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
        ann.session,
    )
    .unwrap();
    while world.metric("api_game_queue{game=\"a\"} ") != 1.0 {}
    // The client has another network: it asks again, and comes to the other server.
    other.by(&ann, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": 0}))).is(202);
    drop(older);
    while world.metric("api_open_matches ") != 0.0 {}
    // Until she would ask again she counts as there.
    other.by(&ben, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": 0}))).is(200);
}

#[test]
fn two_servers_share_the_last_seats_and_the_names() {
    let Some(world) = World::in_redis(&["--signups-per-minute", "0", "--logins-per-minute", "0"]) else {
        return;
    };
    let (_server, other) = world.another(&["--signups-per-minute", "0"]);
    world.register("a", "a:1", 5, None);
    let users: Vec<_> = (0..12).map(|number| world.user(&format!("u{number}"))).collect();
    let one = *world;
    let (mut seats, mut names) = (0, 0);
    thread::scope(|scope| {
        let tries: Vec<_> = users
            .iter()
            .enumerate()
            .map(|(number, who)| {
                let api = if number % 2 == 0 { one } else { other };
                scope.spawn(move || {
                    let seat = api.by(who, "POST", "/v1/games/a/seat", Some(&json!({}))).status;
                    let body = json!({"name": format!("n{}", number / 2), "password": PASSWORD});
                    (seat, api.post("/v1/users", None, &body).status)
                })
            })
            .collect();
        for one in tries {
            let (seat, name) = one.join().unwrap();
            seats += u32::from(seat == 201);
            names += u32::from(name == 201);
        }
    });
    assert_eq!((seats, names), (5, 6));
}

#[test]
fn who_guesses_at_several_servers_has_as_many_guesses_as_at_one() {
    let flags = ["--failures-per-minute", "4", "--signups-per-minute", "3", "--logins-per-minute", "0"];
    let Some(world) = World::in_redis(&flags) else { return };
    let (_server, other) = world.another(&flags);
    world.user("ann");
    let wrong = json!({"name": "ann", "password": "another password"});
    for api in [*world, other, *world, other] {
        // Right ones do not count, wherever.
        other.log_in("ann");
        api.post("/v1/sessions", None, &wrong).refused(401, "wrong_login");
    }
    for api in [*world, other] {
        let answer = api.post("/v1/sessions", None, &wrong);
        let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=15).contains(&after), "{answer:?}");
        answer.refused(429, "too_many_requests");
    }
    for (api, name) in [(other, "ben"), (*world, "cem")] {
        api.post("/v1/users", None, &json!({"name": name, "password": PASSWORD})).is(201);
    }
    let one_more = json!({"name": "dan", "password": PASSWORD});
    other.post("/v1/users", None, &one_more).refused(429, "too_many_requests");
    world.post("/v1/users", None, &one_more).refused(429, "too_many_requests");
    assert!(!world.redis.as_ref().unwrap().expiring_keys().is_empty());
}

#[test]
fn while_redis_is_away_what_needs_it_says_so_and_it_is_back_by_itself() {
    let Some(mut world) = World::in_redis(&["--requests-per-minute", "0", "--logins-per-minute", "0"]) else {
        return;
    };
    let ann = world.user("ann");
    world.get("/health").is(200);
    world.redis.as_mut().unwrap().kill();
    let began = Instant::now();
    for _ in 0..10 {
        world.token_refused(&ann, 503, "store_away");
        world.redeem("ann", "AAAAAAAAAAAAAAAA").refused(503, "store_away");
        let server = json!({"doors": {"raw": "a:1"}, "capacity": 1});
        world.with_key("POST", "/v1/games/a/servers", Some(&server)).refused(503, "store_away");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let health = world.get("/health").is(503).json();
    assert_eq!(
        [&health["status"], &health["database"], &health["store"]],
        ["degraded", "ok", "redis is away"]
    );
    // What needs no Redis goes on; what does says so after the same time.
    world.post("/v1/users", None, &json!({"name": "ben", "password": PASSWORD})).is(201);
    let login = json!({"name": "ben", "password": PASSWORD});
    world.post("/v1/sessions", None, &login).refused(503, "store_away");
    world.redis.as_mut().unwrap().again();
    while world.get("/health").status != 200 {}
    // It had no disk: everyone logs in again.
    world.by(&ann, "GET", "/v1/users/me", None).refused(401, "no_session");
    let ann = world.log_in("ann");
    let token = world.token(&ann);
    world.redeem("ann", &token).is(200);
    let _ = world.server.process.logged(&["redis is back"]);
}

#[test]
fn a_server_starts_without_its_redis_and_finds_it_later() {
    let Some(mut redis) = support::testing::RedisServer::start() else { return };
    redis.kill();
    let dir = crate::world::Dir::new();
    let server = support::testing::Server::start(&mut crate::world::api(&dir, Some(&redis), &[]), 1);
    let world = World::of(server, Some(redis), dir);
    assert_eq!(world.get("/health").is(503).json()["store"], "redis is away");
    let mut world = world;
    world.redis.as_mut().unwrap().again();
    while world.get("/health").status != 200 {}
    world.user("ann");
}
