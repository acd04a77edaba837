//! How long a worker waits for the transports of those to whom much was sent.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use super::super::time::now;
use crate::session::Outbox;

/// Turns of transports, within a budget: what many say to few at once is much for a moment, and those who read are not to be
/// closed for it; but peers who always have the most waiting must not slow down a worker for all others.
pub(super) struct Turns {
    left: Duration,
    at: Instant,
}

impl Turns {
    pub(super) const fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, at: now }
    }

    /// Lets the transports take what waits for their peers, or at least others their turn.
    pub(super) async fn give(&mut self, pressed: &[Outbox]) {
        let begun = now();
        if !self.has_one(begun) {
            return tokio::task::yield_now().await;
        }
        let all = async {
            for outbox in pressed {
                poll_fn(|cx| outbox.poll_room(cx, 0)).await;
            }
        };
        let _ = tokio::time::timeout(TURN, all).await;
        self.left = self.left.saturating_sub(now().saturating_duration_since(begun));
    }

    fn has_one(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.at) / PART;
        (self.left, self.at) = (self.left.saturating_add(earned).min(AT_ONCE), now);
        self.left >= TURN
    }
}

/// The longest turn.
const TURN: Duration = Duration::from_millis(5);
/// All of them take this part of the time at most,
const PART: u32 = 5;
/// after so much at once.
const AT_ONCE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_take_a_fifth_of_the_time() {
        let start = Instant::now();
        let mut turns = Turns::new(start);
        let mut waited = Duration::ZERO;
        for ms in 0..=1_000 {
            if turns.has_one(start + Duration::from_millis(ms)) {
                turns.left -= TURN;
                waited += TURN;
            }
        }
        assert_eq!(waited, AT_ONCE + Duration::from_millis(1_000) / PART);
    }
}
