//! The baccarat server: its flags, and the start.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use baccarat::{Baccarat, Decks, GAME, Logic, Pace, server};
use lobby::{Settings, Shared};
use support::{At, Outcome};

/// Rooms in which people and bots bet on punto banco: the player's hand or the banker's.
///
/// Its rooms and their games are this process's own: servers do not share them. With --api there may be several, each with
/// rooms of its own, and the API server says to each user where to play.
///
/// Once it listens, it prints `listening raw ADDR` on stdout, with the real port. Logs go to stderr, at the level that
/// RUST_LOG names (info unless set; debug shows every connection and why it was closed).
///
/// Ctrl-C or SIGTERM: it accepts no more, sends what is queued, for 2 seconds at most, and exits with 0. A second
/// one ends it at once, with 130. Wrong flags, or an address it cannot listen on: one sentence on stderr, and exit code 2.
#[derive(clap::Parser)]
#[command(
    version,
    after_help = "Example: baccarat --raw '[::1]:0' --tie-bets --betting-ms 3000 --next-game-ms 0, and then: \
                  baccarat-client --connect '[::1]:PORT' --name ann --room 3"
)]
struct Flags {
    /// Where clients connect: `HOST:PORT`, `[IPv6]:PORT` (port 0: the system picks one), or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11024")]
    raw: At,
    #[command(flatten)]
    pace: Pace,
    /// For tests: the cards of each room follow from this number, and whoever knows it knows them all. 0 to
    /// 18446744073709551615.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(0..=u64::MAX))]
    seed: Option<u64>,
    /// Where Prometheus finds metrics, at the path /metrics: `HOST:PORT`, `[IPv6]:PORT`, or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "off")]
    metrics: At,
    #[command(flatten)]
    settings: Settings,
}

fn main() -> ExitCode {
    support::main(serve)
}

async fn serve(Flags { raw, pace, seed, metrics, settings }: Flags) -> Outcome {
    At::apart([("raw", &raw), ("metrics", &metrics)])?;
    // Before the server, which looks for who wants to hear.
    support::metrics(&metrics).await?;
    let workers = settings.workers.into();
    let shared = Shared::open(GAME, settings)?;
    let (lobby, decks) = (shared.clone(), seed.map_or_else(Decks::random, Decks::seeded));
    let server = server(raw.open(str::to_owned), &shared);
    let make = move |_| Logic::new(lobby.clone(), Baccarat::new(pace, decks.clone()));
    lobby::run(&shared, server.workers(workers, make).await?).await
}
