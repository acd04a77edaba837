//! A healthy peer beside an attack: what it must not notice.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::common::{connect, said, say};

/// A peer that plays, one packet at a time.
pub(crate) struct Probe {
    stream: TcpStream,
    n: u32,
}

impl Probe {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut probe = Self { stream: connect(address), n: 0 };
        probe.round();
        probe
    }

    /// Asks and hears the answer; how long it took.
    pub(crate) fn round(&mut self) -> Duration {
        let since = Instant::now();
        self.n += 1;
        self.stream.write_all(&say(self.n)).unwrap();
        let mut answer = [0; 9];
        self.stream.read_exact(&mut answer).expect("a healthy peer gets its answers");
        assert_eq!(answer[..], said(self.n));
        since.elapsed()
    }
}

/// Runs an attack on a server while a healthy peer plays there on a thread of its own, and asserts that it noticed nothing
/// and that this process has not grown.
pub(crate) fn beside<T>(address: SocketAddr, what: impl std::fmt::Debug, attack: impl FnOnce() -> T) -> T {
    let mut peer = Probe::connect(address);
    let mut quiet: Vec<_> = (0..QUIET).map(|_| peer.round()).collect();
    let before = resident(std::process::id());
    let (stop, stopped) = channel::<()>();
    let playing = std::thread::spawn(move || {
        let mut rounds = Vec::new();
        // A pace, so that the peer does not itself fill the machine.
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PACE) {
            rounds.push(peer.round());
        }
        // An attack may be shorter than the pace.
        rounds.extend((0..10).map(|_| peer.round()));
        rounds
    });
    let result = attack();
    drop(stop);
    let mut rounds = playing.join().expect("the healthy peer plays on");
    match (before, resident(std::process::id())) {
        (Some(before), Some(after)) => {
            let grown = after.saturating_sub(before) / 1024;
            println!("{what:?}: the process grew by {grown} KiB");
            assert!(grown < GROWTH, "{what:?}: the process grew by {grown} KiB");
        }
        _ => println!("memory is not looked at: the system has no /proc"),
    }
    quiet.sort();
    rounds.sort();
    let at = |rounds: &[Duration], part: usize| rounds[(rounds.len() * part / 1000).min(rounds.len() - 1)];
    let (usual, median, p99) = (at(&quiet, 500), at(&rounds, 500), at(&rounds, 990));
    let (longest, ratio) = (at(&rounds, 1000), median.as_secs_f64() / usual.as_secs_f64());
    println!(
        "{what:?}: {} rounds, median {median:?} ({ratio:.1} of {usual:?}), p99 {p99:?}, longest {longest:?}",
        rounds.len()
    );
    assert!(median <= usual * 5 + NOISE, "{what:?}: half of all answers took {median:?}");
    assert!(longest <= LONGEST, "{what:?}: an answer took {longest:?}");
    result
}

/// What a process holds of memory, in bytes, where the system tells.
pub(crate) fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

const QUIET: usize = 200;
/// What the machine may add while it does something else: the shares of two or three other threads.
const NOISE: Duration = Duration::from_millis(50);
const PACE: Duration = Duration::from_micros(500);
/// Far above what is seen, for machines that do something else beside; far below a server that waits for an attacker.
const LONGEST: Duration = Duration::from_secs(2);
/// In KiB, with the attackers' own buffers, for they are in this process too.
const GROWTH: u64 = 32 * 1024;
