//! What came out of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baccarat::Side;
use serde::Serialize;

/// What all bots together have played.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Figures>);

/// The figures, as `--json` prints them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) bots: u32,
    /// Games, each counted once for each bot that saw its result.
    pub(crate) rounds: u64,
    /// The same, by where they were played.
    pub(crate) rounds_at: BTreeMap<String, u64>,
    /// How many of them the player, the banker and nobody won.
    pub(crate) player: u64,
    pub(crate) banker: u64,
    pub(crate) tie: u64,
    /// How many of them the bot had bet in.
    pub(crate) bets: u64,
    /// What the bots won and lost, in chips.
    pub(crate) gain: i64,
    /// How often a bot went on elsewhere, because its server was gone.
    pub(crate) moves: u64,
}

impl Tally {
    /// A bot has seen a result; what it won, if it had bet.
    pub(crate) fn round(&self, at: &str, winner: Side, gain: Option<i64>) {
        let mut figures = self.lock();
        figures.rounds += 1;
        match figures.rounds_at.get_mut(at) {
            Some(rounds) => *rounds += 1,
            None => drop(figures.rounds_at.insert(at.to_owned(), 1)),
        }
        match winner {
            Side::Player => figures.player += 1,
            Side::Banker => figures.banker += 1,
            Side::Tie => figures.tie += 1,
        }
        figures.bets += u64::from(gain.is_some());
        figures.gain += gain.unwrap_or_default();
    }

    pub(crate) fn moved(&self) {
        self.lock().moves += 1;
    }

    pub(crate) fn figures(&self, bots: u32) -> Figures {
        Figures { bots, ..self.lock().clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Figures> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bots, rounds, player, banker, tie, bets, gain, moves, .. } = self;
        writeln!(f, "{bots} bots saw {rounds} results: {player} player, {banker} banker, {tie} tie")?;
        write!(f, "{bets} bets brought {gain:+} chips")?;
        if *moves > 0 {
            write!(f, "\n{moves} times a bot went on elsewhere, because its server was gone")?;
        }
        Ok(())
    }
}
