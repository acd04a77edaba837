//! In this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::{FORGET, Kind, Outcome, Pending, Store, StoreError};
use crate::server::world::{Answer, Denial, Op, Rules, World};

/// Everything behind two locks, under which nothing waits.
pub(crate) struct Memory {
    rules: Rules,
    started: Instant,
    secrets: Mutex<Secrets>,
    games: Mutex<HashMap<String, Game>>,
}

struct Game {
    world: World,
    changed: Instant,
}

impl Memory {
    pub(crate) fn new(rules: Rules) -> Self {
        let (secrets, games) = (Mutex::default(), Mutex::default());
        Self { rules, started: Instant::now(), secrets, games }
    }

    fn change_now(&self, game: &str, op: &Op) -> Outcome {
        let now = Instant::now();
        let millis = u64::try_from((now - self.started).as_millis()).unwrap_or(u64::MAX);
        let mut games = lock(&self.games);
        if !games.contains_key(game) {
            games.retain(|_, game| {
                // A world learns the time only when it is asked something.
                game.world.forget(millis);
                !game.world.is_empty() || now - game.changed < FORGET
            });
            let denial = match op {
                Op::Register { .. } if games.len() < MOST_GAMES => None,
                Op::Register { .. } => Some(Denial::TooManyGames),
                _ => Some(Denial::UnknownGame),
            };
            if let Some(denial) = denial {
                return Outcome { answer: Answer::No(denial), matched: Vec::new(), counts: (0, 0, 0) };
            }
        }
        let game =
            games.entry(game.to_owned()).or_insert_with(|| Game { world: World::default(), changed: now });
        if !op.only_reads() {
            game.changed = now;
        }
        let mut matched = Vec::new();
        let answer = game.world.apply(millis, op, &self.rules, &mut matched);
        Outcome { answer, matched, counts: game.world.counts() }
    }
}

