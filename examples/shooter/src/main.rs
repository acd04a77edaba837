//! The shooter's server: its flags, and the start.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use shooter::http::Http;
use shooter::{Game, Rules, doors, page};
use support::{At, Outcome};

/// An arena for people in a browser, programs over lines of text, game clients over packets, and bots.
///
/// Once it listens, it prints `listening DOOR ADDR` on stdout for each door, with the real port: open http://ADDR/ of the
/// door http in a browser. Logs go to stderr, at the level that RUST_LOG names (info unless set).
///
/// Ctrl-C or SIGTERM: it accepts no more, sends what is queued, for 2 seconds at most, and exits with 0. A second
/// one ends it at once, with 130. Wrong flags, or an address it cannot listen on: one sentence on stderr, and exit code 2.
#[derive(clap::Parser)]
#[command(version, after_help = "Example: shooter --http 0.0.0.0:8080 --raw off --bots 12")]
struct Flags {
    /// Where programs with lines of text connect: `HOST:PORT`, `[IPv6]:PORT` (port 0: the system picks one), or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:10005")]
    text: At,
    /// Where clients with packets connect.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11025")]
    raw: At,
    /// Where browsers find the page, and its WebSocket.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    http: At,
    /// Players without a client, up to 500.
    #[arg(long, value_name = "N", default_value_t = 6, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u16>(0..=500))]
    bots: u16,
    /// Steps of the arena a second, and how often clients hear of it: 10 to 240.
    #[arg(long, value_name = "HZ", default_value_t = Rules::default().tick_hz, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(10..=240))]
    tick_hz: u32,
    /// How near a bullet's edge must come to a player's centre to hit, in px: 1 to 200.
    #[arg(long, value_name = "PX", default_value_t = Rules::default().hit_radius, allow_negative_numbers = true, value_parser = hit_radius)]
    hit_radius: f32,
    /// The same items and bots each time: 0 to 18446744073709551615.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(0..=u64::MAX))]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    support::main(serve)
}

async fn serve(flags: Flags) -> Outcome {
    At::apart([("text", &flags.text), ("raw", &flags.raw), ("http", &flags.http)])?;
    let rules = Rules { hit_radius: flags.hit_radius, tick_hz: flags.tick_hz, ..Rules::default() };
    let mut all = Vec::from_iter(flags.text.open(doors::text).into_iter().chain(flags.raw.open(doors::raw)));
    let http = match flags.http.open(str::to_owned) {
        Some(at) => Some(Http::bind(&at).await?),
        None => None,
    };
    let site = http.map(|http| {
        let (door, incoming) = doors::websocket();
        all.push(door);
        (http, incoming)
    });
    let page = page::page(&rules)?;
    let seed = flags.seed.unwrap_or_else(rand::random);
    let server = doors::server(all, &rules).logic(Game::new(rules, flags.bots, seed)).await?;
    // Before the lines below: whoever has read them may send a signal.
    let signal = support::signal()?;
    for (door, addr) in server.addrs() {
        support::listening(door, *addr);
    }
    let site = site.map(|(http, incoming)| {
        support::listening("http", http.addr());
        http.serve(page, incoming)
    });
    signal.await;
    support::stopping(support::DRAIN);
    if let Some(site) = site {
        site.abort();
    }
    support::stopped(&server.shutdown().await);
    Ok(())
}

fn hit_radius(text: &str) -> Result<f32, &'static str> {
    let radius = text.parse().ok().filter(|radius| (1.0..=200.0).contains(radius));
    radius.ok_or("it takes 1 to 200")
}
