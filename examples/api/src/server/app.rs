//! Everything that the handlers share.

use std::collections::HashSet;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::server::accounts::Accounts;
use crate::server::flags::Flags;
use crate::server::limiter::Limiter;
use crate::server::metrics::Metrics;
use crate::server::password::Passwords;
use crate::server::refusal::No;
use crate::server::secret::Key;
use crate::server::store::{Outcome, Store};
use crate::server::waiters::Waiters;
use crate::server::world::{Answer, Denial, Op};

/// What the handlers share.
pub(crate) struct App {
    pub(crate) accounts: Accounts,
    pub(crate) passwords: Passwords,
    pub(crate) store: Box<dyn Store>,
    /// Without one no game server is let in.
    pub(crate) key: Option<Key>,
    pub(crate) limits: Limits,
    pub(crate) times: Times,
    /// Users in a match.
    pub(crate) group: usize,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) proxies: HashSet<IpAddr>,
    pub(crate) metrics: Metrics,
    pub(crate) waiters: Arc<Waiters>,
    /// True when the server shuts down.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// How often one may try.
pub(crate) struct Limits {
    pub(crate) log_in_by_address: Limiter,
    /// Of which only the wrong ones count.
    pub(crate) log_in_by_name: Limiter,
    pub(crate) sign_up_by_address: Limiter,
    pub(crate) sign_up_by_name: Limiter,
    /// This server's own: it protects no secret, and would cost every request a question to the store.
    pub(crate) by_user: Limiter,
}

/// How long things are good.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) session: Duration,
    pub(crate) token: Duration,
    pub(crate) lease: Duration,
    /// For a body to come.
    pub(crate) body: Duration,
}

impl Limits {
    pub(crate) fn new(flags: &Flags) -> Self {
        let limiter =
            |name, per_minute: u64| Limiter::new(name, u32::try_from(per_minute).unwrap_or(u32::MAX));
        Self {
            log_in_by_address: limiter("la", flags.logins_per_minute),
            log_in_by_name: limiter("ln", flags.failures_per_minute),
            sign_up_by_address: limiter("sa", flags.signups_per_minute),
            sign_up_by_name: limiter("sn", flags.failures_per_minute),
            by_user: limiter("u", flags.requests_per_minute),
        }
    }
}

impl Times {
    pub(crate) fn new(flags: &Flags) -> Self {
        let ms = Duration::from_millis;
        Self {
            session: ms(flags.session_ms),
            token: ms(flags.token_ms),
            lease: ms(flags.server_ms),
            body: ms(flags.request_ms),
        }
    }
}

impl App {
    /// One more of what all servers on this store count together. While the store is away each counts for itself.
    pub(crate) async fn spend(
        &self,
        limiter: &Limiter,
        key: &(impl Hash + ToString + ?Sized),
    ) -> Result<(), No> {
        // First, so that whoever is over it here costs the store nothing.
        limiter.take(key).map_err(No::TooMany)?;
        let Some(each) = limiter.each() else { return Ok(()) };
        match self.store.spend(limiter.name, &key.to_string(), each).await {
            Ok(Err(wait)) => {
                limiter.give_back(key);
                Err(No::TooMany(wait))
            }
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// That one does not count.
    pub(crate) async fn give_back(&self, limiter: &Limiter, key: &(impl Hash + ToString + ?Sized)) {
        limiter.give_back(key);
        if let Some(each) = limiter.each() {
            // What is lost while the store is away is whole again within a minute.
            let _ = self.store.give_back(limiter.name, &key.to_string(), each).await;
        }
    }

    /// Does something in the world of a game, and wakes those here who have a match by it.
    pub(crate) async fn change(&self, game: &str, op: Op) -> Result<Answer, No> {
        let Outcome { answer, matched, counts } = self.store.change(game, op).await?;
        self.waiters.wake(game, &matched);
        self.metrics.matches.fetch_add(matched.len() as u64, Relaxed);
        match answer {
            // Anybody can make up names of games.
            Answer::No(Denial::UnknownGame) => return Err(No::Denied(Denial::UnknownGame)),
            _ => self.metrics.game(game, counts),
        }
        match answer {
            Answer::No(denial) => Err(No::Denied(denial)),
            answer => Ok(answer),
        }
    }

    /// With a store that others change, too: looks now and then who of those that wait here has a match. Never returns.
    pub(crate) async fn watch_matches(&self) {
        let mut each = interval(LOOK);
        each.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            each.tick().await;
            for (game, users) in self.waiters.users() {
                // Away is told to those who wait when they ask themselves.
                if let Ok(Answer::Found(matched)) = self.change(&game, Op::Look { users }).await {
                    self.waiters.wake(&game, &matched);
                }
            }
        }
    }
}

/// How late somebody hears of a match that another API server made.
const LOOK: Duration = Duration::from_millis(200);
