//! The game in the rooms: who may start, who may bet, when it ends.

use std::collections::HashMap;
use std::time::Duration;

use lobby::{Event, Game, Play};
use netcore::{PacketId, SessionId};

use crate::table::Table;
use crate::{Ask, Decks, Tell, Verdict};

/// The game of one worker.
#[derive(Debug)]
pub struct Baccarat {
    pace: Pace,
    decks: Decks,
    // How many games a room has had, if any: the next one gets other cards, even if everybody has left in between.
    games: HashMap<i32, u64>,
}

/// How a game goes: the flags that are baccarat's own.
#[derive(clap::Args, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// How long bets are taken, unless all have bet before, in milliseconds: 1 to 3600000.
    #[arg(long, value_name = "MS", default_value_t = Pace::default().betting_ms, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=3_600_000))]
    pub betting_ms: u32,
    /// How long after a result the next game may begin, in milliseconds: 0 to 3600000.
    #[arg(long, value_name = "MS", default_value_t = Pace::default().next_game_ms, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=3_600_000))]
    pub next_game_ms: u32,
    /// Whether one may bet on a tie.
    #[arg(long)]
    pub tie_bets: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { betting_ms: 5000, next_game_ms: 10_000, tie_bets: false }
    }
}

/// Time is over for one phase of a game.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeUp {
    /// Bets are taken no more.
    Betting,
    /// The next game may begin.
    Resting,
}

impl Baccarat {
    /// Plays at that pace with these decks. All workers of a server get the same ones.
    #[must_use]
    pub fn new(pace: Pace, decks: Decks) -> Self {
        Self { pace, decks, games: HashMap::new() }
    }

    fn start(&mut self, play: &mut Play<'_, Self>, who: SessionId) {
        let is_master = play.master() == Some(who);
        let verdict = play.table().start(is_master);
        play.send(who, &Event::Game(Tell::Start { result: verdict.number() }));
        if verdict == Verdict::Ok {
            play.send_all(&Event::Game(Tell::Started));
            let timer = play.after(millis(self.pace.betting_ms), TimeUp::Betting);
            play.table().timer = Some(timer);
        }
    }

    fn bet(&mut self, play: &mut Play<'_, Self>, who: SessionId, side: i8) {
        let Some(user) = play.who(who).map(|who| who.user) else { return };
        match play.table().bet(who, side, self.pace.tie_bets) {
            Err(verdict) => refuse_bet(play, who, verdict),
            Ok(side) => {
                play.send(who, &Event::Game(Tell::Bet { result: Verdict::Ok.number() }));
                play.send_all(&Event::Game(Tell::HasBet { user, side: side.number() }));
                self.deal_if_all_have_bet(play);
            }
        }
    }

    fn deal_if_all_have_bet(&mut self, play: &mut Play<'_, Self>) {
        let users = play.seats().len();
        if play.table().all_have_bet(users) {
            self.deal(play);
        }
    }

    /// The cards are shuffled now and not before, so that nothing can tell them while bets are taken.
    fn deal(&mut self, play: &mut Play<'_, Self>) {
        if !play.table().close_betting() {
            return;
        }
        if let Some(timer) = play.table().timer.take() {
            play.cancel(timer);
        }
        // Nobody plays in the lounge: there is no door to it.
        let room = play.number().unwrap_or_default();
        let games = self.games.entry(room).or_default();
        let coup = self.decks.coup(room, *games);
        *games = games.wrapping_add(1);
        play.send_all(&Event::Game(Tell::result(&coup)));
        if self.pace.next_game_ms == 0 {
            play.table().rest_is_over();
        } else {
            let timer = play.after(millis(self.pace.next_game_ms), TimeUp::Resting);
            play.table().timer = Some(timer);
        }
    }
}

impl Game for Baccarat {
    type Command = Ask;
    type Event = Tell;
    type Table = Table;
    type Alarm = TimeUp;

    fn command(&mut self, play: &mut Play<'_, Self>, who: SessionId, ask: Ask) {
        match ask {
            Ask::Start => self.start(play, who),
            Ask::Bet { side } => self.bet(play, who, side),
        }
    }

    /// A start has no body that could be wrong.
    fn malformed(&mut self, play: &mut Play<'_, Self>, who: SessionId, _: PacketId) {
        let verdict = play.table().bet_without_side();
        refuse_bet(play, who, verdict);
    }

    fn left(&mut self, play: &mut Play<'_, Self>, who: SessionId) {
        play.table().forget(who);
        self.deal_if_all_have_bet(play);
    }

    fn alarm(&mut self, play: &mut Play<'_, Self>, up: TimeUp) {
        match up {
            TimeUp::Betting => self.deal(play),
            TimeUp::Resting => play.table().rest_is_over(),
        }
    }
}

fn refuse_bet(play: &mut Play<'_, Baccarat>, who: SessionId, verdict: Verdict) {
    play.send(who, &Event::Game(Tell::Bet { result: verdict.number() }));
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Pace;

    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        pace: Pace,
    }

    #[test]
    fn without_flags_the_pace_is_the_documented_one() {
        let Flags { pace } = Flags::parse_from(["server"]);
        assert_eq!(pace, Pace::default());
        assert_eq!(pace, Pace { betting_ms: 5000, next_game_ms: 10_000, tie_bets: false });
    }
}
