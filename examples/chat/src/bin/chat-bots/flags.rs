//! The command line.

use std::time::Duration;

use clap::ValueEnum;

/// Fills rooms of the chat server with bots that chat, and checks that every bot hears every line of its room once and
/// in order.
///
/// It prints chats and deliveries a second, and the percentiles of the time from a chat's sending to each of its
/// deliveries; at Ctrl-C, of what was done until then. A terminal sees the progress. The server lets a session make 100
/// requests a second unless it is started with `--requests-per-second 0`.
///
/// Exit code: 0 when all was delivered, 1 when a line was lost, doubled or out of order or a connection broke, 2 for wrong
/// flags or when no server is there.
#[derive(clap::Parser, Clone)]
#[command(name = "chat-bots", version)]
#[command(after_help = "Examples:\n  \
    chat-bots --rooms 100 --room-users 4 --duration 10\n  \
    chat-bots --rooms 1 --room-users 100 --rate 0 --json   (chat --room-users 127 --requests-per-second 0)")]
pub(crate) struct Flags {
    /// Where the server's door is [default: the format's own, on 127.0.0.1].
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<String>,
    /// The format that the door speaks.
    #[arg(long, value_enum, default_value_t = Spoken::Raw)]
    pub(crate) format: Spoken,
    /// How many rooms to fill: 1 to 100000.
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=100_000))]
    pub(crate) rooms: u32,
    /// The number of the first of them.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<i32>(0..=2_000_000_000))]
    pub(crate) first_room: i32,
    /// How many bots in each: 1 to 127.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=127))]
    pub(crate) room_users: u32,
    /// Chats a second of each bot, sent by the clock: 1 to 10000; 0: the next one when the last was answered.
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=10_000))]
    pub(crate) rate: u32,
    /// Bytes of each chat: 40 to 126.
    #[arg(long, value_name = "BYTES", default_value_t = 40, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(40..=126))]
    pub(crate) size: u32,
    /// For how many seconds to chat: 1 to 3600.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=3600))]
    pub(crate) duration: u32,
    /// How long to wait for a connection, and at the end for the last deliveries, in milliseconds: 1 to 600000.
    #[arg(long, value_name = "MS", default_value_t = 10_000, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=600_000))]
    timeout_ms: u32,
    /// What the bots' names begin with: 1 to 8 bytes.
    #[arg(long, default_value = "bot", value_parser = prefix)]
    pub(crate) name: String,
    /// Print one JSON object in place of words.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Spoken {
    Raw,
    Msgpack,
    Protobuf,
}

impl Flags {
    pub(crate) fn address(&self) -> String {
        let port = match self.format {
            Spoken::Raw => 11021,
            Spoken::Msgpack => 11022,
            Spoken::Protobuf => 11023,
        };
        self.connect.clone().unwrap_or_else(|| format!("127.0.0.1:{port}"))
    }

    pub(crate) fn bots(&self) -> u32 {
        self.rooms.saturating_mul(self.room_users)
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.duration.into())
    }
}

fn prefix(text: &str) -> Result<String, &'static str> {
    if (1..=8).contains(&text.len()) { Ok(text.to_owned()) } else { Err("it takes 1 to 8 bytes") }
}
