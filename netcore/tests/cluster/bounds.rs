//! What is full says so, and nobody waits for it.

use std::time::Duration;

use netcore::cluster::{AskError, ClaimError, Cluster, Event, Memory, Options, PublishError};

use crate::common::{Node, World, end, within};
use crate::on_both;

on_both! {
    what_waits_for_the_backplane_is_bounded_in_messages_and_in_bytes
    questions_are_bounded
    what_nobody_receives_is_dropped_and_counted
    a_node_whose_events_were_dropped_keeps_nothing_for_nobody
}

async fn what_waits_for_the_backplane_is_bounded_in_messages_and_in_bytes(mut world: impl World) {
    let nodes =
        [Node::with(world.options().queue(10, 1 << 20)), Node::with(world.options().queue(1_000, 64))];
    for node in &nodes {
        node.settle().await;
        // Nothing else runs between these.
        let sent = (0..100).filter(|_| node.cluster.publish("t", "1234567") == Ok(())).count();
        assert!(matches!(sent, 8 | 10), "{sent}");
        assert_eq!(node.cluster.publish("t", "1234567"), Err(PublishError::Full));
        assert_eq!(node.cluster.stats().dropped_out, 101 - sent as u64);
        // There is room again when they are on their way.
        node.settle().await;
        node.cluster.publish("t", "1234567").unwrap();
        node.settle().await;
        assert_eq!(node.cluster.stats().published, sent as u64 + 1);
    }
    end(&world, &nodes).await;
}

async fn questions_are_bounded(mut world: impl World) {
    let node = Node::with(world.options().max_asks(3));
    node.settle().await;
    let asked = (node.cluster.find("a"), node.cluster.claim("b"), node.cluster.block(1));
    assert_eq!(within(node.cluster.find("c")).await.unwrap_err(), AskError::TooMany);
    assert_eq!(within(node.cluster.claim("c")).await.unwrap_err(), ClaimError::TooMany);
    let (found, claimed, block) = within(async { tokio::join!(asked.0, asked.1, asked.2) }).await;
    assert!(found.is_ok() && claimed.is_ok() && block.is_ok());
    node.settle().await;
    assert_eq!(node.cluster.stats().asks_refused, 2);
    end(&world, &[node]).await;
}

