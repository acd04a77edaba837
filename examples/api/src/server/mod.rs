//! The server's program: accounts, tokens that let a user into a game server, a list of those servers that they keep
//! themselves, placement and matches, over HTTP. [`serve`] is the whole of it; a [`Server`] is one within another program,
//! a test of a game server say.
//!
//! A request comes in through `listen`, and finds in `http` what serves it. Accounts are in `accounts`, passwords in
//! `password`. What is short-lived is in a `store`, in this process or in Redis; what a game's servers, seats and queue are
//! is a `world`, the same code in both.

mod accounts;
mod app;
mod flags;
mod http;
mod limiter;
mod listen;
mod metrics;
mod password;
mod patient;
mod refusal;
mod secret;
mod store;
mod waiters;
mod world;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use support::Outcome;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::info;

use accounts::Accounts;
use app::{App, Limits, Times};
use listen::Bounds;
use metrics::Metrics;
use password::Passwords;
use secret::Key;
use store::{Memory, Redis, Store};
use waiters::Waiters;

pub use flags::Flags;

/// Runs a server until Ctrl-C or SIGTERM comes, and then shuts it down in order. Once it listens, it prints
/// `listening http ADDR` on stdout.
///
/// Not cancel-safe: dropped, it cuts off what is under way.
///
/// # Errors
/// When a file cannot be used, or it cannot listen there; in words for whoever typed the flags.
pub async fn serve(flags: &Flags) -> Outcome {
    // First: whoever sends a signal while it starts has an orderly end, too.
    let signal = support::signal()?;
    let server = Server::start(flags).await?;
    support::listening("http", server.addr()?);
    let asked = async {
        signal.await;
        support::stopping(listen::DRAIN);
    };
    server.run_until(asked).await;
    Ok(())
}

/// A server that listens, and accepts once it runs.
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
    bounds: Bounds,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Opens the files and listens.
    ///
    /// Cancel-safe: dropped, there is none.
    ///
    /// # Errors
    /// When flags contradict each other, a file cannot be used, or it cannot listen there; in words for whoever typed the
    /// flags.
    pub async fn start(flags: &Flags) -> Result<Self, Box<dyn Error + Send + Sync>> {
        flags.check()?;
        let (stop, stopping) = watch::channel(false);
        // The database comes last: opened by a server that does not start, it would be left with a log beside it.
        let listener = listen::bind(&flags.http).await?;
        let app = Arc::new(app(flags, stopping)?);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let bounds = Bounds {
            connections: size(flags.connections),
            per_address: size(flags.connections_per_address),
            head: Duration::from_millis(flags.request_ms),
        };
        Ok(Self { listener, app, bounds, stop })
    }

    /// Where it listens, with the real port.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `signal` is there; then it accepts no more, ends what is under way, for 5 seconds at most, and says how
    /// many connections were cut off.
    ///
    /// Not cancel-safe: dropped, it cuts off what is under way.
    pub async fn run_until(self, signal: impl Future<Output = ()> + Send + 'static) -> usize {
        let Self { listener, app, bounds, stop } = self;
        let looking = app.store.is_shared().then(|| {
            let app = app.clone();
            tokio::spawn(async move {
                // Asked once at the start: whoever mistyped its address reads so in the log now, and not with the first player.
                let _ = app.store.ping().await;
                app.watch_matches().await
            })
        });
        let stopping = app.stopping.clone();
        let waiting = tokio::spawn(async move {
            signal.await;
            stop.send_replace(true);
        });
        let cut = listen::serve(listener, http::router(app.clone()), app.clone(), bounds, stopping).await;
        waiting.abort();
        app.accounts.close().await;
        if let Some(looking) = looking {
            looking.abort();
        }
        info!(target: support::LOG, cut, "stopped");
        cut
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}

fn app(flags: &Flags, stopping: watch::Receiver<bool>) -> Result<App, Box<dyn Error + Send + Sync>> {
    let rules = flags.rules();
    let store: Box<dyn Store> = match &flags.redis {
        // It does not repeat the URL, which may have a password.
        Some(url) => Box::new(Redis::new(url, &flags.redis_prefix, rules.clone()).map_err(|_| {
            "--redis is not the address of a redis server: it takes redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]"
        })?),
        None => Box::new(Memory::new(rules.clone())),
    };
    let cores = available_parallelism().map_or(1, usize::from);
    let hashers = flags.hashers.map_or(cores, |hashers| usize::try_from(hashers).unwrap_or(usize::MAX));
    let passwords = Passwords::new(hashers)?;
    let key = flags.api_key_file.as_deref().map(key).transpose()?;
    let accounts = Accounts::open(&flags.db)
        .map_err(|error| format!("cannot use the database {}: {error}", flags.db.display()))?;
    Ok(App {
        accounts,
        passwords,
        store,
        key,
        limits: Limits::new(flags),
        times: Times::new(flags),
        group: rules.group,
        proxies: flags.proxy.iter().map(|proxy| proxy.to_canonical()).collect(),
        metrics: Metrics::default(),
        waiters: Arc::new(Waiters::default()),
        stopping,
    })
}

fn key(path: &Path) -> Result<Key, String> {
    let refused =
        |why: &dyn std::fmt::Display| format!("cannot use the api key in {}: {why}", path.display());
    let text = support::read_file(path).map_err(|why| refused(&why))?;
    Key::new(&text).map_err(|why| refused(&why))
}
