//! What lies between the nodes, as a node sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::ear::Ear;
use super::{Holder, NodeId};

/// Something that a backplane is still about.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What lies between the nodes: it passes messages on and keeps names. [`Memory`](super::Memory) does it inside one process,
/// [`Redis`](super::Redis) between several.
///
/// It is plain: it tries once, and says what became of it. Queues and their bounds, deadlines, reconnecting, what a node
/// does while the backplane is away, and what it says when it is back, are the [`Cluster`](super::Cluster)'s, and the same
/// for each.
pub trait Backplane: Send + Sync + 'static {
    /// Connects a node: one try. What others send goes to `incoming` from then on, and so does the end of the link.
    ///
    /// The future is dropped when it takes too long.
    fn connect(&self, node: NodeId, incoming: Incoming) -> Pending<'_, Result<Box<dyn Link>, LinkError>>;
}

/// One node's connection to a [`Backplane`]. Dropped, it is closed; the node's names stay until they expire. Once the node
/// has its next link, no [`Op::Claim`] and no [`Op::Keep`] is done any more that was on its way over this one: the node may
/// have given the name back since, and another may have it.
pub trait Link: Send + 'static {
    /// Does these, one after the other, and has one answer for each. At most four calls are under way at once: they take
    /// effect in the order of the calls, and each is polled before the next call.
    ///
    /// An error ends the link; nobody knows then which of them were done. The future is dropped with the link.
    fn run(&mut self, ops: Vec<Op>) -> Pending<'static, Result<Vec<Answer>, LinkError>>;
}

/// One thing for a backplane to do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Op {
    /// Nothing: [`Answer::Done`] says that all before it was done.
    Ping,
    /// Pass a message on to every node that subscribed to the topic, this one too or not, as is easier.
    /// [`Answer::Done`].
    Publish {
        /// Where to.
        topic: Arc<str>,
        /// The message.
        body: Bytes,
    },
    /// From now on, messages on the topic go to [`Incoming::deliver`]. [`Answer::Done`].
    Subscribe(Arc<str>),
    /// No longer. [`Answer::Done`].
    Unsubscribe(Arc<str>),
    /// Take a name, unless another node holds it, or this one by a later mark. [`Answer::Claimed`], [`Answer::Taken`] or
    /// [`Answer::Full`].
    Claim {
        /// The name and what is kept with it.
        claim: Stake,
        /// Only if fewer names than that begin so. They are in the answer.
        within: Option<(Arc<str>, usize)>,
        /// It is free again if it is not kept for so long.
        ttl: Duration,
    },
    /// Go on holding these names: they live for `ttl` from now. One that has gone is taken anew. One that another node holds
    /// goes to the older claim; on a tie, to the lower [`NodeId`]. If that is ours, the other node is told at once by
    /// [`Incoming::displaced`]. [`Answer::Kept`].
    Keep {
        /// Which.
        claims: Vec<Stake>,
        /// From now.
        ttl: Duration,
    },
    /// Give a name back, if this node holds it by this mark. [`Answer::Done`].
    Release {
        /// Which.
        name: Arc<str>,
        /// Its mark.
        mark: u64,
    },
    /// Who holds that name? [`Answer::Holders`], of one or none.
    Find(Arc<str>),
    /// Who holds names that begin so, in their order? [`Answer::Holders`].
    List {
        /// How they begin.
        prefix: Arc<str>,
        /// At most so many.
        limit: usize,
    },
    /// So many numbers in a row that nobody had before, from `floor` on. [`Answer::Block`].
    Block {
        /// How many.
        size: u64,
        /// The end of the last block that this node had: a backplane that lost its data does not give it out again.
        floor: u64,
    },
}

/// A name that a node claims or holds.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stake {
    /// The name.
    pub name: Arc<str>,
    /// Which of the node's claims: each has a higher one than the node's claims before. What was sent long ago and is late
    /// cannot undo what came after it.
    pub mark: u64,
    /// How long ago it was claimed, by this node's clock that never jumps.
    pub age: Duration,
    /// What is kept with it.
    pub value: Bytes,
}

impl Stake {
    pub(super) fn new(name: Arc<str>, mark: u64, age: Duration, value: Bytes) -> Self {
        Self { name, mark, age, value }
    }

    pub(super) fn size(&self) -> usize {
        self.name.len() + self.value.len()
    }
}

/// What became of an [`Op`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// It was done.
    Done,
    /// The name is ours.
    Claimed {
        /// Who else is within the same prefix; none if it was not asked for.
        others: Vec<Holder>,
    },
    /// The name is held by that node.
    Taken(NodeId),
    /// So many names are within the prefix already.
    Full,
    /// For each name: nothing if it is kept, or the node that it is lost to.
    Kept(Vec<Option<NodeId>>),
    /// Who holds what.
    Holders {
        /// In the order of the names.
        holders: Vec<Holder>,
        /// There are more than the limit.
        more: bool,
    },
    /// The first number of the block. Its last is below 2⁶².
    Block(u64),
}

/// Where a [`Link`] hands in what came for its node. After the link's end nobody listens to it any more.
#[derive(Clone)]
pub struct Incoming {
    ear: Arc<Ear>,
    link: u64,
}

impl Incoming {
    pub(super) fn new(ear: Arc<Ear>, link: u64) -> Self {
        Self { ear, link }
    }

    /// Which of the node's links: each has a higher number than those before.
    #[cfg(feature = "redis")]
    pub(super) fn link(&self) -> u64 {
        self.link
    }

    /// A message came. Never blocks: what nobody has room for is dropped and counted.
    pub fn deliver(&self, topic: &str, from: NodeId, body: Bytes) {
        if self.ear.listens_to(self.link) {
            self.ear.deliver(topic, from, body);
        }
    }

    /// Another node has taken this name by an older claim.
    pub fn displaced(&self, name: &str) {
        self.ear.displaced(self.link, name);
    }

    /// The link has ended by itself.
    pub fn lost(&self, error: LinkError) {
        self.ear.lost(self.link, error);
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("link", &self.link).finish_non_exhaustive()
    }
}

/// Why a link has ended, or did not come about.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It is not there, or does not let us in.
    #[error("no connection: {0}")]
    Refused(String),
    /// The connection ended.
    #[error("the connection ended")]
    Closed,
    /// It did not answer in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// It answered something else than was asked, or that it cannot do it.
    #[error("not the answer to what was asked: {0}")]
    Answer(String),
}
