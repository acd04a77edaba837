//! A server that sends every packet back as it came, in order: the smallest real program with netcore.
//!
//! The game is `echo`, a task for each session, or, with `--workers`, `Echo`, a logic for each worker. `serve` opens the
//! door with its limits; everything else is the library's.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::ExitCode;

use netcore::{Binary, Connection, Context, Door, Frame, Limits, Logic, Server, SessionId};
use support::{At, Outcome};

/// Sends every packet back byte for byte, in order.
///
/// Once it listens, it prints `listening raw ADDR` on stdout, with the real port, and `listening metrics ADDR` if these
/// are on. Logs go to stderr, at the level that
/// RUST_LOG names (info unless set; debug shows every connection and why it was closed). A peer that does not read its
/// answers is not read from, and is closed when it has taken nothing for 5 seconds. A packet that cannot be (a size below
/// 5 or over --max-packet) closes its connection, after the packets before it were answered.
///
/// Ctrl-C or SIGTERM: it accepts no more, answers what it has read, for 2 seconds at most, and exits with 0. A
/// second one ends it at once, with 130. Wrong flags, or an address it cannot listen on: one sentence on stderr, and exit code 2.
#[derive(clap::Parser)]
#[command(version, after_help = "Example: echo --raw '[::1]:0' --max-packet 1024 --workers 2")]
struct Flags {
    /// Where to listen: `HOST:PORT`, `[IPv6]:PORT` (port 0: the system picks one), or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11020")]
    raw: At,
    /// The largest packet taken, in bytes, its 5-byte header included: 5 to 65535.
    #[arg(long, value_name = "BYTES", default_value = "65535", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u16>(5..=65535))]
    max_packet: u16,
    /// 0: a task for each session; 1 to 1024: so many workers, each with a thread of its own.
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u16>(0..=1024))]
    workers: u16,
    /// Where Prometheus finds metrics, at the path /metrics: `HOST:PORT`, `[IPv6]:PORT`, or `off`.
    #[arg(long, value_name = "HOST:PORT", default_value = "off")]
    metrics: At,
}

fn main() -> ExitCode {
    support::main(serve)
}

async fn serve(flags: Flags) -> Outcome {
    At::apart([("raw", &flags.raw), ("metrics", &flags.metrics)])?;
    // Before the server, which looks for who wants to hear.
    support::metrics(&flags.metrics).await?;
    let packets = Binary::new().max_in(flags.max_packet);
    let limits = Limits::new()
        // People connect with `nc` and think first.
        .first_packet(None)
        // With a worker: whoever sends far ahead waits for the answers. What was read meanwhile fits into half a queue.
        .backpressure(true)
        .queue(1024 * 1024)
        .inbox_bytes(128 * 1024);
    let door = flags.raw.open(|at| Door::tcp_with(at, packets).name("raw").limits(limits));
    // A load generator comes from one address.
    let server = Server::new().doors(door).max_per_address(usize::MAX).drain(support::DRAIN);
    let running = match flags.workers {
        0 => server.serve(echo).await?,
        workers => server.workers(workers.into(), |_| Echo).await?,
    };
    support::run(running).await
}

async fn echo(mut peer: Connection<Frame, Frame>) -> Outcome {
    while let Some(packet) = peer.recv().await? {
        peer.send_wait(&packet).await?;
    }
    Ok(())
}

struct Echo;

impl Logic for Echo {
    type In = Frame;
    type Out = Frame;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: Frame) {
        ctx.send(session, &packet);
    }
}
