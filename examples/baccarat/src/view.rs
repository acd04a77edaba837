//! A room as one of its users sees it.

use std::collections::BTreeMap;

use lobby::{Code, Event, Name, Who};

use crate::{Coup, PURSE, Side, Tell, Verdict, gain};

/// What a client knows of its room: who is there, who has bet on what, and its own chips.
#[derive(Clone, Debug)]
pub struct View {
    name: Name,
    // What one has, in whichever room.
    chips: i64,
    room: Option<(i32, u64)>,
    // By room user id, which counts up: the first one has been there longest.
    users: BTreeMap<u64, Guest>,
}

#[derive(Clone, Debug)]
struct Guest {
    name: Name,
    side: Option<Side>,
}

/// A game that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// The hands.
    pub coup: Coup,
    /// Who had bet on what, and what it brought them, in the order in which they came.
    pub gains: Vec<(Who, Side, i64)>,
}

/// What no server should say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Nonsense {
    /// Cards, scores or a winner that the rules do not allow.
    #[error("a result that the rules do not allow")]
    Result,
    /// Somebody who is not in the room bets or leaves.
    #[error("user {0} is not in the room")]
    Ghost(u64),
    /// Somebody bets on a side that is none.
    #[error("a bet on side {0}")]
    Side(i8),
}

impl View {
    /// Somebody of that name, who is in no room, with a full purse.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self { name, chips: PURSE, room: None, users: BTreeMap::new() }
    }

    /// One's own name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What one has oneself.
    #[must_use]
    pub fn chips(&self) -> i64 {
        self.chips
    }

    /// The number of the room.
    #[must_use]
    pub fn room(&self) -> Option<i32> {
        self.room.map(|(number, _)| number)
    }

    /// One's own room user id.
    #[must_use]
    pub fn me(&self) -> Option<u64> {
        self.room.map(|(_, me)| me)
    }

    /// Who has been in the room longest, and starts its games.
    #[must_use]
    pub fn master(&self) -> Option<Who> {
        self.users().next()
    }

    /// Whether that is oneself.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.room.is_some_and(|(_, me)| self.users.keys().next() == Some(&me))
    }

    /// Who is in the room, in the order in which they came.
    pub fn users(&self) -> impl Iterator<Item = Who> {
        self.users.iter().map(|(user, guest)| Who { user: *user, name: guest.name.clone() })
    }

    /// The user of that number.
    #[must_use]
    pub fn who(&self, user: u64) -> Option<Who> {
        self.users.get(&user).map(|guest| Who { user, name: guest.name.clone() })
    }

    /// Who has bet on what.
    pub fn bets(&self) -> impl Iterator<Item = (Who, Side)> {
        self.users
            .iter()
            .filter_map(|(user, guest)| Some((Who { user: *user, name: guest.name.clone() }, guest.side?)))
    }

    /// Takes note of what the server says. A result ends a game.
    ///
    /// # Errors
    /// [`Nonsense`]; it is as if nothing had been said.
    pub fn hear(&mut self, event: &Event<Tell>) -> Result<Option<Round>, Nonsense> {
        match event {
            Event::Users(users) => users.iter().for_each(|who| self.come(who)),
            Event::Came(who) => self.come(who),
            Event::Went(who) => drop(self.users.remove(&who.user).ok_or(Nonsense::Ghost(who.user))?),
            Event::Enter { code: Code::Ok, room, user } => {
                self.room = Some((*room, *user));
                self.come(&Who { user: *user, name: self.name.clone() });
            }
            Event::Leave(Code::Ok) => self.leave(),
            Event::Game(Tell::Started) => self.clear(),
            Event::Game(Tell::HasBet { user, side }) => {
                let side = Side::from_number(*side).ok_or(Nonsense::Side(*side))?;
                self.users.get_mut(user).ok_or(Nonsense::Ghost(*user))?.side = Some(side);
            }
            Event::Game(tell @ Tell::Result { .. }) => {
                let coup = tell.coup().ok_or(Nonsense::Result)?;
                return Ok(Some(self.end(coup)));
            }
            _ => {}
        }
        Ok(None)
    }

    /// The connection is lost, or the room was left: what is kept is the purse.
    pub fn leave(&mut self) {
        self.room = None;
        self.users.clear();
    }

    fn come(&mut self, who: &Who) {
        self.users.insert(who.user, Guest { name: who.name.clone(), side: None });
    }

    fn end(&mut self, coup: Coup) -> Round {
        let gains: Vec<_> = self.bets().map(|(who, side)| (who, side, gain(side, &coup))).collect();
        let own = gains.iter().filter(|(who, ..)| Some(who.user) == self.me());
        self.chips += own.map(|(.., gain)| gain).sum::<i64>();
        self.clear();
        Round { coup, gains }
    }

    fn clear(&mut self) {
        self.users.values_mut().for_each(|guest| guest.side = None);
    }
}

