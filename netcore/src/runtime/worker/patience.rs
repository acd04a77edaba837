//! How long a worker waits for the transports of those to whom much was sent.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use super::super::time::now;
use crate::session::{Bucket, Outbox, Rate};

/// What a worker has left to wait with, in microseconds. What many say to few at once is much for a moment, and those who read
/// are not to be closed for it; but peers who always have the most waiting must not slow down a worker for all others.
pub(super) struct Patience(Bucket);

impl Patience {
    pub(super) fn new(now: Instant) -> Self {
        Self(Bucket::new(Rate::per_second(PART).burst(AT_ONCE), now))
    }

    /// Lets the transports take what waits for their peers, or at least others their turn.
    pub(super) async fn wait(&mut self, pressed: &[Outbox]) {
        let begun = now();
        let granted = self.0.take(begun, TURN);
        if granted < TURN {
            self.0.put_back(granted);
            return tokio::task::yield_now().await;
        }
        let mut others = false;
        let all = async {
            for outbox in pressed {
                let mut room = outbox.for_room();
                poll_fn(|cx| {
                    let room = room.poll(cx, 0);
                    others |= room.is_pending();
                    room
                })
                .await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_micros(TURN.into()), all).await;
        if !others {
            // They are gone, or their queues were.
            tokio::task::yield_now().await;
        }
        let waited = u32::try_from(now().saturating_duration_since(begun).as_micros()).unwrap_or(u32::MAX);
        self.0.put_back(TURN.saturating_sub(waited));
    }
}

/// The longest turn,
const TURN: u32 = 5_000;
/// which all take so much of a second together at most,
const PART: u32 = 200_000;
/// after so much at once.
const AT_ONCE: u32 = 50_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Slow;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_waited_for_a_fifth_of_the_time() {
        let outbox = Outbox::new(1024);
        outbox.push(&[0; 600], Slow::Disconnect);
        let begun = now();
        let mut patience = Patience::new(begun);
        let mut waited = Duration::ZERO;
        while now() < begun + Duration::from_secs(1) {
            let start = now();
            patience.wait(std::slice::from_ref(&outbox)).await;
            waited += now() - start;
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let most = Duration::from_millis(50) + (now() - begun) / 5;
        assert!(waited <= most && most - waited < Duration::from_millis(6), "{waited:?} of {most:?}");
    }
}
