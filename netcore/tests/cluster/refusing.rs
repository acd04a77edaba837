//! Backplanes that let nodes in and then do nothing for them, or not at once, and settings without end.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netcore::cluster::{
    Answer, Backplane, Event, Incoming, Link, LinkError, Memory, NodeId, Op, Options, Pending,
};
use tokio::sync::watch;

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

/// Answers when it may. It grants and keeps every name, until another node has taken `kim`.
#[derive(Clone)]
struct Held {
    may: Arc<watch::Sender<bool>>,
    taken: Arc<AtomicBool>,
    incoming: Arc<Mutex<Option<Incoming>>>,
}

impl Held {
    fn new() -> Self {
        Self { may: Arc::new(watch::Sender::new(true)), taken: Arc::default(), incoming: Arc::default() }
    }

    /// Two batches are under way from now on, the second of them with what comes next.
    async fn hold(&self, node: &Node) {
        self.may.send_replace(false);
        node.cluster.publish("t", "x").unwrap();
        tokio::task::yield_now().await;
    }

    /// Both were done; then another node's older claim took the name. All of it comes in one piece.
    async fn take(&self) {
        tokio::task::yield_now().await;
        self.taken.store(true, Relaxed);
        self.may.send_replace(true);
        self.incoming.lock().unwrap().as_ref().unwrap().displaced("kim");
    }
}

impl Backplane for Held {
    fn connect(&self, _: NodeId, incoming: Incoming) -> Pending<'_, Result<Box<dyn Link>, LinkError>> {
        *self.incoming.lock().unwrap() = Some(incoming);
        Box::pin(async { Ok(Box::new(self.clone()) as Box<dyn Link>) })
    }
}

impl Link for Held {
    fn run(&mut self, ops: Vec<Op>) -> Pending<'static, Result<Vec<Answer>, LinkError>> {
        let by = self.taken.load(Relaxed).then_some(NodeId::new(7));
        let answers = ops.iter().map(|op| match op {
            Op::Keep { claims, .. } => {
                Answer::Kept(claims.iter().map(|claim| by.filter(|_| &*claim.name == "kim")).collect())
            }
            Op::Claim { .. } => Answer::Claimed { others: Vec::new() },
            Op::List { .. } => Answer::Holders { holders: Vec::new(), more: false },
            Op::Block { .. } => Answer::Block(1),
            _ => Answer::Done,
        });
        let (answers, mut may) = (answers.collect(), self.may.subscribe());
        Box::pin(async move {
            may.wait_for(|may| *may).await.unwrap();
            Ok(answers)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_right_after_it_was_renewed_is_lost_at_once() {
    let held = Held::new();
    // Renewed each hour.
    let mut node = Node::with(Options::new(held.clone()).ttl(Duration::from_secs(3 * 3600)));
    let kim = node.claim("kim").await.unwrap();
    node.settle().await;
    held.hold(&node).await;
    assert!(kim.set_value("x"));
    held.take().await;
    assert_eq!(node.loses().await, ("kim".into(), NodeId::new(7)));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_right_after_it_was_granted_is_lost_at_once() {
    let held = Held::new();
    let mut node = Node::with(Options::new(held.clone()).ttl(Duration::from_secs(3 * 3600)));
    node.settle().await;
    held.hold(&node).await;
    let kim = node.cluster.claim("kim");
    held.take().await;
    let kim = within(kim).await.unwrap();
    assert_eq!(node.loses().await, ("kim".into(), NodeId::new(7)));
    assert_eq!(kim.lost_to(), Some(NodeId::new(7)));
}
