//! Names that one node has.

use std::collections::HashSet;
use std::time::Duration;

use netcore::cluster::{AskError, Bid, ClaimError, Event};

use crate::common::{Node, World, end, text, within};
use crate::on_both;

on_both! {
    of_two_nodes_that_claim_a_name_at_once_one_gets_it
    of_two_sessions_of_a_node_one_gets_the_name
    a_name_that_is_dropped_is_free_again
    a_name_that_nobody_waited_for_is_given_back
    names_of_a_node_that_died_expire
    names_that_are_held_are_renewed
    a_room_has_so_many_seats_in_all_nodes_together
    names_are_found_and_listed_with_what_is_kept_with_them
    what_is_no_name_is_refused_before_anybody_is_asked
    so_many_names_and_no_more
    the_last_handle_gives_everything_back
    a_node_that_has_ended_says_so
}

async fn of_two_nodes_that_claim_a_name_at_once_one_gets_it(mut world: impl World) {
    let nodes = [Node::new(&mut world), Node::new(&mut world)];
    for round in 0..50 {
        let name = format!("name/{round}");
        let (first, second) = (nodes[0].cluster.claim(&*name), nodes[1].cluster.claim(&*name));
        match within(async { tokio::join!(first, second) }).await {
            (Ok(claim), Err(error)) => {
                assert_eq!((claim.name(), error), (&*name, ClaimError::Taken { by: nodes[0].id() }));
            }
            (Err(error), Ok(claim)) => {
                assert_eq!((claim.name(), error), (&*name, ClaimError::Taken { by: nodes[1].id() }));
            }
            both => panic!("{both:?}"),
        }
    }
    assert_eq!(nodes[0].cluster.stats().claims_refused + nodes[1].cluster.stats().claims_refused, 50);
    end(&world, &nodes).await;
}

async fn of_two_sessions_of_a_node_one_gets_the_name(mut world: impl World) {
    let node = Node::new(&mut world);
    let (first, second) = (node.cluster.claim("kim"), node.cluster.claim("kim"));
    let taken = ClaimError::Taken { by: node.id() };
    assert_eq!(within(second).await.unwrap_err(), taken);
    let kim = within(first).await.unwrap();
    assert!(!kim.alone());
    assert_eq!(node.claim("kim").await.unwrap_err(), taken);
    end(&world, &[node]).await;
}

async fn a_name_that_is_dropped_is_free_again(mut world: impl World) {
    let nodes = [Node::new(&mut world), Node::new(&mut world)];
    for _ in 0..20 {
        let kim = nodes[0].claim("kim").await.unwrap();
        assert!(nodes[1].claim("kim").await.is_err());
        drop(kim);
        nodes[0].settle().await;
        let kim = nodes[1].claim("kim").await.unwrap();
        drop(kim);
        // At once, behind the release.
        let kim = nodes[1].claim("kim").await.unwrap();
        drop(kim);
        nodes[1].settle().await;
    }
    end(&world, &nodes).await;
}

async fn a_name_that_nobody_waited_for_is_given_back(mut world: impl World) {
    let node = Node::new(&mut world);
    drop(node.cluster.claim("kim"));
    node.settle().await;
    node.settle().await;
    assert_eq!(world.names().await, 1, "the node's own");
    assert!(node.claim("kim").await.is_ok());
    end(&world, &[node]).await;
}

async fn names_of_a_node_that_died_expire(mut world: impl World) {
    let dead = Node::with(world.options().ttl(Duration::from_millis(400)));
    let kim = dead.claim("kim").await.unwrap();
    let mut watch = world.watch("kim").await;
    let mut alive = Node::with(world.options().ttl(Duration::from_millis(1_500)));
    assert_eq!(alive.claim("kim").await.unwrap_err(), ClaimError::Taken { by: dead.id() });
    world.cut(1);
    watch.expired().await;
    let theirs = alive.claim("kim").await.unwrap();
    assert!(!theirs.alone());
    assert_eq!(alive.list("k").await.len(), 1);
    // Its own name too.
    alive.hears(|event| matches!(event, Event::NodeDown { .. }).then_some(())).await;
    drop((kim, dead, theirs));
    end(&world, &[alive]).await;
}

async fn names_that_are_held_are_renewed(mut world: impl World) {
    let holder = Node::with(world.options().ttl(Duration::from_millis(1_500)));
    let other = Node::new(&mut world);
    let mut watch = world.watch("kim").await;
    let kim = holder.claim("kim").await.unwrap();
    let mut ages = Vec::new();
    // Twice its lifetime.
    for _ in 0..8 {
        watch.renewed().await;
        assert_eq!(other.claim("kim").await.unwrap_err(), ClaimError::Taken { by: holder.id() });
        let found = within(other.cluster.find("kim")).await.unwrap().holders.remove(0);
        ages.push(found.age);
    }
    assert!(ages.is_sorted() && ages[7] > Duration::from_millis(2_500), "{ages:?}");
    drop((kim, watch));
    end(&world, &[holder, other]).await;
}

