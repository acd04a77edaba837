//! What is short-lived: sessions and tokens, how often who tried, and the worlds of the games. In this process by default, so that one API
//! server needs nothing beside it; in Redis, and several of them are interchangeable.

mod memory;
mod redis;
mod worlds;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub(crate) use self::memory::Memory;
pub(crate) use self::redis::Redis;
use crate::server::world::{Answer, Op};

/// Where it is kept.
pub(crate) trait Store: Send + Sync {
    /// Gives a user a secret that is good for so long. A user has so many of a kind as [`Kind::most`] says; one more, and
    /// the one that ends first is good no more.
    fn issue(&self, kind: Kind, user: u64, secret: &str, ttl: Duration) -> Pending<'_, ()>;

    /// Whether it is good.
    fn check(&self, kind: Kind, user: u64, secret: &str) -> Pending<'_, bool>;

    /// Whether it was good; from now on it is not.
    fn take(&self, kind: Kind, user: u64, secret: &str) -> Pending<'_, bool>;

    /// Counts one more, of which each takes so many microseconds of a minute, with what other processes have counted for
    /// this key; or says how long to wait. Where there are no others it counts nothing: the process does so itself.
    fn spend(&self, limit: &'static str, key: &str, each: u64) -> Pending<'_, Result<(), Duration>>;

    /// That one does not count.
    fn give_back(&self, limit: &'static str, key: &str, each: u64) -> Pending<'_, ()>;

    /// Does something in the world of a game.
    fn change(&self, game: &str, op: Op) -> Pending<'_, Outcome>;

    /// Whether it is there.
    fn ping(&self) -> Pending<'_, ()>;

    /// Whether other processes change the worlds, too.
    fn is_shared(&self) -> bool;
}

/// Of what a [`Store`] will say; never later than a few seconds.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What a secret is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// The HTTP API.
    Session,
    /// A game server.
    Token,
}

impl Kind {
    /// How many of them a user has at most.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Session => 16,
            Self::Token => 8,
        }
    }
}

/// What came of an [`Op`].
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// Whose match was made by this.
    pub(crate) matched: Vec<u64>,
    /// Servers, kept seats and people in the queue.
    pub(crate) counts: (usize, usize, usize),
}

/// Why a store does not do it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("redis is away")]
    Away,
    /// Too many others change the same world.
    #[error("too much is going on")]
    Busy,
    /// No place for more secrets.
    #[error("there is no room for more")]
    Full,
}

/// A game that nobody has changed for so long is forgotten.
const FORGET: Duration = Duration::from_secs(3600);
