//! What only a real server can do.

use std::time::Duration;

use netcore::cluster::{AskError, Bid, ClaimError, Event, LinkError, Options, Redis};
use redis::AsyncCommands;

use crate::common::{Node, World, end, within};
use crate::proxy::Tardy;
use crate::redis::OnRedis;

#[tokio::test]
async fn a_server_that_is_killed_and_started_on_its_port_is_found_again() {
    let Some(mut world) = OnRedis::start().await else { return };
    let url = format!("redis://{}", world.server().addr);
    let mut node = Node::with(Options::new(Redis::new(&url).unwrap()));
    node.cluster.subscribe("t").unwrap();
    let kim = node.claim("kim").await.unwrap();
    world.server().kill();
    let reason = node.hears(|event| match event {
        Event::Away { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(reason.await, LinkError::Closed);
    let lee = node.claim("lee").await.unwrap();
    world.server().again();
    node.is_back().await;
    let other = Node::with(Options::new(Redis::new(&url).unwrap()));
    for name in ["kim", "lee"] {
        assert_eq!(other.claim(name).await.unwrap_err(), ClaimError::Taken { by: node.id() });
    }
    other.cluster.publish("t", "again").unwrap();
    assert_eq!(node.message().await, "again");
    drop((kim, lee));
    node.end().await;
    other.end().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_stands_still_is_away_and_what_it_does_late_does_no_harm() {
    let Some(mut world) = OnRedis::start().await else { return };
    let options = world.options().answer_within(Duration::from_millis(300));
    let mut node = Node::with(options.ttl(Duration::from_secs(3)));
    let kim = node.claim("kim").await.unwrap();
    world.server().signal("STOP");
    // These lie before the server, and will be done when it goes on: the claim after its release.
    let lee = node.cluster.claim("lee");
    let asked = node.cluster.block(1);
    drop(kim);
    let lee = within(lee).await.unwrap();
    assert!(lee.alone());
    assert_eq!(within(asked).await.unwrap_err(), AskError::Away);
    node.is_away().await;
    drop(lee);
    let kim = node.claim("kim").await.unwrap();
    world.server().signal("CONT");
    node.is_back().await;
    let other = Node::new(&mut world);
    assert_eq!(other.claim("kim").await.unwrap_err(), ClaimError::Taken { by: node.id() });
    assert!(other.claim("lee").await.is_ok());
    drop(kim);
    end(&world, &[node, other]).await;
}

#[tokio::test]
async fn a_renewal_that_comes_after_its_release_takes_the_name_from_nobody() {
    let Some(mut world) = OnRedis::start().await else { return };
    let line = Tardy::to(world.server().addr).await;
    let redis = Redis::new(&format!("redis://{}", line.addr)).unwrap().prefix("test:");
    let mut node = Node::with(Options::new(redis).answer_within(Duration::from_millis(300)));
    let kim = node.claim("kim").await.unwrap();
    world.age().await;
    // The network stands still for a moment; a renewal is on its way.
    line.late.send_replace(true);
    assert!(kim.set_value("x"));
    node.is_away().await;
    node.is_back().await;
    drop(kim);
    node.settle().await;
    // Somebody else has the name now, in good order.
    let other = Node::new(&mut world);
    let theirs = other.claim("kim").await.unwrap();
    assert!(!theirs.alone());
    line.late.send_replace(false);
    within(line.done).await.unwrap();
    assert_eq!(other.list("kim").await, [("kim".into(), other.id(), String::new())]);
    drop(theirs);
    end(&world, &[node, other]).await;
}

#[tokio::test]
async fn a_server_that_pauses_its_clients_for_less_than_the_deadline_is_waited_for() {
    let Some(mut world) = OnRedis::start().await else { return };
    let node = Node::with(world.options().answer_within(Duration::from_secs(20)));
    node.settle().await;
    let mut connection = world.connection().await;
    redis::cmd("CLIENT").arg(&["PAUSE", "500", "ALL"]).exec_async(&mut connection).await.unwrap();
    let kim = node.claim("kim").await.unwrap();
    assert!(!kim.alone() && node.cluster.stats().links_lost == 0);
    drop(kim);
    end(&world, &[node]).await;
}

#[tokio::test]
async fn scripts_that_were_forgotten_are_loaded_again() {
    let Some(mut world) = OnRedis::start().await else { return };
    let mut node = Node::new(&mut world);
    let kim = node.claim("kim").await.unwrap();
    let mut connection = world.connection().await;
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await.unwrap();
    let lee = node.claim("lee").await.unwrap();
    assert!(lee.alone());
    node.is_back().await;
    assert!(!node.claim("max").await.unwrap().alone());
    drop((kim, lee));
    end(&world, &[node]).await;
}

#[tokio::test]
async fn what_others_keep_in_the_server_is_left_alone_and_does_no_harm() {
    let Some(mut world) = OnRedis::start().await else { return };
    let mut node = Node::new(&mut world);
    node.cluster.subscribe("t").unwrap();
    node.settle().await;
    let mut connection = world.connection().await;
    // On our own channels: too short for one of ours, about a name that nobody has, and a good one.
    let _: usize = connection.publish("test:t:t", "short").await.unwrap();
    let _: usize = connection.publish(format!("test:d:{}", node.id()), "nobody").await.unwrap();
    let _: usize = connection.publish("test:t:t", b"\0\0\0\0\0\0\0\x63good").await.unwrap();
    assert_eq!(node.message().await, "good");
    node.settle().await;
    assert_eq!(node.cluster.stats().links_lost, 0);
    let other = Node::with(Options::new(Redis::new(&format!("redis://{}", world.server().addr)).unwrap()));
    let (mine, theirs) = (node.claim("kim").await.unwrap(), other.claim("kim").await.unwrap());
    assert!(!mine.alone() && !theirs.alone(), "another prefix is another cluster");
    other.cluster.publish("t", "x").unwrap();
    other.settle().await;
    drop((mine, theirs));
    other.end().await;
    let left = ["netcore:block".to_owned(), format!("netcore:l:{}", other.id())];
    let _: () = connection.del(&left).await.unwrap();
    end(&world, &[node]).await;
}

#[tokio::test]
async fn two_databases_of_one_server_are_two_clusters() {
    let Some(mut world) = OnRedis::start().await else { return };
    let addr = world.server().addr;
    let on = |database: u8| Options::new(Redis::new(&format!("redis://{addr}/{database}")).unwrap());
    let (one, mut two) = (Node::with(on(0)), Node::with(on(1)));
    two.cluster.subscribe("t").unwrap();
    two.settle().await;
    let (mine, theirs) = (one.claim("kim").await.unwrap(), two.claim("kim").await.unwrap());
    assert!(!mine.alone() && !theirs.alone(), "each has its own names");
    one.cluster.publish("t", "not for you").unwrap();
    one.settle().await;
    // What comes over the same server afterwards comes behind it.
    let third = Node::with(on(1));
    third.cluster.publish("t", "for you").unwrap();
    assert_eq!(two.message().await, "for you");
}

#[tokio::test]
async fn names_that_have_expired_take_nobodys_place_however_many_are_left_in_the_lists() {
    let Some(mut world) = OnRedis::start().await else { return };
    let node = Node::new(&mut world);
    node.settle().await;
    let mut connection = world.connection().await;
    let left: Vec<(u8, String)> = (0..3000).map(|n| (0, format!("seat/{n:04}"))).collect();
    let _: usize = connection.zadd_multiple("test:names", &left).await.unwrap();
    let bid = |name: &str| within(node.cluster.claim(Bid::new(name).within("seat/", 2)));
    let one = bid("seat/x").await.unwrap();
    let two = bid("seat/y").await.unwrap();
    assert_eq!(two.others().len(), 1);
    assert_eq!(bid("seat/z").await.unwrap_err(), ClaimError::Full { max: 2 });
    let names: Vec<String> = node.list("seat/").await.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["seat/x", "seat/y"]);
    let known: usize = connection.zcount("test:names", 0, 0).await.unwrap();
    assert_eq!(known, 3, "with the node's own");
    drop((one, two));
    end(&world, &[node]).await;
}

#[tokio::test]
async fn a_name_that_is_due_and_there_all_the_same_is_looked_at_again() {
    let Some(mut world) = OnRedis::start().await else { return };
    let node = Node::new(&mut world);
    let kim = node.claim("kim").await.unwrap();
    let mut connection = world.connection().await;
    let _: usize = connection.zadd("test:due", "kim", 1).await.unwrap();
    let lee = node.claim("lee").await.unwrap();
    let due: Option<f64> = connection.zscore("test:due", "kim").await.unwrap();
    assert!(due.is_some_and(|due| due > 1.0), "{due:?}: nobody would take it out of the other list");
    drop((kim, lee));
    end(&world, &[node]).await;
}

#[tokio::test]
async fn somebody_elses_value_where_a_name_would_be_is_no_name_and_does_no_harm() {
    let Some(mut world) = OnRedis::start().await else { return };
    let node = Node::new(&mut world);
    node.settle().await;
    let mut connection = world.connection().await;
    let long = "x".repeat(60);
    let _: () = connection.mset(&[("test:c:n/kim", "hello"), ("test:c:n/lee", &long)]).await.unwrap();
    let _: usize = connection.lpush("test:c:n/pat", "a list").await.unwrap();
    for name in ["n/kim", "n/lee", "n/pat"] {
        assert!(within(node.cluster.find(name)).await.unwrap().holders.is_empty());
    }
    let mut claims = Vec::new();
    for name in ["n/kim", "n/lee", "n/pat"] {
        claims.push(node.claim(name).await.unwrap());
    }
    // It is written over what is renewed, too.
    let mut watch = world.watch("n/kim").await;
    let _: () = connection.set("test:c:n/kim", "hello").await.unwrap();
    watch.renewed().await;
    let names: Vec<String> = node.list("n/").await.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(
        (names, node.cluster.stats().links_lost),
        (vec!["n/kim".into(), "n/lee".into(), "n/pat".into()], 0)
    );
    drop(claims);
    end(&world, &[node]).await;
}

#[tokio::test]
async fn somebody_elses_value_where_the_counter_of_numbers_would_be_is_a_counter_that_was_lost() {
    let Some(mut world) = OnRedis::start().await else { return };
    let node = Node::new(&mut world);
    let mut connection = world.connection().await;
    let mut last = within(node.cluster.block(10)).await.unwrap() + 10;
    // Above 2^53 not every number can be said in a script.
    for theirs in ["hello", "", "-7", "nan", "inf", "1e300", "36893488147419103232"] {
        let _: () = connection.set("test:block", theirs).await.unwrap();
        let block = within(node.cluster.block(10)).await.unwrap();
        assert!(block >= last && block < 1 << 53, "{theirs}: {block} after {last}");
        last = block + 10;
    }
    let _: usize = connection.del("test:block").await.unwrap();
    let _: usize = connection.lpush("test:block", "a list").await.unwrap();
    assert!(within(node.cluster.block(10)).await.unwrap() >= last);
    assert_eq!(node.cluster.stats().links_lost, 0);
    end(&world, &[node]).await;
}

#[tokio::test]
async fn what_is_no_redis_server_is_away_with_the_reason() {
    for url in ["http://127.0.0.1/", "redis://", "", "127.0.0.1"] {
        let refused = Redis::new(url).map(|redis| format!("{redis:?}"));
        assert!(refused.is_err(), "{url}: {refused:?}");
    }
    let secret = Redis::new("redis://kim:secret@127.0.0.1:1/").unwrap();
    assert!(!format!("{secret:?}").contains("secret"));

    let Some(mut world) = OnRedis::start().await else { return };
    let mut connection = world.connection().await;
    redis::cmd("CONFIG").arg(&["SET", "requirepass", "right"]).exec_async(&mut connection).await.unwrap();
    let wrong = format!("redis://:secret@{}", world.server().addr);
    let mut node = Node::with(Options::new(Redis::new(&wrong).unwrap()));
    let reason = node.hears(|event| match event {
        Event::Away { reason: LinkError::Refused(words), .. } => Some(words),
        _ => None,
    });
    assert!(!reason.await.contains("secret"));
    assert!(node.claim("kim").await.unwrap().alone());
    node.end().await;
}
