//! Which node, and what nodes hold.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// Names one process of the cluster, and no other: a process that starts anew has another one.
///
/// ```
/// use netcore::cluster::NodeId;
///
/// assert_eq!(NodeId::new(0xbeef).to_string(), "000000000000beef");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u64);

impl NodeId {
    /// The node of that number. Two nodes of one number would take each other's names for their own.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// A number that no other node has, by all odds: 64 random bits.
    #[must_use]
    pub fn random() -> Self {
        // Each `RandomState` has keys of its own.
        Self(RandomState::new().hash_one(std::process::id()))
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

/// A name that a node holds.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Holder {
    /// The name.
    pub name: Arc<str>,
    /// The node that holds it.
    pub node: NodeId,
    /// For how long it has been held, to the millisecond.
    pub age: Duration,
    /// What the node keeps with it.
    pub value: Bytes,
}

impl Holder {
    /// A name that a node holds.
    #[must_use]
    pub fn new(name: Arc<str>, node: NodeId, age: Duration, value: Bytes) -> Self {
        Self { name, node, age, value }
    }
}

/// Names that are held.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// Who holds them, in the order of the names.
    pub holders: Vec<Holder>,
    /// There are more than were asked for.
    pub more: bool,
    /// The backplane is away: these are the names of this node alone.
    pub alone: bool,
}
