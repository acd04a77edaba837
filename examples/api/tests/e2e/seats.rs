use std::collections::BTreeMap;
use std::thread;

use serde_json::{Value, json};

use crate::world::{Api, Who, everywhere};

#[track_caller]
fn seat(world: &Api, who: &Who, wish: &Value) -> Value {
    world.by(who, "POST", "/v1/games/a/seat", Some(wish)).is(201).json()
}

#[test]
fn a_user_gets_server_room_and_a_token_that_lets_them_in() {
    everywhere(&[], |world| {
        let ann = world.user("ann");
        world.by(&ann, "POST", "/v1/games/a/seat", Some(&json!({}))).refused(404, "unknown_game");
        let id = world.register("a", "10.0.0.7:11024", 10, Some([5, 2, 4]));
        let found = seat(world, &ann, &json!({}));
        assert_eq!(
            [&found["server"], &found["room"], &found["reserved_ms"]],
            [&json!(id), &json!(5), &json!(60_000)]
        );
        assert_eq!(found["doors"], json!({"raw": "10.0.0.7:11024"}));
        world.redeem("ann", found["token"].as_str().unwrap()).is(200);
        world.report("a", &id, &json!({"users": 1, "occupied": [[5, 1]], "entered": [ann.id]})).is(200);
        let listing = world.by(&ann, "GET", "/v1/games/a/servers", None).is(200).json();
        assert_eq!([&listing["servers"][0]["users"], &listing["servers"][0]["reserved"]], [1, 0]);
    });
}

#[test]
fn of_two_users_one_has_the_last_seat_and_it_is_free_again_when_given_back() {
    everywhere(&[], |world| {
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        world.register("a", "a:1", 1, None);
        assert!(seat(world, &ann, &json!({}))["room"].is_null());
        let refused = world.by(&ben, "POST", "/v1/games/a/seat", Some(&json!({})));
        assert_eq!(refused.header("retry-after"), Some("1"));
        refused.refused(503, "no_room");
        // Who asks again has it still.
        seat(world, &ann, &json!({}));
        for _ in 0..2 {
            world.by(&ann, "DELETE", "/v1/games/a/seat", None).is(204);
        }
        seat(world, &ben, &json!({}));
    });
}

#[test]
fn a_crowd_fills_all_servers_and_no_seat_twice() {
    everywhere(&["--signups-per-minute", "0", "--logins-per-minute", "0"], |world| {
        let ids = [("a:1", 3), ("b:1", 5)]
            .map(|(at, capacity)| (world.register("a", at, capacity, None), capacity));
        let crowd: Vec<Who> = (0..12).map(|number| world.user(&format!("u{number}"))).collect();
        let world = &**world;
        let seats: Vec<Option<String>> = thread::scope(|scope| {
            let tries = crowd.iter().map(|who| {
                scope.spawn(move || {
                    let answer = world.by(who, "POST", "/v1/games/a/seat", Some(&json!({})));
                    (answer.status == 201).then(|| answer.text_of("server"))
                })
            });
            let tries: Vec<_> = tries.collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for server in seats.into_iter().flatten() {
            *taken.entry(server).or_default() += 1;
        }
        assert_eq!(taken, ids.into_iter().collect());
    });
}

#[test]
fn who_cannot_reach_a_server_is_sent_to_another_and_nobody_to_its_ghost() {
    everywhere(&["--server-ms", "500", "--requests-per-minute", "0"], |world| {
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let dead = world.register("a", "dead:1", 100, None);
        let alive = world.register("a", "alive:1", 1, None);
        world.report("a", &alive, &json!({"users": 0})).is(200);
        assert_eq!(seat(world, &ann, &json!({"avoid": [dead]}))["server"], *alive);
        // When the dead one has left the list, there is no other.
        loop {
            world.report("a", &alive, &json!({"users": 1, "entered": [ann.id]})).is(200);
            let answer = world.by(&ben, "POST", "/v1/games/a/seat", Some(&json!({})));
            if answer.status != 201 {
                answer.refused(503, "no_room");
                break;
            }
            assert_eq!(answer.text_of("server"), dead);
        }
        let too_many: Vec<String> = (0..17).map(|number| number.to_string()).collect();
        for wrong in [json!({"avoid": too_many}), json!({"avoid": ["x".repeat(65)]})] {
            world.by(&ben, "POST", "/v1/games/a/seat", Some(&wrong)).refused(400, "bad_field");
        }
        world.by(&ben, "POST", "/v1/games/a/seat", Some(&json!({"room": 3}))).refused(400, "bad_body");
    });
}
