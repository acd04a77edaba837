//! One direction of a connection that does not exist.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};

/// Bytes on their way from one side of a [`Pair`](super::pair::Pair) to the other, cut where its seed says.
#[derive(Debug)]
pub struct Pipe {
    /// How long a byte is on its way.
    pub latency: Duration,
    /// How many bytes are on their way at most.
    pub capacity: usize,
    /// The most bytes that one write or one read moves: 1 at least.
    pub cut: usize,
    /// Nothing arrives: the other side does not read.
    pub stalled: bool,
    flight: VecDeque<(Instant, Bytes)>,
    len: usize,
    ended: Option<Instant>,
    reset: bool,
    random: u64,
}

/// What has come.
pub(super) enum Arrival {
    Nothing,
    Bytes(Bytes),
    End,
    Reset(io::ErrorKind),
}

impl Pipe {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            latency: Duration::ZERO,
            capacity: 64 * 1024,
            cut: usize::MAX,
            stalled: false,
            flight: VecDeque::new(),
            len: 0,
            ended: None,
            reset: false,
            random: seed,
        }
    }

    /// How many bytes would be taken.
    pub(super) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.len)
    }

    pub(super) fn is_reset(&self) -> bool {
        self.reset
    }

    /// Takes from the front of `chunks` what there is room for, and not always all of that.
    pub(super) fn write(&mut self, now: Instant, chunks: &VecDeque<Bytes>) -> Result<usize, io::ErrorKind> {
        if self.reset {
            return Err(io::ErrorKind::ConnectionReset);
        }
        let most = self.room().min(self.piece());
        let mut taken = 0;
        for chunk in chunks {
            let here = chunk.slice(..chunk.len().min(most - taken));
            taken += here.len();
            self.put(now, here);
        }
        Ok(taken)
    }

    pub(super) fn put(&mut self, now: Instant, bytes: Bytes) {
        if !bytes.is_empty() && self.ended.is_none() && !self.reset {
            // What comes later never arrives earlier, even if the latency was made shorter.
            let last = self.flight.back().map_or(now, |(due, _)| *due);
            self.len += bytes.len();
            self.flight.push_back((last.max(now + self.latency), bytes));
        }
    }

    /// Nothing more will be written.
    pub(super) fn end(&mut self, now: Instant) {
        let last = self.flight.back().map_or(now, |(due, _)| *due);
        self.ended.get_or_insert(last.max(now + self.latency));
    }

    pub(super) fn reset(&mut self) {
        self.flight.clear();
        self.len = 0;
        self.reset = true;
    }

    pub(super) fn read(&mut self, now: Instant) -> Arrival {
        if self.reset {
            return Arrival::Reset(io::ErrorKind::ConnectionReset);
        }
        if self.stalled {
            return Arrival::Nothing;
        }
        let most = self.piece();
        match self.flight.front_mut() {
            Some((due, bytes)) if *due <= now => {
                let piece = bytes.split_to(bytes.len().min(most));
                if !bytes.has_remaining() {
                    self.flight.pop_front();
                }
                self.len -= piece.len();
                Arrival::Bytes(piece)
            }
            None if self.ended.is_some_and(|ended| ended <= now) => Arrival::End,
            _ => Arrival::Nothing,
        }
    }

    /// When something arrives next.
    pub(super) fn next_arrival(&self) -> Option<Instant> {
        if self.stalled { None } else { self.flight.front().map(|(due, _)| *due).or(self.ended) }
    }

    /// How much is moved at once.
    fn piece(&mut self) -> usize {
        // Splitmix: a step, then a stir, so that seeds that are near each other are as good as others.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let stirred = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let cut = self.cut.max(1) as u64;
        1 + usize::try_from((stirred ^ (stirred >> 31)) % cut).unwrap_or(usize::MAX - 1)
    }
}

impl Arrival {
    /// Whether bytes were taken.
    pub(super) fn moved(&self) -> bool {
        matches!(self, Self::Bytes(_))
    }
}
