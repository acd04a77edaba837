//! A backplane that is away, slow or back.

use std::time::Duration;

use netcore::cluster::{AskError, Bid, ClaimError, Event, NodeId, PublishError};

use crate::common::{Node, World, end, within};
use crate::on_both;

on_both! {
    away_from_the_start_a_node_judges_alone
    what_was_claimed_alone_holds_when_the_backplane_is_back
    a_backplane_that_lost_everything_is_told_everything_anew
    names_given_back_while_it_was_away_are_free_when_it_is_back
    a_backplane_that_does_not_answer_is_away
    after_a_partition_the_older_claim_stays_and_the_newer_owner_is_told_at_once
    after_a_partition_a_newer_claim_of_the_one_who_was_away_is_lost_before_it_is_back
    what_was_on_its_way_is_counted
    it_goes_away_again_and_again
    a_node_can_end_while_it_is_away
}

async fn away_from_the_start_a_node_judges_alone(mut world: impl World) {
    let options = world.options();
    world.cut(1);
    let mut node = Node::with(options);
    // Asked before anybody knows.
    let kim = within(node.cluster.claim("kim")).await.unwrap();
    node.is_away().await;
    assert!(kim.alone() && node.cluster.is_away());
    assert_eq!(node.claim("kim").await.unwrap_err(), ClaimError::Taken { by: node.id() });
    assert_eq!(within(node.cluster.claim(Bid::new("lee").strict())).await.unwrap_err(), ClaimError::Away);
    let seat = |n: u32| Bid::new(format!("room/{n}")).within("room/", 2);
    let _first = within(node.cluster.claim(seat(1))).await.unwrap();
    let _second = within(node.cluster.claim(seat(2))).await.unwrap();
    assert_eq!(within(node.cluster.claim(seat(3))).await.unwrap_err(), ClaimError::Full { max: 2 });
    let listing = within(node.cluster.list("room/", 1)).await.unwrap();
    assert_eq!((listing.holders.len(), listing.more, listing.alone), (1, true, true));
    assert_eq!(within(node.cluster.find("kim")).await.unwrap().holders[0].node, node.id());
    assert_eq!(within(node.cluster.find("lee")).await.unwrap_err(), AskError::Away);
    assert_eq!(within(node.cluster.nodes()).await.unwrap().holders.len(), 1);
    assert_eq!(within(node.cluster.settled()).await.unwrap_err(), AskError::Away);
    assert_eq!(node.cluster.publish("t", "x"), Err(PublishError::Away));
    node.cluster.subscribe("t").unwrap();
    let stats = node.cluster.stats();
    assert_eq!((stats.unsent, stats.claims_alone, stats.connects), (1, 3, 0));
    world.heal(1);
    assert_eq!(node.is_back().await, 1);
    let other = Node::new(&mut world);
    other.cluster.publish("t", "hello").unwrap();
    assert_eq!(node.message().await, "hello");
    assert_eq!(other.claim("kim").await.unwrap_err(), ClaimError::Taken { by: node.id() });
    end(&world, &[node, other]).await;
}

async fn what_was_claimed_alone_holds_when_the_backplane_is_back(mut world: impl World) {
    let mut nodes = [Node::new(&mut world), Node::new(&mut world)];
    for node in &nodes {
        node.settle().await;
    }
    world.cut(1);
    nodes[0].is_away().await;
    // More than go in one message.
    let mut claims = Vec::new();
    for n in 0..300 {
        claims.push(nodes[0].claim(&format!("name/{n}")).await.unwrap());
    }
    claims[7].set_value("seven");
    drop(claims.pop());
    world.heal(1);
    assert_eq!(nodes[0].is_back().await, 0);
    let listing = within(nodes[1].cluster.list("name/", 1_000)).await.unwrap();
    assert_eq!(listing.holders.len(), 299);
    let seven = within(nodes[1].cluster.find("name/7")).await.unwrap();
    assert_eq!(&seven.holders[0].value[..], b"seven");
    assert!(nodes[1].claim("name/299").await.is_ok());
    drop(claims);
    end(&world, &nodes).await;
}

async fn a_backplane_that_lost_everything_is_told_everything_anew(mut world: impl World) {
    let mut nodes = [Node::new(&mut world), Node::new(&mut world)];
    nodes[1].cluster.subscribe("t").unwrap();
    let kim = nodes[0].claim("kim").await.unwrap();
    let lee = nodes[1].claim("lee").await.unwrap();
    let before = within(nodes[0].cluster.block(10)).await.unwrap();
    world.wipe().await;
    for node in &mut nodes {
        node.is_away().await;
        node.is_back().await;
    }
    for node in &nodes {
        assert!(node.claim("kim").await.is_err() && node.claim("lee").await.is_err());
        assert!(!node.cluster.is_away());
    }
    nodes[0].cluster.publish("t", "again").unwrap();
    assert_eq!(nodes[1].message().await, "again");
    for node in &nodes {
        assert!(within(node.cluster.block(10)).await.unwrap() >= before);
        assert_eq!(node.cluster.stats().links_lost, 1);
    }
    drop((kim, lee));
    end(&world, &nodes).await;
}

async fn names_given_back_while_it_was_away_are_free_when_it_is_back(mut world: impl World) {
    let mut nodes = [Node::new(&mut world), Node::new(&mut world)];
    let kim = nodes[0].claim("kim").await.unwrap();
    let lee = nodes[0].claim("lee").await.unwrap();
    world.cut(1);
    nodes[0].is_away().await;
    drop((kim, lee));
    assert!(nodes[1].claim("kim").await.is_err());
    // And one is taken again.
    let lee = nodes[0].claim("lee").await.unwrap();
    world.heal(1);
    nodes[0].is_back().await;
    assert!(nodes[1].claim("kim").await.is_ok());
    assert_eq!(nodes[1].claim("lee").await.unwrap_err(), ClaimError::Taken { by: nodes[0].id() });
    drop(lee);
    end(&world, &nodes).await;
}

