//! A backplane that lets nodes in and then does nothing for them, and settings without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use netcore::cluster::{
    Answer, Backplane, Event, Incoming, Link, LinkError, Memory, NodeId, Op, Options, Pending,
};

use crate::common::{Node, within};

/// Takes subscriptions and keeps no names, as a Redis server without memory does. Counts who comes.
struct Full(Arc<AtomicU32>);

struct FullLink;

impl Backplane for Full {
    fn connect(&self, _: NodeId, _: Incoming) -> Pending<'_, Result<Box<dyn Link>, LinkError>> {
        self.0.fetch_add(1, Relaxed);
        Box::pin(async { Ok(Box::new(FullLink) as Box<dyn Link>) })
    }
}

impl Link for FullLink {
    fn run(&mut self, ops: Vec<Op>) -> Pending<'static, Result<Vec<Answer>, LinkError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let answers = ops.iter().map(|op| match op {
                Op::Keep { .. } | Op::Claim { .. } => Err(LinkError::Answer("out of memory".into())),
                Op::List { .. } => Ok(Answer::Holders { holders: Vec::new(), more: false }),
                Op::Block { .. } => Ok(Answer::Block(1)),
                _ => Ok(Answer::Done),
            });
            answers.collect()
        })
    }
}

#[tokio::test(start_paused = true)]
async fn what_lets_in_and_refuses_is_not_called_without_end() {
    for topics in [0, 10, 300, 1000] {
        let connects = Arc::new(AtomicU32::new(0));
        let node = Node::with(Options::new(Full(connects.clone())));
        for n in 0..topics {
            node.cluster.subscribe(&format!("t{n}")).unwrap();
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
        // Each 2.5 to 5 s, once the pause has grown.
        assert!((100..=260).contains(&connects.load(Relaxed)), "{topics} topics: {connects:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_and_a_pause_without_end_are_many_years() {
    let node = Node::with(Options::new(Memory::new()).answer_within(Duration::MAX).inbound(usize::MAX, 1));
    assert!(node.claim("kim").await.is_ok_and(|kim| !kim.alone()));
    let memory = Memory::new();
    memory.away();
    let mut node = Node::with(Options::new(memory).reconnect(Duration::MAX, Duration::MAX));
    node.is_away().await;
    // It judges alone, and says so.
    let kim = node.claim("kim").await.unwrap();
    assert!(kim.alone() && within(node.cluster.find("kim")).await.unwrap().alone);
    drop(kim);
    within(node.cluster.shutdown()).await;
    let mut others = node.events;
    while let Some(event) = within(others.recv()).await {
        assert!(!matches!(event, Event::Back { .. }));
    }
}
