//! What goes over the wire besides the rooms' own packets, laid out to the byte.

use lobby::client::{Format, Raw};
use lobby::{Event, raw};
use netcore::{Frame, Packet};

use crate::{Card, Coup, Hand, Winner};

/// What clients ask of the game in their room.
#[derive(Packet, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// 751: starts a game. What is in the body is ignored.
    #[packet(id = 751, reply = 752, ignore_extra)]
    Start,
    /// 761: bets. What is behind the side is ignored.
    #[packet(id = 761, reply = 762, ignore_extra)]
    Bet {
        /// 1 player, 2 banker, 3 tie: see [`Side`].
        side: i8,
    },
}

/// What the game says.
#[derive(Packet, Clone, PartialEq, Eq, Debug)]
pub enum Tell {
    /// 752: the answer to a start.
    #[packet(id = 752)]
    Start {
        /// 1, or why not: see [`Verdict`].
        result: i16,
    },
    /// 753: betting begins.
    #[packet(id = 753)]
    Started,
    /// 762: the answer to a bet.
    #[packet(id = 762)]
    Bet {
        /// 1, or why not: see [`Verdict`].
        result: i16,
    },
    /// 763: somebody has bet, in place of what they had bet before.
    #[packet(id = 763)]
    HasBet {
        /// The room user id.
        user: u64,
        /// 1 player, 2 banker, 3 tie.
        side: i8,
    },
    /// 764: how the game came out.
    #[packet(id = 764)]
    Result {
        /// The banker's cards, 0 to 51; −1: there is no third.
        banker: [i8; 3],
        /// The player's cards, 0 to 51; −1: there is no third.
        player: [i8; 3],
        /// What the player's cards are worth, 0 to 9.
        player_score: i8,
        /// What the banker's cards are worth, 0 to 9.
        banker_score: i8,
        /// 1 player, 2 banker, 3 tie.
        winner: i8,
    },
}

/// What one can bet on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// The player wins: 1.
    Player,
    /// The banker wins: 2.
    Banker,
    /// Both are worth the same: 3.
    Tie,
}

impl Side {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Player, Self::Banker, Self::Tie];

    /// Its number on the wire: 1, 2, 3.
    #[must_use]
    pub const fn number(self) -> i8 {
        self as i8 + 1
    }

    /// The side of that number.
    #[must_use]
    pub fn from_number(number: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.number() == number)
    }
}

impl From<Winner> for Side {
    fn from(winner: Winner) -> Self {
        match winner {
            Winner::Player => Self::Player,
            Winner::Banker => Self::Banker,
            Winner::Tie => Self::Tie,
        }
    }
}

/// What the answer to a start or a bet says: done, or why not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// 1: done.
    Ok,
    /// 171: a game is on, or the last one has just ended.
    StartNotNow,
    /// 173: only who has been in the room longest starts a game.
    NotMaster,
    /// 181: there is no side in the body.
    BetBody,
    /// 182: no game is on, or its cards are dealt.
    BetNotNow,
    /// 183: one cannot bet on that.
    NoSuchSide,
    /// 184: that is what one has bet on already.
    SameSide,
}

impl Verdict {
    /// Every one, in the order of the numbers.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::StartNotNow,
        Self::NotMaster,
        Self::BetBody,
        Self::BetNotNow,
        Self::NoSuchSide,
        Self::SameSide,
    ];

    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> i16 {
        self.about().0
    }

    /// The one of that number.
    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.number() == number)
    }

    /// The only place where one gets its number and its words: 172, too few, is none, since one user alone may start.
    const fn about(self) -> (i16, &'static str) {
        match self {
            Self::Ok => (1, "done"),
            Self::StartNotNow => (171, "a game is on, or the next one may not begin yet"),
            Self::NotMaster => (173, "only who has been in the room longest starts a game"),
            Self::BetBody => (181, "that is no bet"),
            Self::BetNotNow => (182, "there is no game to bet on now"),
            Self::NoSuchSide => (183, "one cannot bet on that here"),
            Self::SameSide => (184, "that is what you have bet on already"),
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.about().1)
    }
}

impl Tell {
    /// How a game came out.
    #[must_use]
    pub fn result(coup: &Coup) -> Self {
        Self::Result {
            banker: numbers(&coup.banker),
            player: numbers(&coup.player),
            player_score: coup.player.score().cast_signed(),
            banker_score: coup.banker.score().cast_signed(),
            winner: Side::from(coup.winner()).number(),
        }
    }

