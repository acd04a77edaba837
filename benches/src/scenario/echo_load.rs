//! The load of the echo scenarios: the same for every server.
//!
//! One thread, readiness by readiness, as few system calls as there can be: it knows nothing of packets but their length,
//! and compares what comes back byte by byte with what it sent.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use super::process;

/// What to send, and where to.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// So many connections.
    pub connections: usize,
    /// So many packets under way on each.
    pub window: usize,
    /// Bytes of each packet's body.
    pub body: usize,
    /// In message-io's framing.
    pub varint: bool,
    /// Asks for events again and again instead of sleeping. On a core of its own: the server then need not wake it, as it
    /// need not wake a peer on another machine. A server that is slower than the load would pay for that with each write.
    pub spin: bool,
    /// Before it is measured.
    pub warm_up: Duration,
    /// While it is measured.
    pub time: Duration,
}

/// What came of it.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Measured {
    /// Packets that came back, a second.
    pub packets: f64,
    /// The server's time on a core for each, in nanoseconds; NaN where the system does not tell.
    pub nanos: Option<f64>,
    /// Half of the packets came back within so many microseconds.
    pub p50: f64,
    /// 99 of 100 did.
    pub p99: f64,
    /// The share of the time that the server spent on a core; more than 1 with several.
    pub server_busy: Option<f64>,
    /// The share that the load did.
    pub load_busy: Option<f64>,
}

impl Load {
    /// Runs it.
    ///
    /// # Errors
    /// When a connection breaks, what comes back is not what was sent, or nothing comes back for ten seconds.
    pub fn run(&self) -> io::Result<Measured> {
        let packet = self.packet();
        let wire = packet.repeat(self.window + 1);
        let mut poll = Poll::new()?;
        let mut peers = Vec::with_capacity(self.connections);
        for number in 0..self.connections {
            // Connected before it becomes one of many: a server need not have a long backlog.
            let stream = std::net::TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)?;
            peers.push(Peer { stream, owed: 0, sent: 0, got: 0, batches: VecDeque::new() });
        }
        let mut run =
            Run { wire: &wire, len: packet.len(), buffer: vec![0; 64 * 1024], times: Histogram::new() };
        let mut events = Events::with_capacity(1024);
        let start = Instant::now();
        for peer in &mut peers {
            peer.send(&run, self.window, Instant::now())?;
        }
        let (mut before, mut heard) = (None, start);
        loop {
            poll.poll(&mut events, Some(if self.spin { Duration::ZERO } else { PATIENCE }))?;
            let now = Instant::now();
            if !events.is_empty() {
                heard = now;
            } else if now > heard + PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing comes back any more"));
            }
            for event in &events {
                let Some(peer) = peers.get_mut(event.token().0) else { continue };
                if event.is_readable() {
                    peer.receive(&mut run)?;
                } else {
                    peer.flush(&run)?;
                }
            }
            match before {
                None if now >= start + self.warm_up => {
                    run.times = Histogram::new();
                    before = Some((now, process::spent(self.pid), process::spent(std::process::id())));
                }
                Some((since, server, load)) if now >= since + self.time => {
                    let took = (now - since).as_secs_f64();
                    let spent = |before: Option<Duration>, pid| {
                        Some((process::spent(pid)?.saturating_sub(before?)).as_secs_f64())
                    };
                    let server = spent(server, self.pid);
                    let count = run.times.total() as f64;
                    return Ok(Measured {
                        packets: count / took,
                        nanos: server.map(|server| server * 1e9 / count),
                        p50: run.times.quantile(0.5).as_secs_f64() * 1e6,
                        p99: run.times.quantile(0.99).as_secs_f64() * 1e6,
                        server_busy: server.map(|server| server / took),
                        load_busy: spent(load, std::process::id()).map(|load| load / took),
                    });
                }
                _ => {}
            }
        }
    }

    /// The bytes of one packet. Its id says to a typed server whether it has fields.
    fn packet(&self) -> Vec<u8> {
        let mut packet = Vec::new();
        if self.varint {
            let mut rest = self.body;
            while rest >= 0x80 {
                packet.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            packet.push(rest as u8);
        } else {
            packet.extend_from_slice(&crate::hand::head(if self.body == 32 { 1 } else { 2 }, self.body));
        }
        packet.extend((0..self.body).map(|at| at as u8 ^ 0x5a));
        packet
    }
}

/// What all connections share.
struct Run<'a> {
    // A window of packets, and one more: whatever is owed is one slice of it.
    wire: &'a [u8],
    len: usize,
    buffer: Vec<u8>,
    times: Histogram,
}

struct Peer {
    stream: TcpStream,
    // Bytes to send, and how many of the packet at their front went out.
    owed: usize,
    sent: usize,
    // Bytes that came of the packet under way.
    got: usize,
    // How many packets were sent when, and have not come back.
    batches: VecDeque<(usize, Instant)>,
}

impl Peer {
    /// Reads what is there, and sends a packet for each that came back.
    fn receive(&mut self, run: &mut Run<'_>) -> io::Result<()> {
        loop {
            let len = match self.stream.read(&mut run.buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.flush(run),
                Err(error) => return Err(error),
            };
            let read = run.buffer.get(..len).unwrap_or_default();
            if run.wire.get(self.got..self.got + len) != Some(read) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes than were sent"));
            }
            let came = (self.got + len) / run.len;
            self.got = (self.got + len) % run.len;
            let now = Instant::now();
            let mut left = came;
            while let Some((count, since)) = self.batches.front_mut().filter(|_| left > 0) {
                let here = left.min(*count);
                run.times.add(now - *since, here as u64);
                left -= here;
                *count -= here;
                if *count == 0 {
                    self.batches.pop_front();
                }
            }
            self.send(run, came, now)?;
            // Less than was asked for: there is nothing more, and the next event says when there is.
            if len < run.buffer.len() {
                return Ok(());
            }
        }
    }

    fn send(&mut self, run: &Run<'_>, packets: usize, now: Instant) -> io::Result<()> {
        if packets > 0 {
            self.batches.push_back((packets, now));
            self.owed += packets * run.len;
        }
        self.flush(run)
    }

    fn flush(&mut self, run: &Run<'_>) -> io::Result<()> {
        while self.owed > 0 {
            let bytes = run.wire.get(self.sent..self.sent + self.owed).unwrap_or_default();
            match self.stream.write(bytes) {
                Ok(len) => {
                    self.owed -= len;
                    self.sent = (self.sent + len) % run.len;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// For so long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
