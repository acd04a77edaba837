use std::time::{Duration, Instant};

use serde_json::json;

use crate::http::{call, send};
use crate::world::{PASSWORD, World, everywhere};

#[test]
fn somebody_signs_up_logs_in_and_out() {
    everywhere(&[], |world| {
        let ann = world.user("ann");
        let me = world.by(&ann, "GET", "/v1/users/me", None).is(200);
        assert_eq!(me.json(), json!({"id": ann.id, "name": "ann"}));
        let other = world.log_in("ann");
        assert_ne!(ann.session, other.session);
        assert_eq!(world.by(&ann, "DELETE", "/v1/sessions", None).is(204).text, "");
        world.by(&ann, "GET", "/v1/users/me", None).refused(401, "no_session");
        world.by(&ann, "DELETE", "/v1/sessions", None).refused(401, "no_session");
        world.by(&other, "GET", "/v1/users/me", None).is(200);
    });
}

#[test]
fn a_name_is_taken_once_and_wrong_log_ins_look_all_the_same() {
    everywhere(&[], |world| {
        world.user("ann");
        let again = json!({"name": "ann", "password": "another password"});
        world.post("/v1/users", None, &again).refused(409, "name_taken");
        let wrong = world.post("/v1/sessions", None, &again).is(401);
        let nobody = json!({"name": "nobody", "password": "another password"});
        let unknown = world.post("/v1/sessions", None, &nobody).is(401);
        assert_eq!(wrong.text, unknown.text);
        assert_eq!(wrong.code(), "wrong_login");
        assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
        world.log_in("ann");
    });
}

#[test]
fn an_unknown_name_takes_as_long_as_a_known_one() {
    let world = World::in_memory(&["--failures-per-minute", "0"]);
    world.user("ann");
    let time = |name: &str| {
        let began = Instant::now();
        let body = json!({"name": name, "password": "another password"});
        world.post("/v1/sessions", None, &body).refused(401, "wrong_login");
        began.elapsed()
    };
    // One after the other, so that whatever else the machine does slows both.
    let (mut known, mut unknown): (Vec<Duration>, Vec<Duration>) =
        (0..9).map(|_| (time("ann"), time("nobody"))).unzip();
    known.sort();
    unknown.sort();
    // Without the hash it would be a hundredth.
    assert!(known[4] < unknown[4] * 5 && unknown[4] < known[4] * 5, "{known:?} and {unknown:?}");
}

#[test]
fn names_and_passwords_have_their_bounds() {
    everywhere(&["--signups-per-minute", "0"], |world| {
        for name in ["a", "0123456789abcdef", "가나다라마", " ", "a b", "\u{1f600}", "' OR 1=1", "<b>", "\n"]
        {
            world.user(name);
        }
        for name in ["", "0123456789abcdefg", "가나다라마바", "a\0b", "\0"] {
            let body = json!({"name": name, "password": PASSWORD});
            world.post("/v1/users", None, &body).refused(400, "bad_field");
            world.post("/v1/sessions", None, &body).refused(400, "bad_field");
        }
        for (number, password) in
            ["12345678", &"x".repeat(128), "\0\0\0\0\0\0\0\0", "비밀번호"].iter().enumerate()
        {
            let body = json!({"name": format!("p{number}"), "password": password});
            world.post("/v1/users", None, &body).is(201);
            world.post("/v1/sessions", None, &body).is(201);
        }
        for password in ["", "1234567", &"x".repeat(129)] {
            let body = json!({"name": "q", "password": password});
            world.post("/v1/users", None, &body).refused(400, "bad_field");
        }
    });
}

#[test]
fn a_body_that_does_not_fit_is_refused_with_the_place() {
    let world = World::in_memory(&[]);
    for body in [
        &b""[..],
        b"{",
        b"null",
        b"[]",
        b"3",
        b"\xff",
        b"{\"name\":\"ann\"}",
        b"{\"name\":3,\"password\":\"12345678\"}",
        b"{\"name\":\"ann\",\"password\":\"12345678\",\"admin\":true}",
        b"{\"name\":\"ann\",\"name\":\"ben\",\"password\":\"12345678\"}",
        b"{\"name\":\"ann\",\"password\":\"12345678\"} x",
        b"{\"name\":\"\\ud800\",\"password\":\"12345678\"}",
        &b"[".repeat(4000),
    ] {
        let answer = send(world.addr(), "POST", "/v1/users", "Content-Type: application/json\r\n", body);
        answer.refused(400, "bad_body");
    }
    let body = json!({"name": "ann", "password": PASSWORD}).to_string();
    for kind in ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"] {
        send(world.addr(), "POST", "/v1/users", kind, body.as_bytes()).refused(415, "not_json");
    }
    let kind = "Content-Type: Application/JSON; charset=utf-8\r\n";
    send(world.addr(), "POST", "/v1/users", kind, body.as_bytes()).is(201);
}

