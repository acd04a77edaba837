//! The backplane in memory.

use std::time::Duration;

use netcore::cluster::{Cluster, Memory, NodeId, Options};

use crate::common::{Waiting, Watch, World};

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
