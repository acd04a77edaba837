use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::testing::connect;

use crate::http::Answer;
use crate::world::{Api, Who, everywhere};

const PAIRS: [&str; 4] = ["--match-size", "2", "--requests-per-minute", "0"];

#[track_caller]
fn ask(world: &Api, who: &Who, wait_ms: u64) -> Answer {
    world.by(who, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": wait_ms})))
}

/// A request that waits, of which nothing is read.
fn open(world: &Api, who: &Who, body: &Value) -> std::net::TcpStream {
    let body = body.to_string();
    let mut stream = connect(world.addr());
    let head = format!(
        "POST /v1/games/a/match HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        who.session,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Until as many requests are held open.
fn until_open(world: &Api, count: f64) {
    while world.metric("api_open_matches ") != count {}
}

#[test]
fn those_who_wait_are_told_the_same_server_and_room_and_each_has_a_token() {
    everywhere(&["--match-size", "3"], |world| {
        world.register("a", "10.0.0.7:1", 100, Some([0, 10, 4]));
        let users: Vec<Who> = ["ann", "ben", "cem"].map(|name| world.user(name)).into();
        let world = &**world;
        let answers: Vec<Value> = thread::scope(|scope| {
            let asks = users.iter().map(|who| scope.spawn(move || ask(world, who, 20_000).is(200).json()));
            let asks: Vec<_> = asks.collect();
            asks.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for (who, answer) in users.iter().zip(&answers) {
            assert_eq!(answer["state"], "matched");
            for same in ["server", "room", "doors", "users"] {
                assert_eq!(answer[same], answers[0][same]);
            }
            assert!(answer["users"].as_array().unwrap().contains(&json!({"id": who.id, "name": who.name})));
            assert_eq!(answer["users"].as_array().unwrap().len(), 3);
            world.redeem(&who.name, answer["token"].as_str().unwrap()).is(200);
        }
        // Whoever lost the answer asks again.
        assert_eq!(ask(world, &users[0], 0).is(200).json()["room"], answers[0]["room"]);
        assert_eq!(world.metric("api_matches_total"), 3.0);
    });
}

#[test]
fn a_short_wait_says_how_it_stands() {
    everywhere(&["--match-size", "3"], |world| {
        world.register("a", "a:1", 100, None);
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let standing = ask(world, &ann, 0).is(202).json();
        assert_eq!(
            [&standing["state"], &standing["waiting"], &standing["size"]],
            [&json!("waiting"), &json!(1), &json!(3)]
        );
        assert_eq!(ask(world, &ben, 100).is(202).json()["waiting"], 2);
        for _ in 0..2 {
            world.by(&ben, "DELETE", "/v1/games/a/match", None).is(204);
        }
        assert_eq!(ask(world, &ann, 0).is(202).json()["waiting"], 1);
        world.by(&ann, "POST", "/v1/games/b/match", Some(&json!({}))).refused(404, "unknown_game");
        world.by(&ann, "POST", "/v1/games/a/match", Some(&json!({"wait_ms": -1}))).refused(400, "bad_body");
    });
}

#[test]
fn who_gives_up_is_in_no_group_and_their_open_request_ends() {
    everywhere(&PAIRS, |world| {
        world.register("a", "a:1", 100, None);
        let [ann, ben, cem] = ["ann", "ben", "cem"].map(|name| world.user(name));
        let world = &**world;
        thread::scope(|scope| {
            let waiting = scope.spawn(|| ask(world, &ann, 20_000));
            until_open(world, 1.0);
            world.by(&ann, "DELETE", "/v1/games/a/match", None).is(204);
            waiting.join().unwrap().refused(409, "not_waiting");
            // Nor does one wait who takes a seat alone; which the open request hears at once.
            let waiting = scope.spawn(|| ask(world, &ann, 20_000));
            until_open(world, 1.0);
            let began = Instant::now();
            world.by(&ann, "POST", "/v1/games/a/seat", Some(&json!({}))).is(201);
            waiting.join().unwrap().refused(409, "not_waiting");
            assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        });
        let users = thread::scope(|scope| {
            let bens = scope.spawn(|| ask(world, &ben, 20_000).is(200));
            until_open(world, 1.0);
            ask(world, &cem, 20_000).is(200);
            bens.join().unwrap().json()["users"].clone()
        });
        assert_eq!(users, json!([{"id": ben.id, "name": "ben"}, {"id": cem.id, "name": "cem"}]));
    });
}

#[test]
fn who_disconnects_is_in_no_group_until_they_are_back() {
    everywhere(&PAIRS, |world| {
        world.register("a", "a:1", 100, None);
        let [ann, ben] = ["ann", "ben"].map(|name| world.user(name));
        let stream = open(world, &ann, &json!({"wait_ms": 20_000}));
        until_open(world, 1.0);
        drop(stream);
        until_open(world, 0.0);
        // Her place is kept, but nobody is sent to play with her.
        assert_eq!(ask(world, &ben, 0).is(202).json()["waiting"], 2);
        let world = &**world;
        thread::scope(|scope| {
            let back = scope.spawn(|| ask(world, &ann, 20_000).is(200));
            ask(world, &ben, 20_000).is(200);
            let users = back.join().unwrap().json()["users"].clone();
            assert_eq!(users, json!([{"id": ann.id, "name": "ann"}, {"id": ben.id, "name": "ben"}]));
        });
    });
}

#[test]
fn of_two_requests_of_one_user_the_newer_counts() {
    everywhere(&PAIRS, |world| {
        world.register("a", "a:1", 100, None);
        let [ann, ben] = ["ann", "ben"].map(|name| world.user(name));
        let world = &**world;
        thread::scope(|scope| {
            let older = scope.spawn(|| ask(world, &ann, 20_000));
            until_open(world, 1.0);
            let newer = scope.spawn(|| ask(world, &ann, 20_000));
            older.join().unwrap().refused(409, "not_waiting");
            ask(world, &ben, 20_000).is(200);
            newer.join().unwrap().is(200);
        });
    });
}

#[test]
fn a_wait_ends_when_its_time_is_up_and_the_queue_has_a_bound() {
    let flags =
        ["--match-size", "2", "--match-ms", "3000", "--match-queue", "2", "--requests-per-minute", "0"];
    everywhere(&flags, |world| {
        // Too small for a group.
        world.register("a", "a:1", 1, None);
        let [ann, ben, cem] = ["ann", "ben", "cem"].map(|name| world.user(name));
        ask(world, &ben, 0).is(202);
        let world = &**world;
        thread::scope(|scope| {
            let waiting = scope.spawn(|| ask(world, &ann, 20_000));
            until_open(world, 1.0);
            ask(world, &cem, 0).refused(503, "queue_full");
            waiting.join().unwrap().refused(410, "match_timeout");
        });
    });
}

#[test]
fn a_group_whose_server_has_gone_is_told_another() {
    everywhere(&PAIRS, |world| {
        let dead = world.register("a", "dead:1", 100, None);
        let [ann, ben] = ["ann", "ben"].map(|name| world.user(name));
        let world = &**world;
        thread::scope(|scope| {
            let anns = scope.spawn(|| ask(world, &ann, 20_000).is(200).json());
            until_open(world, 1.0);
            assert_eq!(ask(world, &ben, 20_000).is(200).json()["server"], *dead);
            assert_eq!(anns.join().unwrap()["server"], *dead);
        });
        let alive = world.register("a", "alive:1", 100, None);
        let body = json!({"avoid": [dead], "wait_ms": 20_000});
        thread::scope(|scope| {
            // One has found out by herself, the other asks when the server has left the list.
            let anns =
                scope.spawn(|| world.by(&ann, "POST", "/v1/games/a/match", Some(&body)).is(200).json());
            until_open(world, 1.0);
            world.with_key("DELETE", &format!("/v1/games/a/servers/{dead}"), None).is(204);
            assert_eq!(ask(world, &ben, 20_000).is(200).json()["server"], *alive);
            assert_eq!(anns.join().unwrap()["server"], *alive);
        });
    });
}
