//! How a worker is called.

use std::thread::available_parallelism;

use tokio::sync::Notify;

/// What a worker waits for.
///
/// Where a process has one core and its worker a thread, a call for the first session that has something would take the core
/// from those behind it, and soon give it back: two switches of threads for each session. There a task of the sessions'
/// runtime calls the worker, once those have had their turn who have something now.
///
/// ```text
/// round of the runtime: │ session │ session │ session │ … │ call │      worker: │ all that they brought │
/// ```
pub(super) struct Bell {
    worker: Notify,
    // Where the task waits, if there is one.
    round: Option<Notify>,
}

impl Bell {
    /// Rings at once.
    pub(super) fn new() -> Self {
        Self { worker: Notify::new(), round: None }
    }

    /// Rings after rounds, if somebody [carries](Self::carry) them.
    pub(super) fn after_rounds() -> Self {
        Self { worker: Notify::new(), round: Some(Notify::new()) }
    }

    /// For a worker on a thread.
    pub(super) fn of_a_thread() -> Self {
        let one = available_parallelism().is_ok_and(|cores| cores.get() == 1);
        if one { Self::after_rounds() } else { Self::new() }
    }

    /// Calls the worker. Where rounds go before it, somebody in one may have rung without a call yet.
    pub(super) fn ring(&self) {
        self.worker.notify_one();
    }

    /// Calls the worker from one of the sessions' tasks.
    pub(super) fn ring_after_round(&self) {
        self.round.as_ref().unwrap_or(&self.worker).notify_one();
    }

    /// Whether rounds go before calls.
    pub(super) fn has_rounds(&self) -> bool {
        self.round.is_some()
    }

    /// Waits for a call. Cancel-safe.
    pub(super) async fn heard(&self) {
        self.worker.notified().await;
    }

    /// Calls the worker after each round in which somebody has rung, as a task of the sessions' runtime and as long as
    /// `goes_on` says so.
    pub(super) async fn carry(&self, goes_on: impl Fn() -> bool) {
        let Some(round) = &self.round else { return };
        while goes_on() {
            round.notified().await;
            // Who yields comes behind all that is ready.
            tokio::task::yield_now().await;
            self.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What the worker finds at each call, where three tasks bring something in one round, each of which wakes the next, and
    /// `called` says whether it is called from elsewhere before that.
    async fn found(bell: Bell, called: bool) -> Vec<usize> {
        let (bell, brought) = (Arc::new(bell), Arc::new(Mutex::new(0)));
        let carrier = bell.clone();
        let carrying = tokio::spawn(async move { carrier.carry(|| true).await });
        let turns: Arc<[Notify; 4]> = Arc::default();
        for turn in 0..3 {
            let (bell, brought, turns) = (bell.clone(), brought.clone(), turns.clone());
            tokio::spawn(async move {
                turns[turn].notified().await;
                *brought.lock().unwrap() += 1;
                bell.ring_after_round();
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
        assert_eq!(found(Bell::new(), false).await, [1, 1, 1]);
    }

    #[tokio::test]
    async fn or_once_behind_all_who_have_something() {
        assert_eq!(found(Bell::after_rounds(), false).await, [3]);
    }

    #[tokio::test]
    async fn what_does_not_come_from_a_session_waits_for_no_round() {
        assert_eq!(found(Bell::after_rounds(), true).await, [1, 2]);
    }
}
