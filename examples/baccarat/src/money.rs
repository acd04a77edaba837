//! Chips. The wire knows none: each client keeps its own, and all that see a game come to the same.

use crate::{Coup, Side};

/// What is put on a side each time. Of 20 the commission on the banker, 5 %, is a whole chip.
pub const STAKE: i64 = 20;

/// What somebody comes with.
pub const PURSE: i64 = 1000;

/// What a bet on `side` of one [`STAKE`] brings besides the stake: the player wins as much, the banker less 5 %, a tie eight
/// times as much; on a tie the stakes on the others come back.
///
/// ```
/// use baccarat::{Decks, STAKE, Side, Winner, gain};
///
/// let decks = Decks::seeded(1);
/// let tie = (0..).map(|game| decks.coup(0, game)).find(|coup| coup.winner() == Winner::Tie).unwrap();
/// assert_eq!(Side::ALL.map(|side| gain(side, &tie)), [0, 0, 8 * STAKE]);
/// ```
#[must_use]
pub fn gain(side: Side, coup: &Coup) -> i64 {
    match (side, Side::from(coup.winner())) {
        (Side::Player, Side::Player) => STAKE,
        (Side::Banker, Side::Banker) => STAKE - STAKE / 20,
        (Side::Tie, Side::Tie) => 8 * STAKE,
        (_, Side::Tie) => 0,
        _ => -STAKE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decks, Winner};

    #[test]
    fn each_side_is_paid_as_in_a_casino() {
        let decks = Decks::seeded(9);
        let won = |by| (0..).map(|game| decks.coup(0, game)).find(|coup| coup.winner() == by).unwrap();
        for (winner, gains) in
            [(Winner::Player, [20, -20, -20]), (Winner::Banker, [-20, 19, -20]), (Winner::Tie, [0, 0, 160])]
        {
            assert_eq!(Side::ALL.map(|side| gain(side, &won(winner))), gains, "{winner:?}");
        }
    }

    #[test]
    fn the_house_keeps_the_share_that_the_books_say() {
        // Of each chip on the player 1.24 %, on the banker 1.06 %, on a tie about 15 %: of one deck a little more or less.
        let decks = Decks::seeded(10);
        let games = 100_000;
        let mut sums = [0; 3];
        for coup in (0..games).map(|game| decks.coup(0, game)) {
            Side::ALL.into_iter().zip(&mut sums).for_each(|(side, sum)| *sum += gain(side, &coup));
        }
        for (sum, edge, error) in
            [(sums[0], 0.0129, 0.003), (sums[1], 0.0101, 0.003), (sums[2], 0.1575, 0.0084)]
        {
            let kept = -(sum as f64) / (games as f64 * STAKE as f64);
            assert!((kept - edge).abs() < 4.0 * error, "{kept}, not {edge}");
        }
    }
}
