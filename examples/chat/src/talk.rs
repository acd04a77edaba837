//! What is played in the rooms of a chat: dice and votes.
//!
//! Where several nodes share a room, each has the whole vote: it hears every question and every choice, counts those in
//! the room on all nodes, and tells its own users the result.

use std::time::Duration;

use bytes::Bytes;
use lobby::{Elsewhere, Event, Game, Play, Who};
use netcore::{SessionId, TimerId};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::said::{Said, named};
use crate::vote::{TooMany, Vote, Voter};

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
    /// That is one choice too many: others have chosen these; to who asked alone.
    Enough(Vec<String>),
    /// That cannot be; in words, to who asked alone.
    Refused(&'static str),
}

/// The open vote of a room, if there is one, and the timer that closes it.
#[derive(Debug, Default)]
pub struct Table {
    vote: Option<(Vote, TimerId)>,
    // The last one that closed here: other nodes may close it a moment later.
    last: u64,
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
                let (user, name) = (who.user, who.name.to_string());
                tell(play, &Said::Rolled { user, name, sides, number });
                play.send_all(&Event::Game(Happening::Rolled { who, sides, number }));
            }
            Command::Ask(_) if play.table().vote.is_some() => {
                refuse(play, session, "a vote is open already: /vote CHOICE");
            }
            Command::Ask(question) => {
                let id = play.unique().unwrap_or_default();
                let ends = play.now() + VOTE_TIME;
                open(play, who, Vote::new(question, Voter::Here(session), id, ends));
                tell_vote(play);
            }
            Command::Choose(choice) => {
                let seat = play.seat(session).unwrap_or_default();
                let chosen = match &mut play.table().vote {
                    None => return refuse(play, session, "no vote is open: /vote start QUESTION"),
                    Some((vote, _)) => vote.choose(Voter::Here(session), &choice).map(|()| vote.id),
                };
                match chosen {
                    Err(TooMany(stand)) => play.send(session, &Event::Game(Happening::Enough(stand))),
                    Ok(vote) => {
                        tell(play, &Said::Chose { vote, seat, choice: choice.clone() });
                        play.send(session, &Event::Game(Happening::Chosen(choice)));
                        close_if_all_have_chosen(play);
                    }
                }
            }
        }
    }

    fn left(&mut self, play: &mut Play<'_, Self>, who: SessionId) {
        forget(play, Voter::Here(who));
    }

    fn alarm(&mut self, play: &mut Play<'_, Self>, Close: Close) {
        close(play);
    }

    /// A node that has nobody else in the room does not know of the vote: the node with the first seat says it again.
    fn entered_elsewhere(&mut self, play: &mut Play<'_, Self>, who: &Elsewhere) {
        let here = play.seats().iter().filter_map(|seat| play.seat(seat.session())).min();
        let there = play.elsewhere().iter().map(|one| one.seat).filter(|seat| *seat != who.seat).min();
        if here.is_some_and(|here| there.is_none_or(|there| here < there)) {
            tell_vote(play);
        }
    }

    fn left_elsewhere(&mut self, play: &mut Play<'_, Self>, who: &Elsewhere) {
        forget(play, Voter::There(who.seat));
    }

    fn heard(&mut self, play: &mut Play<'_, Self>, told: Bytes) {
        match Said::read(&told) {
            Some(Said::Rolled { user, name, sides, number }) => {
                if let Some(name) = named(&name) {
                    let who = Who { user, name };
                    play.send_all(&Event::Game(Happening::Rolled { who, sides, number }));
                }
            }
            Some(Said::Opened { vote, after, millis, seat, user, name, question }) => {
                let Some(name) = named(&name) else { return };
                let table = play.table();
                let stands = match &table.vote {
                    // Of two that were opened at the same moment the lower one stays; one that has closed there closes here.
                    Some((open, _)) => open.id == vote || (open.id != after && open.id < vote),
                    None => table.last == vote,
                };
                if !stands {
                    close(play);
                    let ends = play.now() + Duration::from_millis(millis.into()).min(VOTE_TIME);
                    open(play, Who { user, name }, Vote::new(question, Voter::There(seat), vote, ends));
                }
            }
            Some(Said::Chose { vote, seat, choice }) => {
                if !play.elsewhere().iter().any(|one| one.seat == seat) {
                    return;
                }
                if let Some((open, _)) = play.table().vote.as_mut().filter(|(open, _)| open.id == vote) {
                    // Where it was chosen there was room for it; and all nodes are to count the same.
                    open.take(Voter::There(seat), &choice);
                    close_if_all_have_chosen(play);
                }
            }
            None => {}
        }
    }
}