async fn a_room_has_so_many_seats_in_all_nodes_together(mut world: impl World) {
    let nodes = [Node::new(&mut world), Node::new(&mut world), Node::new(&mut world)];
    let seat = |n: usize| Bid::new(format!("room/3/{n}")).within("room/3/", 4).value(format!("user {n}"));
    // Beside it, and not in it.
    let _other_room = nodes[0].claim("room/31/7").await.unwrap();
    let asked = (0..9).map(|n| nodes[n % 3].cluster.claim(seat(n)));
    let mut seats = Vec::new();
    for answer in within(futures::future::join_all(asked)).await {
        match answer {
            Ok(claim) => seats.push(claim),
            Err(error) => assert_eq!(error, ClaimError::Full { max: 4 }),
        }
    }
    let mut others: Vec<usize> = seats.iter().map(|seat| seat.others().len()).collect();
    others.sort_unstable();
    assert_eq!(others, [0, 1, 2, 3]);
    let names: HashSet<_> = seats.iter().map(|seat| seat.name().to_owned()).collect();
    let listed = nodes[0].list("room/3/").await;
    assert_eq!(listed.iter().map(|(name, ..)| name.clone()).collect::<HashSet<_>>(), names);
    drop(seats.pop());
    for node in &nodes {
        node.settle().await;
    }
    let last = within(nodes[1].cluster.claim(seat(20))).await.unwrap();
    let mut others: Vec<_> = last.others().iter().map(|other| text(&other.value)).collect();
    others.sort_unstable();
    let mut mine: Vec<_> = seats.iter().map(|seat| seat.name().replace("room/3/", "user ")).collect();
    mine.sort_unstable();
    assert_eq!(others, mine);
    drop((seats, last));
    end(&world, &nodes).await;
}

async fn names_are_found_and_listed_with_what_is_kept_with_them(mut world: impl World) {
    let nodes = [Node::new(&mut world), Node::new(&mut world)];
    let ids = [nodes[0].id(), nodes[1].id()];
    let mut claims = Vec::new();
    for (n, name) in ["u/a", "u/c", "u/é", "v/a"].iter().enumerate() {
        let bid = Bid::new(*name).value(format!("value {n}"));
        claims.push(within(nodes[n % 2].cluster.claim(bid)).await.unwrap());
    }
    let one = |name: &str, node: usize, value: &str| (name.to_owned(), ids[node], value.to_owned());
    assert_eq!(
        nodes[1].list("u/").await,
        [one("u/a", 0, "value 0"), one("u/c", 1, "value 1"), one("u/é", 0, "value 2")]
    );
    let some = within(nodes[0].cluster.list("u/", 2)).await.unwrap();
    assert_eq!((some.holders.len(), some.more, some.alone), (2, true, false));
    assert!(claims[0].set_value("first") && claims[0].set_value("") && claims[0].set_value("last \0 one"));
    assert!(!claims[0].set_value(vec![0; 2_000]));
    nodes[0].settle().await;
    nodes[0].settle().await;
    let found = within(nodes[1].cluster.find("u/a")).await.unwrap();
    assert_eq!((found.holders[0].node, &found.holders[0].value[..]), (ids[0], &b"last \0 one"[..]));
    assert!(within(nodes[1].cluster.find("u/b")).await.unwrap().holders.is_empty());
    assert!(within(nodes[1].cluster.list("w/", 9)).await.unwrap().holders.is_empty());
    drop(claims);
    end(&world, &nodes).await;
}

async fn what_is_no_name_is_refused_before_anybody_is_asked(mut world: impl World) {
    let node = Node::new(&mut world);
    for name in ["", "@node/1", &"x".repeat(201)] {
        assert_eq!(node.claim(name).await.unwrap_err(), ClaimError::Name);
        assert_eq!(within(node.cluster.find(name)).await.unwrap_err(), AskError::Name);
        assert_eq!(within(node.cluster.list(name, 1)).await.unwrap_err(), AskError::Name);
    }
    let outside = Bid::new("room/4/1").within("room/3/", 4);
    assert_eq!(within(node.cluster.claim(outside)).await.unwrap_err(), ClaimError::Name);
    let long = Bid::new("kim").value(vec![0; 1_025]);
    assert_eq!(within(node.cluster.claim(long)).await.unwrap_err(), ClaimError::TooLong);
    let longest = node.claim(&"x".repeat(200)).await.unwrap();
    drop(longest);
    end(&world, &[node]).await;
}

async fn so_many_names_and_no_more(mut world: impl World) {
    let node = Node::with(world.options().max_claims(3));
    let mut claims = Vec::new();
    for n in 0..3 {
        claims.push(node.claim(&format!("{n}")).await.unwrap());
    }
    assert_eq!(node.claim("3").await.unwrap_err(), ClaimError::TooMany);
    claims.pop();
    node.settle().await;
    assert!(node.claim("3").await.is_ok());
    assert_eq!(node.cluster.stats().asks_refused, 1);
    end(&world, &[node]).await;
}

async fn the_last_handle_gives_everything_back(mut world: impl World) {
    let Node { cluster, mut events } = Node::new(&mut world);
    let other = cluster.at(1);
    let kim = within(cluster.claim("kim")).await.unwrap();
    let lee = within(other.claim("lee")).await.unwrap();
    assert_eq!(world.names().await, 3);
    drop(cluster);
    within(other.settled()).await.unwrap();
    assert_eq!(world.names().await, 3);
    drop(other);
    // The end of the events is the end of the node.
    within(async { while events.recv().await.is_some() {} }).await;
    assert_eq!(world.names().await, 0);
    drop((kim, lee));
}

async fn a_node_that_has_ended_says_so(mut world: impl World) {
    let node = Node::new(&mut world);
    let kim = node.claim("kim").await.unwrap();
    let asked = node.cluster.claim("lee");
    node.end().await;
    assert!(matches!(within(asked).await, Ok(_) | Err(ClaimError::Over)));
    assert_eq!(node.claim("kim").await.unwrap_err(), ClaimError::Over);
    assert_eq!(within(node.cluster.settled()).await.unwrap_err(), AskError::Over);
    assert!(!kim.set_value("x"));
    drop(kim);
    node.end().await;
    assert_eq!(world.names().await, 0);
}
