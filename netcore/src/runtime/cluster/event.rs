//! What a node hears.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{LinkError, NodeId};

/// What the cluster tells a worker, as one of its messages.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message on a topic that this worker subscribed to: of another node, or of another worker of this one.
    Message {
        /// The topic.
        topic: Arc<str>,
        /// The node that published it.
        from: NodeId,
        /// The message.
        body: Bytes,
    },
    /// A name that was claimed by this worker, or handed to it, belongs to an older claim of another node: both had it
    /// while they did not see each other. Whoever has it here must give way. The [`Claim`](super::Claim) is void.
    Lost {
        /// The name.
        name: Arc<str>,
        /// Who has it.
        by: NodeId,
    },
    /// The backplane is away: from here on this node judges alone, and hears and tells nobody.
    Away {
        /// Since when.
        since: Instant,
        /// Why.
        reason: LinkError,
    },
    /// The backplane is back: subscriptions hold again, and each name is either held or was told to be lost.
    Back {
        /// How long it was away.
        away: Duration,
        /// Messages that were published meanwhile, or just before, of which nobody knows that they arrived.
        unsent: u64,
    },
    /// Another node is there.
    NodeUp {
        /// Which.
        node: NodeId,
        /// What it says about itself.
        value: Bytes,
    },
    /// Another node is no longer there: it ended, or it has not been heard of for the lifetime of its names. When the
    /// backplane was away, others have the longest pause of [`Options::reconnect`](super::Options::reconnect) besides, to come back.
    NodeDown {
        /// Which.
        node: NodeId,
    },
}
