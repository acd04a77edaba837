//! A server with its doors in memory, on a paused clock: nothing waits, and all runs the same each time.

use std::time::Duration;

use chat::{InMemory, Logic, Talk, in_memory};
use lobby::{Message, Settings, Shared};
use netcore::memory::MemoryStream;
use netcore::{Host, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

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

pub(crate) struct MemoryClient(pub(crate) MemoryStream);

impl MemoryClient {
    pub(crate) async fn says(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self
    }

    #[track_caller]
    pub(crate) fn hears(&mut self, packets: &[impl AsRef<[u8]>]) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        let expected: Vec<u8> = packets.iter().flat_map(|packet| packet.as_ref().to_vec()).collect();
        async move {
            let mut came = Vec::new();
            while came.len() < expected.len() {
                let byte = within(self.0.read_u8()).await;
                came.push(byte.unwrap_or_else(|error| panic!("{caller}: {error} behind {came:02x?}")));
                assert_eq!(came[..], expected[..came.len()], "{caller}: of {expected:02x?}");
            }
        }
    }

    /// Everything until the server closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        within(self.0.read_to_end(&mut rest)).await.unwrap();
        rest
    }

    /// Everything that has come by now.
    pub(crate) async fn so_far(&mut self) -> Vec<u8> {
        pass(Duration::from_millis(1)).await;
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(Ok(len)) = timeout(Duration::ZERO, self.0.read(&mut buffer)).await
            && len > 0
        {
            bytes.extend(&buffer[..len]);
        }
        bytes
    }
}

/// A guard against hangs, not a wait: on a paused clock it is up as soon as nothing moves any more.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(3600), work).await.expect("nothing moves any more")
}

/// Lets the paused clock run: all that can happen in that time has happened then.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
