//! The two directions of a connection in memory, and what goes wrong with them.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::ReadBuf;

/// What goes wrong at one end of a connection: at its reads and its writes, from now on.
///
/// A cheap handle to a [`MemoryStream`](super::MemoryStream), usable at any moment and from any task. Once the stream is
/// gone only a reset still tells, at the other end.
#[derive(Clone, Debug)]
pub struct Faults {
    pair: Arc<Pair>,
    first: bool,
}

impl Faults {
    pub(super) fn of_pair(capacity: usize) -> (Self, Self) {
        let way = || Way { capacity, ..Way::default() };
        let pair = Arc::new(Pair(Mutex::new((way(), way()))));
        (Self { pair: Arc::clone(&pair), first: true }, Self { pair, first: false })
    }

    /// Each read and each write moves one to `max` bytes (at least one), however many it could.
    ///
    /// The sizes follow from the seed, those of reads apart from those of writes: neither depends on how the two interleave.
    pub fn cut(&self, seed: u64, max: usize) {
        self.set_cut(Some(Cut { state: seed, max }), Some(Cut { state: !seed, max }));
    }

    /// Reads and writes move as much as they can again.
    pub fn no_cut(&self) {
        self.set_cut(None, None);
    }

    /// While `true`, reads wait, even for the end of the stream; with `false` they go on.
    pub fn stall_reads(&self, stalled: bool) {
        self.with(|_, incoming, later| incoming.reader.stall(stalled, later));
    }

    /// While `true`, writes wait, even with room in the queue; with `false` they go on. A shutdown does not wait.
    pub fn stall_writes(&self, stalled: bool) {
        self.with(|outgoing, _, later| outgoing.writer.stall(stalled, later));
    }

    /// Breaks the connection: reads and writes of both ends fail with `ConnectionReset`; what was not read is lost.
    pub fn reset(&self) {
        self.with(|outgoing, incoming, later| {
            outgoing.bytes = BytesMut::new();
            outgoing.reset(incoming, later);
        });
    }

    /// Breaks the connection once this end has written `bytes` more, at once with 0: a reset in the middle of a packet.
    ///
    /// The other end still reads all that this end wrote, exactly to that byte, and then fails; everything else fails from
    /// then on as after [`Faults::reset`]. So what arrives does not depend on which task ran first.
    pub fn reset_after(&self, bytes: usize) {
        self.with(|outgoing, incoming, later| {
            outgoing.reset_after = Some(bytes);
            outgoing.reset_if_due(incoming, later);
        });
    }

    fn set_cut(&self, reads: Option<Cut>, writes: Option<Cut>) {
        self.with(|outgoing, incoming, _| (incoming.reader.cut, outgoing.writer.cut) = (reads, writes));
    }

    // What this end writes and what it reads, under the lock; wakers are for `Later`.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Way, &mut Way, &mut Later) -> T) -> T {
        let mut later = Later::default();
        let mut ways = self.pair.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (one, two) = &mut *ways;
        let (outgoing, incoming) = if self.first { (one, two) } else { (two, one) };
        let out = act(outgoing, incoming, &mut later);
        drop(ways);
        later.wake.into_iter().for_each(Waker::wake);
        out
    }
}

// Both directions, the first end's writes first. One mutex for both, because a reset strikes both at once.
struct Pair(Mutex<(Way, Way)>);

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

// One direction.
#[derive(Default)]
pub(super) struct Way {
    pub(super) bytes: BytesMut,
    capacity: usize,
    // Writes fail; reads fail once `bytes` is used up.
    reset: bool,
    reset_after: Option<usize>,
    pub(super) writer: Side,
    pub(super) reader: Side,
}

impl Way {
    pub(super) fn read(
        &mut self,
        cx: &Context<'_>,
        buf: &mut ReadBuf<'_>,
        later: &mut Later,
    ) -> Poll<io::Result<()>> {
        let left = self.bytes.len();
        if self.reset && left == 0 {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        let ended = self.writer.done && left == 0;
        if buf.remaining() > 0 && (self.reader.stalled || (left == 0 && !ended)) {
            return self.reader.wait(cx, later);
        }
        let count = self.reader.share(left.min(buf.remaining()));
        // A queue that is empty holds no memory.
        let bytes = if count == left { mem::take(&mut self.bytes) } else { self.bytes.split_to(count) };
        buf.put_slice(&bytes);
        later.wake.extend(self.writer.waker.take());
        Poll::Ready(Ok(()))
    }

    pub(super) fn write(
        &mut self,
        cx: &Context<'_>,
        bufs: &[IoSlice<'_>],
        later: &mut Later,
    ) -> Poll<io::Result<usize>> {
        if self.reset {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        if self.writer.done || self.reader.done {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let given = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        let room = self.capacity.saturating_sub(self.bytes.len()).min(self.reset_after.unwrap_or(usize::MAX));
        if given > 0 && (self.writer.stalled || room == 0) {
            return self.writer.wait(cx, later);
        }
        let count = self.writer.share(given.min(room));
        let mut left = count;
        for buf in bufs {
            let piece = buf.len().min(left);
            self.bytes.put(Buf::take(&**buf, piece));
            left -= piece;
        }
        self.reset_after = self.reset_after.map(|bytes| bytes - count);
        later.wake.extend(self.reader.waker.take());
        Poll::Ready(Ok(count))
    }

    pub(super) fn reset_if_due(&mut self, back: &mut Self, later: &mut Later) {
        if self.reset_after.take_if(|bytes| *bytes == 0).is_some() {
            self.reset(back, later);
        }
    }

    // Leaves the bytes of this direction to be read.
    fn reset(&mut self, back: &mut Self, later: &mut Later) {
        back.bytes = BytesMut::new();
        for way in [self, back] {
            way.reset = true;
            way.wake_both(later);
        }
    }

    pub(super) fn wake_both(&mut self, later: &mut Later) {
        later.wake.extend(self.reader.waker.take().into_iter().chain(self.writer.waker.take()));
    }
}

// Who writes into a direction, or who reads from it.
#[derive(Default)]
pub(super) struct Side {
    // The writer's: shut down or dropped. The reader's: dropped.
    pub(super) done: bool,
    stalled: bool,
    cut: Option<Cut>,
    pub(super) waker: Option<Waker>,
}

impl Side {
    fn stall(&mut self, stalled: bool, later: &mut Later) {
        self.stalled = stalled;
        later.wake.extend(self.waker.take());
    }

    fn wait<T>(&mut self, cx: &Context<'_>, later: &mut Later) -> Poll<T> {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            later.drop.extend(self.waker.replace(cx.waker().clone()));
        }
        Poll::Pending
    }

    fn share(&mut self, count: usize) -> usize {
        match &mut self.cut {
            Some(cut) if count > 0 => cut.next().min(count),
            _ => count,
        }
    }
}

// Wakers to be used without the lock: what they wake, or the last task that they drop, may use this very pair.
#[derive(Default)]
pub(super) struct Later {
    pub(super) wake: Vec<Waker>,
    pub(super) drop: Vec<Waker>,
}

struct Cut {
    state: u64,
    max: usize,
}

impl Cut {
    // SplitMix64 (Steele, Lea, Flood 2014): every seed is good, 0 too.
    fn next(&mut self) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        1 + ((mixed ^ (mixed >> 31)) % self.max.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests;
