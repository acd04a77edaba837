//! A server that sends every packet back as it came, in order: the smallest real program with netcore.
//!
//! `main` opens the door, `accept` starts a task for each connection, and `echo` is the part to read: bytes come in,
//! [`FrameCodec`] finds the packets in them, and their bytes go out.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cli;
mod flags;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use netcore::{CodecError, FrameCodec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::level_filters::LevelFilter;
use tracing::{debug, info, warn};
use tracing_subscriber::EnvFilter;

use flags::{Door, Flags};

/// The most that one read takes from a socket.
const READ_CHUNK: usize = 16 * 1024;
/// How long a closed session goes on discarding input, for the peer to read the last answers.
const LINGER: Duration = Duration::from_secs(1);
/// How long a shutdown waits for the sessions.
const SHUTDOWN: Duration = Duration::from_secs(2);
/// The pauses after failed accepts double from the first to the second.
const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

#[tokio::main]
async fn main() -> ExitCode {
    let flags = match cli::parse::<Flags>() {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // Reporting a failed write of a log line would panic when stderr is a closed pipe.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    logs.with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
    match run(&flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => cli::fail("echo", 2, &sentence),
    }
}

/// Listens until a signal comes. The error is a sentence: why it never listened.
async fn run(flags: &Flags) -> Result<(), String> {
    if flags.workers > 0 {
        return Err(format!(
            "--workers {} is not supported yet, only 0, which is a task for each session; see --help",
            flags.workers
        ));
    }
    let Door::At(addr) = flags.raw else {
        return Err("with --raw off no door is open and there is nothing to serve; see --help".into());
    };
    let listener = TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!("{addr} is already in use, so give --raw another port"),
        _ => format!("cannot listen on {addr}: {error}"),
    })?;
    let addr = listener.local_addr().map_err(|error| format!("cannot tell the port of {addr}: {error}"))?;
    // Before the line below: whoever has read it may send a signal.
    let signal = signals().map_err(|error| format!("cannot handle signals: {error}"))?;
    let mut stdout = io::stdout();
    if let Err(error) = writeln!(stdout, "listening raw {addr}").and_then(|()| stdout.flush()) {
        warn!(%addr, %error, "listening, but stdout takes no line");
    }

    let (stop, sessions) = (CancellationToken::new(), TaskTracker::new());
    let codec = FrameCodec::new().max_in(flags.max_packet);
    tokio::select! {
        () = signal => {}
        () = accept(&listener, &codec, &stop, &sessions) => {}
    }
    drop(listener);
    info!(sessions = sessions.len(), "shutting down");
    stop.cancel();
    sessions.close();
    if timeout(SHUTDOWN, sessions.wait()).await.is_err() {
        warn!(sessions = sessions.len(), "cut off: their peers did not read their answers in time");
    }
    Ok(())
}

/// Starts a session for each connection, for ever.
async fn accept(
    listener: &TcpListener,
    codec: &FrameCodec,
    stop: &CancellationToken,
    sessions: &TaskTracker,
) {
    let mut pause = ACCEPT_PAUSE.0;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = ACCEPT_PAUSE.0;
                sessions.spawn(session(stream, peer, codec.clone(), stop.clone()));
            }
            Err(error) => {
                // Out of descriptors, mostly: sessions that end will free some.
                warn!(%error, ?pause, "cannot accept a connection; trying again after a pause");
                sleep(pause).await;
                pause = ACCEPT_PAUSE.1.min(pause * 2);
            }
        }
    }
}

/// One connection, from accept to close.
async fn session(mut stream: TcpStream, peer: SocketAddr, codec: FrameCodec, stop: CancellationToken) {
    debug!(%peer, "connected");
    // Small answers must not wait for the peer's acknowledgements. It fails only on a connection already gone.
    let _ = stream.set_nodelay(true);
    let end = echo(&mut stream, codec, &stop).await;
    // Closing a socket with unread input makes the system send a reset, which can destroy answers on their way.
    let goodbye = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = timeout(LINGER, goodbye).await;
    // Before the log says so.
    drop(stream);
    match end {
        Ok(()) => debug!(%peer, "closed"),
        Err(error) => debug!(%peer, %error, "closed"),
    }
}

/// Answers packets until the stream ends, breaks or does not frame, or until `stop`.
///
/// It reads only when everything it read before is answered, so that a peer that does not read is not read from. A
/// session thus holds less than one packet and one chunk (`--max-packet` + 16 KiB).
async fn echo(
    stream: &mut TcpStream,
    mut codec: FrameCodec,
    stop: &CancellationToken,
) -> Result<(), CodecError> {
    let mut input = BytesMut::new();
    loop {
        input.reserve(READ_CHUNK);
        // The buffer may have more room than was asked for; the limit keeps the bound.
        let mut chunk = (&mut input).limit(READ_CHUNK);
        let read = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            read = stream.read_buf(&mut chunk) => read?,
        };
        if read == 0 {
            return Ok(codec.finish(&input)?);
        }
        // All whole packets, as they came. Those before a framing error are answered too.
        let packets = codec.batch(&mut input);
        stream.write_all(packets.wire()).await?;
        if let Some(error) = packets.error() {
            return Err(error.into());
        }
    }
}

#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
