use std::thread;

use serde_json::json;

use crate::http::call;
use crate::world::{World, everywhere};

#[test]
fn a_token_lets_its_user_in_once() {
    everywhere(&[], |world| {
        let (ann, _) = (world.user("ann"), world.user("ben"));
        let token = world.token(&ann);
        assert!(
            token.len() == 16
                && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        // Somebody else's name does not use it up.
        world.redeem("ben", &token).refused(403, "bad_token");
        world.redeem("nobody", &token).refused(403, "bad_token");
        world.redeem("ann", "AAAAAAAAAAAAAAAA").refused(403, "bad_token");
        let redeemed = world.redeem("ann", &token).is(200);
        assert_eq!(redeemed.json(), json!({"id": ann.id, "name": "ann"}));
        world.redeem("ann", &token).refused(403, "bad_token");
    });
}

#[test]
fn a_token_is_redeemed_once_however_many_try() {
    everywhere(&[], |world| {
        let ann = world.user("ann");
        let token = world.token(&ann);
        let world = &**world;
        let redeemed: usize = thread::scope(|scope| {
            let tries: Vec<_> = (0..20)
                .map(|_| scope.spawn(|| usize::from(world.redeem("ann", &token).status == 200)))
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(redeemed, 1);
    });
}

#[test]
fn a_token_ends_with_its_time() {
    everywhere(&["--token-ms", "1000", "--session-ms", "1000", "--requests-per-minute", "0"], |world| {
        let ann = world.user("ann");
        let token = world.by(&ann, "POST", "/v1/tokens", None).is(201);
        assert_eq!(token.json()["expires_in_ms"], 1000);
        // A session that began later, and is good for as long.
        let later = world.log_in("ann");
        while world.by(&later, "GET", "/v1/users/me", None).status == 200 {}
        world.redeem("ann", &token.text_of("token")).refused(403, "bad_token");
    });
}

#[test]
fn a_user_has_eight_tokens_at_most() {
    everywhere(&[], |world| {
        let ann = world.user("ann");
        let tokens: Vec<String> = (0..9).map(|_| world.token(&ann)).collect();
        let good = tokens.iter().filter(|token| world.redeem("ann", token).status == 200).count();
        assert_eq!(good, 8);
    });
}

#[test]
fn only_those_with_the_key_redeem() {
    let world = World::in_memory(&[]);
    let ann = world.user("ann");
    let token = world.token(&ann);
    let body = json!({"user": "ann", "token": token});
    for secret in
        [None, Some(""), Some("wrong"), Some(&*ann.session), Some("a-key-of-game-servers-012345678")]
    {
        call(world.addr(), "POST", "/v1/tokens/redeem", secret, Some(&body)).refused(401, "bad_key");
    }
    world.redeem("ann", &token).is(200);
    for (user, token, status, code) in [
        ("", "AAAAAAAAAAAAAAAA", 400, "bad_field"),
        ("0123456789abcdefg", "AAAAAAAAAAAAAAAA", 400, "bad_field"),
        ("ann", "", 403, "bad_token"),
        ("ann", "short", 403, "bad_token"),
        ("ann", "AAAAAAAAAAAAAAA\u{e9}", 403, "bad_token"),
        ("ann", &"A".repeat(1000), 403, "bad_token"),
    ] {
        world.redeem(user, token).refused(status, code);
    }
}
