//! The backplane in memory.

use std::time::Duration;

use netcore::cluster::{Cluster, Memory, NodeId, Options};

use crate::common::{Node, Waiting, Watch, World, end};

pub(crate) struct InMemory {
    memory: Memory,
    lines: Vec<Memory>,
}

impl InMemory {
    pub(crate) fn new() -> Self {
        Self { memory: Memory::new(), lines: Vec::new() }
    }
}

impl World for InMemory {
    fn options(&mut self) -> Options {
        let line = self.memory.line();
        self.lines.push(line.clone());
        Options::new(line).node(NodeId::new(self.lines.len() as u64))
    }

    fn cut(&self, node: usize) {
        self.lines[node - 1].away();
    }

    fn freeze(&self, node: usize) {
        self.lines[node - 1].freeze();
    }

    fn heal(&self, node: usize) {
        self.lines[node - 1].back();
    }

    async fn wipe(&mut self) {
        self.memory.forget();
    }

    async fn watch(&self, name: &str) -> Box<dyn Watch> {
        // The clock stands unless somebody sleeps: a third node that looks now and then makes it run.
        let (cluster, starter) = Cluster::new(self.memory.line());
        drop(starter.start_events());
        Box::new(Looks { cluster, name: name.to_owned() })
    }

    async fn age(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    async fn names(&self) -> usize {
        self.memory.sizes().0
    }
}

struct Looks {
    cluster: Cluster,
    name: String,
}

impl Watch for Looks {
    fn expired(&mut self) -> Waiting<'_> {
        Box::pin(async {
            while !self.cluster.find(&self.name).await.unwrap().holders.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.cluster.shutdown().await;
        })
    }

    fn renewed(&mut self) -> Waiting<'_> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
        })
    }
}

#[tokio::test(start_paused = true)]
async fn what_lay_on_a_line_that_stood_still_comes_before_what_was_said_later() {
    let mut world = InMemory::new();
    let (one, mut other) = (Node::new(&mut world), Node::new(&mut world));
    other.cluster.subscribe("t").unwrap();
    for node in [&one, &other] {
        node.settle().await;
    }
    world.freeze(1);
    for number in ["1", "2"] {
        one.cluster.publish("t", number).unwrap();
        // Until it lies on the line.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.heal(1);
    one.cluster.publish("t", "3").unwrap();
    for number in ["1", "2", "3"] {
        assert_eq!(other.message().await, number);
    }
    end(&world, &[one, other]).await;
}
