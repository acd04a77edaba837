//! The chat server: its flags, and the start.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use chat::{Doors, Logic, Talk, server};
use lobby::{Settings, Shared};
use support::{At, Outcome};

/// Rooms in which people and game clients read each other: raw structs, MessagePack, protobuf and lines of text.
///
/// Once it listens, it prints `listening DOOR ADDR` on stdout for each door, with the real port. Logs go to stderr, at
/// the level that RUST_LOG names (info unless set; debug shows every connection and why it was closed).
///
/// Ctrl-C or SIGTERM: it accepts no more, sends what is queued, for 2 seconds at most, and exits with 0.
/// Wrong flags, or an address it cannot listen on: one sentence on stderr, and exit code 2.
#[derive(clap::Parser)]
#[command(
    version,
    after_help = "Example: chat --text '[::1]:0' --msgpack off --workers 4, and then: nc ::1 PORT"
)]
struct Flags {
    /// Where clients with raw structs connect: `HOST:PORT`, `[IPv6]:PORT` (port 0: the system picks one), or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11021")]
    raw: At,
    /// Where clients with MessagePack connect.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11022")]
    msgpack: At,
    /// Where clients with protobuf connect.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11023")]
    protobuf: At,
    /// Where people connect, with `nc` or `telnet`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:10004")]
    text: At,
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    support::main(serve).await
}

async fn serve(flags: Flags) -> Outcome {
    let doors = Doors {
        raw: flags.raw.open(str::to_owned),
        msgpack: flags.msgpack.open(str::to_owned),
        protobuf: flags.protobuf.open(str::to_owned),
        text: flags.text.open(str::to_owned),
    };
    let workers = flags.settings.workers.into();
    let (server, shared) = server(doors, Shared::open("chat", flags.settings)?);
    let (lobby, seed) = (shared.clone(), rand::random());
    let running = server.workers(workers, move |worker| Logic::new(lobby.clone(), Talk::new(seed, worker)));
    lobby::run(&shared, running.await?).await
}
