use serde_json::{Value, json};

use crate::http::call;
use crate::world::{World, everywhere};

#[test]
fn a_server_registers_reports_and_leaves() {
    everywhere(&[], |world| {
        let ann = world.user("ann");
        let list = |world: &World| world.by(&ann, "GET", "/v1/games/chat/servers", None);
        list(world).refused(404, "unknown_game");
        let body = json!({
            "doors": {"raw": "10.0.0.7:11021", "text": "[::1]:10004"},
            "capacity": 4000,
            "rooms": {"first": 1, "count": 1000, "seats": 4},
            "load": {"users": 3, "occupied": [[1, 2]]},
        });
        let lease = world.with_key("POST", "/v1/games/chat/servers", Some(&body)).is(201);
        assert_eq!(lease.json()["expires_in_ms"], 15_000);
        let id = lease.text_of("server");
        let member = |world: &World| list(world).is(200).json()["servers"][0].clone();
        let found = member(world);
        assert_eq!(found["server"], *id);
        assert_eq!(found["doors"], body["doors"]);
        assert_eq!([&found["users"], &found["capacity"], &found["occupied_rooms"]], [3, 4000, 1]);
        let lease =
            world.report("chat", &id, &json!({"users": 10, "occupied": [[1, 4], [2, 4], [7, 1]]})).is(200);
        assert_eq!(lease.text_of("server"), id);
        assert_eq!([&member(world)["users"], &member(world)["occupied_rooms"]], [10, 3]);
        for _ in 0..2 {
            world.with_key("DELETE", &format!("/v1/games/chat/servers/{id}"), None).is(204);
        }
        assert_eq!(list(world).is(200).json()["servers"], json!([]));
        world.report("chat", &id, &json!({"users": 1})).refused(404, "unknown_server");
        world.report("other", &id, &json!({"users": 1})).refused(404, "unknown_game");
    });
}

#[test]
fn a_server_that_stops_reporting_leaves_the_list_and_one_that_reports_stays() {
    everywhere(&["--server-ms", "500", "--requests-per-minute", "0"], |world| {
        let ann = world.user("ann");
        let (silent, steady) =
            (world.register("a", "silent:1", 1, None), world.register("a", "steady:1", 1, None));
        let mut reports = 0;
        loop {
            world.report("a", &steady, &json!({"users": 0})).is(200);
            reports += 1;
            let listing = world.by(&ann, "GET", "/v1/games/a/servers", None).is(200).json();
            let ids: Vec<_> =
                listing["servers"].as_array().unwrap().iter().map(|one| &one["server"]).collect();
            assert!(ids.contains(&&json!(steady)));
            if !ids.contains(&&json!(silent)) {
                break;
            }
        }
        assert!(reports > 2);
        world.report("a", &silent, &json!({"users": 0})).refused(404, "unknown_server");
    });
}

#[test]
fn a_game_and_the_list_of_games_have_their_bounds() {
    everywhere(&["--servers", "2"], |world| {
        world.register("a", "a:1", 1, None);
        world.register("a", "b:1", 1, None);
        let third = json!({"doors": {"raw": "c:1"}, "capacity": 1});
        world.with_key("POST", "/v1/games/a/servers", Some(&third)).refused(503, "too_many_servers");
        // One at the address of another is that one, started anew.
        let again = json!({"doors": {"raw": "b:1"}, "capacity": 1});
        world.with_key("POST", "/v1/games/a/servers", Some(&again)).is(201);
    });
    let world = World::in_memory(&[]);
    for game in 0..64 {
        world.register(&format!("game{game}"), "a:1", 1, None);
    }
    let one = json!({"doors": {"raw": "c:1"}, "capacity": 1});
    world.with_key("POST", "/v1/games/more/servers", Some(&one)).refused(503, "too_many_games");
}

