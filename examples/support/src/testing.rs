//! For end-to-end tests: a real binary as a child that never outlives its test.
//!
//! Nothing here waits by the clock. A test waits for bytes, for the end of a stream, for a line or for a process to end,
//! and every such wait has an upper bound: [`PATIENCE`].

// It is test code, although no test module: what goes wrong here fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod metrics;
mod redis;
mod terminal;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

pub use redis::RedisServer;
pub use terminal::Terminal;

/// The upper bound of every wait.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A child with its output as lines; killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

/// What a child left when it ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// The lines on stdout that nobody had read.
    pub stdout: Vec<String>,
    /// The lines on stderr that nobody had read.
    pub stderr: Vec<String>,
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Process,
    /// Where its doors are, by name, in the order of its lines.
    pub doors: Vec<(String, SocketAddr)>,
}

impl Process {
    /// Starts a program, with `RUST_LOG` as `command` sets it.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::with(command, Stdio::null())
    }

    /// Starts a program with somebody at the keyboard, who types nothing yet.
    #[must_use]
    pub fn attended(command: &mut Command) -> (Self, ChildStdin) {
        let mut process = Self::with(command, Stdio::piped());
        let keys = process.child.stdin.take().unwrap();
        (process, keys)
    }

    fn with(command: &mut Command, input: Stdio) -> Self {
        if command.get_envs().all(|(name, _)| name != "RUST_LOG") {
            command.env_remove("RUST_LOG");
        }
        let command = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits for the process to end.
    #[must_use]
    pub fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        // Both streams end when the process does.
        let (stdout, stderr) = (rest(&self.stdout, deadline), rest(&self.stderr, deadline));
        Ended { code: self.child.wait().unwrap().code(), stdout, stderr }
    }

    /// Waits for a line on stderr that has all these words.
    #[must_use]
    pub fn logged(&self, words: &[&str]) -> String {
        loop {
            let line =
                self.stderr.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line with {words:?}"));
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    /// Sends a signal: "TERM" or "INT".
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// The peak of its resident memory in KiB, where the system tells.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Fails unless it was refused: exit code 2, nothing on stdout, one sentence on stderr, which is returned.
    #[track_caller]
    #[must_use]
    pub fn refused(self) -> String {
        assert_eq!((self.code, &self.stdout[..]), (Some(2), &[][..]), "{:?}", self.stderr);
        let [sentence] = &self.stderr[..] else { panic!("not one sentence: {:?}", self.stderr) };
        sentence.clone()
    }
}

impl Server {
    /// Starts a server and waits for as many `listening` lines as it has doors.
    #[track_caller]
    #[must_use]
    pub fn start(command: &mut Command, doors: usize) -> Self {
        let process = Process::start(command);
        let doors = (0..doors).map(|_| match process.stdout.recv_timeout(PATIENCE) {
            Ok(line) => door(&line).unwrap_or_else(|| panic!("not `listening DOOR ADDR`: {line}")),
            Err(_) => panic!("it does not listen: {:?}", process.stderr.try_iter().collect::<Vec<_>>()),
        });
        Self { doors: doors.collect(), process }
    }

    /// Where its first door is.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.doors[0].1
    }

    /// A connection to its first door.
    #[must_use]
    pub fn connect(&self) -> TcpStream {
        connect(self.addr())
    }

    /// Sends SIGTERM and waits for the end.
    #[cfg(unix)]
    #[must_use]
    pub fn terminate(self) -> Ended {
        self.process.signal("TERM");
        self.process.end()
    }
}

/// A connection that waits no longer than [`PATIENCE`].
#[must_use]
pub fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Exactly `len` bytes.
#[must_use]
pub fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Everything up to the end of the stream, which must be an orderly one.
#[must_use]
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an orderly end, not a reset");
    bytes
}

