//! Sends packets to an echo server, checks that each one comes back as it was, and says how long that took.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../cli.rs"]
mod cli;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use clap::Parser;
use netcore::{CodecError, Frame, FrameCodec, Header, PacketId, PacketType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{timeout, timeout_at};

/// The least room for one read.
const READ_CHUNK: usize = 16 * 1024;
/// A burst of packets is written once it has this many bytes.
const WRITE_CHUNK: usize = 64 * 1024;
/// How often a terminal sees the progress.
const PROGRESS: Duration = Duration::from_millis(200);

/// Sends packets to an echo server and checks that each one comes back byte for byte and in order.
///
/// The bodies are made up, different for each packet, and the type byte counts through all 256 values. It prints the
/// round trip times (from making a packet until its answer is read) and the packets per second.
///
/// Exit code: 0 when all came back, 1 when one came back wrong or the connection broke, 2 for wrong flags or when no
/// server is there.
#[derive(Parser)]
#[command(name = "echo-client", version)]
#[command(
    after_help = "Example: echo-client --connect 127.0.0.1:11020 --count 10000 --size 64 --window 1 --id 101"
)]
struct Flags {
    /// Where the server listens.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11020")]
    connect: String,
    /// How many packets to send: 1 to 10000000.
    #[arg(long, value_name = "N", default_value = "10000", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    count: u32,
    /// Bytes in each body, without the 5 of the header: 0 to 65530.
    #[arg(long, value_name = "BYTES", default_value = "64", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=Header::MAX_BODY as i64))]
    size: u16,
    /// How many packets may be on their way at once: 1 to 65536.
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65_536))]
    window: u32,
    /// The packets' id: 0 to 65535.
    #[arg(long, value_name = "ID", default_value = "101", allow_negative_numbers = true)]
    id: u16,
    /// How long to wait for the connection, and for each next answer, in milliseconds: 1 to 3600000.
    #[arg(long, value_name = "MS", default_value = "10000", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    timeout_ms: u64,
}

impl Flags {
    fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// Packet number `index`, counted from 0.
    fn packet(&self, index: u32) -> Frame {
        let [low, ..] = index.to_le_bytes();
        // A weak random sequence that starts elsewhere for each packet: mixed up answers do not look alike.
        let mut state = u64::from(index).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut body = Vec::with_capacity(usize::from(self.size) + 8);
        while body.len() < usize::from(self.size) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            body.extend_from_slice(&state.to_le_bytes());
        }
        body.truncate(usize::from(self.size));
        Frame { id: PacketId(self.id), kind: PacketType(low), body: body.into() }
    }
}

/// Why it ended: a sentence.
type Failure = String;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let flags = match cli::parse::<Flags>() {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    let fail = |code, sentence: &str| cli::fail("echo-client", code, sentence);
    let mut stream = match connect(&flags).await {
        Ok(stream) => stream,
        Err(error) => {
            let hint = "start a server with `cargo run --release -p echo`";
            return fail(2, &format!("no server at {} ({error}): {hint}", flags.connect));
        }
    };
    let start = Instant::now();
    match run(&flags, &mut stream).await {
        Ok(times) => match report(&flags, times, start.elapsed()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, &format!("all packets came back, but stdout takes no report: {error}")),
        },
        Err(sentence) => fail(1, &sentence),
    }
}

