//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use support::At;

use crate::server::world::Rules;

/// Accounts, tokens, a list of game servers, placement and matches over HTTP, for games and their players.
///
/// Once it listens, it prints `listening http ADDR` on stdout, with the real port. Logs go to stderr, at the level that
/// RUST_LOG names (info unless set; debug shows every request, and no secret). Ctrl-C or SIGTERM: it accepts no more, ends
/// what is under way, for 5 seconds at most, and exits with 0; a second one ends it at once, with 130. Wrong flags, a file that cannot be used, or an address it
/// cannot listen on: one sentence on stderr, and exit code 2.
#[derive(clap::Parser)]
#[command(
    name = "api",
    version,
    after_help = "Example: api --http '[::1]:0' --db :memory: --api-key-file key"
)]
pub struct Flags {
    /// Where to listen: `HOST:PORT` or `[IPv6]:PORT` (port 0: the system picks one). There is no other door, so this one is
    /// never closed.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000", value_parser = At::only_door)]
    pub(crate) http: String,
    /// Where the accounts are; `:memory:` for none that stay.
    #[arg(long, value_name = "FILE", default_value = "api.db")]
    #[arg(value_parser = OsStringValueParser::new().try_map(database))]
    pub(crate) db: PathBuf,
    /// Sessions, tokens, servers and queues in Redis, so that several of these servers are one:
    /// `redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`.
    #[arg(long, value_name = "URL")]
    pub(crate) redis: Option<String>,
    /// What the keys in Redis begin with.
    #[arg(long, value_name = "TEXT", default_value = "api:", requires = "redis")]
    pub(crate) redis_prefix: String,
    /// A file with the key that game servers have to show; without one, no game server is let in.
    #[arg(long, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// How long a session is good after the log-in: 1000 to 2592000000.
    #[arg(long, value_name = "MS", default_value = "86400000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1_000..=2_592_000_000))]
    pub(crate) session_ms: u64,
    /// How long a token for a game server is good: 1000 to 3600000.
    #[arg(long, value_name = "MS", default_value = "60000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1_000..=3_600_000))]
    pub(crate) token_ms: u64,
    /// A game server that does not report for so long leaves the list: 500 to 3600000.
    #[arg(long, value_name = "MS", default_value = "15000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(500..=3_600_000))]
    pub(crate) server_ms: u64,
    /// How long a seat is kept for a user who was sent there: 1000 to 3600000.
    #[arg(long, value_name = "MS", default_value = "60000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1_000..=3_600_000))]
    pub(crate) seat_ms: u64,
    /// So many users make a match: 2 to 127.
    #[arg(long, value_name = "N", default_value = "4", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(2..=127))]
    pub(crate) match_size: u64,
    /// How long somebody waits for a match, at most: 1000 to 3600000.
    #[arg(long, value_name = "MS", default_value = "120000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1_000..=3_600_000))]
    pub(crate) match_ms: u64,
    /// So many may wait for a match of one game: 2 to 100000.
    #[arg(long, value_name = "N", default_value = "10000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(2..=100_000))]
    pub(crate) match_queue: u64,
    /// So many servers a game may have: 1 to 4096.
    #[arg(long, value_name = "N", default_value = "256", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1..=4096))]
    pub(crate) servers: u64,
    /// Log-ins from one address: 1 to 1000000; 0: no limit.
    #[arg(long, value_name = "N", default_value = "60", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(0..=1_000_000))]
    pub(crate) logins_per_minute: u64,
    /// Wrong log-ins for one name: 1 to 1000000; 0: no limit.
    #[arg(long, value_name = "N", default_value = "10", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(0..=1_000_000))]
    pub(crate) failures_per_minute: u64,
    /// Sign-ups from one address: 1 to 1000000; 0: no limit.
    #[arg(long, value_name = "N", default_value = "30", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(0..=1_000_000))]
    pub(crate) signups_per_minute: u64,
    /// Requests of one user who is logged in: 1 to 1000000; 0: no limit.
    #[arg(long, value_name = "N", default_value = "300", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(0..=1_000_000))]
    pub(crate) requests_per_minute: u64,
    /// So many passwords are hashed at a time, each with 19 MiB: 1 to 256; by default one a core.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1..=256))]
    pub(crate) hashers: Option<u64>,
    /// So many connections at a time: 1 to 1000000.
    #[arg(long, value_name = "N", default_value = "10000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1..=1_000_000))]
    pub(crate) connections: u64,
    /// So many connections from one address: 1 to 1000000.
    #[arg(long, value_name = "N", default_value = "1000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(1..=1_000_000))]
    pub(crate) connections_per_address: u64,
    /// A request's head, and its body, each have to come within so long, and a connection without requests is closed after it:
    /// 100 to 600000.
    #[arg(long, value_name = "MS", default_value = "10000", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u64>(100..=600_000))]
    pub(crate) request_ms: u64,
    /// The address of a proxy whose `X-Forwarded-For` is believed; may be given more than once.
    #[arg(long, value_name = "IP", value_parser = proxy)]
    pub(crate) proxy: Vec<IpAddr>,
}

impl Flags {
    /// What each flag alone does not show.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (queue, size) = (self.match_queue, self.match_size);
        if queue < size {
            return Err(format!(
                "--match-queue {queue} is below --match-size {size}: nobody could be matched"
            ));
        }
        Ok(())
    }

    pub(crate) fn rules(&self) -> Rules {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Rules {
            lease: Duration::from_millis(self.server_ms),
            keep: Duration::from_millis(self.seat_ms),
            group: size(self.match_size),
            patience: Duration::from_millis(self.match_ms),
            queue: size(self.match_queue),
            servers: size(self.servers),
        }
    }
}

/// Of one proxy: whose network it is in says nothing of who else is in there.
fn proxy(text: &str) -> Result<IpAddr, &'static str> {
    let words = match text.contains('/') {
        true => "it takes one address and no network; it may be given more than once",
        false => "it takes one address, as in 10.0.0.7",
    };
    text.parse().map_err(|_| words)
}

/// To SQLite, no name at all is a database that is gone at the end: nobody who left a variable of a script empty means it.
fn database(file: OsString) -> Result<PathBuf, &'static str> {
    match file.is_empty() {
        true => Err("it takes the name of a file, or :memory:"),
        false => Ok(file.into()),
    }
}
