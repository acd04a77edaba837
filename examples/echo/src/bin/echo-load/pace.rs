//! Sending by the clock.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// Says when packets are due. Packet `k` of all is due `k / rate` seconds after the start, on connection `k` modulo their
/// number.
///
/// It is a thread: the runtime's timers tick in milliseconds, a thread's sleep is some fifty microseconds late.
pub(crate) struct Pacer {
    due: Arc<[Semaphore]>,
    rate: u32,
    start: Instant,
}

/// What one connection sees of it.
pub(crate) struct Pace {
    due: Arc<[Semaphore]>,
    number: u32,
    rate: u32,
    start: Instant,
}

impl Pacer {
    pub(crate) fn start(rate: u32, connections: usize, start: Instant) -> Self {
        let due: Arc<[Semaphore]> = (0..connections).map(|_| Semaphore::new(0)).collect();
        let theirs = Arc::downgrade(&due);
        thread::spawn(move || tick(&theirs, rate, start));
        Self { due, rate, start }
    }

    pub(crate) fn of(&self, number: u32) -> Pace {
        Pace { due: self.due.clone(), number, rate: self.rate, start: self.start }
    }
}

impl Pace {
    /// Whether a packet is due already.
    pub(crate) fn is_due(&self) -> bool {
        self.mine().is_some_and(|due| due.available_permits() > 0)
    }

    /// Waits until packet `index` of this connection is due, one after the other: when it was.
    pub(crate) async fn wait(&self, index: u64) -> Instant {
        if let Some(due) = self.mine()
            && let Ok(packet) = due.acquire().await
        {
            packet.forget();
        }
        let packet = index * self.due.len() as u64 + u64::from(self.number);
        self.start + after(packet, self.rate)
    }

    fn mine(&self) -> Option<&Semaphore> {
        self.due.get(self.number as usize)
    }
}

/// Runs until nobody is left who sends.
fn tick(due: &Weak<[Semaphore]>, rate: u32, start: Instant) {
    for packet in 0.. {
        let at = start + after(packet, rate);
        // In short steps, so as not to outlive the others by much.
        while let Some(wait) = at.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero()) {
            if due.strong_count() == 0 {
                return;
            }
            thread::sleep(wait.min(Duration::from_millis(100)));
        }
        let Some(due) = due.upgrade() else { return };
        let connection = packet % due.len().max(1) as u64;
        if let Some(due) = due.get(connection as usize) {
            due.add_permits(1);
        }
    }
}

fn after(packet: u64, rate: u32) -> Duration {
    let rate = u64::from(rate);
    // In two parts: the product of a large number and 10^9 would not fit.
    Duration::from_secs(packet / rate) + Duration::from_nanos(packet % rate * 1_000_000_000 / rate)
}

#[cfg(test)]
mod tests {
    use super::after;
    use std::time::Duration;

    #[test]
    fn packets_are_due_at_even_distances() {
        assert_eq!(after(0, 3), Duration::ZERO);
        assert_eq!(after(1, 4), Duration::from_millis(250));
        assert_eq!(after(9, 4), Duration::from_millis(2250));
        assert_eq!(after(10_000_000 * 86_400 + 1, 10_000_000), Duration::new(86_400, 100));
    }
}
