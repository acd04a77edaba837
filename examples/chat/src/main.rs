//! The chat server: its flags, and the start.

#![forbid(unsafe_code)]

mod nodes;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chat::{Doors, Logic, Talk, server};
use lobby::{Message, Settings, Shared};
use netcore::Tls;
use netcore::cluster::Redis;
use support::{At, Outcome};

/// Rooms in which people and game clients read each other: raw structs, MessagePack, protobuf and lines of text.
///
/// Once it listens, it prints `listening DOOR ADDR` on stdout for each door, with the real port. Logs go to stderr, at
/// the level that RUST_LOG names (info unless set; debug shows every connection and why it was closed).
///
/// Ctrl-C or SIGTERM: it accepts no more, tells people that it stops, sends what is queued, for 2 seconds at most, and exits
/// with 0. A second one ends it at once, with 130. Wrong flags, or an address it cannot listen on: one sentence on stderr, and exit code 2.
#[derive(clap::Parser)]
#[command(
    version,
    after_help = "Example: chat --text '[::1]:0' --msgpack off --workers 4, and then: nc ::1 PORT\n\
                  Two servers with the same rooms: give both --redis redis://127.0.0.1 and other ports",
    // Where the doors for people, and servers that share rooms, make it another thing than on other room servers.
    mut_arg("max_packet", |arg| arg.help(MAX_PACKET)),
    mut_arg("enter_ms", |arg| arg.help(ENTER_MS)),
    mut_arg("ping_ms", |arg| arg.help(PING_MS))
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
    /// Where clients with raw structs connect under TLS.
    #[arg(long, value_name = "HOST:PORT", default_value = "off")]
    tls: At,
    /// Where clients with raw structs in WebSocket's binary messages connect: browsers. Under TLS if there is a certificate.
    #[arg(long, value_name = "HOST:PORT", default_value = "off")]
    websocket: At,
    /// The certificate for the doors under TLS, and those that vouch for it: PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key: PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The Redis server by which several chat servers share rooms, names, whispers and invitations:
    /// `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`. All of them have the same rooms; one that finds another with other
    /// rooms warns. While Redis is away each goes on by itself.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// How long the users of a server that has died keep their names and seats on the others, and also how long a server
    /// may stand still before it is taken for dead: 1,000 to 86,400,000.
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 10_000,
        requires = "redis",
        allow_negative_numbers = true
    )]
    #[arg(value_parser = support::number::<u64>(1_000..=86_400_000))]
    node_ttl_ms: u64,
    /// How many users of other servers a room knows of: 1 to 1024. There are more than it has seats only where
    /// servers were apart; those over the bound are shown when there is room.
    #[arg(
        long,
        value_name = "N",
        default_value_t = Settings::default().held_elsewhere,
        requires = "redis",
        allow_negative_numbers = true
    )]
    #[arg(value_parser = support::number::<u32>(1..=1024))]
    held_elsewhere: u32,
    /// Where Prometheus finds metrics, at the path /metrics: `HOST:PORT`, `[IPv6]:PORT`, or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "off")]
    metrics: At,
    #[command(flatten)]
    settings: Settings,
}

fn main() -> ExitCode {
    support::main(serve)
}

async fn serve(flags: Flags) -> Outcome {
    At::apart([
        ("raw", &flags.raw),
        ("msgpack", &flags.msgpack),
        ("protobuf", &flags.protobuf),
        ("text", &flags.text),
        ("tls", &flags.tls),
        ("websocket", &flags.websocket),
        ("metrics", &flags.metrics),
    ])?;
    // Before the server, which looks for who wants to hear.
    support::metrics(&flags.metrics).await?;
    let tls = match (&flags.tls_cert, &flags.tls_key) {
        (Some(_), Some(_)) if flags.tls.is_off() && flags.websocket.is_off() => {
            return Err("--tls-cert and --tls-key are for --tls and --websocket, which are off".into());
        }
        (Some(certificate), Some(key)) => Some(Tls::from_files(certificate, key)?),
        _ => None,
    };
    let under_tls =
        |at: &str| tls.clone().map(|tls| (at.to_owned(), tls)).ok_or("--tls needs --tls-cert and --tls-key");
    let doors = Doors {
        raw: flags.raw.open(str::to_owned),
        msgpack: flags.msgpack.open(str::to_owned),
        protobuf: flags.protobuf.open(str::to_owned),
        text: flags.text.open(str::to_owned),
        tls: flags.tls.open(under_tls).transpose()?,
        websocket: flags.websocket.open(|at| (at.to_owned(), tls.clone())),
    };
    let settings = Settings { held_elsewhere: flags.held_elsewhere, ..flags.settings };
    let workers = settings.workers.into();
    let ttl = Duration::from_millis(flags.node_ttl_ms);
    let redis = flags.redis.as_deref().map(redis).transpose()?;
    let cluster = redis.map(|redis| nodes::options(redis, &settings).ttl(ttl).build());
    let mut shared = Shared::open("chat", settings)?;
    if let Some((cluster, _)) = &cluster {
        shared = shared.cluster(cluster);
    }
    let (server, shared) = server(doors, shared);
    let (lobby, seed) = (shared.clone(), rand::random());
    let running = server.workers(workers, move |worker| Logic::new(lobby.clone(), Talk::new(seed, worker)));
    let running = running.await?;
    let Some((cluster, starter)) = cluster else { return lobby::run(&shared, running).await };
    let signal = support::signal()?;
    starter.start(running.teller(), Message::cluster);
    let ended = tokio::select! {
        () = nodes::until_reached(&cluster, shared.settings()) => lobby::run(&shared, running).await,
        () = signal => {
            support::stopping(support::DRAIN);
            support::stopped(&running.shutdown().await);
            Ok(())
        }
    };
    nodes::end(&cluster).await;
    ended
}

const MAX_PACKET: &str = "The largest packet taken, in bytes, its 5-byte header included: 5 to 65535. A relay that does not \
    fit in its notice is refused with 161: one of over 65522 bytes, or with --redis over 65516 or a few more";
const ENTER_MS: &str = "How long a game client may be in no room, in milliseconds: 0 to 4294967295; 0: for ever. People at \
    the text door may stay in the lobby";
const PING_MS: &str = "How long a game client may be silent, in milliseconds: 0 to 4294967295; 0: for ever. People at the \
    text door read for hours, and may";

/// Read here and not with the other flags, whose wrong values are shown: this one may have a password in it.
fn redis(url: &str) -> Result<Redis, &'static str> {
    let words = "--redis is not the address of a Redis server: it takes redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]";
    Ok(Redis::new(url).map_err(|_| words)?.prefix("chat:"))
}
