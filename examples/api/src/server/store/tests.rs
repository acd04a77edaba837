//! One suite for both stores, and what is Redis's alone.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use support::testing::RedisServer;
use tokio::time::{Instant, sleep};

use super::{Kind, Memory, Redis, Store, StoreError};
use crate::server::secret;
use crate::server::world::{Answer, Denial, Op, Request, Rules};
use crate::{Registration, User};

/// Two handles on one store, and its clock.
struct World {
    one: Arc<dyn Store>,
    two: Arc<dyn Store>,
    redis: Option<RedisServer>,
}

impl World {
    fn memory() -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new(rules()));
        Self { one: store.clone(), two: store, redis: None }
    }

    fn redis() -> Option<Self> {
        let redis = RedisServer::start()?;
        let store = || -> Arc<dyn Store> { Arc::new(Redis::new(&redis.url(), "test:", rules()).unwrap()) };
        Some(Self { one: store(), two: store(), redis: Some(redis) })
    }

    /// Lets time pass on the store's clock.
    async fn pass(&self, time: Duration) {
        match &self.redis {
            // The clock is paused.
            None => sleep(time).await,
            Some(redis) => {
                // Redis answers when it has waited for so long.
                let mut wait = redis::cmd("BLPOP");
                wait.arg("nothing").arg(time.as_secs_f64() + 0.01);
                wait.exec_async(&mut connect(redis).await).await.unwrap();
            }
        }
    }
}

async fn connect(redis: &RedisServer) -> MultiplexedConnection {
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let client = redis::Client::open(redis.url()).unwrap();
    client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
}

fn rules() -> Rules {
    let seconds = Duration::from_secs;
    Rules {
        lease: Duration::from_millis(300),
        keep: seconds(60),
        group: 2,
        patience: seconds(120),
        queue: 100,
        servers: 10,
    }
}

/// Each of these in memory, on a paused clock, and in Redis.
macro_rules! in_both {
    ($($name:ident)*) => {
        mod in_memory {
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                super::$name(super::World::memory()).await;
            })*
        }

        mod in_redis {
            $(#[tokio::test]
            async fn $name() {
                if let Some(world) = super::World::redis() {
                    super::$name(world).await;
                }
            })*
        }
    };
}

in_both! {
    a_secret_is_good_for_its_user_and_kind_until_it_is_taken
    a_secret_ends_with_its_time
    of_too_many_secrets_the_one_that_ends_first_is_good_no_more
    a_secret_is_taken_once_however_many_try
    a_game_is_unknown_until_a_server_registers
    the_last_seats_are_given_once_however_many_ask_at_both_handles
    a_match_made_at_one_handle_is_found_at_the_other
    a_server_that_stops_reporting_leaves_the_list
}

async fn a_secret_is_good_for_its_user_and_kind_until_it_is_taken(world: World) {
    let World { one, two, .. } = &world;
    let secret = secret::token();
    one.issue(Kind::Token, 1, &secret, LONG).await.unwrap();
    assert!(two.check(Kind::Token, 1, &secret).await.unwrap());
    for (kind, user, secret) in
        [(Kind::Token, 2, &*secret), (Kind::Session, 1, &secret), (Kind::Token, 1, "x"), (Kind::Token, 1, "")]
    {
        assert!(!two.check(kind, user, secret).await.unwrap());
        assert!(!two.take(kind, user, secret).await.unwrap());
    }
    assert!(two.take(Kind::Token, 1, &secret).await.unwrap());
    assert!(!one.take(Kind::Token, 1, &secret).await.unwrap());
    assert!(!one.check(Kind::Token, 1, &secret).await.unwrap());
}

async fn a_secret_ends_with_its_time(world: World) {
    let store = &world.one;
    store.issue(Kind::Token, 1, "short", Duration::from_millis(20)).await.unwrap();
    store.issue(Kind::Token, 1, "long", LONG).await.unwrap();
    world.pass(Duration::from_millis(20)).await;
    assert!(!store.check(Kind::Token, 1, "short").await.unwrap());
    assert!(!store.take(Kind::Token, 1, "short").await.unwrap());
    assert!(store.take(Kind::Token, 1, "long").await.unwrap());
}

async fn of_too_many_secrets_the_one_that_ends_first_is_good_no_more(world: World) {
    let store = &world.one;
    store.issue(Kind::Token, 1, "longest", LONG * 2).await.unwrap();
    for number in 0..Kind::Token.most() {
        let ttl = LONG + Duration::from_millis(number as u64);
        store.issue(Kind::Token, 1, &number.to_string(), ttl).await.unwrap();
    }
    assert!(!store.check(Kind::Token, 1, "0").await.unwrap());
    for number in 1..Kind::Token.most() {
        assert!(store.check(Kind::Token, 1, &number.to_string()).await.unwrap());
    }
    assert!(store.check(Kind::Token, 1, "longest").await.unwrap());
}

