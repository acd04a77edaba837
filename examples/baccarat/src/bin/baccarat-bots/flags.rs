//! The command line.

use std::time::Duration;

/// Fills rooms of the baccarat server with bots that bet, and checks each game: that it ends, and that cards, scores and
/// winner are what the rules say.
///
/// A bot that has been in its room longest starts the games. With `--api`, an API server says where each bot plays; when a
/// server is gone, its bots ask again and go on elsewhere. Ctrl-C ends it, with the figures so far.
///
/// Exit code: 0 when all went well, 1 when a game did not end or came out wrong, or a connection broke, 2 for wrong flags or
/// when no server is there.
#[derive(clap::Parser, Clone)]
#[command(name = "baccarat-bots", version)]
#[command(after_help = "Examples:\n  \
    baccarat-bots --room 3                       (and you: baccarat-client --room 3 --name ann)\n  \
    baccarat-bots --bots 400 --room-users 4 --rounds 20 --think-ms 0 --json\n  \
    baccarat-bots --bots 8 --api http://127.0.0.1:8000 --password 'correct horse' --match --verbose")]
pub(crate) struct Flags {
    /// Where the server's door is.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11024", conflicts_with = "api")]
    pub(crate) connect: String,
    /// How many bots: 1 to 100000.
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=100_000))]
    pub(crate) bots: u32,
    /// The first room that they fill.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true,
        conflicts_with = "api"
    )]
    #[arg(value_parser = support::number::<i32>(0..=2_000_000_000))]
    room: i32,
    /// How many bots go into each room: 1 to 127.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        allow_negative_numbers = true,
        conflicts_with = "api"
    )]
    #[arg(value_parser = support::number::<u32>(1..=127))]
    room_users: u32,
    /// An API server, http://HOST:PORT, that sends the bots to servers and rooms.
    #[arg(long, value_name = "URL", requires = "password")]
    pub(crate) api: Option<String>,
    /// The password of the bots' accounts there, which are made if there are none.
    #[arg(long, value_name = "TEXT", requires = "api", allow_hyphen_values = true)]
    pub(crate) password: Option<String>,
    /// The bots wait there for each other, and play in rooms of their own.
    #[arg(long = "match", requires = "api")]
    pub(crate) wants_match: bool,
    /// How many games each bot plays: 1 to 1000000; 0: until it is ended.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=1_000_000))]
    pub(crate) rounds: u32,
    /// How long a bot thinks before it bets, at most, in milliseconds: 0 to 60000.
    #[arg(long, value_name = "MS", default_value_t = 1500, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=60_000))]
    pub(crate) think_ms: u32,
    /// Bet on a tie now and then, on a server that takes such bets.
    #[arg(long)]
    pub(crate) tie_bets: bool,
    /// How long to wait for a connection, for the API server, and for the end of a game, with the rest before it, in
    /// milliseconds: 1 to 600000.
    #[arg(long, value_name = "MS", default_value_t = 30_000, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=600_000))]
    timeout_ms: u32,
    /// What the bots' names begin with: 1 to 10 bytes.
    #[arg(long, default_value = "bot", value_parser = prefix)]
    pub(crate) name: String,
    /// Tell each game and each move on stderr.
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Print one JSON object in place of words.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Flags {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }

    /// The room of that bot, without an API server.
    pub(crate) fn room_of(&self, number: u32) -> i32 {
        self.room.saturating_add_unsigned(number / self.room_users)
    }
}

fn prefix(text: &str) -> Result<String, &'static str> {
    if (1..=10).contains(&text.len()) { Ok(text.to_owned()) } else { Err("it takes 1 to 10 bytes") }
}
