//! What a runtime is given to do, without its own type.

use std::pin::Pin;

/// Work that is begun once a server, a door, a worker, a handshake or a client.
pub(super) type Work<T = ()> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A runtime's task is built anew for each type of work, and work that knows a game's packets has as many types as there
/// are games. A session's own task stays as it is, for what it takes in memory and time.
pub(super) fn erased<T>(work: impl Future<Output = T> + Send + 'static) -> Work<T> {
    Box::pin(work)
}
