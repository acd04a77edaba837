//! What is played in the rooms of a chat: dice and votes.

use std::time::Duration;

use lobby::{Event, Game, Play, Who};
use netcore::{SessionId, TimerId};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::vote::{TooMany, Vote};

/// How long a vote is open, unless everybody has chosen before.
pub const VOTE_TIME: Duration = Duration::from_secs(60);

/// The game of one worker.
#[derive(Debug)]
pub struct Talk {
    dice: ChaCha8Rng,
}

/// What people ask for besides what any room has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// A random number from 1 to that one.
    Dice(u32),
    /// Opens a vote.
    Ask(String),
    /// Chooses in the open vote.
    Choose(String),
}

/// What the room hears of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    /// Somebody threw dice.
    Rolled {
        /// Who.
        who: Who,
        /// How many sides.
        sides: u32,
        /// What came.
        number: u32,
    },
    /// A vote is open.
    Opened {
        /// Who asked.
        who: Who,
        /// What.
        question: String,
    },
    /// The choice was taken down; to the voter alone.
    Chosen(String),
    /// A vote is closed.
    Closed {
        /// Who asked, or who has been in the room longest if they have left.
        who: Who,
        /// What.
        question: String,
        /// What was chosen how often, the most first.
        tally: Vec<(String, usize)>,
    },
    /// That cannot be; in words, to who asked alone.
    Refused(&'static str),
}

/// The open vote of a room, if there is one, and the timer that closes it.
#[derive(Debug, Default)]
pub struct Table {
    vote: Option<(Vote, TimerId)>,
}

/// Closes a vote.
#[derive(Debug)]
pub struct Close;

impl Talk {
    /// The dice follow from `seed`, another sequence on each worker.
    #[must_use]
    pub fn new(seed: u64, worker: usize) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        dice.set_stream(worker as u64);
        Self { dice }
    }
}

impl Game for Talk {
    type Command = Command;
    type Event = Happening;
    type Table = Table;
    type Alarm = Close;

    fn command(&mut self, play: &mut Play<'_, Self>, session: SessionId, command: Command) {
        let Some(who) = play.who(session) else { return };
        match command {
            Command::Dice(sides) => {
                let sides = sides.max(1);
                let number = self.dice.random_range(1..=sides);
                play.send_all(&Event::Game(Happening::Rolled { who, sides, number }));
            }
            Command::Ask(_) if play.table().vote.is_some() => {
                refuse(play, session, "a vote is open already: /vote CHOICE");
            }
            Command::Ask(question) => {
                let timer = play.after(VOTE_TIME, Close);
                play.table().vote = Some((Vote::new(question.clone(), session), timer));
                play.send_all(&Event::Game(Happening::Opened { who, question }));
            }
            Command::Choose(choice) => match &mut play.table().vote {
                None => refuse(play, session, "no vote is open: /vote start QUESTION"),
                Some((vote, _)) => match vote.choose(session, &choice) {
                    Err(TooMany) => refuse(play, session, "this vote has enough choices: take one of them"),
                    Ok(()) => {
                        play.send(session, &Event::Game(Happening::Chosen(choice)));
                        close_if_all_have_chosen(play);
                    }
                },
            },
        }
    }

    fn left(&mut self, play: &mut Play<'_, Self>, who: SessionId) {
        if let Some((vote, _)) = &mut play.table().vote {
            vote.forget(who);
            close_if_all_have_chosen(play);
        }
    }

    fn alarm(&mut self, play: &mut Play<'_, Self>, Close: Close) {
        close(play);
    }
}

fn refuse(play: &mut Play<'_, Talk>, session: SessionId, words: &'static str) {
    play.send(session, &Event::Game(Happening::Refused(words)));
}

fn close_if_all_have_chosen(play: &mut Play<'_, Talk>) {
    let all = play.seats().len();
    if play.table().vote.as_ref().is_some_and(|(vote, _)| vote.ballots() >= all) {
        close(play);
    }
}

fn close(play: &mut Play<'_, Talk>) {
    let Some((vote, timer)) = play.table().vote.take() else { return };
    play.cancel(timer);
    let starter = play.who(vote.starter);
    let Some(who) = starter.or_else(|| play.who(play.master()?)) else { return };
    let (tally, question) = (vote.tally(), vote.question);
    play.send_all(&Event::Game(Happening::Closed { who, question, tally }));
}