/// Why a start or a bet was refused, if it was.
#[must_use]
pub fn refusal(tell: &Tell) -> Option<Verdict> {
    let (Tell::Start { result } | Tell::Bet { result }) = tell else { return None };
    Verdict::from_number(*result).filter(|verdict| *verdict != Verdict::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decks, STAKE, Winner};

    fn who(user: u64, name: &str) -> Who {
        Who { user, name: Name::new(name.as_bytes()).unwrap() }
    }

    /// Bob, who came as the second.
    fn bob() -> View {
        let mut view = View::new(who(2, "bob").name);
        for event in [Event::Users(vec![who(1, "ann")]), Event::Enter { code: Code::Ok, room: 3, user: 2 }] {
            assert_eq!(view.hear(&event), Ok(None));
        }
        view
    }

    fn has_bet(user: u64, side: Side) -> Event<Tell> {
        Event::Game(Tell::HasBet { user, side: side.number() })
    }

    /// A game that ends so.
    fn won_by(winner: Winner) -> Coup {
        let decks = Decks::seeded(1);
        (0..).map(|game| decks.coup(0, game)).find(|coup| coup.winner() == winner).unwrap()
    }

    #[test]
    fn who_has_been_there_longest_is_the_master() {
        let mut view = bob();
        assert!(!view.is_master() && view.master() == Some(who(1, "ann")));
        view.hear(&Event::Came(who(3, "cid"))).unwrap();
        view.hear(&Event::Went(who(1, "?"))).unwrap();
        assert!(view.is_master() && view.users().eq([who(2, "bob"), who(3, "cid")]));
        view.hear(&Event::Leave(Code::Ok)).unwrap();
        assert!(!view.is_master() && view.room().is_none() && view.users().next().is_none());
    }

    #[test]
    fn each_bet_is_paid_when_the_cards_are_there_and_only_then() {
        let mut view = bob();
        view.hear(&Event::Game(Tell::Started)).unwrap();
        for (user, side) in [(1, Side::Banker), (2, Side::Banker), (2, Side::Player)] {
            assert_eq!(view.hear(&has_bet(user, side)), Ok(None));
        }
        let coup = won_by(Winner::Player);
        let out = Event::Game(Tell::result(&coup));
        let gains = vec![(who(1, "ann"), Side::Banker, -STAKE), (who(2, "bob"), Side::Player, STAKE)];
        assert_eq!(view.hear(&out), Ok(Some(Round { coup, gains })));
        assert_eq!(view.chips(), PURSE + STAKE);
        assert_eq!(view.hear(&out), Ok(Some(Round { coup, gains: Vec::new() })));
        view.leave();
        assert_eq!(view.chips(), PURSE + STAKE, "the purse goes along");
    }

    #[test]
    fn what_cannot_be_is_noticed_and_changes_nothing() {
        let mut view = bob();
        let before = format!("{view:?}");
        let mut told = Tell::result(&won_by(Winner::Tie));
        if let Tell::Result { winner, .. } = &mut told {
            *winner = 1;
        }
        for (event, nonsense) in [
            (Event::Game(told), Nonsense::Result),
            (has_bet(3, Side::Player), Nonsense::Ghost(3)),
            (Event::Went(who(3, "?")), Nonsense::Ghost(3)),
            (Event::Game(Tell::HasBet { user: 1, side: 4 }), Nonsense::Side(4)),
        ] {
            assert_eq!(view.hear(&event), Err(nonsense));
        }
        assert_eq!(format!("{view:?}"), before);
    }
}
