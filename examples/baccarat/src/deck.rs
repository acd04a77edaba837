//! Where the cards come from.

use std::fmt;

use rand::rngs::ChaCha20Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::{Card, Coup};

/// Shuffles a new deck of 52 for each game, with ChaCha20. Cheap to clone.
///
/// What comes follows from a key, the room's number, and how many games the room has had: with one seed the cards of a room
/// are the same at any number of workers. Without the key nobody can tell what will come from what came.
#[derive(Clone)]
pub struct Decks {
    key: [u8; 32],
}

impl Decks {
    /// With a key that nobody knows.
    #[must_use]
    pub fn random() -> Self {
        Self { key: rand::random() }
    }

    /// With a key that follows from `seed`, for tests: who knows the seed knows every card.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { key: ChaCha20Rng::seed_from_u64(seed).random() }
    }

    /// The game of that number, counted from 0, in that room.
    #[must_use]
    pub fn coup(&self, room: i32, game: u64) -> Coup {
        let [first, second, third, fourth, fifth, sixth, ..] = self.deck(room, game);
        Coup::deal([first, second, third, fourth, fifth, sixth])
    }

    fn deck(&self, room: i32, game: u64) -> [Card; Card::COUNT as usize] {
        let mut dice = ChaCha20Rng::from_seed(self.key);
        // A room has a stream of its own, and a game 256 words of it, of which a shuffle takes fewer than 60: nothing is
        // used twice.
        dice.set_stream(u64::from(room.cast_unsigned()));
        dice.set_word_pos(u128::from(game) << 8);
        let mut deck = Card::deck();
        deck.shuffle(&mut dice);
        deck
    }
}

/// Without the key.
impl fmt::Debug for Decks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::Winner;

    #[test]
    fn every_deck_has_every_card_once_and_no_two_are_the_same() {
        let decks = Decks::seeded(7);
        let mut seen = HashSet::new();
        for (room, game) in (0..20).flat_map(|room| (0..50).map(move |game| (room, game))) {
            let deck = decks.deck(room, game);
            assert_eq!(deck.iter().collect::<HashSet<_>>().len(), 52);
            assert!(seen.insert(deck), "game {game} of room {room} had been there before");
        }
    }

    #[test]
    fn cards_follow_from_seed_room_and_game() {
        let coup = |seed, room, game| Decks::seeded(seed).coup(room, game);
        assert_eq!(coup(7, 3, 5), coup(7, 3, 5));
        for other in [coup(8, 3, 5), coup(7, 4, 5), coup(7, 3, 6)] {
            assert_ne!(coup(7, 3, 5), other);
        }
        assert_ne!(Decks::random().deck(3, 5), Decks::random().deck(3, 5));
        // The last numbers that there can be.
        assert_ne!(coup(7, i32::MAX, u64::MAX), coup(7, i32::MAX, u64::MAX - 1));
    }

    #[test]
    fn a_card_is_as_likely_at_the_top_as_any_other() {
        let (decks, games) = (Decks::seeded(1), 52 * 400);
        let mut counts = [0_u32; 52];
        (0..games).for_each(|game| counts[usize::from(decks.deck(0, game)[0].index())] += 1);
        // Chi squared with 51 degrees of freedom: above 97 once in ten thousand seeds.
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - 400.0).powi(2) / 400.0).sum();
        assert!(chi < 97.0, "{chi}: {counts:?}");
    }

    #[test]
    fn player_banker_and_tie_win_as_often_as_the_odds_of_one_deck_say() {
        let (decks, games) = (Decks::seeded(2), 100_000_u32);
        let mut wins = [0_u32; 3];
        (0..games).for_each(|game| wins[decks.coup(11, game.into()).winner() as usize] += 1);
        for (winner, odds) in
            [(Winner::Player, 0.446_760), (Winner::Banker, 0.459_624), (Winner::Tie, 0.093_615)]
        {
            let share = f64::from(wins[winner as usize]) / f64::from(games);
            let error = (odds * (1.0 - odds) / f64::from(games)).sqrt();
            assert!((share - odds).abs() < 4.0 * error, "{winner:?}: {share}, not {odds}");
        }
    }
}
