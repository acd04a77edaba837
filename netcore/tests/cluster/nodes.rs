//! Which nodes there are.

use std::collections::HashSet;
use std::time::Duration;

use netcore::cluster::{Event, NodeId};

use crate::common::{Node, World, end, text, within};
use crate::on_both;

on_both! {
    nodes_say_what_they_are
    nodes_hear_of_nodes_that_come_and_go
}

async fn nodes_say_what_they_are(mut world: impl World) {
    let nodes = [Node::with(world.options().announce("one")), Node::new(&mut world)];
    for node in &nodes {
        node.settle().await;
    }
    assert!(nodes[1].cluster.announce("load 7"));
    assert!(!nodes[1].cluster.announce(vec![0; 2_000]));
    nodes[1].settle().await;
    nodes[1].settle().await;
    let listing = within(nodes[0].cluster.nodes()).await.unwrap();
    let mut listed: Vec<_> = listing.holders.iter().map(|one| (one.node, text(&one.value))).collect();
    listed.sort_unstable();
    assert_eq!(listed, [(nodes[0].id(), "one".to_owned()), (nodes[1].id(), "load 7".to_owned())]);
    end(&world, &nodes).await;
}

async fn nodes_hear_of_nodes_that_come_and_go(mut world: impl World) {
    let ttl = Duration::from_millis(600);
    let mut watcher = Node::with(world.options().ttl(ttl));
    let mut others = Vec::new();
    for n in 0..2 {
        let node = Node::with(world.options().ttl(ttl).announce(format!("node {n}")));
        node.settle().await;
        others.push(node);
    }
    let mut seen = HashSet::new();
    while seen.len() < 2 {
        seen.insert(watcher.hears(up).await);
    }
    let ids = [others[0].id(), others[1].id()];
    assert_eq!(seen, HashSet::from([(ids[0], "node 0".to_owned()), (ids[1], "node 1".to_owned())]));
    // One ends in order, the other dies.
    others[0].end().await;
    world.cut(3);
    drop(others);
    let gone = HashSet::from([watcher.hears(down).await, watcher.hears(down).await]);
    assert_eq!(gone, HashSet::from(ids));
    end(&world, &[watcher]).await;
}

fn up(event: Event) -> Option<(NodeId, String)> {
    match event {
        Event::NodeUp { node, value } => Some((node, text(&value))),
        _ => None,
    }
}

fn down(event: Event) -> Option<NodeId> {
    match event {
        Event::NodeDown { node } => Some(node),
        _ => None,
    }
}
