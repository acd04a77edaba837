//! Scripts of several clients, played over real sockets in every cut, by one worker and by three.

use std::net::SocketAddr;

use baccarat::{Baccarat, Decks, Logic, Pace};
use lobby::testing::script::{self, Cut};
use lobby::{Message, Settings, Shared};
use netcore::Running;
use tokio::runtime::Runtime;

pub(crate) use lobby::testing::script::{Step, closes, says, time_goes_by};

use crate::wire::{RAW, SEED};

/// A pace at which no time is ever up.
pub(crate) const PATIENT: Pace = Pace { betting_ms: 3_600_000, next_game_ms: 3_600_000, tie_bets: false };

/// The same, and the next game may begin at once.
pub(crate) const RESTLESS: Pace = Pace { next_game_ms: 0, ..PATIENT };

/// Plays a script in every cut, by one worker and by three.
pub(crate) fn play(pace: Pace, script: impl Fn() -> Vec<Step>) {
    for workers in [1, 3] {
        for cut in Cut::ALL {
            let about = format!("{workers} workers, {cut:?}");
            let server = Started::new(Settings { workers, ..Settings::default() }, pace);
            script::play(&about, RAW, server.addr(), cut, script());
            server.ends_empty(&about);
        }
    }
}

/// Clients log in under these names and enter a room, the first one empty before, one after the other.
pub(crate) fn all_in(room: i32, names: &[&str]) -> Vec<Step> {
    script::all_in(RAW, room, names)
}

/// A server in this process, on a port given by the system.
pub(crate) struct Started {
    runtime: Runtime,
    running: Option<Running<Message<Baccarat>>>,
    pub(crate) shared: Shared,
}

impl Started {
    pub(crate) fn new(settings: Settings, pace: Pace) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let shared = Shared::new(settings);
        let server = baccarat::server(Some("127.0.0.1:0".to_owned()), &shared);
        let (lobby, workers) = (shared.clone(), shared.settings().workers.into());
        let make = move |_| Logic::new(lobby.clone(), Baccarat::new(pace, Decks::seeded(SEED)));
        let running = runtime.block_on(server.workers(workers, make)).unwrap();
        Self { runtime, running: Some(running), shared }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.as_ref().unwrap().addr()
    }

    /// Shuts down: nobody was cut off, nobody is left behind, nothing panicked.
    pub(crate) fn ends_empty(mut self, about: &str) {
        let running = self.running.take().unwrap();
        let panics = running.stats().panics;
        let report = self.runtime.block_on(running.shutdown());
        let directory = self.shared.directory();
        let left = (report.cut, panics, directory.names(), directory.seats());
        assert_eq!(left, (0, 0, 0, 0), "cut, panics, names, seats: {about}");
    }
}
