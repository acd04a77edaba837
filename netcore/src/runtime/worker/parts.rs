//! What a worker begins with.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::super::encoding::Encoding;
use super::super::queue::Queues;
use super::super::{AfterPanic, LateTick, Logic, Stats};

/// How workers are set up.
#[derive(Clone)]
pub(crate) struct WorkerSettings {
    pub(crate) tick: Option<Duration>,
    pub(crate) late: LateTick,
    pub(crate) after_panic: AfterPanic,
    pub(crate) max_timers: usize,
}

impl WorkerSettings {
    /// How long a tick is: as long as the clock can tell, unless several are done at once.
    pub(crate) fn step(&self) -> Option<Duration> {
        let least = if let LateTick::CatchUp(_) = self.late { 1 } else { 1000 };
        self.tick.map(|step| step.max(Duration::from_micros(least)))
    }
}

/// What a worker is made of besides its logic.
pub(crate) struct Parts<L: Logic> {
    pub(crate) doors: Arc<[Encoding<L::Out>]>,
    pub(crate) queues: Queues<L>,
    pub(crate) worker: usize,
    pub(crate) io: tokio::runtime::Handle,
    pub(crate) stats: Arc<Stats>,
    pub(crate) stop: tokio_util::sync::CancellationToken,
    pub(crate) broadcasts: Arc<AtomicU64>,
}
