//! What the example servers share, so that each one's `main.rs` is about its game: flags, logs, the line that says where
//! a door listens, signals, exit codes.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use netcore::{Connection, Door, Frame, Server};
//! use support::{At, Outcome};
//!
//! /// Sends every packet back.
//! #[derive(clap::Parser)]
//! struct Flags {
//!     /// Where to listen: `HOST:PORT`, `[IPv6]:PORT` (port 0: the system picks one), or `off`.
//!     #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11020")]
//!     raw: At,
//! }
//!
//! fn main() -> ExitCode {
//!     support::main(serve)
//! }
//!
//! async fn serve(flags: Flags) -> Outcome {
//!     let door = flags.raw.open(|at| Door::tcp(at).name("raw"));
//!     let server = Server::new().doors(door).drain(support::DRAIN);
//!     support::run(server.serve(echo).await?).await
//! }
//!
//! async fn echo(mut peer: Connection<Frame, Frame>) -> Outcome {
//!     while let Some(packet) = peer.recv().await? {
//!         peer.send_wait(&packet).await?;
//!     }
//!     Ok(())
//! }
//! ```

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "accept")]
mod accept;
mod at;
mod file;
#[cfg(feature = "load")]
pub mod load;
mod logs;
#[cfg(feature = "metrics")]
mod metrics;
mod number;
mod seen;
mod signals;
#[cfg(feature = "testing")]
pub mod testing;
mod typed;
mod words;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use netcore::{Report, Running, ServerError};
use tokio::runtime::Builder;
use tracing::{info, warn};

#[cfg(feature = "accept")]
pub use accept::{Visit, Visitors, accept, household};
pub use at::At;
pub use file::read_file;
#[cfg(feature = "metrics")]
pub use metrics::metrics;
pub use number::number;
pub use seen::{is_hidden, visible};
pub use typed::typed;
pub use words::{is_short_of_files, words};

/// How a program, or one session's task, ends: any error will do.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// A whole program: reads its flags, starts the logs and a runtime, runs it. Its exit code is 0 when it ends well; 2, with
/// one sentence on stderr, when the flags are wrong, the system has no runtime for it, or it ends with an error.
pub fn main<F: Parser>(program: impl AsyncFnOnce(F) -> Outcome) -> ExitCode {
    start(async move |flags: F| {
        logs::start::<F>();
        match program(flags).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail::<F>(2, &in_words(&*error)),
        }
    })
}

/// As [`main`], for a program without logs that has exit codes of its own.
pub fn start<F: Parser>(program: impl AsyncFnOnce(F) -> ExitCode) -> ExitCode {
    let flags = match flags::<F>() {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    // Not `#[tokio::main]`, which panics where there is none.
    match words::has_files(OF_A_RUNTIME).and_then(|()| Builder::new_multi_thread().enable_all().build()) {
        Ok(runtime) => runtime.block_on(program(flags)),
        Err(error) => fail::<F>(2, &format!("cannot start: {}", words(&error))),
    }
}

/// Runs a server until Ctrl-C or SIGTERM comes, or the game stops it, and then shuts it down in order, for which it must
/// have [`DRAIN`]; a second signal ends the process at once. First it prints a line for each door on stdout:
/// `listening DOOR ADDR`, with the real port; and one for the metrics, if they are on.
///
/// # Errors
/// When the system hands out no signals.
pub async fn run<Message>(server: Running<Message>) -> Outcome {
    // Before the lines below: whoever has read them may send a signal.
    let signal = signals::first()?;
    if let Err(error) = say_where(&server) {
        warn!(%error, "listening, but stdout takes no line");
    }
    let asked = async {
        signal.await;
        stopping(DRAIN);
    };
    stopped(&server.run_until(asked).await);
    Ok(())
}

/// More files than a runtime opens. Within some of them it panics where there are no more.
const OF_A_RUNTIME: usize = 8;

/// How long a server's sessions have to come to their end when it stops: for [`Server::drain`](netcore::Server::drain).
pub const DRAIN: Duration = Duration::from_secs(2);

/// Under which name the log says how a server stops, whichever it is.
pub const LOG: &str = "server";

/// Says in the log that the server was asked to stop, and how long that may take.
pub fn stopping(at_most: Duration) {
    info!(target: LOG, "stopping, for {at_most:?} at most; a second signal ends it at once");
}

/// Says in the log how that went.
pub fn stopped(report: &Report) {
    let took_ms = u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX);
    info!(target: LOG, sessions = report.sessions, cut = report.cut, took_ms, "stopped");
}

/// For a program without a [`Running`] server: registers for Ctrl-C and SIGTERM at once; what it returns is ready when the
/// first of them comes. A second one ends the process at once, with the exit code 130. Must be called within a runtime.
///
/// # Errors
/// When the system hands out no signals.
pub fn signal() -> io::Result<impl Future<Output = ()> + Send + use<>> {
    signals::first()
}

/// For a program without a [`Running`] server: prints the line of a door. To be called after [`signal`]: whoever has read
/// the line may send one.
pub fn listening(door: &str, addr: SocketAddr) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = writeln!(stdout, "listening {door} {addr}").and_then(|()| stdout.flush()) {
        warn!(%error, "listening, but stdout takes no line");
    }
}

fn say_where<Message>(server: &Running<Message>) -> io::Result<()> {
    // Not `println!`, which panics when stdout is closed.
    let mut stdout = io::stdout().lock();
    for (door, addr) in server.addrs() {
        writeln!(stdout, "listening {door} {addr}")?;
    }
    #[cfg(feature = "metrics")]
    if let Some(addr) = metrics::addr() {
        writeln!(stdout, "listening metrics {addr}")?;
    }
    stdout.flush()
}

/// Reads the command line. When there is nothing to run, it says so and returns the exit code.
///
/// # Errors
/// 0 after `--help` and `--version`; 2 after one sentence on stderr.
pub fn flags<F: Parser>() -> Result<F, ExitCode> {
    F::try_parse().map_err(|error| {
        if !error.use_stderr() {
            // A reader that has gone away is no failure.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        let text = error.render().to_string();
        // clap puts tips and a usage after an empty line.
        let first = text.split("\n\n").next().unwrap_or(&text).trim_start_matches("error: ");
        let sentence = first.split_whitespace().collect::<Vec<_>>().join(" ");
        fail::<F>(2, &format!("{sentence}; see --help"))
    })
}

/// Says on stderr, in one line, why the program ends, and returns its exit code.
pub fn fail<F: Parser>(code: u8, sentence: &str) -> ExitCode {
    // Not `eprintln!`, which panics when stderr is closed.
    let _ = writeln!(io::stderr(), "{}: {sentence}", F::command().get_name());
    ExitCode::from(code)
}

/// What an error means to who typed the flags.
fn in_words(error: &(dyn Error + Send + Sync + 'static)) -> String {
    match error.downcast_ref::<ServerError>() {
        Some(ServerError::NoDoor) => "every door is off, so there is nothing to serve; see --help".to_owned(),
        _ => error.to_string(),
    }
}
