//! Those whose request for a match is held open here: one a user and game.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Who waits here. There are never more than connections.
#[derive(Default)]
pub(crate) struct Waiters {
    all: Mutex<HashMap<String, HashMap<u64, Waiter>>>,
    next: Mutex<u64>,
}

#[derive(Clone)]
struct Waiter {
    number: u64,
    wake: Arc<Notify>,
}

/// A place among them, until it is dropped.
pub(crate) struct Place {
    waiters: Arc<Waiters>,
    game: String,
    user: u64,
    waiter: Waiter,
}

impl Waiters {
    /// A place for a user. Whoever had it is woken, and finds that it is theirs no more.
    pub(crate) fn enter(self: &Arc<Self>, game: &str, user: u64) -> Place {
        let number = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            *next
        };
        let waiter = Waiter { number, wake: Arc::new(Notify::new()) };
        let before = self.all().entry(game.to_owned()).or_default().insert(user, waiter.clone());
        if let Some(before) = before {
            before.wake.notify_one();
        }
        Place { waiters: self.clone(), game: game.to_owned(), user, waiter }
    }

    pub(crate) fn wake(&self, game: &str, users: &[u64]) {
        if users.is_empty() {
            return;
        }
        let all = self.all();
        let Some(waiters) = all.get(game) else { return };
        for waiter in users.iter().filter_map(|user| waiters.get(user)) {
            waiter.wake.notify_one();
        }
    }

    /// Everyone, by game.
    pub(crate) fn users(&self) -> Vec<(String, Vec<u64>)> {
        self.all().iter().map(|(game, users)| (game.clone(), users.keys().copied().collect())).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.all().values().map(HashMap::len).sum()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, HashMap<u64, Waiter>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Until there is news. Cancel-safe.
    pub(crate) async fn news(&self) {
        self.waiter.wake.notified().await;
    }

    /// Whether the user has not asked anew on another connection.
    pub(crate) fn is_ours(&self) -> bool {
        let all = self.waiters.all();
        let now = all.get(&self.game).and_then(|users| users.get(&self.user));
        now.is_some_and(|now| now.number == self.waiter.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.waiters.all();
        let Some(users) = all.get_mut(&self.game) else { return };
        if users.get(&self.user).is_some_and(|now| now.number == self.waiter.number) {
            users.remove(&self.user);
        }
        if users.is_empty() {
            all.remove(&self.game);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_is_woken_and_its_place_is_given_up_with_it() {
        let waiters = Arc::new(Waiters::default());
        let (ann, ben) = (waiters.enter("a", 1), waiters.enter("b", 1));
        waiters.wake("a", &[1, 2]);
        ann.news().await;
        assert_eq!(waiters.count(), 2);
        drop(ann);
        assert_eq!(waiters.users(), [("b".to_owned(), vec![1])]);
        drop(ben);
        assert_eq!(waiters.count(), 0);
    }

    #[tokio::test]
    async fn who_asks_anew_takes_the_place_of_the_older_request() {
        let waiters = Arc::new(Waiters::default());
        let older = waiters.enter("a", 1);
        let newer = waiters.enter("a", 1);
        older.news().await;
        assert!(!older.is_ours() && newer.is_ours());
        drop(older);
        assert!(newer.is_ours());
    }
}