async fn a_backplane_that_does_not_answer_is_away(mut world: impl World) {
    let mut node = Node::with(world.options().answer_within(Duration::from_millis(200)));
    node.cluster.subscribe("t").unwrap();
    node.settle().await;
    world.freeze(1);
    let asked = (node.cluster.claim("kim"), node.cluster.find("lee"));
    node.cluster.publish("t", "x").unwrap();
    let kim = within(asked.0).await.unwrap();
    assert!(kim.alone());
    assert_eq!(within(asked.1).await.unwrap_err(), AskError::Away);
    node.is_away().await;
    world.heal(1);
    assert_eq!(node.is_back().await, 1);
    let other = Node::new(&mut world);
    assert_eq!(other.claim("kim").await.unwrap_err(), ClaimError::Taken { by: node.id() });
    drop(kim);
    end(&world, &[node, other]).await;
}

async fn after_a_partition_the_older_claim_stays_and_the_newer_owner_is_told_at_once(mut world: impl World) {
    let mut nodes = [Node::new(&mut world), Node::new(&mut world)];
    for node in &nodes {
        node.settle().await;
    }
    world.cut(1);
    nodes[0].is_away().await;
    let older = nodes[0].claim("kim").await.unwrap();
    world.age().await;
    let newer = nodes[1].claim("kim").await.unwrap();
    assert!(older.alone() && !newer.alone());
    world.heal(1);
    nodes[0].is_back().await;
    assert_eq!(nodes[1].loses().await, ("kim".to_owned(), nodes[0].id()));
    assert_eq!((newer.lost_to(), older.lost_to()), (Some(nodes[0].id()), None));
    assert!(!newer.set_value("x"));
    assert_eq!(nodes[1].cluster.stats().claims_lost, 1);
    // Whoever gives way takes nothing along.
    drop(newer);
    nodes[1].settle().await;
    assert_eq!(nodes[1].claim("kim").await.unwrap_err(), ClaimError::Taken { by: nodes[0].id() });
    drop(older);
    end(&world, &nodes).await;
}

async fn after_a_partition_a_newer_claim_of_the_one_who_was_away_is_lost_before_it_is_back(
    mut world: impl World,
) {
    let (low, high) = (world.options(), world.options());
    let (mut cut, stays) = (Node::with(high.node(NodeId::new(9))), Node::with(low));
    cut.settle().await;
    world.cut(2);
    cut.is_away().await;
    let older = stays.claim("kim").await.unwrap();
    world.age().await;
    let newer = cut.claim("kim").await.unwrap();
    world.heal(2);
    let mut lost = Vec::new();
    let unsent = cut
        .hears(|event| match event {
            Event::Lost { name, by } => {
                lost.push((name.to_string(), by));
                None
            }
            Event::Back { unsent, .. } => Some((unsent, std::mem::take(&mut lost))),
            _ => None,
        })
        .await;
    assert_eq!(unsent, (0, vec![("kim".to_owned(), stays.id())]));
    assert!(newer.lost_to().is_some() && older.lost_to().is_none());
    // Told again to whom it is handed to meanwhile.
    newer.hand_to(0);
    assert_eq!(cut.loses().await.1, stays.id());
    drop((older, newer));
    end(&world, &[cut, stays]).await;
}

async fn what_was_on_its_way_is_counted(mut world: impl World) {
    let mut node = Node::with(world.options().answer_within(Duration::from_millis(200)));
    node.settle().await;
    world.freeze(1);
    for n in 0..2_000 {
        node.cluster.publish("t", format!("{n}")).unwrap();
    }
    node.is_away().await;
    assert_eq!(node.cluster.publish("t", "x"), Err(PublishError::Away));
    world.heal(1);
    assert_eq!(node.is_back().await, 2_001);
    let stats = node.cluster.stats();
    assert_eq!((stats.unsent, stats.published, stats.dropped_out), (2_001, 0, 0));
    node.cluster.publish("t", "x").unwrap();
    node.settle().await;
    assert_eq!(node.cluster.stats().published, 1);
    end(&world, &[node]).await;
}

async fn it_goes_away_again_and_again(mut world: impl World) {
    let mut nodes = [Node::new(&mut world), Node::new(&mut world)];
    nodes[0].cluster.subscribe("t").unwrap();
    let mut claims = Vec::new();
    for round in 0..8 {
        claims.push(nodes[0].claim(&format!("{round}")).await.unwrap());
        world.cut(1);
        nodes[0].is_away().await;
        claims.push(nodes[0].claim(&format!("alone {round}")).await.unwrap());
        world.heal(1);
        nodes[0].is_back().await;
        nodes[1].cluster.publish("t", format!("{round}")).unwrap();
        assert_eq!(nodes[0].message().await, format!("{round}"));
    }
    for round in 0..8 {
        assert!(nodes[1].claim(&format!("{round}")).await.is_err());
        assert!(nodes[1].claim(&format!("alone {round}")).await.is_err());
    }
    assert_eq!(nodes[0].cluster.stats().connects, 9);
    drop(claims);
    end(&world, &nodes).await;
}

async fn a_node_can_end_while_it_is_away(mut world: impl World) {
    let mut node = Node::with(world.options().ttl(Duration::from_millis(400)));
    let kim = node.claim("kim").await.unwrap();
    let mut watch = world.watch("kim").await;
    world.cut(1);
    node.is_away().await;
    node.end().await;
    // Nobody could be told; so they expire.
    watch.expired().await;
    drop(kim);
}
