//! The packets of one connection that are on their way.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, Semaphore};

/// When each packet on its way was sent, in order; and how many more may be.
pub(crate) struct Flight {
    sent: Mutex<VecDeque<Instant>>,
    room: Semaphore,
    over: Notify,
}

impl Flight {
    pub(crate) fn new(window: u32) -> Self {
        let room = Semaphore::new(window as usize);
        Self { sent: Mutex::default(), room, over: Notify::new() }
    }

    /// Whether one more may be on its way.
    pub(crate) fn has_room(&self) -> bool {
        self.room.available_permits() > 0
    }

    /// Waits until it may.
    pub(crate) async fn wait_for_room(&self) {
        // It is never closed.
        if let Ok(place) = self.room.acquire().await {
            place.forget();
        }
    }

    /// One more is on its way, with the room that was waited for.
    pub(crate) fn departs(&self, at: Instant) {
        self.lock().push_back(at);
    }

    /// Nothing more will be.
    pub(crate) fn ends(&self) {
        self.over.notify_one();
    }

    /// Waits for [`ends`](Self::ends).
    pub(crate) async fn ended(&self) {
        self.over.notified().await;
    }

    /// The first has arrived: when it departed. Its room is given back with [`landed`](Self::landed).
    pub(crate) fn arrives(&self) -> Option<Instant> {
        self.lock().pop_front()
    }

    /// Gives the room of so many back, at once for a whole read: the sender then fills one write.
    pub(crate) fn landed(&self, packets: usize) {
        self.room.add_permits(packets);
    }

    /// When the first of those on their way departed.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.lock().front().copied()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