impl Store for Memory {
    fn issue(&self, kind: Kind, user: u64, secret: &str, ttl: Duration) -> Pending<'_, ()> {
        let done = lock(&self.secrets).issue(kind, user, secret, ttl);
        Box::pin(async move { done })
    }

    fn check(&self, kind: Kind, user: u64, secret: &str) -> Pending<'_, bool> {
        let good = lock(&self.secrets).find(kind, user, secret).is_some();
        Box::pin(async move { Ok(good) })
    }

    fn take(&self, kind: Kind, user: u64, secret: &str) -> Pending<'_, bool> {
        let good = lock(&self.secrets).take(kind, user, secret);
        Box::pin(async move { Ok(good) })
    }

    fn spend(&self, _: &'static str, _: &str, _: u64) -> Pending<'_, Result<(), Duration>> {
        Box::pin(async { Ok(Ok(())) })
    }

    fn give_back(&self, _: &'static str, _: &str, _: u64) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn change(&self, game: &str, op: Op) -> Pending<'_, Outcome> {
        let outcome = self.change_now(game, &op);
        Box::pin(async move { Ok(outcome) })
    }

    fn ping(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn is_shared(&self) -> bool {
        false
    }
}

/// Sessions and tokens.
#[derive(Default)]
struct Secrets {
    of: HashMap<(Kind, u64), Vec<Secret>>,
    /// With so many users, those whose secrets are all over are looked for.
    sweep_at: usize,
    /// When all of [`MOST_USERS`] were there, the next look is then: it goes through all of them.
    full_until: Option<Instant>,
}

struct Secret {
    secret: String,
    until: Instant,
}

impl Secrets {
    fn issue(&mut self, kind: Kind, user: u64, secret: &str, ttl: Duration) -> Result<(), StoreError> {
        let now = Instant::now();
        if !self.of.contains_key(&(kind, user)) && self.of.len() >= self.sweep_at {
            if self.of.len() >= MOST_USERS && self.full_until.is_some_and(|until| now < until) {
                return Err(StoreError::Full);
            }
            self.of.retain(|_, all| all.iter().any(|one| one.until > now));
            self.sweep_at = (self.of.len() * 2).clamp(SWEEP_FROM, MOST_USERS);
            if self.of.len() >= MOST_USERS {
                self.full_until = Some(now + SWEEP_EACH);
                return Err(StoreError::Full);
            }
        }
        let all = self.of.entry((kind, user)).or_default();
        all.retain(|one| one.until > now);
        while all.len() >= kind.most() {
            let first = all.iter().enumerate().min_by_key(|(_, one)| one.until).map(|(at, _)| at);
            first.map(|at| all.swap_remove(at));
        }
        all.push(Secret { secret: secret.to_owned(), until: now + ttl });
        Ok(())
    }

    fn find(&self, kind: Kind, user: u64, secret: &str) -> Option<usize> {
        let now = Instant::now();
        let all = self.of.get(&(kind, user))?;
        all.iter().position(|one| one.until > now && same(&one.secret, secret))
    }

    fn take(&mut self, kind: Kind, user: u64, secret: &str) -> bool {
        let Some(at) = self.find(kind, user, secret) else { return false };
        if let Some(all) = self.of.get_mut(&(kind, user)) {
            all.swap_remove(at);
            if all.is_empty() {
                self.of.remove(&(kind, user));
            }
        }
        true
    }
}

/// In a time that does not tell how much of it was right.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Games with a server in the last hour.
const MOST_GAMES: usize = 64;
/// Users with a session, and users with a token: a few hundred bytes each.
const MOST_USERS: usize = 200_000;
const SWEEP_FROM: usize = 1024;
/// As long as who is refused is told to wait.
const SWEEP_EACH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::Registration;

    #[tokio::test(start_paused = true)]
    async fn the_bound_of_users_holds_for_all_who_come_until_somebody_has_gone() {
        let (mut secrets, long) = (Secrets::default(), SWEEP_EACH * 3);
        let mut session = |user, time| secrets.issue(Kind::Session, user, "x", time);
        let most = MOST_USERS as u64;
        assert!((0..most).all(|user| session(user, if user == 7 { SWEEP_EACH / 2 } else { long }).is_ok()));
        let newcomers = [1, 2, 3].map(|more| session(most + more, long));
        assert_eq!(newcomers, [const { Err(StoreError::Full) }; 3]);
        assert_eq!(session(0, long), Ok(()), "whoever is there may log in again");
        advance(SWEEP_EACH).await;
        let newcomers = [1, 2, 3].map(|more| session(most + more, long));
        assert_eq!(newcomers, [Ok(()), Err(StoreError::Full), Err(StoreError::Full)]);
        assert_eq!(secrets.of.len(), MOST_USERS);
        assert!(secrets.take(Kind::Session, 1, "x"));
        assert_eq!(secrets.issue(Kind::Session, most + 2, "x", long), Ok(()), "somebody has logged out");
    }

    #[tokio::test(start_paused = true)]
    async fn games_whose_servers_are_long_gone_make_room_for_others() {
        let seconds = Duration::from_secs;
        let (lease, keep, patience) = (seconds(15), seconds(60), seconds(120));
        let memory = Memory::new(Rules { lease, keep, group: 4, patience, queue: 100, servers: 10 });
        let register = |game: usize| {
            let server = Registration::new(4).door("raw", "127.0.0.1:1");
            memory.change_now(&format!("game{game}"), &Op::Register { id: "a".to_owned(), server }).answer
        };
        for game in 0..MOST_GAMES {
            assert_eq!(register(game), Answer::Done);
        }
        assert_eq!(register(MOST_GAMES), Answer::No(Denial::TooManyGames));
        advance(FORGET).await;
        assert_eq!(register(MOST_GAMES), Answer::Done);
        assert_eq!(lock(&memory.games).len(), 1);
    }
}