#[test]
fn a_session_is_whole_or_none() {
    everywhere(&[], |world| {
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let secret = ann.session.split_once('.').unwrap().1;
        for wrong in [
            String::new(),
            secret.to_owned(),
            format!("{}.{secret}", ben.id),
            format!("{}.{secret}", u64::MAX),
            format!("{}.{}", ann.id, "A".repeat(32)),
            format!("{}x", ann.session),
            ann.session.to_ascii_lowercase(),
        ] {
            call(world.addr(), "GET", "/v1/users/me", Some(&wrong), None).refused(401, "no_session");
        }
        let path = "/v1/users/me";
        call(world.addr(), "GET", path, None, None).refused(401, "no_session");
        let basic = format!("Authorization: Basic {}\r\n", ann.session);
        send(world.addr(), "GET", path, &basic, b"").refused(401, "no_session");
        let twice = format!("Authorization: Bearer {0}\r\nAuthorization: Bearer {0}\r\n", ann.session);
        send(world.addr(), "GET", path, &twice, b"").refused(401, "no_session");
    });
}

#[test]
fn a_user_has_sixteen_sessions_at_most() {
    everywhere(&["--logins-per-minute", "0"], |world| {
        let first = world.user("ann");
        let others: Vec<_> = (0..16).map(|_| world.log_in("ann")).collect();
        world.by(&first, "GET", "/v1/users/me", None).refused(401, "no_session");
        for other in &others {
            world.by(other, "GET", "/v1/users/me", None).is(200);
        }
    });
}

#[test]
fn who_tries_too_often_is_told_when_to_come_back() {
    let flags = ["--failures-per-minute", "3", "--signups-per-minute", "2", "--requests-per-minute", "5"];
    everywhere(&flags, |world| {
        let ann = world.user("ann");
        world.user("ben");
        let body = json!({"name": "cem", "password": PASSWORD});
        let answer = world.post("/v1/users", None, &body);
        let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&after), "{answer:?}");
        answer.refused(429, "too_many_requests");
        // Right log-ins do not count, wrong ones do, and those of others do not matter.
        for _ in 0..5 {
            world.log_in("ann");
        }
        let wrong = json!({"name": "ann", "password": "another password"});
        for _ in 0..3 {
            world.post("/v1/sessions", None, &wrong).refused(401, "wrong_login");
        }
        world.post("/v1/sessions", None, &wrong).refused(429, "too_many_requests");
        world.log_in("ben");
        for _ in 0..5 {
            world.by(&ann, "GET", "/v1/users/me", None).is(200);
        }
        world.by(&ann, "GET", "/v1/users/me", None).refused(429, "too_many_requests");
    });
}

#[test]
fn behind_a_proxy_the_limits_are_those_of_the_address_that_it_saw() {
    let flags = ["--signups-per-minute", "1"];
    let sign_up = |world: &World, name: &str, from: &str| {
        let lines = format!("Content-Type: application/json\r\nX-Forwarded-For: {from}\r\n");
        let body = json!({"name": name, "password": PASSWORD}).to_string();
        send(world.addr(), "POST", "/v1/users", &lines, body.as_bytes()).status
    };
    let world = World::in_memory(&[&flags[..], &["--proxy", "127.0.0.1"]].concat());
    assert_eq!(sign_up(&world, "a", "10.0.0.1"), 201);
    assert_eq!(sign_up(&world, "b", "10.0.0.2"), 201);
    assert_eq!(sign_up(&world, "c", "10.0.0.3, 10.0.0.2"), 429);
    // Otherwise anybody could claim to be anywhere.
    let world = World::in_memory(&flags);
    assert_eq!(sign_up(&world, "a", "10.0.0.1"), 201);
    assert_eq!(sign_up(&world, "b", "10.0.0.2"), 429);
}

#[test]
fn accounts_stay_when_the_server_does_not() {
    let world = World::in_memory(&[]);
    let ann = world.user("ann");
    let world = world.restart(&[]);
    assert_eq!(world.log_in("ann").id, ann.id);
    // Sessions in memory do not.
    world.by(&ann, "GET", "/v1/users/me", None).refused(401, "no_session");
}
