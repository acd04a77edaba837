//! Bots that fill the rooms of a chat server, and measure it.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bot;
mod flags;
mod report;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use lobby::client::{Format, MsgPack, Protobuf, Raw};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::bot::{Bot, Crowd, Failed, Room};
use crate::flags::{Flags, Spoken};
use crate::report::{Report, Tally};

fn main() -> ExitCode {
    support::start(live_as)
}

async fn live_as(flags: Flags) -> ExitCode {
    let ended = match flags.format {
        Spoken::Raw => run::<Raw>(flags).await,
        Spoken::Msgpack => run::<MsgPack>(flags).await,
        Spoken::Protobuf => run::<Protobuf>(flags).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(code, words)) => support::fail::<Flags>(code, &words),
    }
}

async fn run<F: Format>(flags: Flags) -> Result<(), Failed> {
    let end = support::signal().map_err(|error| Failed(1, error.to_string()))?;
    let tally = Tally::new().map_err(|words| Failed(1, words))?;
    let crowd = Crowd::new(flags.clone(), tally);
    let progress = progress(crowd.clone());
    let mut bots = JoinSet::new();
    let ended = tokio::select! {
        biased;
        ended = live::<F>(&crowd, &mut bots) => ended.map(|()| None),
        () = end => Ok(Some(crowd.begun.get().map(Instant::elapsed))),
    };
    bots.shutdown().await;
    progress.finish_and_clear();
    let cut = match ended? {
        Some(None) => return Err(Failed(1, "interrupted before all bots were in their rooms".into())),
        cut => cut.flatten(),
    };
    let printed = support::load::print(&Report::new(&flags, &crowd.tally, cut), flags.json);
    printed.map_err(|error| Failed(1, error.to_string()))
}

/// Until all bots have come to their end; the first that fails ends all: the others would wait for it. A bot is made when
/// it is its turn to connect, so that nothing is kept for those who never come to that.
async fn live<F: Format>(crowd: &Arc<Crowd>, bots: &mut JoinSet<Result<(), Failed>>) -> Result<(), Failed> {
    let (rooms, users) = (crowd.flags.rooms, crowd.flags.room_users);
    for index in 0..rooms {
        let room = Room::new(crowd.flags.first_room.saturating_add_unsigned(index));
        for seat in 0..users {
            let turn = loop {
                tokio::select! {
                    biased;
                    Some(bot) = bots.join_next() => ended(bot)?,
                    turn = crowd.turn() => break turn,
                }
            };
            bots.spawn(Bot::<F>::live(crowd.clone(), room.clone(), index * users + seat, turn));
        }
    }
    while let Some(bot) = bots.join_next().await {
        ended(bot)?;
    }
    Ok(())
}

fn ended(bot: Result<Result<(), Failed>, JoinError>) -> Result<(), Failed> {
    bot.unwrap_or_else(|error| Err(Failed(1, error.to_string())))
}

/// A bar on stderr, if that is a terminal.
fn progress(crowd: Arc<Crowd>) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if bar.is_hidden() {
        return bar;
    }
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let shown = bar.clone();
    tokio::spawn(async move {
        let mut before = 0;
        while !shown.is_finished() {
            tokio::time::sleep(EVERY).await;
            let deliveries = crowd.tally.deliveries.load(Relaxed);
            let rate = (deliveries - before) as f64 / EVERY.as_secs_f64();
            before = deliveries;
            let (deliveries, rate) = (HumanCount(deliveries), HumanCount(rate as u64));
            shown.set_message(format!("{deliveries} deliveries, {rate}/s"));
            shown.tick();
        }
    });
    bar
}

const EVERY: Duration = Duration::from_millis(200);
