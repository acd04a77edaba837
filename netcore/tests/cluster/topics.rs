//! Messages on topics.

use netcore::cluster::{Event, PublishError, SubscribeError};

use crate::common::{Node, World, end, message, within};
use crate::on_both;

on_both! {
    a_message_reaches_every_other_node_that_subscribed
    a_publishers_messages_come_in_their_order
    whoever_has_unsubscribed_hears_no_more
    a_topic_that_comes_and_goes_ends_as_it_was_left
    whoever_subscribed_before_it_asked_misses_nothing_after_the_answer
    what_is_no_topic_or_too_long_is_refused
    so_many_topics_and_no_more
}

async fn a_message_reaches_every_other_node_that_subscribed(mut world: impl World) {
    let mut nodes: Vec<Node> = (0..5).map(|_| Node::new(&mut world)).collect();
    for node in &nodes {
        node.cluster.subscribe("room/3").unwrap();
        // Twice is once.
        node.cluster.subscribe("room/3").unwrap();
        node.settle().await;
    }
    nodes[4].cluster.unsubscribe("room/3");
    nodes[4].cluster.subscribe("room/4").unwrap();
    nodes[4].settle().await;
    let body: Vec<u8> = (0..=255).collect();
    nodes[0].cluster.publish("room/3", body.clone()).unwrap();
    nodes[0].cluster.publish("room/4", "end").unwrap();
    nodes[0].cluster.publish("room/3", "end").unwrap();
    nodes[1].cluster.publish("room/3", "from another").unwrap();
    let from = nodes[0].id();
    for node in &mut nodes[1..4] {
        let heard = node.hears(|event| match event {
            Event::Message { topic, from, body } => Some((topic, from, body)),
            _ => None,
        });
        assert_eq!(heard.await, ("room/3".into(), from, body.clone().into()));
    }
    assert_eq!(nodes[4].message().await, "end");
    assert_eq!(nodes[0].message().await, "from another", "and not what it said itself");
    nodes[0].settle().await;
    assert_eq!(nodes[0].cluster.stats().published, 3);
    end(&world, &nodes).await;
}

async fn a_publishers_messages_come_in_their_order(mut world: impl World) {
    let publishers = [Node::new(&mut world), Node::new(&mut world)];
    let mut listener = Node::new(&mut world);
    listener.cluster.subscribe("t").unwrap();
    listener.settle().await;
    for n in 0..2_000 {
        for (p, publisher) in publishers.iter().enumerate() {
            publisher.cluster.publish("t", format!("{p} {n}")).unwrap();
        }
        if n % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut next = [0, 0];
    for _ in 0..4_000 {
        let message = listener.message().await;
        let (p, n) = message.split_once(' ').unwrap();
        let p: usize = p.parse().unwrap();
        assert_eq!(n, next[p].to_string());
        next[p] += 1;
    }
    assert_eq!(listener.cluster.stats().delivered, 4_000);
    let [first, second] = publishers;
    end(&world, &[first, second, listener]).await;
}

async fn whoever_has_unsubscribed_hears_no_more(mut world: impl World) {
    let speaker = Node::new(&mut world);
    let mut listener = Node::new(&mut world);
    for topic in ["a", "b"] {
        listener.cluster.subscribe(topic).unwrap();
    }
    listener.settle().await;
    speaker.cluster.publish("a", "1").unwrap();
    assert_eq!(listener.message().await, "1");
    listener.cluster.unsubscribe("a");
    listener.cluster.unsubscribe("never");
    listener.settle().await;
    speaker.cluster.publish("a", "2").unwrap();
    speaker.cluster.publish("b", "3").unwrap();
    assert_eq!(listener.message().await, "3");
    listener.cluster.subscribe("a").unwrap();
    listener.settle().await;
    speaker.cluster.publish("a", "4").unwrap();
    assert_eq!(listener.message().await, "4");
    end(&world, &[speaker, listener]).await;
}

async fn a_topic_that_comes_and_goes_ends_as_it_was_left(mut world: impl World) {
    let speaker = Node::new(&mut world);
    let mut listener = Node::new(&mut world);
    for round in 0..300 {
        for topic in ["odd", "even"] {
            if (round % 2 == 0) == (topic == "even") {
                listener.cluster.subscribe(topic).unwrap();
            } else {
                listener.cluster.unsubscribe(topic);
            }
        }
        if round % 7 == 0 {
            listener.settle().await;
        }
    }
    listener.settle().await;
    speaker.cluster.publish("even", "even").unwrap();
    speaker.cluster.publish("odd", "odd").unwrap();
    assert_eq!(listener.message().await, "odd");
    end(&world, &[speaker, listener]).await;
}

async fn whoever_subscribed_before_it_asked_misses_nothing_after_the_answer(mut world: impl World) {
    let speaker = Node::new(&mut world);
    let mut listener = Node::new(&mut world);
    for n in 0..50 {
        let topic = format!("room/{n}");
        listener.cluster.subscribe(&topic).unwrap();
        let seat = listener.claim(&format!("{topic}/seat")).await.unwrap();
        speaker.cluster.publish(&topic, topic.clone()).unwrap();
        assert_eq!(listener.message().await, topic);
        drop(seat);
    }
    end(&world, &[speaker, listener]).await;
}

async fn what_is_no_topic_or_too_long_is_refused(mut world: impl World) {
    let mut nodes =
        [Node::with(world.options().max_message(100)), Node::with(world.options().max_message(99))];
    let speaker = &nodes[0].cluster;
    for topic in ["", "@lost", &"x".repeat(201)] {
        assert_eq!(speaker.publish(topic, "x"), Err(PublishError::Name));
        assert_eq!(speaker.subscribe(topic), Err(SubscribeError::Name));
    }
    assert_eq!(speaker.publish("t", vec![0; 101]), Err(PublishError::TooLong));
    nodes[1].cluster.subscribe("t").unwrap();
    nodes[1].settle().await;
    speaker.publish("t", vec![b'x'; 100]).unwrap();
    speaker.publish("t", "").unwrap();
    assert_eq!(nodes[1].hears(message).await, "");
    assert_eq!(nodes[1].cluster.stats().dropped_in, 1);
    end(&world, &nodes).await;
}

async fn so_many_topics_and_no_more(mut world: impl World) {
    let node = Node::with(world.options().max_topics(2));
    for topic in ["a", "b", "a"] {
        node.cluster.subscribe(topic).unwrap();
    }
    assert_eq!(node.cluster.subscribe("c"), Err(SubscribeError::Full));
    node.cluster.unsubscribe("a");
    node.cluster.subscribe("c").unwrap();
    node.end().await;
    assert_eq!(node.cluster.subscribe("a"), Err(SubscribeError::Over));
    assert_eq!(node.cluster.publish("a", ""), Err(PublishError::Over));
    within(end(&world, &[])).await;
}