async fn a_secret_is_taken_once_however_many_try(world: World) {
    world.one.issue(Kind::Token, 1, "one", LONG).await.unwrap();
    let tries = (0..40).map(|turn| {
        let store = if turn % 2 == 0 { world.one.clone() } else { world.two.clone() };
        tokio::spawn(async move { store.take(Kind::Token, 1, "one").await.unwrap() })
    });
    let mut taken = 0;
    for one in tries.collect::<Vec<_>>() {
        taken += u32::from(one.await.unwrap());
    }
    assert_eq!(taken, 1);
}

async fn a_game_is_unknown_until_a_server_registers(world: World) {
    let ops = [Op::List, place(1), wait(1), Op::Remove { id: "s".to_owned() }, Op::Leave { user: 1 }];
    for op in ops {
        assert_eq!(change(&world.one, op).await, Answer::No(Denial::UnknownGame));
    }
    assert_eq!(change(&world.one, register("s", 1)).await, Answer::Done);
    assert!(matches!(change(&world.two, place(1)).await, Answer::Seat(_)));
    let other = world.one.change("other", Op::List).await.unwrap();
    assert_eq!(other.answer, Answer::No(Denial::UnknownGame));
}

async fn the_last_seats_are_given_once_however_many_ask_at_both_handles(world: World) {
    change(&world.one, register("a", 7)).await;
    change(&world.two, register("b", 5)).await;
    let tries = (0..60).map(|user| {
        let store = if user % 2 == 0 { world.one.clone() } else { world.two.clone() };
        tokio::spawn(async move { change(&store, place(user)).await })
    });
    let mut seats = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Answer::Seat(kept) => seats.push(kept.server),
            Answer::No(Denial::NoRoom) => {}
            other => panic!("{other:?}"),
        }
    }
    seats.sort();
    assert_eq!(seats, [vec!["a"; 7], vec!["b"; 5]].concat());
}

async fn a_match_made_at_one_handle_is_found_at_the_other(world: World) {
    change(&world.one, register("a", 10)).await;
    assert!(matches!(change(&world.one, wait(1)).await, Answer::Waiting { waiting: 1, .. }));
    let outcome = world.two.change("game", wait(2)).await.unwrap();
    assert_eq!(outcome.matched, [1, 2]);
    let found = change(&world.one, Op::Look { users: vec![1, 2, 3] }).await;
    assert_eq!(found, Answer::Found(vec![1, 2]));
    assert!(matches!(change(&world.one, wait(1)).await, Answer::Matched { users, .. } if users.len() == 2));
}

async fn a_server_that_stops_reporting_leaves_the_list(world: World) {
    change(&world.one, register("a", 10)).await;
    world.pass(Duration::from_millis(300)).await;
    assert_eq!(change(&world.two, place(1)).await, Answer::No(Denial::NoRoom));
    let Answer::List(listing) = change(&world.two, Op::List).await else { panic!() };
    assert!(listing.servers.is_empty());
}

#[tokio::test]
async fn every_key_in_redis_has_a_prefix_and_expires() {
    let Some(world) = World::redis() else { return };
    world.one.spend("ln", "ann", 6_000_000).await.unwrap().unwrap();
    for user in 0..5 {
        world.one.issue(Kind::Token, user, "x", LONG).await.unwrap();
        world.one.issue(Kind::Session, user, "x", LONG).await.unwrap();
        world.one.issue(Kind::Session, user, "y", Duration::from_millis(1)).await.unwrap();
    }
    change(&world.one, register("a", 10)).await;
    change(&world.one, wait(1)).await;
    let redis = world.redis.as_ref().unwrap();
    let keys = redis.expiring_keys();
    assert_eq!((keys.len(), keys.iter().filter(|key| key.starts_with("test:")).count()), (12, 12));
}

#[tokio::test]
async fn all_who_share_a_redis_count_together_how_often_somebody_tried() {
    let Some(world) = World::redis() else { return };
    let World { one, two, .. } = &world;
    // Six a minute.
    let each = 10_000_000;
    for store in [one, two, one, two, one, two] {
        assert_eq!(store.spend("ln", "ann", each).await, Ok(Ok(())));
    }
    let wait = two.spend("ln", "ann", each).await.unwrap().unwrap_err();
    assert!((Duration::from_secs(1)..=Duration::from_secs(10)).contains(&wait), "{wait:?}");
    // Other names, and other limits, are others.
    assert_eq!(two.spend("ln", "ben", each).await, Ok(Ok(())));
    assert_eq!(two.spend("sn", "ann", each).await, Ok(Ok(())));
    one.give_back("ln", "ann", each).await.unwrap();
    assert_eq!(two.spend("ln", "ann", each).await, Ok(Ok(())));
    assert!(one.spend("ln", "ann", each).await.unwrap().is_err());
    // What was not taken cannot be given back, and a name may be anything.
    for _ in 0..3 {
        one.give_back("ln", "a\r\n:{가}", each).await.unwrap();
    }
    let tries = (0..20).map(|turn| {
        let store = if turn % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move { store.spend("ln", "a\r\n:{가}", each).await.unwrap().is_ok() })
    });
    let mut good = 0;
    for one in tries.collect::<Vec<_>>() {
        good += u32::from(one.await.unwrap());
    }
    assert_eq!(good, 6);
}

