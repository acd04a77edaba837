//! A server with its door in memory, on a paused clock: nothing waits, and all runs the same each time.

use baccarat::{Baccarat, Decks, Logic, Pace, in_memory};
use lobby::{Message, Settings, Shared};
use netcore::memory::MemoryConnector;
use netcore::{Host, Running};

pub(crate) use lobby::testing::memory::{MemoryClient, pass};

use crate::wire::{OK, RAW, SEED};

pub(crate) struct InTest {
    pub(crate) running: Running<Message<Baccarat>>,
    pub(crate) shared: Shared,
    pub(crate) door: MemoryConnector,
}

impl InTest {
    pub(crate) async fn new(settings: Settings, pace: Pace) -> Self {
        let shared = Shared::new(settings);
        let (server, door) = in_memory(&shared);
        let (lobby, workers) = (shared.clone(), shared.settings().workers.into());
        let make = move |_| Logic::new(lobby.clone(), Baccarat::new(pace, Decks::seeded(SEED)));
        let running = server.host(Host::Task).workers(workers, make).await.unwrap();
        Self { running, shared, door }
    }

    pub(crate) fn client(&self) -> MemoryClient {
        MemoryClient(self.door.connect().unwrap())
    }

    /// A client that is alone in a room.
    pub(crate) async fn alone(&self, name: &str, room: i32) -> MemoryClient {
        let mut client = self.client();
        client.says([RAW.login(name), RAW.enter(room)].concat()).await;
        client.hears(&[RAW.result(702, OK), RAW.entered(OK, room, 1)]).await;
        client
    }

    pub(crate) async fn ends_empty(self) {
        let panics = self.running.stats().panics;
        let report = self.running.shutdown().await;
        let directory = self.shared.directory();
        assert_eq!((report.cut, panics, directory.names(), directory.seats()), (0, 0, 0, 0));
    }
}
