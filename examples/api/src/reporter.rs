//! A server that stays in the list: it registers, reports, and registers anew when it was forgotten.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use crate::{ApiError, Client, Lease, Load, Registration};

/// A place in the list of a game's servers; see [`Client::keep_registered`]. The methods only note what the next report
/// says, so that a game's logic may call them; the calls are made by a task of their own. While the API server is away it
/// tries again, every few seconds; the game does not hear of it.
///
/// Dropped, it leaves the list in the background; [`Reporter::end`] waits for that.
#[derive(Debug)]
pub struct Reporter {
    shared: Arc<Shared>,
    id: watch::Receiver<Option<String>>,
    task: Option<JoinHandle<()>>,
}

impl Reporter {
    pub(crate) fn start(client: Client, game: String, server: Registration) -> Self {
        let shared = Arc::new(Shared {
            news: Mutex::new(News { load: server.load.clone(), entered: BTreeSet::new(), fresh: false }),
            changed: Notify::new(),
            ended: watch::Sender::new(false),
        });
        let (tell, id) = watch::channel(None);
        let worker = Worker { client, game, server, shared: shared.clone(), tell };
        Self { shared, id, task: Some(tokio::spawn(worker.run())) }
    }

    /// How full the server is from now on. The next report says it, a second later at most; `entered` is kept apart, so
    /// that what is in it is said once.
    pub fn load(&self, load: Load) {
        let mut news = self.shared.news();
        let Load { users, occupied, entered } = load;
        for user in entered {
            news.enter(user);
        }
        news.load = Load { users, occupied, entered: Vec::new() };
        news.fresh = true;
        drop(news);
        self.shared.changed.notify_one();
    }

    /// A user has come: the seat that was kept for them need not be kept any more. Call it after the [`Reporter::load`]
    /// that counts them, or give it the id with that: otherwise the seat is free for a moment.
    pub fn entered(&self, user: u64) {
        let mut news = self.shared.news();
        news.enter(user);
        news.fresh = true;
        drop(news);
        self.shared.changed.notify_one();
    }

    /// The server's id in the list, while it is there.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.id.borrow().clone()
    }

    /// Waits until the server is in the list: its id there. Cancel-safe.
    pub async fn registered(&mut self) -> String {
        match self.id.wait_for(Option::is_some).await {
            Ok(id) => id.clone().unwrap_or_default(),
            // Only with the runtime, which then does not poll this either.
            Err(_) => std::future::pending().await,
        }
    }

    /// Leaves the list, or gives up after the client's timeout. Cancel-safe: dropped, it goes on in the background.
    pub async fn end(mut self) {
        self.shared.ended.send_replace(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.shared.ended.send_replace(true);
    }
}

#[derive(Debug)]
struct Shared {
    news: Mutex<News>,
    changed: Notify,
    ended: watch::Sender<bool>,
}

impl Shared {
    fn news(&self) -> MutexGuard<'_, News> {
        // Nothing panics under this lock.
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the next report says.
#[derive(Debug)]
struct News {
    load: Load,
    entered: BTreeSet<u64>,
    /// Whether it says something that the last one did not.
    fresh: bool,
}

impl News {
    fn enter(&mut self, user: u64) {
        // While the API server is away; the seats that were kept for them expire.
        if self.entered.len() >= MOST_ENTERED {
            self.entered.pop_first();
        }
        self.entered.insert(user);
    }
}

struct Worker {
    client: Client,
    game: String,
    server: Registration,
    shared: Arc<Shared>,
    tell: watch::Sender<Option<String>>,
}

impl Worker {
    async fn run(mut self) {
        let mut ended = self.shared.ended.subscribe();
        let mut lease = None;
        tokio::select! {
            () = self.keep(&mut lease) => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
        self.tell.send_replace(None);
        if let Some(id) = lease
            && let Err(error) = self.client.deregister(&self.game, &id).await
        {
            warn!(%error, "the server stays in the list until its time is up");
        }
    }

    /// Never returns.
    async fn keep(&mut self, id: &mut Option<String>) {
        loop {
            let lease = self.register().await;
            info!(game = self.game, server = lease.server, "in the list of servers");
            *id = Some(lease.server.clone());
            self.tell.send_replace(Some(lease.server.clone()));
            self.report(lease).await;
            self.tell.send_replace(None);
        }
    }

    async fn register(&mut self) -> Lease {
        let mut pause = FIRST_PAUSE;
        loop {
            self.server.load = self.next();
            match self.client.register(&self.game, &self.server).await {
                Ok(lease) => {
                    self.said();
                    return lease;
                }
                // Once; then it is known.
                Err(error) if pause == FIRST_PAUSE => warn!(%error, "not in the list of servers; trying on"),
                Err(error) => debug!(%error, "not in the list of servers; trying on"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Until the API server does not know this one any more.
    async fn report(&mut self, mut lease: Lease) {
        let mut at = Instant::now();
        let mut away = false;
        loop {
            self.pause(at, (Duration::from_millis(lease.expires_in_ms) / 3).min(LATEST), away).await;
            at = Instant::now();
            self.server.load = self.next();
            match self.client.heartbeat(&self.game, &lease.server, &self.server.load).await {
                Ok(next) => {
                    if std::mem::take(&mut away) {
                        info!("the api server is back");
                    }
                    self.said();
                    lease = next;
                }
                Err(error) if error.is("unknown_server") || error.is("unknown_game") => return,
                Err(error) => {
                    if !std::mem::replace(&mut away, true) {
                        warn!(%error, "cannot report to the api server; trying on");
                    }
                    if !matches!(error, ApiError::Away(_)) {
                        debug!(%error, "a report was refused");
                    }
                }
            }
        }
    }

    /// Until the next report is due: when there is something to say, but not at once, or when it is time anyway.
    async fn pause(&self, last: Instant, period: Duration, away: bool) {
        // Never in a tight loop, whatever the server says its period is.
        let soonest = last + EAGER.min(period).max(SOONEST);
        sleep_until(soonest).await;
        if self.shared.news().fresh || away {
            return;
        }
        tokio::select! {
            () = sleep_until(last + period) => {}
            () = self.shared.changed.notified() => {}
        }
    }

    fn next(&self) -> Load {
        let mut news = self.shared.news();
        news.fresh = false;
        Load { entered: news.entered.iter().copied().collect(), ..news.load.clone() }
    }

    /// What was said in the last report need not be said again.
    fn said(&self) {
        let mut news = self.shared.news();
        for user in &self.server.load.entered {
            news.entered.remove(user);
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// So long after a report, at the earliest, the next one says what has changed.
const EAGER: Duration = Duration::from_secs(1);
const SOONEST: Duration = Duration::from_millis(50);
/// However long the server stays in the list without a report: an API server that has started anew, with its list in memory,
/// sends nobody here until then.
const LATEST: Duration = Duration::from_secs(5);
/// As many as a report may name.
const MOST_ENTERED: usize = 8192;