    /// The game that a [`Result`](Self::Result) is about. `None` if it is another packet, or cannot be: a card that is not in
    /// the deck or is there twice, one too many or too few by the rules, a score or a winner that does not fit.
    #[must_use]
    pub fn coup(&self) -> Option<Coup> {
        let Self::Result { banker, player, .. } = self else { return None };
        let card = |number: i8| Card::new(u8::try_from(number).ok()?);
        let ([b1, b2, b3], [p1, p2, p3]) = (banker.map(card), player.map(card));
        let first = [p1?, b1?, p2?, b2?];
        let mut thirds = [p3, b3].into_iter().flatten();
        // What is not dealt may be any card.
        let [fifth, sixth] = [thirds.next().unwrap_or(p1?), thirds.next().unwrap_or(p1?)];
        let [one, two, three, four] = first;
        let coup = Coup::deal([one, two, three, four, fifth, sixth]);
        let mut cards: Vec<Card> = coup.player.cards().chain(coup.banker.cards()).collect();
        let dealt = cards.len();
        cards.sort_unstable();
        cards.dedup();
        (cards.len() == dealt && Self::result(&coup) == *self).then_some(coup)
    }
}

fn numbers(hand: &Hand) -> [i8; 3] {
    let number = |card: Card| card.index().cast_signed();
    let [first, second] = hand.first.map(number);
    [first, second, hand.third.map_or(-1, number)]
}

/// The packet of the rooms' that asks the game for something.
#[must_use]
pub fn ask(ask: Ask) -> Option<raw::ToServer> {
    Frame::from_packet(&ask).ok().map(raw::ToServer::Other)
}

/// What a packet says, to a client; `None` if it is none of the rooms' and none of the game's.
#[must_use]
pub fn heard(packet: raw::ToClient) -> Option<Event<Tell>> {
    match packet {
        raw::ToClient::Other(frame) => Tell::from_frame(&frame).ok().map(Event::Game),
        packet => Raw::heard(packet),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Decks;

    #[test]
    fn a_result_is_nine_bytes_the_banker_first_and_minus_one_where_no_card_is() {
        // The player has 2♠ 3♠ and draws 4♠; the banker, on 5, draws K♠.
        let card = |index| Card::new(index).unwrap();
        let coup = Coup::deal([1, 13 + 1, 2, 13 + 2, 3, 12].map(card));
        let frame = Frame::from_packet(&Tell::result(&coup)).unwrap();
        assert_eq!((frame.id.0, &frame.body[..]), (764, &[14, 15, 12, 1, 2, 3, 9, 5, 1][..]));
        let natural = Coup::deal([8, 0, 12, 13, 5, 6].map(card));
        let frame = Frame::from_packet(&Tell::result(&natural)).unwrap();
        assert_eq!(frame.body[..], [0, 13, 0xff, 8, 12, 0xff, 9, 2, 1]);
    }

    #[test]
    fn what_was_dealt_can_be_read_and_anything_else_cannot() {
        let decks = Decks::seeded(3);
        for game in 0..60 {
            let coup = decks.coup(0, game);
            let told = Tell::result(&coup);
            assert_eq!(told.coup(), Some(coup));
            // One byte off is noticed, unless a card gives way to one that is worth the same.
            let frame = Frame::from_packet(&told).unwrap();
            for at in 0..9 {
                for value in 0..=u8::MAX {
                    let mut body = frame.body.to_vec();
                    body[at] = value;
                    let other = Tell::from_frame(&Frame::new(764, body)).unwrap();
                    if let Some(read) = other.coup() {
                        assert_eq!(Tell::result(&read), other);
                        assert!(at < 6 || other == told, "a score or a winner that does not fit: {other:?}");
                    }
                }
            }
        }
        assert_eq!(Tell::Started.coup(), None);
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_body_it_is_a_request_or_one_error(id in 740_u16..770, body: Vec<u8>) {
            let asked = Ask::from_frame(&Frame::new(id, body.clone()));
            match (id, body.first()) {
                (751, _) => prop_assert_eq!(asked.unwrap(), Ask::Start),
                (761, Some(side)) => prop_assert_eq!(asked.unwrap(), Ask::Bet { side: side.cast_signed() }),
                _ => prop_assert!(asked.is_err()),
            }
            // A client takes no more from a server.
            if let Some(Event::Game(told @ Tell::Result { .. })) = heard(raw::ToClient::Other(Frame::new(id, body))) {
                prop_assert!(told.coup().is_none_or(|coup| Tell::result(&coup) == told));
            }
        }
    }

    #[test]
    fn sides_and_verdicts_have_the_numbers_of_the_wire() {
        assert_eq!(Side::ALL.map(Side::number), [1, 2, 3]);
        assert_eq!([0, 4, -1, i8::MIN].map(Side::from_number), [None; 4]);
        assert_eq!(Verdict::ALL.map(Verdict::number), [1, 171, 173, 181, 182, 183, 184]);
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::from_number(verdict.number()), Some(verdict));
        }
    }
}