#[test]
fn users_cannot_do_what_servers_do_and_servers_not_what_users_do() {
    everywhere(&[], |world| {
        let ann = world.user("ann");
        let id = world.register("a", "a:1", 1, None);
        let server = json!({"doors": {"raw": "c:1"}, "capacity": 1});
        let (all, one) = ("/v1/games/a/servers", &*format!("/v1/games/a/servers/{id}"));
        for secret in [None, Some(&*ann.session)] {
            call(world.addr(), "POST", all, secret, Some(&server)).refused(401, "bad_key");
            call(world.addr(), "PUT", one, secret, Some(&json!({"users": 1}))).refused(401, "bad_key");
            call(world.addr(), "DELETE", one, secret, None).refused(401, "bad_key");
        }
        world.with_key("GET", all, None).refused(401, "no_session");
        world.with_key("POST", "/v1/games/a/seat", Some(&json!({}))).refused(401, "no_session");
        world.with_key("POST", "/v1/games/a/match", Some(&json!({}))).refused(401, "no_session");
    });
}

#[test]
fn every_field_of_a_registration_and_of_a_report_has_its_bounds() {
    let world = World::in_memory(&[]);
    let good = json!({
        "doors": {"raw": "a:1"},
        "capacity": 10,
        "rooms": {"first": 1, "count": 3, "seats": 4},
        "load": {"users": 10, "occupied": [[1, 4], [3, 1]]},
    });
    world.with_key("POST", "/v1/games/a/servers", Some(&good)).is(201);
    let id = world.register("a", "a:1", 10, None);
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(field).unwrap_or_else(|| panic!("{field}")) = value;
        body
    };
    let doors =
        |count: usize| Value::Object((0..count).map(|door| (format!("d{door}"), json!("a:1"))).collect());
    for wrong in [
        with("/doors", json!({})),
        with("/doors", doors(17)),
        with("/doors", json!({"": "a:1"})),
        with("/doors", json!({"raw": ""})),
        with("/doors", json!({"raw": "a b"})),
        with("/doors", json!({"raw": "x".repeat(256)})),
        with("/doors", json!({"x".repeat(33): "a:1"})),
        with("/doors", json!({"raw": "x"})),
        with("/doors", json!({"raw": "off"})),
        with("/doors", json!({"raw": "127.0.0.1:0"})),
        with("/doors", json!({"raw": "127.0.0.1:99999"})),
        with("/doors", json!({"raw": "::1:80"})),
        with("/load/users", json!(11)),
        with("/load/occupied", json!([[1, 1], [1, 1]])),
        with("/load/occupied", json!([[0, 1]])),
        with("/load/occupied", json!([[4, 1]])),
        with("/load/occupied", json!([[1, 5]])),
        with("/rooms", Value::Null),
        with("/capacity", json!(0)),
        with("/capacity", json!(1_000_001)),
        with("/rooms/count", json!(0)),
        with("/rooms/count", json!(65_537)),
        with("/rooms/seats", json!(0)),
        with("/rooms/first", json!(u32::MAX)),
    ] {
        world.with_key("POST", "/v1/games/a/servers", Some(&wrong)).refused(400, "bad_field");
    }
    for wrong in [
        with("/doors", json!([])),
        with("/capacity", json!(-1)),
        with("/capacity", json!(1.5)),
        with("/capacity", json!(1e20)),
        with("/rooms/seats", json!(65_536)),
        with("/rooms", json!(3)),
        with("/rooms", json!([1, 3, 4])),
        with("/load", json!([1])),
    ] {
        world.with_key("POST", "/v1/games/a/servers", Some(&wrong)).refused(400, "bad_body");
    }
    let many: Vec<[u32; 2]> = (0..8193).map(|room| [room, 1]).collect();
    let users: Vec<u64> = (0..8193).collect();
    for wrong in [
        json!({"users": 1_000_001}),
        json!({"users": 1, "occupied": many}),
        json!({"users": 1, "entered": users}),
    ] {
        world.report("a", &id, &wrong).refused(400, "bad_field");
    }
    for wrong in
        [json!({}), json!({"users": -1}), json!({"users": 1, "occupied": [[1]]}), json!({"users": 1, "x": 1})]
    {
        world.report("a", &id, &wrong).refused(400, "bad_body");
    }
    world.report("a", &id, &json!({"users": 1, "occupied": &many[1..], "entered": &users[1..]})).is(200);
    for game in ["", "A", "a.b", "%2e%2e", "a%00", &"x".repeat(33)] {
        let path = format!("/v1/games/{game}/servers");
        world.with_key("POST", &path, Some(&good)).refused(400, "bad_field");
    }
}
