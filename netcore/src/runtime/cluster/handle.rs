//! What the game's code holds.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::DropGuard;

use super::ask::{AskError, Asked, PublishError, SubscribeError};
use super::claim::{Bid, Claim, ClaimError};
use super::core::{Core, ITSELF};
use super::options::MAX_BLOCK;
use super::outlet::Workers;
use super::{Event, Listing, NODES, NodeId, Options, Snapshot, driver};
use crate::runtime::Teller;
use crate::runtime::metrics::publish_node;
use crate::runtime::queue::Weight;
use crate::runtime::teller::Untold;

/// One node of the cluster, for the game's code: cheap to clone, and no call waits.
///
/// What a handle subscribes to and claims is told to one worker: the first, or that of [`at`](Self::at). When the last
/// handle is dropped the node ends: it gives its names back, as far as the backplane is there.
#[derive(Clone)]
pub struct Cluster {
    core: Arc<Core>,
    worker: usize,
    _life: Arc<DropGuard>,
}

impl Cluster {
    /// A node on this backplane, with the defaults of [`Options`].
    pub fn new(backplane: impl super::Backplane) -> (Self, Starter) {
        Options::new(backplane).build()
    }

    pub(super) fn of(core: Arc<Core>) -> (Self, Starter) {
        let life = Arc::new(core.end.clone().drop_guard());
        (Self { core: core.clone(), worker: 0, _life: life }, Starter(core))
    }

    /// A handle whose events go to that worker. Where there is none of that number they are dropped.
    #[must_use]
    pub fn at(&self, worker: usize) -> Self {
        self.core.add_worker(worker);
        Self { worker, ..self.clone() }
    }

    /// Which node this is.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.core.node()
    }

    /// Whether the backplane is away, or has not been reached yet.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.core.is_away()
    }

    /// Publishes a message: every worker of every node that subscribed to the topic hears it, but not the one that this
    /// handle belongs to. The workers of this node hear it at once, those of others through the backplane, at most once.
    ///
    /// # Errors
    /// [`PublishError`]: the other nodes will not hear it. What is queued can still be lost with the link; that is told as
    /// [`Event::Back`]'s `unsent`.
    pub fn publish(&self, topic: &str, body: impl Into<Bytes>) -> Result<(), PublishError> {
        self.core.publish(self.worker, topic, body.into())
    }

    /// Subscribes this handle's worker to a topic; once is enough. Whatever is asked later than this is answered when the
    /// subscription holds already.
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing has changed then.
    pub fn subscribe(&self, topic: &str) -> Result<(), SubscribeError> {
        self.core.subscribe(self.worker, topic)
    }

    /// Ends this worker's subscription. What waits for the worker already is still heard.
    pub fn unsubscribe(&self, topic: &str) {
        self.core.unsubscribe(self.worker, topic);
    }

    /// Asks for a name. At most one node of those that see each other has it. While the backplane is away this node judges
    /// by what it holds itself, unless the bid is [strict](Bid::strict).
    pub fn claim(&self, bid: impl Into<Bid>) -> Asked<Claim, ClaimError> {
        self.core.claim(self.worker, bid.into())
    }

    /// Asks who holds a name: one holder, or none. What this node holds is answered at once, also while the backplane is
    /// away.
    pub fn find(&self, name: &str) -> Asked<Listing> {
        self.core.find(name)
    }

    /// Asks who holds the names that begin so, at most `limit` of them and never more than 1,024. While the backplane is
    /// away they are this node's.
    pub fn list(&self, prefix: &str, limit: usize) -> Asked<Listing> {
        self.core.list(prefix, limit)
    }

    /// Asks for the nodes that are there, this one included, at most 1,024; each holder's value is what that node
    /// [announces](Self::announce).
    pub fn nodes(&self) -> Asked<Listing> {
        self.core.list(NODES, super::MAX_LIST)
    }

    /// Changes what this node says about itself, such as where it listens and its load: at most
    /// [`max_value`](Options::max_value) bytes. Whether it was taken.
    pub fn announce(&self, value: impl Into<Bytes>) -> bool {
        self.core.set_value(ITSELF, value.into())
    }

    /// A number that no other node has or will have, below 2⁶³. They are not consecutive. It comes from a block that was
    /// reserved ahead; without one it is made up of the node's own number: above 2⁶², while those of blocks are below.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.core.next_id()
    }

    /// Asks for a block of numbers that no other node has or will have: the first of `size` in a row, of which there are
    /// 1 to 1,048,576.
    pub fn block(&self, size: u64) -> Asked<u64> {
        self.core.block(size.clamp(1, MAX_BLOCK))
    }

    /// Answers when the backplane has done everything that this node asked, published and subscribed before.
    pub fn settled(&self) -> Asked<(), AskError> {
        self.core.settled()
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Snapshot {
        self.core.ear.stats.snapshot()
    }

    /// Ends the node: what was published goes out, the names are given back, nothing is heard any more. It takes no longer
    /// than [`answer_within`](Options::answer_within), twice if it is connecting.
    ///
    /// Cancel-safe: the end goes on by itself.
    pub async fn shutdown(&self) {
        self.core.end.cancel();
        if self.core.started.load(Relaxed) {
            self.core.done.cancelled().await;
        }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("node", &self.node()).field("worker", &self.worker).finish()
    }
}

