//! A quiz over lines of text: the server asks `3+5`, a player answers `8` and hears `yes` or `no`, and so on.
//!
//! Read it from below: `play` is the game, one task for each player; `serve` opens the door; `main` does the rest.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use netcore::{Connection, Door, Server};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use support::{At, Outcome};

/// Asks every player additions of two digits, over lines of text.
///
/// Once it listens, it prints `listening text ADDR` on stdout, with the real port. Logs go to stderr, at the level that
/// RUST_LOG names (info unless set). Ctrl-C or SIGTERM stops it in order, within 2 seconds, with exit code 0; a
/// second one at once, with 130. Wrong flags, or an address it
/// cannot listen on: one sentence on stderr, and exit code 2.
#[derive(clap::Parser)]
#[command(
    version,
    after_help = "Example: quiz --text '[::1]:0' --seed 7, and in another terminal: nc ::1 PORT"
)]
struct Flags {
    /// Where to listen: `HOST:PORT`, `[IPv6]:PORT` (port 0: the system picks one), or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:10001")]
    text: At,
    /// The same questions each time: the first player gets one sequence, the second player another, and so on. 0 to 18446744073709551615.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(0..=u64::MAX))]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    support::main(serve)
}

async fn serve(flags: Flags) -> Outcome {
    let door = flags.text.open(|at| Door::lines(at));
    let (seed, players) = (flags.seed.unwrap_or_else(rand::random), AtomicU64::new(0));
    // A classroom behind one router.
    let server = Server::new().doors(door).max_per_address(1024).drain(support::DRAIN);
    let server = server.serve(move |player| {
        let mut digits = ChaCha8Rng::seed_from_u64(seed);
        digits.set_stream(players.fetch_add(1, Relaxed));
        play(player, digits)
    });
    support::run(server.await?).await
}

async fn play(mut player: Connection<String, String>, mut digits: ChaCha8Rng) -> Outcome {
    loop {
        let (a, b): (u8, u8) = (digits.random_range(0..=9), digits.random_range(0..=9));
        player.send_wait(&format!("{a}+{b}")).await?;
        // What is no number is wrong, and so is what is no text at all: each line has its answer.
        let Some(answer) = player.recv_any().await? else { return Ok(()) };
        let right = answer.is_ok_and(|line| line.trim().parse() == Ok(a + b));
        player.send_wait(&if right { "yes" } else { "no" }.to_owned()).await?;
    }
}
