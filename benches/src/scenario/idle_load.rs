//! The peers of the idle scenarios, and what each of them costs the server.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};

use super::idle_server::{PING, PONG};
use super::process;
use crate::hand;

/// How many peers, at which server.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// So many peers.
    pub sessions: usize,
    /// For so long the peers answer heartbeats; if there are none, memory is measured instead.
    pub heartbeats: Option<Duration>,
}

/// What came of it.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Measured {
    /// Resident memory for each session that has said nothing yet, in bytes.
    pub fresh: f64,
    /// The same once each has sent one packet and got it back.
    pub spoken: f64,
    /// The server's share of a core.
    pub busy: f64,
    /// Heartbeats that were answered, a second.
    pub heartbeats: f64,
}

impl Load {
    /// Runs it.
    ///
    /// # Errors
    /// When a connection breaks, or the system does not tell what a process costs.
    pub fn run(&self) -> io::Result<Measured> {
        let missing = || io::Error::other("this system does not tell what a process costs");
        // What the first session makes is not counted: buffers that all share, threads.
        drop(speak(&mut [TcpStream::connect(self.address)?]));
        let open = descriptors(self.pid).ok_or_else(missing)?;
        let empty = process::resident(self.pid).ok_or_else(missing)?;
        let mut peers = Vec::with_capacity(self.sessions);
        for _ in 0..self.sessions {
            peers.push(TcpStream::connect(self.address)?);
        }
        let patience = Instant::now() + PATIENCE;
        while descriptors(self.pid).ok_or_else(missing)? + 2 < open + self.sessions {
            if Instant::now() > patience {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not let everyone in"));
            }
            sleep(SETTLE / 10);
        }
        let each = || {
            sleep(SETTLE);
            let now = process::resident(self.pid)?;
            Some((now as f64 - empty as f64) / self.sessions.max(1) as f64)
        };
        let mut measured =
            Measured { fresh: each().ok_or_else(missing)?, spoken: 0.0, busy: 0.0, heartbeats: 0.0 };
        match self.heartbeats {
            None => {
                speak(&mut peers)?;
                measured.spoken = each().ok_or_else(missing)?;
            }
            Some(time) => (measured.busy, measured.heartbeats) = self.answer(peers, time)?,
        }
        Ok(measured)
    }

    /// Answers every heartbeat; the server's share of a core, and how many there were a second.
    fn answer(&self, peers: Vec<TcpStream>, time: Duration) -> io::Result<(f64, f64)> {
        let mut poll = Poll::new()?;
        let mut streams = Vec::with_capacity(peers.len());
        for (number, peer) in peers.into_iter().enumerate() {
            peer.set_nonblocking(true)?;
            let mut stream = mio::net::TcpStream::from_std(peer);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            streams.push(stream);
        }
        let (ping, pong) = (hand::head(PING, 0), hand::head(PONG, 0));
        let mut events = Events::with_capacity(1024);
        let mut buffer = [0; 5 * 100];
        let (mut start, mut count, mut before) = (Instant::now(), 0_u64, None);
        loop {
            poll.poll(&mut events, Some(SETTLE))?;
            for event in &events {
                let Some(stream) = streams.get_mut(event.token().0) else { continue };
                // Events come once: all there is must be read. Pings are too rare to come in pieces.
                loop {
                    let len = match stream.read(&mut buffer) {
                        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Ok(len) => len,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error),
                    };
                    for heard in buffer.get(..len).unwrap_or_default().chunks(ping.len()) {
                        if heard != ping {
                            return Err(io::Error::new(io::ErrorKind::InvalidData, "no heartbeat"));
                        }
                        stream.write_all(&pong)?;
                        count += 1;
                    }
                }
            }
            let now = process::spent(self.pid);
            match before {
                // The first beats come together, as the peers did.
                None if start.elapsed() > time / 4 => (start, count, before) = (Instant::now(), 0, Some(now)),
                Some(before) if start.elapsed() > time => {
                    let (Some(now), Some(before)) = (now, before) else {
                        return Err(io::ErrorKind::Unsupported.into());
                    };
                    let took = start.elapsed().as_secs_f64();
                    return Ok(((now - before).as_secs_f64() / took, count as f64 / took));
                }
                _ => {}
            }
        }
    }
}

/// Each sends a packet and gets it back.
fn speak(peers: &mut [TcpStream]) -> io::Result<()> {
    let mut packet = hand::head(1, 32).to_vec();
    packet.resize(packet.len() + 32, 7);
    let mut back = vec![0; packet.len()];
    for peer in peers {
        peer.set_read_timeout(Some(PATIENCE))?;
        peer.write_all(&packet)?;
        peer.read_exact(&mut back)?;
        if back != packet {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes than were sent"));
        }
    }
    Ok(())
}

/// How many files a process has open.
fn descriptors(pid: u32) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

/// For so long nothing happens before memory is looked at.
const SETTLE: Duration = Duration::from_millis(300);
/// For so long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