/// Starts a node, once there is somebody to tell.
#[must_use = "a node that is not started asks nobody and hears nothing"]
pub struct Starter(Arc<Core>);

impl Starter {
    /// Starts the node: its events become messages of a server's workers. `map` wraps an event, most often an enum's
    /// variant does.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start<M: Send + 'static>(
        self,
        teller: Teller<M>,
        map: impl Fn(Event) -> M + Send + Sync + 'static,
    ) {
        self.run(move |worker, message, weight| teller.try_tell(worker, message, weight), map);
    }

    /// Starts the node without workers: its events are received by a task.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start_events(self) -> Events {
        let room = self.0.options.inbound.clamp(1, Semaphore::MAX_PERMITS);
        let (sender, receiver) = mpsc::channel(room);
        let tell = move |_, event, weight| {
            sender.try_send((event, weight)).map_err(|error| match error {
                TrySendError::Full((event, _)) => Untold::Full(event),
                TrySendError::Closed((event, _)) => Untold::Gone(event),
            })
        };
        self.run(tell, |event| event);
        Events(receiver)
    }

    fn run<M: Send + 'static>(
        self,
        tell: impl Fn(usize, M, Weight) -> Result<(), Untold<M>> + Send + Sync + 'static,
        map: impl Fn(Event) -> M + Send + Sync + 'static,
    ) {
        let core = self.0;
        let bounds = (core.options.inbound, core.options.inbound_bytes);
        let workers = Workers::new(tell, map, bounds, core.ear.stats.clone());
        core.ear.hand_to(Some(Arc::new(workers)));
        core.started.store(true, Relaxed);
        let looked_at = core.clone();
        publish_node(move || (looked_at.ear.stats.snapshot(), looked_at.is_away()), core.done.clone());
        tokio::spawn(driver::hand_over(core.clone()));
        tokio::spawn(driver::drive(core));
    }
}

impl std::fmt::Debug for Starter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Starter")
    }
}

/// What a node hears, for a task. Dropped, it leaves a node that goes on without a hearer: messages are then dropped and
/// counted ([`Snapshot::dropped_in`]).
#[derive(Debug)]
pub struct Events(mpsc::Receiver<(Event, Weight)>);

impl Events {
    /// The next event; `None` when the node has ended and everything was received that had room here. Messages that had
    /// none by then count as dropped ([`Snapshot::dropped_in`]).
    ///
    /// Cancel-safe.
    pub async fn recv(&mut self) -> Option<Event> {
        self.0.recv().await.map(|(event, _)| event)
    }
}
