//! The API server beside a room server: its tokens let users in, and it sends them here.
//!
//! With [`ApiFlags::url`], [`Shared::open`](crate::Shared::open) puts a [`Gate`](crate::Gate) in front of the log-in that
//! redeems the token in the password's place, and [`run`] keeps the server in the API server's list, with its load, for as
//! long as it runs. Neither waits in the logic: while the API server is away nobody new is let in, and whoever is inside
//! goes on.

mod flags;
mod listing;
mod tokens;

use std::sync::Arc;

use ::api::Client;
use netcore::Running;
use support::Outcome;
use tokio::sync::watch;
use tracing::info;

pub use flags::{ApiFlags, Public, SetupError};
pub use tokens::LogIns;

use crate::report::{self, reporting};
use crate::{Settings, Shared};
use listing::{Listing, registration};
use tokens::{Tokens, Visitors};

/// A room server's side of the API server.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    game: String,
    visitors: Arc<Visitors>,
    // True when the server is about to stop.
    leaving: watch::Sender<bool>,
}

impl Api {
    /// What the flags ask for, and the gate that goes with it; `None` without an API server.
    pub(crate) fn open(game: &str, flags: &ApiFlags) -> Result<Option<(Self, Tokens)>, SetupError> {
        let Some(client) = flags.client()? else { return Ok(None) };
        flags.check_public()?;
        let visitors = Arc::new(Visitors::new(flags));
        let asking = client.clone();
        let redeem = move |name: crate::Name, token: String| {
            let client = asking.clone();
            async move { client.redeem(name.as_str(), &token).await }
        };
        let tokens = Tokens::new(redeem, flags, visitors.clone());
        let api = Self { client, game: game.to_owned(), visitors, leaving: watch::Sender::new(false) };
        Ok(Some((api, tokens)))
    }

    /// The server leaves the list now: it is about to stop.
    pub(crate) fn leave(&self) {
        self.leaving.send_replace(true);
    }

    pub(crate) fn log_ins(&self) -> LogIns {
        self.visitors.log_ins()
    }
}

/// Runs a room server as [`support::run`] does, and with `--api` keeps it in the list of servers meanwhile: it registers
/// under the name that was given to [`Shared::open`](crate::Shared::open), reports its load, and leaves the list when it
/// begins to stop. While the API server is away it tries on, for as long as it takes.
///
/// What the rooms count is told to a recorder of metrics, if one was installed before, and at the end to the log.
///
/// Not cancel-safe: dropped, the server is cut off at once, and is in the list until its time there is up.
///
/// # Errors
/// [`SetupError`] when nobody could reach the server where it listens and `--public` does not say better, before anything
/// is printed; and those of [`support::run`].
pub async fn run<Message>(shared: &Shared, running: Running<Message>) -> Outcome {
    let outcome = reporting(shared, run_listed(shared, running)).await;
    report::log(shared);
    outcome
}

async fn run_listed<Message>(shared: &Shared, running: Running<Message>) -> Outcome {
    let Some(api) = &shared.api else { return support::run(running).await };
    let server = registration(&shared.settings, running.addrs())?;
    let listing = Listing {
        reporter: api.client.keep_registered(&api.game, server),
        shared: shared.clone(),
        visitors: api.visitors.clone(),
    };
    let listed = tokio::spawn(listing.keep(api.leaving.subscribe()));
    let outcome = support::run(running).await;
    api.leave();
    // It has an end of its own: the time that a call may take.
    let _ = listed.await;
    let LogIns { let_in, refused, away, busy, coming_over, .. } = api.log_ins();
    info!(let_in, refused, away, busy, coming_over, "log-ins by token");
    outcome
}

impl Settings {
    /// How many users there are seats for, as the API server counts: at most a million.
    fn capacity(&self) -> u32 {
        self.rooms.saturating_mul(self.room_users.into()).min(1_000_000)
    }
}
