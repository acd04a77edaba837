//! The rules of punto banco: cards in, result out.

use crate::Card;

/// The cards of one side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Hand {
    /// The two that each side gets.
    pub first: [Card; 2],
    /// The third, if one was drawn.
    pub third: Option<Card>,
}

impl Hand {
    /// The sum of its points, without the tens: 0 to 9.
    #[must_use]
    pub fn score(&self) -> u8 {
        self.cards().map(Card::points).sum::<u8>() % 10
    }

    /// Its two or three cards.
    pub fn cards(&self) -> impl Iterator<Item = Card> {
        self.first.into_iter().chain(self.third)
    }
}

/// Who won.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Winner {
    /// The player's hand is worth more.
    Player,
    /// The banker's hand is worth more.
    Banker,
    /// Both are worth the same.
    Tie,
}

/// One game: both hands as they were dealt.
///
/// ```
/// use baccarat::{Card, Coup, Winner};
///
/// // The player has 2 + 3 and draws a 4; the banker, on 5, draws against a 4: a king.
/// let cards = [1, 2, 2 + 13, 2 + 26, 3, 12].map(|index| Card::new(index).unwrap());
/// let coup = Coup::deal(cards);
/// assert_eq!((coup.player.score(), coup.banker.score()), (9, 6));
/// assert_eq!(coup.winner(), Winner::Player);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Coup {
    /// The player's hand.
    pub player: Hand,
    /// The banker's hand.
    pub banker: Hand,
}

impl Coup {
    /// The most cards that one game needs.
    pub const CARDS: usize = 6;

    /// Deals from the top of a deck: one to the player, one to the banker, again one each, and the third cards, the
    /// player's first. Of six cards the last one or two may not be needed.
    #[must_use]
    pub fn deal([first, second, third, fourth, fifth, sixth]: [Card; Self::CARDS]) -> Self {
        let mut player = Hand { first: [first, third], third: None };
        let mut banker = Hand { first: [second, fourth], third: None };
        // A natural in either hand ends it.
        if player.score() < 8 && banker.score() < 8 {
            if player.score() <= 5 {
                player.third = Some(fifth);
            }
            if banker_draws(banker.score(), player.third.map(Card::points)) {
                banker.third = Some(if player.third.is_some() { sixth } else { fifth });
            }
        }
        Self { player, banker }
    }

    /// Who won.
    #[must_use]
    pub fn winner(&self) -> Winner {
        match self.player.score().cmp(&self.banker.score()) {
            std::cmp::Ordering::Greater => Winner::Player,
            std::cmp::Ordering::Less => Winner::Banker,
            std::cmp::Ordering::Equal => Winner::Tie,
        }
    }
}

