//! One game: its servers, the seats that are kept, and who waits for a match. A value without clock, lock or IO: `now` is an
//! argument, so that the same code runs under a lock in this process and between a read and a compare-and-set in Redis.

mod place;
mod queue;
mod registry;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Listing, Load, Registration, User};
pub(crate) use place::is_in;

use place::Found;
use queue::{Match, Waiting};
use registry::Entry;

/// Milliseconds on the store's clock.
pub(crate) type Millis = u64;

/// What is known of one game.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    servers: BTreeMap<String, Entry>,
    /// Who waits, in the order in which they came.
    waiting: BTreeMap<u64, Waiting>,
    /// The place of each of them.
    places: BTreeMap<u64, u64>,
    /// Who has a match and has not been reported by its server yet, by user.
    matched: BTreeMap<u64, Match>,
    /// The next place in the queue.
    next: u64,
    /// Nothing is over before then, so that looking for it need not cost something each time.
    due: Millis,
}

/// What to do. Names and numbers in it are within their bounds.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Register {
        id: String,
        server: Registration,
    },
    Report {
        id: String,
        load: Load,
    },
    Remove {
        id: String,
    },
    List,
    /// A seat for one.
    Place {
        user: u64,
        avoid: Vec<String>,
    },
    GiveBack {
        user: u64,
    },
    /// Wait for a match.
    Wait {
        user: User,
        avoid: Vec<String>,
        request: Request,
    },
    /// The user does not hear answers by this request any more.
    Absent {
        user: u64,
        request: u64,
    },
    Leave {
        user: u64,
    },
    /// Which of these have a match.
    Look {
        users: Vec<u64>,
    },
}

/// A request that is held open for somebody who waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// No other has it, at whichever API server.
    pub(crate) id: u64,
    /// For so long from now the user hears an answer by it.
    pub(crate) hears: Duration,
    /// Unless it is, whoever does not wait any more does not begin again.
    pub(crate) anew: bool,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Answer {
    Done,
    List(Listing),
    Seat(Kept),
    Waiting {
        waiting: usize,
        gives_up_in: Duration,
    },
    Matched {
        seat: Kept,
        users: Vec<User>,
    },
    Found(Vec<u64>),
    /// With the reason.
    No(Denial),
}

/// A seat that is kept for somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kept {
    pub(crate) server: String,
    pub(crate) doors: BTreeMap<String, String>,
    pub(crate) room: Option<u32>,
    pub(crate) for_so_long: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Denial {
    /// No server of this game has registered for long.
    UnknownGame,
    UnknownServer,
    TooManyGames,
    TooManyServers,
    NoRoom,
    QueueFull,
    MatchTimeout,
    /// The user does not wait any more.
    Left,
}

/// The same for all games.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rules {
    /// A server that does not report for so long leaves the list.
    pub(crate) lease: Duration,
    /// A seat is kept for so long.
    pub(crate) keep: Duration,
    /// So many make a match.
    pub(crate) group: usize,
    /// Nobody waits longer for a match.
    pub(crate) patience: Duration,
    /// So many may wait.
    pub(crate) queue: usize,
    /// So many servers a game may have.
    pub(crate) servers: usize,
}

impl World {
    /// Does it. `matched` gets those whose match was made by this.
    pub(crate) fn apply(&mut self, now: Millis, op: &Op, rules: &Rules, matched: &mut Vec<u64>) -> Answer {
        self.forget(now);
        let answer = match op {
            Op::Register { id, server } => self.register(now, id, server, rules),
            Op::Report { id, load } => self.report(now, id, load, rules),
            Op::Remove { id } => self.remove(now, id),
            Op::List => return Answer::List(self.list(now)),
            Op::Place { user, avoid } => self.place(now, *user, avoid, rules),
            Op::GiveBack { user } => self.give_back(*user),
            Op::Wait { user, avoid, request } => {
                let waits = self.places.contains_key(&user.id) || self.matched.contains_key(&user.id);
                if !request.anew && !waits {
                    return Answer::No(Denial::Left);
                }
                return self.wait(now, user, avoid, *request, rules, matched);
            }
            Op::Absent { user, request } => self.absent(now, *user, *request),
            Op::Leave { user } => self.leave(*user),
            Op::Look { users } => {
                return Answer::Found(
                    users.iter().filter(|user| self.matched.contains_key(user)).copied().collect(),
                );
            }
        };
        self.make_matches(now, rules, matched);
        answer
    }

    /// Whether it would be missed.
    pub(crate) fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.waiting.is_empty() && self.matched.is_empty()
    }

    /// Servers, kept seats and people in the queue.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let kept = self.servers.values().map(Entry::kept).sum();
        (self.servers.len(), kept, self.waiting.len())
    }

    /// Drops whatever is over.
    pub(crate) fn forget(&mut self, now: Millis) {
        if now < self.due {
            return;
        }
        self.servers.retain(|_, server| server.until > now);
        for server in self.servers.values_mut() {
            server.held.retain(|_, held| held.until > now);
        }
        self.waiting.retain(|_, waiting| waiting.kept_until > now);
        self.places.retain(|_, place| self.waiting.contains_key(place));
        self.matched.retain(|_, found| found.until > now);
        self.requeue(now);
        let servers = self.servers.values().map(|server| server.until);
        let held = self.servers.values().flat_map(|server| server.held.values().map(|held| held.until));
        let waiting = self.waiting.values().map(|waiting| waiting.kept_until);
        let matched = self.matched.values().map(|found| found.until);
        self.due = servers.chain(held).chain(waiting).chain(matched).min().unwrap_or(Millis::MAX);
    }

    /// Something is over then.
    fn ends(&mut self, at: Millis) -> Millis {
        self.due = self.due.min(at);
        at
    }

    /// Takes a user's seat from whichever server keeps it.
    fn release(&mut self, user: u64) {
        for server in self.servers.values_mut() {
            server.held.remove(&user);
        }
    }

    /// The server on which so many users find room together, the least loaded first.
    fn find(&self, seats: usize, may: impl Fn(&str) -> bool) -> Option<Found> {
        place::find(&self.servers, seats, may)
    }
}

impl Op {
    /// Whether it leaves everything as it is.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(self, Self::List | Self::Look { .. })
    }
}

fn millis(time: Duration) -> Millis {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
