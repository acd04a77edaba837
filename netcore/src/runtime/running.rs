//! A server that runs, and how it stops.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::house::House;
use super::teller::{Tell, Teller};
use super::worker::WorkerHandle;
use super::{Snapshot, Stats};
use crate::session::CloseReason;

#[must_use = "a server stops at once when this is dropped, which `let _ =` does: give it a name, and end with `run_until` or `shutdown`"]
/// A server that runs. Dropped, it stops at once and cuts everyone off; [`shutdown`](Self::shutdown) stops it in order.
///
/// ```no_run
/// # async fn main_(server: netcore::Running) {
/// let report = server.run_until(async { drop(tokio::signal::ctrl_c().await) }).await;
/// println!("{} sessions, {} cut off", report.sessions, report.cut);
/// # }
/// ```
///
/// A container or a service manager stops a process with another signal than a terminal does:
/// [`running`](crate::manual::running#stopping) waits for both.
pub struct Running<Message = ()> {
    addresses: Vec<(String, SocketAddr)>,
    stats: Arc<Stats>,
    stop: CancellationToken,
    drain: Duration,
    house: Box<dyn Inside>,
    // Dropped, they are aborted, which closes the doors.
    accepting: JoinSet<()>,
    // What looks after the sessions, to the end of them.
    _keeping: JoinSet<()>,
    workers: Vec<WorkerHandle>,
    tell: Tell<Message>,
    in_order: bool,
}

/// How a shutdown went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Sessions that were open when it began.
    pub sessions: usize,
    /// Of these, those that were cut off at the deadline.
    pub cut: usize,
    /// What was queued for them and did not go out, in bytes.
    pub cut_bytes: usize,
    /// What workers had begun in the background ([`Context::spawn`](crate::Context::spawn)) and was not done at the
    /// deadline.
    pub cut_work: usize,
    /// How long it took.
    pub took: Duration,
}

/// Asks a server to stop, from anywhere: [`Running::stopped`] hears it.
#[derive(Clone, Debug)]
pub struct Stopper(CancellationToken);

impl Stopper {
    /// Asks.
    pub fn stop(&self) {
        self.0.cancel();
    }
}

/// What is there once the doors are open.
pub(super) struct Opened {
    pub(super) addresses: Vec<(String, SocketAddr)>,
    pub(super) accepting: JoinSet<()>,
    pub(super) keeping: JoinSet<()>,
    pub(super) house: Box<dyn Inside>,
    pub(super) stats: Arc<Stats>,
    pub(super) drain: Duration,
}

impl<Message> Running<Message> {
    pub(super) fn new(opened: Opened, stop: CancellationToken, tell: Tell<Message>) -> Self {
        Self {
            addresses: opened.addresses,
            stats: opened.stats,
            stop,
            drain: opened.drain,
            house: opened.house,
            accepting: opened.accepting,
            _keeping: opened.keeping,
            workers: Vec::new(),
            tell,
            in_order: false,
        }
    }

    pub(super) fn add(&mut self, worker: WorkerHandle) {
        self.workers.push(worker);
    }