/// Writes everything and half-closes, and meanwhile reads everything to the end.
#[must_use]
pub fn exchange(mut stream: TcpStream, bytes: Vec<u8>) -> Vec<u8> {
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
#[track_caller]
pub fn assert_same(came: &[u8], went: &[u8]) {
    let differ = came.iter().zip(went).position(|(a, b)| a != b);
    assert_eq!((came.len(), differ), (went.len(), None), "length, and first byte that differs");
}

/// Fails unless each of these command lines is refused in one sentence, which begins with the program's name and has that
/// word in it.
#[track_caller]
pub fn assert_refused(program: impl Fn(&[&str]) -> Command, cases: &[(&[&str], &str)]) {
    for (args, word) in cases {
        let mut command = program(args);
        let name = Path::new(command.get_program()).file_stem().unwrap().to_string_lossy().into_owned();
        let sentence = Process::start(&mut command).end().refused();
        assert!(
            sentence.starts_with(&format!("{name}: ")) && sentence.contains(word),
            "{args:?}: {sentence}"
        );
    }
}

/// Fails unless `--help` says all these words, and nothing on stderr.
#[track_caller]
pub fn assert_helps(program: impl Fn(&[&str]) -> Command, words: &[&str]) {
    let ended = Process::start(&mut program(&["--help"])).end();
    let help = ended.stdout.join("\n");
    assert_eq!((ended.code, ended.stderr), (Some(0), Vec::new()));
    for word in words {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

/// Fails unless a client ends in that sentence at a server that does not answer its log-in, whatever of `says` it says:
/// with somebody at the keyboard who has not typed anything, and without input.
#[track_caller]
pub fn assert_gives_up(client: impl Fn() -> Command, says: &[&[u8]], sentence: &str) {
    for says in says {
        for is_attended in [true, false] {
            let door = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = client();
            client.args(["--timeout-ms", "300", "--connect", &door.local_addr().unwrap().to_string()]);
            let (client, keys) = Process::attended(&mut client);
            let keys = is_attended.then_some(keys);
            let (mut peer, _) = door.accept().unwrap();
            peer.write_all(says).unwrap();
            let ended = client.end();
            assert_eq!((ended.code, ended.stderr), (Some(2), vec![sentence.to_owned()]));
            drop(keys);
        }
    }
}

/// Fails unless a client whose server goes, while somebody types on and on, says that the connection is closed, as it does
/// where nobody types: not that a line cannot be sent.
#[track_caller]
pub fn assert_says_that_it_is_closed(client: impl Fn() -> Command) {
    // Whether it first sees the end or the next line is chance.
    for _ in 0..8 {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = client();
        client.args(["--connect", &door.local_addr().unwrap().to_string()]);
        let (client, mut keys) = Process::attended(&mut client);
        let (mut peer, _) = door.accept().unwrap();
        // The log-in has come.
        let _ = read(&mut peer, 1);
        drop(peer);
        // It may have ended by then.
        let _ = keys.write_all(&b"hello\n".repeat(1000));
        let ended = client.end();
        let [sentence] = &ended.stderr[..] else { panic!("not one sentence: {:?}", ended.stderr) };
        let (_, words) = sentence.split_once(": ").unwrap();
        let is_end =
            words == "the server closed the connection" || words.starts_with("the connection broke: ");
        assert!(ended.code == Some(2) && is_end, "{sentence}");
        drop(keys);
    }
}

/// Fails unless `--help` says these defaults, each beside its flag. It says what the program takes without the flag.
#[track_caller]
pub fn assert_defaults(program: impl Fn(&[&str]) -> Command, defaults: &[(&str, &str)]) {
    let lines = Process::start(&mut program(&["--help"])).end().stdout;
    let mut said = Vec::new();
    for line in lines.iter().map(|line| line.trim_start()) {
        if line.starts_with('-') {
            let long = line.split_whitespace().find(|word| word.starts_with("--")).unwrap();
            said.push((long, None));
        } else if let Some((_, default)) = line.split_once("[default: ") {
            said.last_mut().unwrap().1 = default.strip_suffix(']');
        }
    }
    for (flag, default) in defaults {
        let said = said.iter().find(|(said, _)| said == flag).and_then(|(_, default)| *default);
        assert_eq!(said, Some(*default), "{flag}");
    }
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
    assert!(status.success());
}

fn door(line: &str) -> Option<(String, SocketAddr)> {
    let (name, addr) = line.strip_prefix("listening ")?.split_once(' ')?;
    Some((name.to_owned(), addr.parse().ok()?))
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
