//! One room's game: when it takes bets, and which there are. Without a clock: who has the timers says when time is over.

use std::collections::HashMap;

use netcore::{SessionId, TimerId};

use crate::{Side, Verdict};

/// The game of one room, made when the first user enters and dropped when the last one has left.
#[derive(Debug, Default)]
pub struct Table {
    phase: Phase,
    // Of those who are in the room: who leaves is forgotten.
    bets: HashMap<SessionId, Side>,
    /// Ends the phase, unless something else does before.
    pub(crate) timer: Option<TimerId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Phase {
    /// Whoever is the master may start.
    #[default]
    None,
    /// Everybody may bet.
    Betting,
    /// The result is shown.
    Resting,
}

impl Table {
    /// The state is looked at before who asks.
    pub(crate) fn start(&mut self, is_master: bool) -> Verdict {
        match self.phase {
            Phase::Betting | Phase::Resting => Verdict::StartNotNow,
            Phase::None if !is_master => Verdict::NotMaster,
            Phase::None => {
                self.phase = Phase::Betting;
                Verdict::Ok
            }
        }
    }

    /// Takes a bet, in place of what this user had bet before: which it is, or why it is none.
    pub(crate) fn bet(&mut self, who: SessionId, side: i8, ties: bool) -> Result<Side, Verdict> {
        if self.phase != Phase::Betting {
            return Err(Verdict::BetNotNow);
        }
        let side = Side::from_number(side).filter(|side| ties || *side != Side::Tie);
        let side = side.ok_or(Verdict::NoSuchSide)?;
        if self.bets.insert(who, side) == Some(side) {
            return Err(Verdict::SameSide);
        }
        Ok(side)
    }

    /// Why a bet without a side is none.
    pub(crate) fn bet_without_side(&self) -> Verdict {
        if self.phase == Phase::Betting { Verdict::BetBody } else { Verdict::BetNotNow }
    }

    /// Nobody waits for who leaves, and what they had bet does not count.
    pub(crate) fn forget(&mut self, who: SessionId) {
        self.bets.remove(&who);
    }

    /// Whether all of so many users have bet.
    pub(crate) fn all_have_bet(&self, users: usize) -> bool {
        self.phase == Phase::Betting && self.bets.len() >= users
    }

    /// The time to bet is over; `false` if it was before.
    pub(crate) fn close_betting(&mut self) -> bool {
        let was_open = self.phase == Phase::Betting;
        if was_open {
            self.phase = Phase::Resting;
            self.bets.clear();
        }
        was_open
    }

    /// The next game may be started.
    pub(crate) fn rest_is_over(&mut self) {
        if self.phase == Phase::Resting {
            self.phase = Phase::None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: SessionId = SessionId::new(0, 0);
    const BOB: SessionId = SessionId::new(1, 0);

    fn betting() -> Table {
        let mut table = Table::default();
        assert_eq!(table.start(true), Verdict::Ok);
        table
    }

    #[test]
    fn the_state_is_looked_at_first_whoever_asks_and_whatever_for() {
        let mut table = Table::default();
        assert_eq!(table.bet(ANN, 7, false), Err(Verdict::BetNotNow));
        assert_eq!(table.bet_without_side(), Verdict::BetNotNow);
        assert_eq!(table.start(false), Verdict::NotMaster);
        assert_eq!(table.start(true), Verdict::Ok);
        assert_eq!([table.start(true), table.start(false)], [Verdict::StartNotNow; 2]);
        assert_eq!(table.bet_without_side(), Verdict::BetBody);
        assert_eq!(table.bet(ANN, 7, false), Err(Verdict::NoSuchSide));
        assert!(table.close_betting());
        assert_eq!([table.start(true), table.start(false)], [Verdict::StartNotNow; 2]);
        assert_eq!(table.bet(ANN, 1, false), Err(Verdict::BetNotNow));
        table.rest_is_over();
        assert_eq!(table.start(true), Verdict::Ok);
    }

    #[test]
    fn another_side_is_a_new_bet_and_the_same_one_is_none() {
        let mut table = betting();
        let answers = [1, 1, 2, 2, 1].map(|side| table.bet(ANN, side, false));
        let same = Err(Verdict::SameSide);
        assert_eq!(answers, [Ok(Side::Player), same, Ok(Side::Banker), same, Ok(Side::Player)]);
        assert!(table.all_have_bet(1) && !table.all_have_bet(2));
    }

    #[test]
    fn a_tie_is_a_side_only_where_it_is_allowed() {
        for side in i8::MIN..=i8::MAX {
            let known = Side::from_number(side).ok_or(Verdict::NoSuchSide);
            assert_eq!(betting().bet(ANN, side, true), known);
            let without =
                known.and_then(|side| if side == Side::Tie { Err(Verdict::NoSuchSide) } else { Ok(side) });
            assert_eq!(betting().bet(ANN, side, false), without);
        }
        // What is refused does not take the place of what was bet.
        let mut table = betting();
        assert_eq!(table.bet(ANN, 2, false), Ok(Side::Banker));
        assert_eq!(table.bet(ANN, 3, false), Err(Verdict::NoSuchSide));
        assert_eq!(table.bet(ANN, 2, false), Err(Verdict::SameSide));
    }

    #[test]
    fn nobody_waits_for_who_has_left_and_each_game_begins_without_bets() {
        let mut table = betting();
        assert_eq!(table.bet(ANN, 1, false), Ok(Side::Player));
        assert_eq!(table.bet(BOB, 1, false), Ok(Side::Player));
        table.forget(ANN);
        assert!(table.all_have_bet(1) && !table.all_have_bet(2));
        assert!(table.close_betting() && !table.close_betting());
        assert!(!table.all_have_bet(0), "no bets are taken any more");
        table.rest_is_over();
        assert_eq!(table.start(true), Verdict::Ok);
        table.rest_is_over();
        assert!(!table.all_have_bet(1));
        assert_eq!(table.bet(BOB, 1, false), Ok(Side::Player));
    }
}
