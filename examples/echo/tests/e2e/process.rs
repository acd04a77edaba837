//! Child processes that never outlive their test, and packets as plain bytes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The upper bound of every wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A child with its output as lines; killed on drop.
pub(crate) struct Process {
    child: Child,
    stdout: Receiver<String>,
    pub(crate) stderr: Receiver<String>,
}

/// What a child left when it ended by itself.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits for the process to end.
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        // Both streams end when the process does.
        let (stdout, stderr) = (rest(&self.stdout, deadline), rest(&self.stderr, deadline));
        Ended { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn rest(lines: &Receiver<String>, deadline: Instant) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => all.push(line),
            Err(RecvTimeoutError::Disconnected) => return all,
            Err(RecvTimeoutError::Timeout) => panic!("the process does not end; so far it said {all:?}"),
        }
    }
}

pub(crate) fn echo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo"));
    command.args(args).env_remove("RUST_LOG");
    command
}

pub(crate) fn echo_client(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-client"));
    command.args(args);
    command
}

/// A server on a port of its own.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::run(&mut echo(&["--raw", "127.0.0.1:0"]))
    }

    pub(crate) fn with_max_packet(bytes: &str) -> Self {
        Self::run(&mut echo(&["--raw", "127.0.0.1:0", "--max-packet", bytes]))
    }

    pub(crate) fn run(command: &mut Command) -> Self {
        let process = Process::start(command);
        let line = process.stdout.recv_timeout(PATIENCE).expect("the line that says where it listens");
        let addr = line.strip_prefix("listening raw ").expect(&line).parse().unwrap();
        Self { process, addr }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends a signal: "TERM" or "INT".
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(status.success());
    }

    /// The peak of its resident memory in KiB, where the system tells.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Fails unless a new connection gets its answer.
    pub(crate) fn assert_serves(&self) {
        let mut stream = self.connect();
        stream.write_all(&packet(101, 0, b"hi")).unwrap();
        assert_eq!(read(&mut stream, 7), packet(101, 0, b"hi"));
    }
}

/// A packet's bytes, written down independently of the library.
pub(crate) fn packet(id: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    let size = u16::try_from(body.len() + 5).unwrap();
    let mut bytes = size.to_le_bytes().to_vec();
    bytes.extend(id.to_le_bytes());
    bytes.push(kind);
    bytes.extend(body);
    bytes
}

/// Exactly `len` bytes.
pub(crate) fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Everything up to the end of the stream, which must be an orderly one.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an orderly end, not a reset");
    bytes
}

/// Writes everything and half-closes, and meanwhile reads everything to the end.
pub(crate) fn exchange(mut stream: TcpStream, bytes: Vec<u8>) -> Vec<u8> {
    let mut writer = stream.try_clone().unwrap();
    let writing = thread::spawn(move || -> io::Result<()> {
        writer.write_all(&bytes)?;
        writer.shutdown(Shutdown::Write)
    });
    let answers = read_to_end(&mut stream);
    writing.join().unwrap().unwrap();
    answers
}

/// Fails unless both are the same, without printing megabytes.
pub(crate) fn assert_same(came: &[u8], went: &[u8]) {
    let differ = came.iter().zip(went).position(|(a, b)| a != b);
    assert_eq!((came.len(), differ), (went.len(), None), "length, and first byte that differs");
}
