//! Loads an echo server, checks that each packet comes back as it was, and says how fast that went.
//!
//! Of netcore it uses the codec alone, so that it does not share the session layer's mistakes with the server.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod connect;
mod connection;
mod flags;
mod flight;
mod pace;
mod packets;
mod progress;
mod report;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use connection::Connection;
use flags::Flags;
use pace::Pacer;
use packets::Packets;
use progress::Progress;
use report::{Report, Tally};

fn main() -> ExitCode {
    support::start(async |flags: Flags| run(Arc::new(flags)).await)
}

async fn run(flags: Arc<Flags>) -> ExitCode {
    let fail = |code, sentence: &str| support::fail::<Flags>(code, sentence);
    let streams = match connect::all(&flags).await {
        Ok(streams) => streams,
        Err(sentence) => return fail(2, &sentence),
    };
    let report = match load(&flags, streams).await {
        Ok(report) => report,
        Err(sentence) => return fail(1, &sentence),
    };
    match support::load::print(&report, flags.json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &format!("all packets came back, but stdout takes no report: {error}")),
    }
}

/// Runs all connections to their end. The error is a sentence: what went wrong first.
async fn load(flags: &Arc<Flags>, streams: Vec<TcpStream>) -> Result<Report, String> {
    let packets = Packets::new(flags.id, flags.size);
    let tally = Arc::new(Tally::new()?);
    let end = support::signal().map_err(|error| error.to_string())?;
    tokio::pin!(end);
    let start = Instant::now();
    let pacer = flags.rate.map(|rate| Pacer::start(rate, streams.len(), start));
    let progress = Progress::start(flags, tally.clone());
    let mut connections = JoinSet::new();
    for (number, stream) in (0..).zip(streams) {
        let pace = pacer.as_ref().map(|pacer| pacer.of(number));
        let (flags, packets, tally) = (flags.clone(), packets.of(number), tally.clone());
        connections.spawn(Connection { number, flags, packets, start, pace, tally }.run(stream));
    }
    // Whether it was interrupted.
    let outcome = loop {
        let joined = tokio::select! {
            biased;
            joined = connections.join_next() => joined,
            () = &mut end => break Ok(true),
        };
        match joined {
            None => break Ok(false),
            Some(Ok(Ok(()))) => {}
            // The others end with the set.
            Some(Ok(Err(sentence))) => break Err(sentence),
            Some(Err(error)) => break Err(format!("this program failed: {error}")),
        }
    };
    connections.shutdown().await;
    progress.clear();
    let interrupted = outcome?;
    if tally.packets.load(Relaxed) == 0 {
        return Err(match interrupted {
            true => "interrupted before a packet came back".into(),
            false => "the time was over before a packet was sent: give it a longer --duration".into(),
        });
    }
    Ok(Report::new(flags, &tally, interrupted))
}
