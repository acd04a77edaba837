//! Connections that wait to be accepted, where no system has a queue for them.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// A queue of at most `most` (one at least): where they come in, and where they come out.
pub(super) fn channel<T>(most: usize) -> (Entry<T>, Arrivals<T>) {
    let (queue, waiting) = mpsc::unbounded_channel();
    let bound = Arc::new(Bound { waiting: AtomicUsize::new(0), most: AtomicUsize::new(most.max(1)) });
    (Entry { queue, bound: bound.clone() }, Arrivals { waiting, bound })
}

/// Where connections come in.
#[derive(Debug)]
pub(super) struct Entry<T> {
    queue: UnboundedSender<T>,
    bound: Arc<Bound>,
}

/// Where they come out, in order.
#[derive(Debug)]
pub(super) struct Arrivals<T> {
    waiting: UnboundedReceiver<T>,
    bound: Arc<Bound>,
}

// Not a bounded channel, which would have to know its bound when it is made: a door's is set afterwards.
#[derive(Debug)]
struct Bound {
    waiting: AtomicUsize,
    most: AtomicUsize,
}

/// Why one does not come in.
pub(super) enum Refused {
    /// Too many wait.
    Full,
    /// Nobody takes them any more.
    Gone,
}

impl<T> Entry<T> {
    pub(super) fn enter(&self, one: T) -> Result<(), Refused> {
        // First, since nobody makes room any more either.
        if self.is_closed() {
            return Err(Refused::Gone);
        }
        let most = self.bound.most.load(Relaxed);
        let one_more = |waiting| (waiting < most).then_some(waiting + 1);
        self.bound.waiting.fetch_update(Relaxed, Relaxed, one_more).map_err(|_| Refused::Full)?;
        self.queue.send(one).map_err(|_| {
            self.bound.waiting.fetch_sub(1, Relaxed);
            Refused::Gone
        })?;
        // Asked again: where they went meanwhile, this one may have been left in the queue for good.
        if self.is_closed() { Err(Refused::Gone) } else { Ok(()) }
    }

    fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

impl<T> Arrivals<T> {
    /// The next one; `None` when there will be none. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<T> {
        let next = self.waiting.recv().await?;
        self.bound.waiting.fetch_sub(1, Relaxed);
        Some(next)
    }

    /// How many may wait from now on: one at least.
    pub(super) fn set_most(&self, most: usize) {
        self.bound.most.store(most.max(1), Relaxed);
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), bound: self.bound.clone() }
    }
}

/// So many wait at a door, unless it says otherwise.
pub(super) const DEFAULT: u32 = 1024;
