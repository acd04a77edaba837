//! One card of the deck.

use std::fmt;

/// A card: 0 to 51 on the wire, suit by suit (spade, diamond, club, heart), each from the ace to the king.
///
/// ```
/// use baccarat::Card;
///
/// let card = Card::new(13 + 9).unwrap();
/// assert_eq!((card.to_string().as_str(), card.points()), ("10♦", 0));
/// assert_eq!(Card::new(0).unwrap().to_string(), "A♠");
/// assert!(Card::new(52).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Card(u8);

impl Card {
    /// How many there are.
    pub const COUNT: u8 = 52;

    /// All of them, by index.
    #[must_use]
    pub fn deck() -> [Self; Self::COUNT as usize] {
        std::array::from_fn(|index| Self(index as u8))
    }

    /// The card of that index; `None` from 52 on.
    #[must_use]
    pub const fn new(index: u8) -> Option<Self> {
        if index < Self::COUNT { Some(Self(index)) } else { None }
    }

    /// Its index, 0 to 51.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// What it counts: 1 for an ace, 2 to 9 at face, 0 for the others.
    #[must_use]
    pub const fn points(self) -> u8 {
        match self.0 % 13 {
            face @ 0..=8 => face + 1,
            _ => 0,
        }
    }
}

/// Rank and suit: `A♠`, `10♦`, `Q♣`, `7♥`.
impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rank = match self.0 % 13 {
            0 => "A",
            10 => "J",
            11 => "Q",
            12 => "K",
            face => return write!(f, "{}{}", face + 1, self.suit()),
        };
        write!(f, "{rank}{}", self.suit())
    }
}

impl Card {
    const fn suit(self) -> char {
        match self.0 / 13 {
            0 => '♠',
            1 => '♦',
            2 => '♣',
            _ => '♥',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Card;

    #[test]
    fn a_deck_has_four_suits_of_thirteen_and_no_two_cards_look_the_same() {
        let deck: Vec<Card> = (0..=u8::MAX).filter_map(Card::new).collect();
        assert_eq!(deck, Card::deck());
        let points: Vec<u8> = deck.iter().map(|card| card.points()).collect();
        for suit in points.chunks(13) {
            assert_eq!(suit, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0]);
        }
        let shown: Vec<String> = deck.iter().map(Card::to_string).collect();
        assert_eq!(shown[..13].join(" "), "A♠ 2♠ 3♠ 4♠ 5♠ 6♠ 7♠ 8♠ 9♠ 10♠ J♠ Q♠ K♠");
        assert_eq!([13, 26, 39, 51].map(|index| shown[index].as_str()), ["A♦", "A♣", "A♥", "K♥"]);
        let different: std::collections::BTreeSet<&String> = shown.iter().collect();
        assert_eq!(different.len(), 52);
    }
}
