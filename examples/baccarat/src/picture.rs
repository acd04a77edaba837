//! Cards on a terminal.

use crate::{Card, Coup, Hand};

/// Both hands as they lie on the table, with their scores: four lines, each ended by `\n`.
///
/// ```
/// let coup = baccarat::Decks::seeded(7).coup(3, 1);
/// let expected = "  player: 2             banker: 3
///   ┌────┐┌────┐┌────┐    ┌────┐┌────┐┌────┐
///   │ 6♥ ││ 6♣ ││ J♠ │    │ 2♣ ││ Q♣ ││ A♥ │
///   └────┘└────┘└────┘    └────┘└────┘└────┘
/// ";
/// assert_eq!(baccarat::picture(&coup), expected);
/// ```
#[must_use]
pub fn picture(coup: &Coup) -> String {
    let [player, banker] = [("player", &coup.player), ("banker", &coup.banker)].map(lines);
    player.into_iter().zip(banker).fold(String::new(), |picture, (left, right)| {
        let line = format!("  {left:<WIDTH$}    {right}");
        picture + line.trim_end() + "\n"
    })
}

fn lines((side, hand): (&str, &Hand)) -> [String; 4] {
    let each = |draw: fn(Card) -> String| hand.cards().map(draw).collect();
    [
        format!("{side}: {}", hand.score()),
        each(|_| "┌────┐".to_owned()),
        each(|card| format!("│{:^4}│", card.to_string())),
        each(|_| "└────┘".to_owned()),
    ]
}

/// Of three cards.
const WIDTH: usize = 18;