async fn what_nobody_receives_is_dropped_and_counted(mut world: impl World) {
    let speaker = Node::new(&mut world);
    let mut listener = Node::with(world.options().inbound(8, 1 << 20));
    listener.cluster.subscribe("t").unwrap();
    listener.settle().await;
    for n in 0..100 {
        speaker.cluster.publish("t", format!("{n}")).unwrap();
    }
    speaker.settle().await;
    // Whatever was published before has come when this has: it goes the same way.
    listener.settle().await;
    within(async {
        while listener.cluster.stats().dropped_in + listener.cluster.stats().delivered < 92 {
            listener.settle().await;
        }
    })
    .await;
    // Eight with the receiver (of which one is the news of the other node, perhaps), eight that wait.
    let dropped = listener.cluster.stats().dropped_in;
    assert!((84..=85).contains(&dropped), "{dropped}");
    for n in 0..100 - dropped {
        assert_eq!(listener.message().await, n.to_string(), "the newest were dropped");
    }
    speaker.cluster.publish("t", "again").unwrap();
    assert_eq!(listener.message().await, "again");
    end(&world, &[speaker, listener]).await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_receives_is_bounded_in_bytes_too() {
    let memory = Memory::new();
    let mut listener = Node::with(Options::new(memory.clone()).inbound(1000, 4200));
    let speaker = Node::with(Options::new(memory));
    listener.cluster.subscribe("t").unwrap();
    listener.settle().await;
    for n in 0..100 {
        speaker.cluster.publish("t", vec![n; 1000]).unwrap();
    }
    speaker.settle().await;
    within(async {
        while listener.cluster.stats().dropped_in < 92 {
            listener.settle().await;
        }
    })
    .await;
    // Four with the receiver, four that wait.
    assert_eq!((listener.cluster.stats().delivered, listener.cluster.stats().dropped_in), (4, 92));
    for n in 0..8 {
        assert_eq!(listener.message().await, String::from_utf8(vec![n; 1000]).unwrap());
    }
    speaker.cluster.publish("t", "again").unwrap();
    assert_eq!(listener.message().await, "again");
}

async fn a_node_whose_events_were_dropped_keeps_nothing_for_nobody(mut world: impl World) {
    let speaker = Node::new(&mut world);
    let Node { cluster, events } = Node::new(&mut world);
    cluster.subscribe("t").unwrap();
    within(cluster.settled()).await.unwrap();
    drop(events);
    for n in 0..100 {
        speaker.cluster.publish("t", format!("{n}")).unwrap();
    }
    speaker.settle().await;
    within(async {
        while cluster.stats().dropped_in < 100 {
            within(cluster.settled()).await.unwrap();
        }
    })
    .await;
    assert_eq!((cluster.stats().dropped_in, cluster.stats().delivered), (100, 0));
    within(cluster.shutdown()).await;
    end(&world, &[speaker]).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_backplane_is_waited_for_and_everything_arrives_in_order() {
    let memory = Memory::new();
    let line = memory.line();
    let (speaker, starter) = Cluster::new(line.clone());
    let _events = starter.start_events();
    let mut listener = Node::with(Options::new(memory));
    listener.cluster.subscribe("t").unwrap();
    listener.settle().await;
    speaker.settled().await.unwrap();
    line.slow(Duration::from_millis(1_500));
    for n in 0..10_000 {
        speaker.publish("t", format!("{n}")).unwrap();
    }
    for n in 0..10_000 {
        assert_eq!(listener.message().await, n.to_string());
    }
    assert_eq!((speaker.stats().links_lost, speaker.stats().dropped_out), (0, 0));
    line.slow(Duration::from_millis(2_500));
    assert_eq!(speaker.settled().await, Err(AskError::Away));
}

#[tokio::test(start_paused = true)]
async fn a_backplane_that_is_away_is_asked_now_and_then() {
    let memory = Memory::new();
    memory.away();
    let (cluster, starter) = Cluster::new(memory.clone());
    let _events = starter.start_events();
    tokio::time::sleep(Duration::from_secs(300)).await;
    let tries = cluster.stats().connects_failed;
    // Each 2.5 to 5 s, and some faster ones at first.
    assert!((60..=130).contains(&tries), "{tries}");
    assert_eq!(cluster.stats().links_lost, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_before_the_start_waits_for_it() {
    let (cluster, starter) = Cluster::new(Memory::new());
    let kim = cluster.claim("kim");
    cluster.publish("t", "x").unwrap();
    let node = Node { cluster, events: starter.start_events() };
    assert!(within(kim).await.is_ok());
    node.settle().await;
    assert_eq!(node.cluster.stats().published, 1);

    // Never started, it answers when it ends.
    let (cluster, starter) = Cluster::new(Memory::new());
    let kim = cluster.claim("kim");
    drop(starter);
    cluster.shutdown().await;
    drop(cluster);
    assert_eq!(within(kim).await.unwrap_err(), ClaimError::Over);
}

#[tokio::test(start_paused = true)]
async fn names_are_renewed_before_what_waits_to_be_published() {
    let memory = Memory::new();
    let line = memory.line();
    let busy = Node::with(Options::new(line.clone()));
    let mut other = Node::with(Options::new(memory));
    let kim = busy.claim("kim").await.unwrap();
    other.settle().await;
    // It answers well within the deadline, and the link lasts; this node says as much as it may.
    line.slow(Duration::from_secs(1));
    for n in 0..300 {
        while busy.cluster.publish("t", "x").is_ok() {}
        // A renewal too, in whose place no other is made.
        assert!(n % 30 > 0 || kim.set_value(format!("{n}")));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!busy.cluster.is_away());
        assert!(other.claim("kim").await.is_err(), "it was granted to two");
    }
    other.end().await;
    while let Some(event) = within(other.events.recv()).await {
        assert!(!matches!(event, Event::NodeDown { .. }), "the node is taken for dead");
    }
}

#[tokio::test(start_paused = true)]
async fn names_given_back_while_away_make_room_for_others() {
    let memory = Memory::new();
    let mut node = Node::with(Options::new(memory.clone()).max_claims(4));
    let mut held = Vec::new();
    for n in 0..4 {
        held.push(node.claim(&format!("a{n}")).await.unwrap());
    }
    memory.away();
    node.is_away().await;
    held.clear();
    for n in 0..4 {
        held.push(node.claim(&format!("b{n}")).await.expect("it holds none"));
    }
    assert_eq!(node.claim("c").await.unwrap_err(), ClaimError::TooMany);
    memory.back();
    node.is_back().await;
    node.settle().await;
    let names: Vec<String> = node.list("a").await.into_iter().map(|(name, ..)| name).collect();
    assert!(names.is_empty(), "{names:?}");
    drop(held);
    node.end().await;
    assert_eq!(memory.sizes().0, 0);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_who_receives_when_the_node_ends_is_received_or_counted() {
    let memory = Memory::new();
    let mut node = Node::with(Options::new(memory.clone()).inbound(4, 1000));
    let other = Node::with(Options::new(memory));
    node.cluster.subscribe("t").unwrap();
    node.settle().await;
    other.settle().await;
    for n in 0..8 {
        other.cluster.publish("t", format!("{n}")).unwrap();
    }
    other.settle().await;
    node.end().await;
    let mut received = 0;
    while let Some(event) = within(node.events.recv()).await {
        received += u64::from(matches!(event, Event::Message { .. }));
    }
    assert_eq!(received + node.cluster.stats().dropped_in, 8, "received {received}");
    assert_eq!(node.cluster.stats().delivered, received);
}
