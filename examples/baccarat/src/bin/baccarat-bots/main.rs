//! Bots that play baccarat, and check what they are told.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bot;
mod flags;
mod report;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::bot::{Bot, Crowd, Failed};
use crate::flags::Flags;

fn main() -> ExitCode {
    support::start(async |flags: Flags| match run(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(code, words)) => support::fail::<Flags>(code, &words),
    })
}

async fn run(flags: Flags) -> Result<(), Failed> {
    let failed = |error: std::io::Error| Failed(1, error.to_string());
    let end = support::signal().map_err(failed)?;
    let (bots, json) = (flags.bots, flags.json);
    let crowd = Arc::new(Crowd::new(flags));
    let mut playing = JoinSet::new();
    for number in 0..bots {
        playing.spawn(Bot::live(crowd.clone(), number));
    }
    let all = async {
        while let Some(ended) = playing.join_next().await {
            // The first that fails ends all.
            ended.map_err(|error| Failed(1, format!("a bot broke: {error}")))??;
        }
        Ok(())
    };
    tokio::select! {
        ended = all => ended?,
        () = end => {}
    }
    support::load::print(&crowd.tally.figures(bots), json).map_err(failed)
}
