//! Messages to a server's workers, from anywhere.

use std::fmt;
use std::sync::Arc;

use super::Full;
use super::queue::Weight;

pub(super) type Tell<Message> =
    Arc<dyn Fn(usize, Message, Weight) -> Result<(), Untold<Message>> + Send + Sync>;

/// Why a worker was not told something, which is handed back.
pub(super) enum Untold<Message> {
    /// It has no room just now.
    Full(Message),
    /// It has ended, or there is none of that number.
    Gone(Message),
}

/// Sends messages to a server's workers, from anywhere.
pub struct Teller<Message>(pub(super) Tell<Message>);

impl<Message> Teller<Message> {
    /// Sends a message to a worker.
    ///
    /// # Errors
    /// [`Full`] when that worker waits for as many messages as it may, has ended, or there is none of that number.
    pub fn tell(&self, worker: usize, message: Message) -> Result<(), Full<Message>> {
        self.try_tell(worker, message, Weight::default())
            .map_err(|(Untold::Full(message) | Untold::Gone(message))| Full(message))
    }

    pub(super) fn try_tell(
        &self,
        worker: usize,
        message: Message,
        weight: Weight,
    ) -> Result<(), Untold<Message>> {
        (self.0)(worker, message, weight)
    }
}

impl<Message> Clone for Teller<Message> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Message> fmt::Debug for Teller<Message> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}