/// Whether the banker draws on `score`, 0 to 7, where the player drew a third card worth `third`, or stood.
const fn banker_draws(score: u8, third: Option<u8>) -> bool {
    match (score, third) {
        (_, None) => score <= 5,
        (0..=2, _) => true,
        (3, Some(third)) => third != 8,
        (4, Some(third)) => matches!(third, 2..=7),
        (5, Some(third)) => matches!(third, 4..=7),
        (6, Some(third)) => matches!(third, 6..=7),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Some card worth so much.
    fn worth(points: u8) -> Card {
        Card::new(if points == 0 { 12 } else { points - 1 }).unwrap()
    }

    fn deal(points: [u8; 6]) -> Coup {
        Coup::deal(points.map(worth))
    }

    fn thirds(coup: &Coup) -> (Option<u8>, Option<u8>) {
        (coup.player.third.map(Card::points), coup.banker.third.map(Card::points))
    }

    /// Two cards of which the hand scores so much, in every way.
    fn pairs(score: u8) -> impl Iterator<Item = (u8, u8)> {
        (0..10).map(move |first| (first, (score + 10 - first) % 10))
    }

    // The table as it hangs in a casino: for each score of the banker's, whether it draws (D) or stands (S) against the
    // player's third card of 0, 1, … 9, and at last where the player stood.
    const TABLE: [&str; 8] = [
        "DDDDDDDDDD D",
        "DDDDDDDDDD D",
        "DDDDDDDDDD D",
        "DDDDDDDDSD D",
        "SSDDDDDDSS D",
        "SSSSDDDDSS D",
        "SSSSSSDDSS S",
        "SSSSSSSSSS S",
    ];

    #[test]
    fn a_natural_in_either_hand_ends_it() {
        for (player, banker) in (0..10)
            .flat_map(|player| (0..10).map(move |banker| (player, banker)))
            .filter(|(p, b)| *p.max(b) >= 8)
        {
            for ((p1, p2), (b1, b2)) in pairs(player).zip(pairs(banker)) {
                let coup = deal([p1, b1, p2, b2, 5, 6]);
                assert_eq!(thirds(&coup), (None, None), "{player} against {banker}");
                assert_eq!((coup.player.score(), coup.banker.score()), (player, banker));
            }
        }
    }

    #[test]
    fn the_player_draws_on_0_to_5_and_stands_on_6_and_7() {
        for (player, banker) in (0..8).flat_map(|player| (0..8).map(move |banker| (player, banker))) {
            for ((p1, p2), (b1, b2)) in pairs(player).zip(pairs(banker)) {
                let coup = deal([p1, b1, p2, b2, 1, 2]);
                assert_eq!(coup.player.third.is_some(), player <= 5, "{player} against {banker}");
            }
        }
    }

    #[test]
    fn the_banker_draws_as_the_table_says() {
        for (banker, row) in (0..8).zip(TABLE) {
            let (drawn, stood) = row.split_once(' ').unwrap();
            for (third, draws) in (0..10).zip(drawn.chars()) {
                for player in 0..=5 {
                    for ((p1, p2), (b1, b2)) in pairs(player).zip(pairs(banker)) {
                        let expected = (draws == 'D').then_some(6);
                        let coup = deal([p1, b1, p2, b2, third, 6]);
                        assert_eq!(thirds(&coup), (Some(third), expected), "{banker} against a {third}");
                        assert_eq!(coup.banker.score(), (banker + expected.unwrap_or(0)) % 10);
                        assert_eq!(coup.player.score(), (player + third) % 10);
                    }
                }
            }
            for player in [6, 7] {
                for ((p1, p2), (b1, b2)) in pairs(player).zip(pairs(banker)) {
                    let expected = (stood == "D").then_some(9);
                    let coup = deal([p1, b1, p2, b2, 9, 6]);
                    assert_eq!(thirds(&coup), (None, expected), "{banker}, and the player stands");
                }
            }
        }
    }

    /// Counts every deal of one, six and eight decks by who wins: player, banker, tie. Cards of the same worth are one, with
    /// as many ways as there are of them.
    fn count() -> [[u128; 3]; 3] {
        let mut wins = [[0; 3]; 3];
        for number in 0..1_000_000_u32 {
            let points = std::array::from_fn(|at| (number / 10_u32.pow(at as u32) % 10) as u8);
            let winner = deal(points).winner() as usize;
            for (wins, decks) in wins.iter_mut().zip([1, 6, 8]) {
                let mut left = [4_u128 * decks; 10];
                left[0] = 16 * decks;
                wins[winner] += points.iter().fold(1, |ways, point| {
                    let left = &mut left[usize::from(*point)];
                    let before = *left;
                    *left = left.saturating_sub(1);
                    ways * before
                });
            }
        }
        wins
    }

    #[test]
    fn of_all_deals_as_many_are_won_by_player_banker_and_nobody_as_the_books_say() {
        let [one, six, eight] = count();
        assert_eq!(six, [392_220_492_728_832, 403_095_751_234_560, 83_552_962_932_288]);
        assert_eq!(eight, [2_230_518_282_592_256, 2_292_252_566_437_888, 475_627_426_473_216]);
        let all: u128 = one.iter().sum();
        assert_eq!(all, 52 * 51 * 50 * 49 * 48 * 47);
        let shares = one.map(|wins| format!("{:.4}", wins as f64 * 100.0 / all as f64));
        assert_eq!(shares, ["44.6760", "45.9624", "9.3615"]);
    }

    proptest! {
        #[test]
        fn what_is_dealt_comes_from_the_top_in_order_and_scores_are_sums(
            cards in Just((0..52).collect::<Vec<u8>>()).prop_shuffle()
        ) {
            let cards: [Card; 6] = std::array::from_fn(|at| Card::new(cards[at]).unwrap());
            let Coup { player, banker } = Coup::deal(cards);
            prop_assert_eq!([player.first[0], banker.first[0], player.first[1], banker.first[1]], &cards[..4]);
            let thirds: Vec<Card> = player.third.into_iter().chain(banker.third).collect();
            prop_assert_eq!(&thirds, &cards[4..4 + thirds.len()]);
            for hand in [player, banker] {
                let sum: u8 = hand.cards().map(Card::points).sum();
                prop_assert!(hand.score() <= 9 && (sum - hand.score()).is_multiple_of(10));
            }
        }

        #[test]
        fn cards_that_are_not_needed_change_nothing(cards in prop::array::uniform6(0_u8..52), other in prop::array::uniform2(0_u8..52)) {
            let card = |index| Card::new(index).unwrap();
            let coup = Coup::deal(cards.map(card));
            let used = coup.player.cards().chain(coup.banker.cards()).count();
            let mut changed = cards;
            changed[used..].copy_from_slice(&other[used - 4..]);
            prop_assert_eq!(Coup::deal(changed.map(card)), coup);
        }

        #[test]
        fn suits_do_not_matter(cards in prop::array::uniform6(0_u8..13), suits in prop::array::uniform6(0_u8..4)) {
            let plain = Coup::deal(cards.map(|rank| Card::new(rank).unwrap()));
            let mut suited = cards;
            suited.iter_mut().zip(suits).for_each(|(card, suit)| *card += 13 * suit);
            let suited = Coup::deal(suited.map(|index| Card::new(index).unwrap()));
            prop_assert_eq!(plain.winner(), suited.winner());
            prop_assert_eq!(plain.player.score(), suited.player.score());
        }
    }
}