    /// Where the first TCP door listens; `0.0.0.0:0` if there is none.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        self.addresses.first().map_or(nowhere, |(_, address)| *address)
    }

    /// Where each TCP door listens, by its name: with the real port, where it was given as 0.
    #[must_use]
    pub fn addrs(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Snapshot {
        self.stats.snapshot()
    }

    /// A handle that asks the server to stop.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// A handle that sends messages to the workers.
    #[must_use]
    pub fn teller(&self) -> Teller<Message> {
        Teller(self.tell.clone())
    }

    /// Waits until the game or a [`Stopper`] asks the server to stop. It runs on until [`shutdown`](Self::shutdown).
    ///
    /// Cancel-safe.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Runs until `signal` is there, or the game or a [`Stopper`] asks it to stop; then shuts down.
    ///
    /// Not cancel-safe: dropped, it cuts off at once.
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> Report {
        tokio::select! {
            () = signal => {}
            () = self.stopped() => {}
        }
        self.shutdown().await
    }

    /// Stops in order: accepts no more, tells the logic, handles and answers what was received, sends what is queued, and
    /// closes; then waits for what workers have begun in the background, saves say, and for its messages. What has not come to an end within the drain time ([`Server::drain`](crate::Server::drain)) is cut off and
    /// counted.
    ///
    /// Not cancel-safe: dropped, it cuts off at once.
    pub async fn shutdown(mut self) -> Report {
        self.in_order = true;
        let start = Instant::now();
        let deadline = start + self.drain.min(super::time::YEARS);
        self.house.close_doors();
        // A handler that blocks as it is made would keep its door open.
        let _ = timeout_at(deadline, self.accepting.shutdown()).await;
        let sessions = self.house.count();
        info!(sessions, "shutting down");
        // All at once: one that is slow does not take the others' time. Nor all of it: the sessions of the others need some to
        // come to their end.
        let half = deadline - deadline.saturating_duration_since(Instant::now()) / 2;
        let said: Vec<_> = self.workers.iter().map(WorkerHandle::say_stopping).collect();
        for said in said {
            if timeout_at(half, said).await.is_err() {
                warn!("a worker does not answer: its sessions hear of the shutdown only if it does");
            }
        }
        self.house.end_sessions();
        let mut report = Report { sessions, ..Report::default() };
        if timeout_at(deadline, self.house.wait()).await.is_err() {
            (report.cut, report.cut_bytes) = self.house.cut();
            warn!(sessions = report.cut, bytes = report.cut_bytes, "cut off at the deadline");
            // Aborted tasks end when they are polled next.
            let _ = timeout_at(Instant::now() + GRACE, self.house.wait()).await;
        }
        if timeout_at(deadline, self.quiet()).await.is_err() {
            report.cut_work = self.working();
            if report.cut_work > 0 {
                warn!(work = report.cut_work, "what was done in the background is cut off at the deadline");
            }
        }
        // All at once here too, and all within one grace.
        self.workers.iter_mut().for_each(WorkerHandle::stop);
        let deadline = deadline.max(Instant::now() + GRACE);
        for mut worker in std::mem::take(&mut self.workers) {
            if timeout_at(deadline, worker.ended()).await.is_err() {
                warn!("a worker does not end: a callback of the game has not returned");
            }
        }
        report.took = start.elapsed();
        report
    }
}

impl<Message> Running<Message> {
    /// Until nothing is done in the background and no worker has anything to tell another: what a game saves as its sessions
    /// close is saved, and what one worker was told with success it hears.
    async fn quiet(&self) {
        loop {
            // First: what is done by then stands before the fence.
            let working = self.working() > 0;
            let fences: Vec<_> = self.workers.iter().map(WorkerHandle::fence).collect();
            let mut told = 0;
            for fence in fences {
                told += fence.await;
            }
            if working || self.working() > 0 {
                tokio::time::sleep(LOOK).await;
            } else if told == 0 {
                return;
            }
        }
    }

    fn working(&self) -> usize {
        self.workers.iter().map(WorkerHandle::working).sum()
    }
}

impl<Message> Drop for Running<Message> {
    fn drop(&mut self) {
        self.house.close_doors();
        let (sessions, bytes) = self.house.cut();
        // One that nobody has come to may be dropped for what its program finds out as it starts.
        if !self.in_order && self.stats.opened.load(Relaxed) > 0 {
            warn!(sessions, bytes, "stopped at once: its `Running` was dropped without a `shutdown`");
        }
    }
}

impl<Message> fmt::Debug for Running<Message> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// A house, whatever is spoken in it.
pub(super) trait Inside: Send + Sync {
    fn close_doors(&self);
    fn count(&self) -> usize;
    /// Every session's game hears that it ends.
    fn end_sessions(&self);
    /// Until no session is left.
    fn wait(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// Ends all sessions where they are: how many, and how many bytes were queued for them.
    fn cut(&self) -> (usize, usize);
}

impl<In: Send + 'static, Out: Send + Sync + 'static> Inside for Arc<House<In, Out>> {
    fn close_doors(&self) {
        self.closing.store(true, Relaxed);
        self.stop_handshakes.cancel();
    }

    fn count(&self) -> usize {
        self.registry.len()
    }

    fn end_sessions(&self) {
        for peer in self.registry.tell() {
            peer.end(CloseReason::Stopping, None);
            peer.outbox.wake();
        }
    }

    fn wait(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.sessions.close();
        Box::pin(self.sessions.wait())
    }

    fn cut(&self) -> (usize, usize) {
        let peers = self.registry.peers();
        // Those that have everything and only linger are not cut off from anything.
        let owed = peers
            .iter()
            .map(|peer| (peer.outbox.queued(), peer.outbox.closed().is_none() || peer.is_played()));
        let owed: Vec<_> = owed.filter(|(queued, working)| *queued > 0 || *working).collect();
        // Those that were closing already keep their reason.
        peers.iter().for_each(|peer| peer.outbox.abort(CloseReason::Stopping));
        self.registry.abort();
        (owed.len(), owed.iter().map(|(queued, _)| queued).sum())
    }
}

/// How often it is looked whether the background is done.
const LOOK: Duration = Duration::from_millis(5);
/// How long what was told to end at once may take to do so.
const GRACE: Duration = Duration::from_secs(1);
