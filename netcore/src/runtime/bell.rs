//! How a worker is called.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::available_parallelism;

use tokio::sync::Notify;

/// What a worker waits for.
///
/// Where a process has one core and its worker a thread, a call for the first session that has something would take the core
/// from those behind it, and soon give it back: two switches of threads for each session. There a task of the sessions'
/// runtime calls the worker, once those have had their turn who have something now. Not for more than the cache holds: what is
/// much is looked at while it is warm.
///
/// ```text
/// round of the runtime: │ session │ session │ session │ … │ call │      worker: │ all that they brought │
/// ```
pub(super) struct Bell {
    worker: Notify,
    rounds: Option<Rounds>,
}

#[derive(Default)]
struct Rounds {
    // Where the task waits that calls behind them.
    end: Notify,
    // How many bytes were brought since the worker took all.
    brought: AtomicUsize,
}

impl Bell {
    /// Rings at once.
    pub(super) fn new() -> Self {
        Self { worker: Notify::new(), rounds: None }
    }

    /// Rings after rounds, if somebody [carries](Self::carry) them.
    pub(super) fn after_rounds() -> Self {
        Self { rounds: Some(Rounds::default()), ..Self::new() }
    }

    /// For a worker on a thread.
    pub(super) fn of_a_thread() -> Self {
        let one = available_parallelism().is_ok_and(|cores| cores.get() == 1);
        if one { Self::after_rounds() } else { Self::new() }
    }

    /// Whether rounds go before calls.
    pub(super) fn has_rounds(&self) -> bool {
        self.rounds.is_some()
    }

    /// Calls the worker. Where rounds go before it, somebody in one may have brought something without a call yet.
    pub(super) fn ring(&self) {
        self.worker.notify_one();
    }

    /// Calls the worker from a session's task, for so many bytes; they are the `first` since it took all.
    pub(super) fn ring_for(&self, bytes: usize, first: bool) {
        match &self.rounds {
            None if first => self.ring(),
            None => {}
            Some(rounds) if rounds.brought.fetch_add(bytes, Relaxed) + bytes >= AT_ONCE => self.ring(),
            Some(rounds) if first => rounds.end.notify_one(),
            Some(_) => {}
        }
    }

    /// The worker has taken all.
    pub(super) fn answered(&self) {
        if let Some(rounds) = &self.rounds {
            rounds.brought.store(0, Relaxed);
        }
    }

    /// The worker has ended: who [carries](Self::carry) is to see it.
    pub(super) fn silence(&self) {
        if let Some(rounds) = &self.rounds {
            rounds.end.notify_one();
        }
    }

    /// Waits for a call. Cancel-safe.
    pub(super) async fn heard(&self) {
        self.worker.notified().await;
    }

    /// Calls the worker after each round in which somebody brought something, as a task of the sessions' runtime and as long
    /// as `goes_on` says so.
    pub(super) async fn carry(&self, goes_on: impl Fn() -> bool) {
        let Some(rounds) = &self.rounds else { return };
        while goes_on() {
            rounds.end.notified().await;
            // Who yields comes behind all that is ready.
            tokio::task::yield_now().await;
            self.ring();
        }
    }
}

/// So much waits for no round: half of a small first cache.
const AT_ONCE: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What the worker finds at each call, where three tasks bring so many bytes in one round, each of which wakes the next,
    /// and `called` says whether it is called from elsewhere before that.
    async fn found(bell: Bell, bytes: usize, called: bool) -> Vec<usize> {
        let (bell, brought) = (Arc::new(bell), Arc::new(Mutex::new(0)));
        let carrier = bell.clone();
        let carrying = tokio::spawn(async move { carrier.carry(|| true).await });
        let turns: Arc<[Notify; 4]> = Arc::default();
        for turn in 0..3 {
            let (bell, brought, turns) = (bell.clone(), brought.clone(), turns.clone());
            tokio::spawn(async move {
                turns[turn].notified().await;
                let first = {
                    let mut brought = brought.lock().unwrap();
                    *brought += 1;
                    *brought == 1
                };
                bell.ring_for(bytes, first);
                turns[turn + 1].notify_one();
            });
        }
        let worker = {
            let bell = bell.clone();
            tokio::spawn(async move {
                let (mut found, mut all) = (Vec::new(), 0);
                while all < 3 {
                    bell.heard().await;
                    found.push(std::mem::take(&mut *brought.lock().unwrap()));
                    bell.answered();
                    all += found.last().unwrap();
                }
                found
            })
        };
        tokio::task::yield_now().await;
        turns[0].notify_one();
        if called {
            bell.ring();
        }
        let found = worker.await.unwrap();
        carrying.abort();
        found
    }

    #[tokio::test]
    async fn a_worker_is_called_at_once_by_the_first() {
        assert_eq!(found(Bell::new(), 10, false).await, [1, 1, 1]);
    }

    #[tokio::test]
    async fn or_once_behind_all_who_have_something() {
        assert_eq!(found(Bell::after_rounds(), 10, false).await, [3]);
    }

    #[tokio::test]
    async fn what_is_much_waits_for_no_round() {
        assert_eq!(found(Bell::after_rounds(), AT_ONCE, false).await, [1, 1, 1]);
        // The second makes it much; the third is called for behind the round.
        assert_eq!(found(Bell::after_rounds(), AT_ONCE / 2, false).await, [2, 1]);
    }

    #[tokio::test]
    async fn what_does_not_come_from_a_session_waits_for_no_round() {
        assert_eq!(found(Bell::after_rounds(), 10, true).await, [1, 2]);
    }
}