async fn connect(flags: &Flags) -> io::Result<TcpStream> {
    let stream = timeout(flags.timeout(), TcpStream::connect(&flags.connect)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends and receives everything; the round trip times, in the packets' order.
async fn run(flags: &Flags, stream: &mut TcpStream) -> Result<Vec<Duration>, Failure> {
    let (mut reader, mut writer) = stream.split();
    // When each packet on its way was sent. The channel is also the window: it has room for that many.
    let (sent, in_flight) = mpsc::channel(flags.window as usize);
    let mut progress = Progress::new(flags.count);
    // At once: a sender that waits for its answers to be read would wait for ever when the window is large.
    let outcome = tokio::try_join!(
        send(flags, &mut writer, sent),
        receive(flags, &mut reader, in_flight, &mut progress)
    );
    progress.clear();
    let ((), times) = outcome?;

    let ended = async {
        writer.shutdown().await?;
        reader.read(&mut [0]).await
    };
    match timeout(flags.timeout(), ended).await {
        Ok(Ok(0)) => Ok(times),
        Ok(Ok(_)) => Err("the server sent more than it was sent".into()),
        Ok(Err(error)) => Err(format!("the connection broke after the last answer: {error}")),
        Err(_) => {
            Err(format!("the server did not close within {} ms of the end of the stream", flags.timeout_ms))
        }
    }
}

async fn send(flags: &Flags, writer: &mut WriteHalf<'_>, sent: mpsc::Sender<Instant>) -> Result<(), Failure> {
    let codec = FrameCodec::new();
    let mut output = BytesMut::new();
    for index in 0..flags.count {
        let packet = flags.packet(index);
        // The clock starts only when the window has room.
        let room = sent.reserve().await.map_err(|_| "nobody waits for the answers any more")?;
        room.send(Instant::now());
        codec.encode_frame(&packet, &mut output).map_err(|error| error.to_string())?;
        // A burst is written when it is large or when the window, or the count, leaves no room for one more.
        let last = index + 1 == flags.count;
        if last || sent.capacity() == 0 || output.len() >= WRITE_CHUNK {
            let written = writer.write_all(&output).await;
            written.map_err(|error| format!("the connection broke at packet {index}: {error}"))?;
            output.clear();
        }
    }
    Ok(())
}

async fn receive(
    flags: &Flags,
    reader: &mut ReadHalf<'_>,
    mut in_flight: mpsc::Receiver<Instant>,
    progress: &mut Progress,
) -> Result<Vec<Duration>, Failure> {
    let mut codec = FrameCodec::new();
    let mut input = BytesMut::new();
    let mut times = Vec::new();
    let mut index = 0;
    let mut deadline = tokio::time::Instant::now() + flags.timeout();
    while index < flags.count {
        input.reserve(READ_CHUNK);
        let broke = |error: CodecError| format!("the connection broke, waiting for packet {index}: {error}");
        let read = timeout_at(deadline, reader.read_buf(&mut input)).await.map_err(|_| {
            format!("no answer to packet {index} of {} within {} ms", flags.count, flags.timeout_ms)
        })?;
        if read.map_err(|error| broke(error.into()))? == 0 {
            codec.finish(&input).map_err(|error| broke(error.into()))?;
            return Err(format!("the server closed the connection before it answered packet {index}"));
        }
        let now = Instant::now();
        for answer in codec.batch(&mut input) {
            let answer =
                answer.map_err(|error| format!("after packet {index} the answers go wrong: {error}"))?;
            let Ok(start) = in_flight.try_recv() else {
                return Err(format!("the server sent more than it was sent: {}", describe(&answer)));
            };
            let packet = flags.packet(index);
            if answer != packet {
                let (came, went) = (describe(&answer), describe(&packet));
                return Err(format!("packet {index} came back wrong: sent {went}, received {came}"));
            }
            times.push(now.duration_since(start));
            index += 1;
            deadline = tokio::time::Instant::now() + flags.timeout();
        }
        progress.show(index, now);
    }
    if input.is_empty() { Ok(times) } else { Err("the server sent more than it was sent".into()) }
}

fn describe(frame: &Frame) -> String {
    let head: Vec<u8> = frame.body.iter().copied().take(8).collect();
    format!("id {} type {} body of {} bytes {head:02x?}…", frame.id, frame.kind.0, frame.body.len())
}

fn report(flags: &Flags, mut times: Vec<Duration>, took: Duration) -> io::Result<()> {
    times.sort_unstable();
    let at = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).max(1) - 1;
        times.get(rank).copied().unwrap_or_default()
    };
    let rate = f64::from(flags.count) / took.as_secs_f64();
    let mut out = io::stdout();
    writeln!(
        out,
        "{} packets of {} bytes with a window of {}: all came back byte for byte, in order",
        flags.count,
        usize::from(flags.size) + Header::LEN,
        flags.window
    )?;
    writeln!(
        out,
        "round trip: min {:.1?}, p50 {:.1?}, p99 {:.1?}, max {:.1?}",
        at(0),
        at(50),
        at(99),
        at(100)
    )?;
    writeln!(out, "{rate:.0} packets/s, {took:.2?} in all")?;
    out.flush()
}

/// A line on stderr that is written over and over, if a person may be looking.
struct Progress {
    count: u32,
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    fn new(count: u32) -> Self {
        let next = io::stderr().is_terminal().then(|| Instant::now() + PROGRESS);
        Self { count, next, shown: false }
    }

    fn show(&mut self, done: u32, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + PROGRESS);
            self.shown = true;
            let _ = write!(io::stderr(), "\r{done} of {} packets", self.count);
        }
    }

    fn clear(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