#[tokio::test]
async fn credit_comes_back_by_the_clock_of_redis_to_the_microsecond() {
    let Some(world) = World::redis() else { return };
    // 300 a minute: one each 200 ms.
    let each = 200_000;
    let mut taken = 0;
    let wait = loop {
        match world.one.spend("la", "10.0.0.1", each).await.unwrap() {
            Ok(()) => taken += 1,
            Err(wait) => break wait,
        }
        assert!(taken < 1000);
    };
    assert!(taken >= 300 && wait <= Duration::from_micros(each), "{taken} {wait:?}");
    world.pass(wait).await;
    assert_eq!(world.two.spend("la", "10.0.0.1", each).await, Ok(Ok(())));
}

#[tokio::test]
async fn while_redis_is_away_everything_is_refused_at_once_and_it_is_back_by_itself() {
    let Some(mut world) = World::redis() else { return };
    world.one.issue(Kind::Token, 1, "x", LONG).await.unwrap();
    world.redis.as_mut().unwrap().kill();
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(world.one.check(Kind::Token, 1, "x").await, Err(StoreError::Away));
        assert_eq!(world.one.change("game", Op::List).await, Err(StoreError::Away));
        assert_eq!(world.one.ping().await, Err(StoreError::Away));
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    world.redis.as_mut().unwrap().again();
    while world.one.ping().await.is_err() {
        tokio::task::yield_now().await;
        assert!(began.elapsed() < Duration::from_secs(20), "it is not back");
    }
    assert!(!world.one.check(Kind::Token, 1, "x").await.unwrap(), "redis had no disk");
    assert_eq!(change(&world.one, register("a", 1)).await, Answer::Done);
}

#[cfg(unix)]
#[tokio::test]
async fn a_redis_that_does_not_answer_holds_nobody_up_for_long() {
    let Some(world) = World::redis() else { return };
    world.one.ping().await.unwrap();
    let redis = world.redis.as_ref().unwrap();
    redis.signal("STOP");
    let began = Instant::now();
    let tries = (0..50).map(|user| {
        let store = world.one.clone();
        tokio::spawn(async move {
            (store.change("game", place(user)).await, store.check(Kind::Token, user, "x").await)
        })
    });
    for one in tries.collect::<Vec<_>>() {
        let (seat, good) = one.await.unwrap();
        assert_eq!((seat.err(), good.err()), (Some(StoreError::Away), Some(StoreError::Away)));
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    redis.signal("CONT");
    while world.one.ping().await.is_err() {
        tokio::task::yield_now().await;
        assert!(began.elapsed() < Duration::from_secs(30), "it is not back");
    }
}

#[tokio::test]
async fn a_world_that_cannot_be_read_begins_anew() {
    let Some(world) = World::redis() else { return };
    let mut connection = connect(world.redis.as_ref().unwrap()).await;
    for garbage in ["", "x", "0123456789abcdef", "0123456789abcdef{\"servers\":3}", "0123456789abcde\u{e9}"] {
        redis::cmd("SET").arg(&["test:w1:game", garbage]).exec_async(&mut connection).await.unwrap();
        assert_eq!(change(&world.one, place(1)).await, Answer::No(Denial::NoRoom), "{garbage}");
        assert_eq!(change(&world.one, register("a", 10)).await, Answer::Done);
        assert!(matches!(change(&world.two, place(1)).await, Answer::Seat(_)));
    }
}

#[tokio::test]
async fn what_is_no_redis_address_is_refused_without_repeating_it() {
    for url in ["", "nowhere", "http://x:secret@127.0.0.1", "redis://:secret@127.0.0.1:99999", "redis://"] {
        let Err(error) = Redis::new(url, "test:", rules()) else { continue };
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

async fn change(store: &Arc<dyn Store>, op: Op) -> Answer {
    store.change("game", op).await.unwrap().answer
}

fn register(id: &str, capacity: u32) -> Op {
    Op::Register { id: id.to_owned(), server: Registration::new(capacity).door("raw", format!("{id}:1")) }
}

fn place(user: u64) -> Op {
    Op::Place { user, avoid: Vec::new() }
}

fn wait(id: u64) -> Op {
    let user = User { id, name: format!("user{id}") };
    let request = Request { id: 1, hears: Duration::from_secs(5), anew: true };
    Op::Wait { user, avoid: Vec::new(), request }
}

const LONG: Duration = Duration::from_secs(60);
