//! How a node is set up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::core::Core;
use super::handle::{Cluster, Starter};
use super::{Backplane, Memory, NodeId};
use crate::runtime::time::YEARS;

/// How a node of the cluster is set up; [`build`](Self::build) makes it.
#[derive(Clone)]
#[must_use]
pub struct Options {
    pub(super) backplane: Arc<dyn Backplane>,
    pub(super) node: NodeId,
    pub(super) announce: Bytes,
    pub(super) ttl: Duration,
    pub(super) answer_within: Duration,
    pub(super) reconnect: (Duration, Duration),
    pub(super) queue: usize,
    pub(super) queue_bytes: usize,
    pub(super) inbound: usize,
    pub(super) inbound_bytes: usize,
    pub(super) max_asks: usize,
    pub(super) max_claims: usize,
    pub(super) max_topics: usize,
    pub(super) max_message: usize,
    pub(super) max_value: usize,
    pub(super) id_block: u64,
}

impl Options {
    /// A node on this backplane.
    pub fn new(backplane: impl Backplane) -> Self {
        Self {
            backplane: Arc::new(backplane),
            node: NodeId::random(),
            announce: Bytes::new(),
            ttl: Duration::from_secs(10),
            answer_within: Duration::from_secs(2),
            reconnect: (Duration::from_millis(100), Duration::from_secs(5)),
            queue: 16_384,
            queue_bytes: 16 << 20,
            inbound: 16_384,
            inbound_bytes: 16 << 20,
            max_asks: 16_384,
            max_claims: 65_536,
            max_topics: 65_536,
            max_message: 64 << 10,
            max_value: 1_024,
            id_block: 1_024,
        }
    }

    /// Which node this is; a random one by default. It must be another each time a process starts.
    pub fn node(mut self, node: NodeId) -> Self {
        self.node = node;
        self
    }

    /// What the node says about itself from the start (at most [`max_value`](Self::max_value) bytes, else nothing); see
    /// [`Cluster::announce`].
    pub fn announce(mut self, value: impl Into<Bytes>) -> Self {
        self.announce = value.into();
        self
    }

    /// How long a name outlives a node that has died, at least 300 ms; 10 s by default. They are renewed three times in
    /// that time.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl.clamp(Duration::from_millis(300), MAX_TTL);
        self
    }

    /// How long the backplane may take to connect, or to answer; 2 s by default. One that takes longer is away. The time that
    /// a question waits here, behind what was published before it, is not part of it.
    pub fn answer_within(mut self, time: Duration) -> Self {
        self.answer_within = time.clamp(Duration::from_millis(1), YEARS);
        self
    }

    /// The pause before the second try to connect, and the longest one; 100 ms and 5 s by default. It doubles in between,
    /// and a random half of it is left out, so that the nodes do not all come at once.
    pub fn reconnect(mut self, first: Duration, longest: Duration) -> Self {
        let first = first.clamp(Duration::from_millis(1), YEARS);
        self.reconnect = (first, longest.clamp(first, YEARS));
        self
    }

    /// How many published messages may wait for the backplane, and how many bytes they may have, topics included; 16,384
    /// and 16 MiB by default. Up to 1,024 more are on their way to it.
    pub fn queue(mut self, messages: usize, bytes: usize) -> Self {
        (self.queue, self.queue_bytes) = (messages, bytes);
        self
    }

    /// How many messages may wait for a worker besides those that its server lets wait, and how many bytes they may have;
    /// 16,384 and 16 MiB by default. As many bytes again may wait among those that its server lets wait, or for the task
    /// that receives [`Events`](super::Events).
    pub fn inbound(mut self, messages: usize, bytes: usize) -> Self {
        (self.inbound, self.inbound_bytes) = (messages, bytes);
        self
    }

    /// How many claims and questions may be without an answer; 16,384 by default.
    pub fn max_asks(mut self, asks: usize) -> Self {
        self.max_asks = asks;
        self
    }

    /// How many names this node may hold; 65,536 by default. As many again may have been given back without the backplane's
    /// knowing it yet.
    pub fn max_claims(mut self, claims: usize) -> Self {
        self.max_claims = claims;
        self
    }

    /// How many topics this node may subscribe to; 65,536 by default.
    pub fn max_topics(mut self, topics: usize) -> Self {
        self.max_topics = topics;
        self
    }

    /// The longest message in bytes, in and out; 64 KiB by default.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }

    /// The longest value kept with a name, in bytes; 1 KiB by default.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes;
        self
    }

    /// How many numbers the node reserves at once for [`Cluster::next_id`], 1 to 1,048,576; 1,024 by default.
    pub fn id_block(mut self, size: u64) -> Self {
        self.id_block = size.clamp(1, MAX_BLOCK);
        self
    }

    /// The node: a handle for the game's code, and what starts it once there are workers to tell. Until then nothing is
    /// connected, and what is asked waits.
    pub fn build(self) -> (Cluster, Starter) {
        Cluster::of(Arc::new(Core::new(self)))
    }
}

/// In memory: one process alone.
impl Default for Options {
    fn default() -> Self {
        Self::new(Memory::new())
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("node", &self.node).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

const MAX_TTL: Duration = Duration::from_secs(24 * 3600);

/// The most numbers in one block.
pub(super) const MAX_BLOCK: u64 = 1 << 20;