/// Tells the games of the other nodes.
fn tell(play: &Play<'_, Talk>, said: &Said) {
    if let Some(bytes) = said.bytes() {
        play.tell_nodes(bytes);
    }
}

/// Tells the other nodes of the vote that is open: the question, and what was chosen.
fn tell_vote(play: &mut Play<'_, Talk>) {
    let (now, last) = (play.now(), play.table().last);
    let Some((vote, _)) = &play.table().vote else { return };
    let (id, starter, question) = (vote.id, vote.starter, vote.question.clone());
    let millis = u32::try_from(vote.ends.saturating_duration_since(now).as_millis()).unwrap_or(u32::MAX);
    let ballots: Vec<_> = vote.ballots().map(|(voter, choice)| (voter, choice.to_owned())).collect();
    let Some(who) = seen(play, starter) else { return };
    let (user, name, seat) = (who.user, who.name.to_string(), seat_of(play, starter));
    tell(play, &Said::Opened { vote: id, after: last, millis, seat, user, name, question });
    for (voter, choice) in ballots {
        tell(play, &Said::Chose { vote: id, seat: seat_of(play, voter), choice });
    }
}

fn seat_of(play: &Play<'_, Talk>, voter: Voter) -> u64 {
    match voter {
        Voter::Here(session) => play.seat(session).unwrap_or_default(),
        Voter::There(seat) => seat,
    }
}

/// How the others see who asked; if they have left, whoever has been here longest.
fn seen(play: &Play<'_, Talk>, starter: Voter) -> Option<Who> {
    let starter = match starter {
        Voter::Here(session) => play.who(session),
        Voter::There(seat) => play.elsewhere().into_iter().find(|one| one.seat == seat).map(|one| one.who),
    };
    starter.or_else(|| play.who(play.master()?))
}

fn open(play: &mut Play<'_, Talk>, who: Who, vote: Vote) {
    let timer = play.after(vote.ends.saturating_duration_since(play.now()), Close);
    let question = vote.question.clone();
    play.table().vote = Some((vote, timer));
    play.send_all(&Event::Game(Happening::Opened { who, question }));
}

fn forget(play: &mut Play<'_, Talk>, voter: Voter) {
    if let Some((vote, _)) = &mut play.table().vote {
        vote.forget(voter);
        close_if_all_have_chosen(play);
    }
}

fn refuse(play: &mut Play<'_, Talk>, session: SessionId, words: &'static str) {
    play.send(session, &Event::Game(Happening::Refused(words)));
}

fn close_if_all_have_chosen(play: &mut Play<'_, Talk>) {
    let Some(chosen) = play.table().vote.as_ref().map(|(vote, _)| vote.ballots().count()) else { return };
    if chosen >= play.seats().len() + play.elsewhere().len() {
        close(play);
    }
}

fn close(play: &mut Play<'_, Talk>) {
    let Some((vote, timer)) = play.table().vote.take() else { return };
    play.table().last = vote.id;
    play.cancel(timer);
    let Some(who) = seen(play, vote.starter) else { return };
    let (tally, question) = (vote.tally(), vote.question);
    play.send_all(&Event::Game(Happening::Closed { who, question, tally }));
}
