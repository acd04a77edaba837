//! The load of the broadcast scenarios: one speaker, and many listeners of which some never read.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};
use socket2::SockRef;

use super::histogram::Histogram;
use super::process;
use crate::hand;

/// What to send, and to how many.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// So many listeners that read.
    pub listeners: usize,
    /// So many that never do.
    pub stalled: usize,
    /// Bytes of each packet's body.
    pub body: usize,
    /// Packets under way at once, of those that are sent as fast as they arrive.
    pub window: usize,
    /// Packets a second, of those that are sent at their time.
    pub rate: u32,
    /// Asks for events again and again instead of sleeping.
    pub spin: bool,
    /// While each of the two is measured.
    pub time: Duration,
}

/// What came of it.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Measured {
    /// Packets that arrived at listeners, a second, when sent as fast as they arrive.
    pub deliveries: f64,
    /// The server's time on a core for each, in nanoseconds.
    pub nanos: Option<f64>,
    /// 99 of 100 of them arrived within so many microseconds.
    pub full_p99: f64,
    /// Half of those that were sent at their time did so.
    pub p50: f64,
    /// 99 of 100 of those did.
    pub p99: f64,
}

impl Load {
    /// Runs it.
    ///
    /// # Errors
    /// When a connection breaks, or nothing arrives for ten seconds.
    pub fn run(&self) -> io::Result<Measured> {
        let speaker = std::net::TcpStream::connect(self.address)?;
        speaker.set_nodelay(true)?;
        let mut hall = Hall { speaker, poll: Poll::new()?, listeners: Vec::new(), spin: self.spin };
        for number in 0..self.listeners {
            let stream = std::net::TcpStream::connect(self.address)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            hall.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            hall.listeners.push(Listener { stream, got: 0 });
        }
        let mut stalled = Vec::new();
        for _ in 0..self.stalled {
            let stream = std::net::TcpStream::connect(self.address)?;
            // The system's buffers would else hide for long that nobody reads.
            SockRef::from(&stream).set_recv_buffer_size(4096)?;
            stalled.push(stream);
        }
        // Whoever hears the first word was let in. The others are let in within this time, or the count is not right.
        std::thread::sleep(Duration::from_millis(50 + self.listeners as u64 / 4));
        // Large packets, one after the other, until nobody takes more who does not read.
        hall.speak(16 * 1024, &mut Pace::AtOnce { window: 1, count: 12 })?;
        let brief = self.time / 4;
        hall.speak(self.body, &mut Pace::Full { window: self.window, until: Instant::now() + brief })?;

        let (start, before) = (Instant::now(), process::spent(self.pid));
        let mut pace = Pace::Full { window: self.window, until: start + self.time };
        let full = hall.speak(self.body, &mut pace)?;
        let (took, after) = (start.elapsed().as_secs_f64(), process::spent(self.pid));
        let nanos =
            after.zip(before).map(|(after, before)| (after - before).as_nanos() as f64 / full.total() as f64);

        let now = Instant::now();
        let step = Duration::from_secs(1) / self.rate.max(1);
        let paced = hall.speak(self.body, &mut Pace::Timed { next: now, step, until: now + self.time })?;
        let micros = |times: &Histogram, share| times.quantile(share).as_secs_f64() * 1e6;
        Ok(Measured {
            deliveries: full.total() as f64 / took,
            nanos,
            full_p99: micros(&full, 0.99),
            p50: micros(&paced, 0.5),
            p99: micros(&paced, 0.99),
        })
    }
}

/// When the next packet is sent.
enum Pace {
    /// So many in all.
    AtOnce { window: usize, count: usize },
    /// As soon as an earlier one has arrived everywhere, for a time.
    Full { window: usize, until: Instant },
    /// At its time, for a time.
    Timed { next: Instant, step: Duration, until: Instant },
}

impl Pace {
    /// Whether one more is sent now, when so many have not arrived everywhere; `None` when no more is sent at all.
    fn sends(&mut self, now: Instant, waiting: usize) -> Option<bool> {
        match self {
            Self::AtOnce { count: 0, .. } => None,
            Self::AtOnce { window, count } => {
                let sends = waiting < *window;
                *count -= usize::from(sends);
                Some(sends)
            }
            Self::Full { until, .. } | Self::Timed { until, .. } if now >= *until => None,
            Self::Full { window, .. } => Some(waiting < *window),
            Self::Timed { next, step, .. } => {
                let sends = now >= *next;
                *next += if sends { *step } else { Duration::ZERO };
                Some(sends)
            }
        }
    }
}

struct Hall {
    speaker: std::net::TcpStream,
    poll: Poll,
    listeners: Vec<Listener>,
    spin: bool,
}

struct Listener {
    stream: TcpStream,
    // Bytes that came since the speaker last began.
    got: usize,
}

impl Hall {
    /// Speaks at that pace until all has arrived; how long each packet took to each listener.
    fn speak(&mut self, body: usize, pace: &mut Pace) -> io::Result<Histogram> {
        let mut packet = hand::head(1, body).to_vec();
        packet.resize(packet.len() + body, 7);
        let (mut times, mut events) = (Histogram::new(), Events::with_capacity(1024));
        let mut buffer = vec![0; 64 * 1024];
        // When each packet was sent, and at how many listeners it has arrived.
        let mut sent: Vec<(Instant, usize)> = Vec::new();
        let (mut whole, mut heard) = (0, Instant::now());
        for listener in &mut self.listeners {
            listener.got = 0;
        }
        loop {
            let now = Instant::now();
            let more = pace.sends(now, sent.len() - whole);
            if more == Some(true) {
                self.speaker.write_all(&packet)?;
                sent.push((now, 0));
                continue;
            }
            if more.is_none() && whole == sent.len() {
                return Ok(times);
            }
            self.poll.poll(&mut events, Some(if self.spin { Duration::ZERO } else { SHORT }))?;
            let now = Instant::now();
            if !events.is_empty() {
                heard = now;
            } else if now > heard + PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing arrives any more"));
            }
            for event in &events {
                let Some(listener) = self.listeners.get_mut(event.token().0) else { continue };
                listener.listen(&mut buffer, packet.len(), &mut sent, &mut times)?;
            }
            while sent.get(whole).is_some_and(|(_, arrived)| *arrived == self.listeners.len()) {
                whole += 1;
            }
        }
    }
}

impl Listener {
    fn listen(
        &mut self,
        buffer: &mut [u8],
        packet: usize,
        sent: &mut [(Instant, usize)],
        times: &mut Histogram,
    ) -> io::Result<()> {
        loop {
            let len = match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let now = Instant::now();
            let first = self.got / packet;
            self.got += len;
            let arrived = sent.get_mut(first..self.got / packet);
            for (since, count) in arrived.ok_or_else(|| io::Error::other("more arrives than was sent"))? {
                times.add(now - *since, 1);
                *count += 1;
            }
            if len < buffer.len() {
                return Ok(());
            }
        }
    }
}

/// For so long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the load sleeps, it still looks whether it is time to speak.
const SHORT: Duration = Duration::from_millis(1);
