//! Clients in memory, on a paused clock: nothing waits, and all runs the same each time.

use std::time::Duration;

use netcore::memory::MemoryStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// A client's end of a connection in memory.
#[derive(Debug)]
pub struct MemoryClient(pub MemoryStream);

impl MemoryClient {
    /// Sends bytes.
    pub async fn says(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self
    }

    /// Sends nothing more, and goes on reading.
    pub async fn ends(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Fails unless exactly these packets come next.
    #[track_caller]
    pub fn hears(&mut self, packets: &[impl AsRef<[u8]>]) -> impl Future<Output = ()> {
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
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        within(self.0.read_to_end(&mut rest)).await.unwrap();
        rest
    }

    /// Everything that has come by now.
    pub async fn so_far(&mut self) -> Vec<u8> {
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
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(3600), work).await.expect("nothing moves any more")
}

/// Lets the paused clock run: all that can happen in that time has happened then.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Runs all of them on this task, so that a run is the same each time.
pub async fn all_at_once<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (one, done) in &mut all {
            if done.is_none() {
                match one.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    all.into_iter().filter_map(|(_, done)| done).collect()
}
