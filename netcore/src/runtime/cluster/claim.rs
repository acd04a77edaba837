//! A name that this node holds.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::core::Core;
use super::{Holder, NodeId};

/// A name that somebody wants to have for themselves in the whole cluster. [`Cluster::claim`](super::Cluster::claim) asks for
/// it.
///
/// ```
/// use netcore::cluster::Bid;
///
/// // A name, and one of the four seats of a room with what the others shall know about who sits there.
/// let name = Bid::new("name/kim");
/// let seat = Bid::new("room/3/1742001").within("room/3/", 4).value("kim");
/// # let _ = (name, seat);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Bid {
    pub(super) name: Arc<str>,
    pub(super) value: Bytes,
    pub(super) within: Option<(Arc<str>, usize)>,
    pub(super) strict: bool,
}

impl Bid {
    /// A bid for that name: 1 to 200 bytes, of which the first is not `@`.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), value: Bytes::new(), within: None, strict: false }
    }

    /// What is kept with the name, for others to see.
    pub fn value(mut self, value: impl Into<Bytes>) -> Self {
        self.value = value.into();
        self
    }

    /// Grant it only while fewer than `max` names (1,024 at most) begin with `prefix`; the claim says then
    /// [who they are](Claim::others). The number is judged when the claim is granted, never later: nodes that were apart
    /// may together hold more.
    pub fn within(mut self, prefix: impl Into<Arc<str>>, max: usize) -> Self {
        self.within = Some((prefix.into(), max.min(super::MAX_LIST)));
        self
    }

    /// Refuse it while the backplane is away, instead of judging alone.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

impl From<&str> for Bid {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Bid {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// A name that this node holds. Dropped, it is given back. Until then it is renewed, and it can only be
/// [lost](super::Event::Lost) to an older claim, from a time in which the nodes did not see each other.
pub struct Claim {
    pub(super) core: Arc<Core>,
    pub(super) mark: u64,
    pub(super) name: Arc<str>,
    pub(super) others: Vec<Holder>,
    pub(super) alone: bool,
    pub(super) lost: Arc<OnceLock<NodeId>>,
}

impl Claim {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names within the bid's prefix as they were when this one was granted, without it, in their order. Whoever
    /// subscribed before misses nothing that is published later.
    #[must_use]
    pub fn others(&self) -> &[Holder] {
        &self.others
    }

    /// Whether the node granted it by itself, because the backplane was away.
    #[must_use]
    pub fn alone(&self) -> bool {
        self.alone
    }

    /// The node with the older claim that it was lost to, if it was.
    #[must_use]
    pub fn lost_to(&self) -> Option<NodeId> {
        self.lost.get().copied()
    }

    /// Changes what is kept with the name. Others see it as soon as the backplane has heard of it; of several changes in a
    /// row, perhaps the last alone. Whether it was taken: not if it is longer than
    /// [`max_value`](super::Options::max_value), or the claim is lost.
    pub fn set_value(&self, value: impl Into<Bytes>) -> bool {
        self.core.set_value(self.mark, value.into())
    }

    /// Lets another worker hear if the name is lost, the one that its session moves to. One that is lost already is told
    /// to that worker too.
    pub fn hand_to(&self, worker: usize) {
        self.core.hand_to(self.mark, &self.name, &self.lost, worker);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.core.release(self.mark);
    }
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a name was not granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// That node has it, or is about to get it; it may be this one.
    #[error("the name is taken, by node {by}")]
    Taken {
        /// Who has it.
        by: NodeId,
    },
    /// So many names begin like this one already as may.
    #[error("all {max} places are taken")]
    Full {
        /// How many may.
        max: usize,
    },
    /// The backplane is away, and the bid was [strict](Bid::strict).
    #[error("the other nodes cannot be asked")]
    Away,
    /// This node holds as many names, or waits for as many answers, as it may.
    #[error("too many names or questions (`max_claims`, `max_asks`)")]
    TooMany,
    /// The name or the prefix is empty, longer than 200 bytes, or begins with `@`; or the name does not begin with the
    /// prefix.
    #[error("not a name")]
    Name,
    /// The value is longer than `max_value`.
    #[error("the value is too long (`max_value`)")]
    TooLong,
    /// The node has ended.
    #[error("the node has ended")]
    Over,
}
