//! What the suite needs of a backplane, and of a node.

use std::future::Future;
use std::time::Duration;

use netcore::cluster::{Claim, ClaimError, Cluster, Event, Events, NodeId, Options};

/// A backplane with nodes on lines that can fail.
pub(crate) trait World {
    /// The options of a node with a line of its own; the first has number 1.
    fn options(&mut self) -> Options;
    /// A node's line breaks: what is under way on it is lost, and it cannot connect.
    fn cut(&self, node: usize);
    /// A node's line stays, and nothing comes over it.
    fn freeze(&self, node: usize);
    /// A node's line is whole again.
    fn heal(&self, node: usize);
    /// The backplane dies and starts anew, empty.
    async fn wipe(&mut self);
    /// Watches a name from now on.
    async fn watch(&self, name: &str) -> Box<dyn Watch>;
    /// Lets time pass by the backplane's clock, so that of two claims one is clearly the older: by more than what lies
    /// between a message's sending and its coming.
    async fn age(&self);
    /// How many names there are, those of nodes included. Fails if something there would stay for ever.
    async fn names(&self) -> usize;
}

pub(crate) trait Watch {
    /// Waits until the name has expired.
    fn expired(&mut self) -> Waiting<'_>;
    /// Waits until the name was renewed, or claimed, once more.
    fn renewed(&mut self) -> Waiting<'_>;
}

pub(crate) type Waiting<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A node that runs.
pub(crate) struct Node {
    pub(crate) cluster: Cluster,
    pub(crate) events: Events,
}

impl Node {
    /// The next node of this world.
    pub(crate) fn new(world: &mut impl World) -> Self {
        Self::with(world.options())
    }

    pub(crate) fn with(options: Options) -> Self {
        let (cluster, starter) = options.build();
        Self { cluster, events: starter.start_events() }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.cluster.node()
    }

    pub(crate) async fn claim(&self, name: &str) -> Result<Claim, ClaimError> {
        within(self.cluster.claim(name)).await
    }

    /// Until the backplane has done what this node asked for.
    pub(crate) async fn settle(&self) {
        within(self.cluster.settled()).await.expect("the backplane is there");
    }

    /// The next event of that kind; those before it are of no interest.
    pub(crate) async fn hears<T>(&mut self, mut kind: impl FnMut(Event) -> Option<T>) -> T {
        within(async {
            loop {
                if let Some(found) = kind(self.events.recv().await.expect("the node has ended")) {
                    return found;
                }
            }
        })
        .await
    }

    /// The next message: its body.
    pub(crate) async fn message(&mut self) -> String {
        self.hears(message).await
    }

    pub(crate) async fn is_away(&mut self) {
        self.hears(|event| matches!(event, Event::Away { .. }).then_some(())).await;
    }

    /// How many messages were not sent.
    pub(crate) async fn is_back(&mut self) -> u64 {
        self.hears(|event| match event {
            Event::Back { unsent, .. } => Some(unsent),
            _ => None,
        })
        .await
    }

    pub(crate) async fn loses(&mut self) -> (String, NodeId) {
        self.hears(|event| match event {
            Event::Lost { name, by } => Some((name.to_string(), by)),
            _ => None,
        })
        .await
    }

    /// The names that begin so: each with its node and its value.
    pub(crate) async fn list(&self, prefix: &str) -> Vec<(String, NodeId, String)> {
        let listing = within(self.cluster.list(prefix, 100)).await.unwrap();
        listing.holders.iter().map(|one| (one.name.to_string(), one.node, text(&one.value))).collect()
    }

    pub(crate) async fn end(&self) {
        within(self.cluster.shutdown()).await;
    }
}

pub(crate) fn message(event: Event) -> Option<String> {
    match event {
        Event::Message { body, .. } => Some(text(&body)),
        _ => None,
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Ends all nodes; nothing of theirs is left.
pub(crate) async fn end(world: &impl World, nodes: &[Node]) {
    for node in nodes {
        node.end().await;
    }
    assert_eq!(world.names().await, 0);
}

/// A guard against hangs, not a wait: on a paused clock it is up as soon as nothing moves any more.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("nothing moves any more")
}
