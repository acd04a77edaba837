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
        let mut games = lock(&self.games);
        if !games.contains_key(game) {
            games.retain(|_, game| !game.world.is_empty() || now - game.changed < FORGET);
            let denial = match op {
                Op::Register { .. } if games.len() < MOST_GAMES => None,
                Op::Register { .. } => Some(Denial::TooManyGames),
                _ => Some(Denial::UnknownGame),
            };
            if let Some(denial) = denial {
                return Outcome { answer: Answer::No(denial), matched: Vec::new(), counts: (0, 0, 0) };
            }
        }
        let millis = u64::try_from((now - self.started).as_millis()).unwrap_or(u64::MAX);
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
}

struct Secret {
    secret: String,
    until: Instant,
}

impl Secrets {
    fn issue(&mut self, kind: Kind, user: u64, secret: &str, ttl: Duration) -> Result<(), StoreError> {
        let now = Instant::now();
        if !self.of.contains_key(&(kind, user)) && self.of.len() >= self.sweep_at {
            self.of.retain(|_, all| all.iter().any(|one| one.until > now));
            self.sweep_at = (self.of.len() * 2).max(SWEEP_FROM);
            if self.of.len() >= MOST_USERS {
                return Err(StoreError::Full);
            }
            self.sweep_at = self.sweep_at.min(MOST_USERS);
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
