//! How long connecting may take, and what it took so long for.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::ClientError;
use crate::runtime::time::YEARS;

/// What a client was waiting for when the time for connecting was over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConnectStage {
    /// The connection itself.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The answer to the request for a WebSocket.
    WebSocket,
    /// The answer to the [hello](crate::Hello).
    Hello,
}

/// One time for all stages.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    limit: Duration,
    at: Instant,
}

impl Deadline {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, at: Instant::now() + limit.min(YEARS) }
    }

    /// Does the work of one stage, as long as there is time.
    pub(super) async fn stage<T, E>(
        self,
        stage: ConnectStage,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ClientError>
    where
        ClientError: From<E>,
    {
        let late = |_| ClientError::Timeout(self.limit, stage);
        Ok(timeout_at(self.at, work).await.map_err(late)??)
    }
}

impl ConnectStage {
    /// That it took too long, for a person.
    pub(super) fn late(self, limit: Duration) -> String {
        let within = format!("within {limit:?} (`connect_timeout`)");
        match self {
            Self::Connect => format!(
                "no connection {within}: look whether the address is right, the server is not overloaded, and no \
                 firewall stands between"
            ),
            Self::Tls => {
                format!("connected, but no TLS handshake {within}: has that door TLS (`Door::tls`)?")
            }
            Self::WebSocket => format!(
                "connected, but no answer to the WebSocket upgrade {within}: is that door one of WebSocket \
                 (`Door::websocket`)?"
            ),
            Self::Hello => {
                format!("connected, but no answer to the hello {within}: has that door one (`Door::hello`)?")
            }
        }
    }
}
