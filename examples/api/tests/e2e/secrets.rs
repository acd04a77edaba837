use serde_json::json;

use crate::world::{KEY, World};

/// With everything logged that there is: passwords, hashes, sessions, tokens and the key are not.
#[test]
fn no_secret_is_ever_logged() {
    let dir = crate::world::Dir::new();
    let redis = support::testing::RedisServer::start();
    let mut command = crate::world::api(&dir, redis.as_ref(), &["--match-size", "2"]);
    command.env("RUST_LOG", "trace");
    let world = World::of(support::testing::Server::start(&mut command, 1), redis, dir);
    let password = "a password like no other";
    let credentials = json!({"name": "ann", "password": password});
    world.post("/v1/users", None, &credentials).is(201);
    world.post("/v1/users", None, &credentials).is(409);
    let session = world.post("/v1/sessions", None, &credentials).is(201).text_of("session");
    let wrong = json!({"name": "ann", "password": "another one like no other"});
    world.post("/v1/sessions", None, &wrong).is(401);
    world.post("/v1/sessions", None, &json!({"name": "ann", "password": 77_777_777})).is(400);
    let ann = crate::world::Who { id: 1, name: "ann".to_owned(), session: session.clone() };
    let (token, unused) = (world.token(&ann), world.token(&ann));
    world.redeem("ann", &token).is(200);
    world.redeem("ann", &token).is(403);
    world.register("a", "a:1", 10, None);
    let seat = world.by(&ann, "POST", "/v1/games/a/seat", Some(&json!({}))).is(201).text_of("token");
    world.by(&ann, "POST", "/v1/games/a/match", Some(&json!({}))).is(202);
    world.get(&format!("/v1/{token}/{password}").replace(' ', "%20")).is(404);
    let World { server, redis, dir, .. } = world;
    // What goes wrong is not told with secrets either.
    drop(redis);
    let logs = server.terminate().stderr.join("\n");
    drop(dir);
    assert!(logs.contains("/v1/tokens/redeem"), "nothing is logged at all: {logs}");
    let secret = session.split_once('.').unwrap().1;
    for secret in [
        password,
        "another one like no other",
        "77777777",
        secret,
        &token,
        &unused,
        &seat,
        KEY,
        "$argon2",
        "%20",
    ] {
        assert!(!logs.contains(secret), "{secret} is in the logs");
    }
}

#[test]
fn the_file_has_no_password_in_it_and_the_password_of_redis_is_not_shown() {
    let world = World::in_memory(&[]);
    world.user("ann");
    let db = world.dir.file("api.db");
    let World { server, dir, .. } = world;
    assert_eq!(server.terminate().code, Some(0));
    let bytes = std::fs::read(&db).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("$argon2id$") && !has(crate::world::PASSWORD));
    let flags = ["--redis", "redis://:hidden-password@127.0.0.1:1"];
    let mut command = crate::world::api(&dir, None, &flags);
    command.env("RUST_LOG", "trace");
    let server = support::testing::Server::start(&mut command, 1);
    let health = crate::http::call(server.addr(), "GET", "/health", None, None).is(503);
    assert_eq!(health.json()["store"], "redis is away");
    let logs = server.terminate().stderr.join("\n");
    assert!(logs.contains("redis is away") && !logs.contains("hidden-password"), "{logs}");
}
