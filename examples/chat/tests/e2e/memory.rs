//! A server with its doors in memory, on a paused clock: nothing waits, and all runs the same each time.

use chat::{InMemory, Logic, Talk, in_memory};
use lobby::{Message, Settings, Shared};
use netcore::{Host, Running};

pub(crate) use lobby::testing::memory::{MemoryClient, all_at_once, pass};

use crate::wire::Format;

pub(crate) struct InTest {
    pub(crate) running: Running<Message<Talk>>,
    pub(crate) shared: Shared,
    doors: InMemory,
}

impl InTest {
    pub(crate) async fn new(settings: Settings) -> Self {
        Self::over(Shared::new(settings)).await
    }

    pub(crate) async fn over(shared: Shared) -> Self {
        let (server, shared, doors) = in_memory(shared);
        let (lobby, workers) = (shared.clone(), shared.settings().workers.into());
        let make = move |worker| Logic::new(lobby.clone(), Talk::new(7, worker));
        let running = server.host(Host::Task).workers(workers, make).await.unwrap();
        Self { running, shared, doors }
    }

    pub(crate) fn client(&self, format: Format) -> MemoryClient {
        let door = match format {
            Format::Raw => &self.doors.raw,
            Format::MsgPack => &self.doors.msgpack,
            Format::Protobuf => &self.doors.protobuf,
        };
        MemoryClient(door.connect().unwrap())
    }

    pub(crate) fn person(&self) -> MemoryClient {
        MemoryClient(self.doors.text.connect().unwrap())
    }

    pub(crate) async fn ends_empty(self) {
        let panics = self.running.stats().panics;
        let report = self.running.shutdown().await;
        let directory = self.shared.directory();
        assert_eq!((report.cut, panics, directory.names(), directory.seats()), (0, 0, 0, 0));
    }
}
