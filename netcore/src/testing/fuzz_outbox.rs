//! Lists of operations on an outbox, against a list of packets that does the same in the plainest way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};

use bytes::Bytes;

use super::ops::Ops;
use crate::session::{CloseReason, Joined, Outbox, Slow, Take, Total, Verdict};

/// Any operations on an outbox: the same verdicts, the same bytes, the same counters as the reference, nobody forgotten.
///
/// The input's first byte is the bound, in units of 8 bytes; the rest are operations.
pub fn outbox_ops(data: &[u8]) {
    let mut ops = Ops(data);
    let limit = usize::from(ops.byte()) * 8;
    let total = Arc::new(Total::new(usize::MAX, |_| false));
    let outbox = Outbox::within(limit, Some(total.clone()));
    let mut model = Model::new(limit);
    let (drain, room) = (Called::new(), Called::new());
    let (mut listens, mut waits) = (false, false);
    let (mut packets, mut for_room) = (0_u32, outbox.for_room());
    while ops.more() {
        // Until now nobody was called for nothing but what was done last.
        drain.take();
        match ops.byte() % 16 {
            op @ 0..=8 => {
                let (slow, bytes) = (ops.slow(), packet(&mut packets, ops.byte(), op));
                let (verdict, share) = match op {
                    0..=3 => (outbox.push(&bytes, slow), false),
                    4..=6 => (outbox.push_shared(&bytes, slow), bytes.len() >= 1024),
                    _ => {
                        let mut joined = Joined::default();
                        joined.bytes.extend_from_slice(&bytes);
                        joined.added(Slow::Disconnect);
                        let verdict = outbox.push_joined(&mut joined);
                        assert!(joined.is_empty());
                        (verdict, false)
                    }
                };
                let slow = if op > 6 { Slow::Disconnect } else { slow };
                let calls = !model.blocked && !bytes.is_empty() && model.closed.is_none();
                assert_eq!(verdict, model.push(&bytes, slow, share));
                if listens && calls && verdict == Verdict::Queued {
                    assert!(drain.peek(), "nobody was called for a packet");
                }
            }
            9 | 10 => {
                let most = 1 << (ops.byte() % 12);
                let mut to = VecDeque::new();
                let keyed = most * 4;
                match outbox.take(&mut to, most, keyed, &drain.1) {
                    Take::Bytes => model.take(to.iter(), most, keyed),
                    Take::Pending => {
                        assert!(model.packets.is_empty() && model.closed.is_none());
                        (model.blocked, listens) = (false, true);
                    }
                    Take::End(reason) => {
                        assert!(model.packets.is_empty());
                        assert_eq!(Some(reason), model.closed.map(|closed| closed.0));
                    }
                }
            }
            11 | 12 => {
                let gone = usize::from(ops.byte()).min(model.in_hand);
                model.in_hand -= gone;
                outbox.gone(gone);
            }
            13 => {
                model.blocked = ops.byte() % 2 == 0;
                outbox.set_blocked(model.blocked);
                if model.blocked {
                    outbox.listen(&drain.1);
                    listens = true;
                }
            }
            14 => {
                let ready = for_room.poll(&mut Context::from_waker(&room.1), 0).is_ready();
                assert_eq!(ready, model.has_room());
                waits |= !ready;
            }
            _ => {
                let (how, number) = (ops.byte(), ops.byte());
                let reason = CloseReason::Game(number.into());
                match how % 8 {
                    7 => {
                        let (gone, calls) = outbox.shed(number.into());
                        calls.call();
                        assert_eq!(gone, model.shed(number.into()));
                    }
                    0 | 4 => {
                        model.close(reason, false);
                        outbox.abort(reason);
                    }
                    _ => {
                        model.close(reason, true);
                        outbox.close(reason);
                    }
                }
                assert!(!listens || how % 8 == 7 || drain.peek(), "nobody was called for the end");
            }
        }
        listens &= !drain.peek();
        if waits && model.has_room() {
            assert!(room.take(), "who waits for room was forgotten");
            waits = false;
        }
        assert_eq!(outbox.queued(), model.queued());
        assert_eq!(total.queued(), model.queued());
        assert!(model.queued() <= limit);
        assert_eq!(outbox.dropped(), model.dropped);
        assert_eq!(outbox.closed(), model.closed.map(|closed| closed.0));
        assert_eq!(outbox.given_up().is_some(), model.closed.is_some_and(|closed| !closed.1));
    }
    let mut rest = VecDeque::new();
    let all = outbox.take(&mut rest, usize::MAX, 0, &drain.1);
    assert_eq!(rest.iter().map(Bytes::len).sum::<usize>(), model.waiting(), "{all:?}");
    model.take(rest.iter(), usize::MAX, 0);
    outbox.gone(model.in_hand);
    assert_eq!((outbox.queued(), total.queued()), (0, 0));
}

/// A packet that is like no other: its number, over and over.
fn packet(packets: &mut u32, size: u8, op: u8) -> Bytes {
    *packets += 1;
    // Of the shared ones, some are so large that they are not copied.
    let size = usize::from(size) * if op == 6 { 16 } else { 1 };
    packets.to_le_bytes().into_iter().cycle().take(size).collect()
}

/// What an outbox is, written down without a thought for speed.
struct Model {
    limit: usize,
    packets: Vec<Waits>,
    in_hand: usize,
    blocked: bool,
    dropped: u64,
    closed: Option<(CloseReason, bool)>,
}

struct Waits {
    bytes: Bytes,
    // May still be taken out, and by what policy.
    apart: Option<Slow>,
}

impl Model {
    fn new(limit: usize) -> Self {
        Self { limit, packets: Vec::new(), in_hand: 0, blocked: false, dropped: 0, closed: None }
    }

    fn push(&mut self, bytes: &Bytes, slow: Slow, share: bool) -> Verdict {
        if self.closed.is_some() {
            return Verdict::Closed;
        }
        if bytes.is_empty() {
            return Verdict::Queued;
        }
        let droppable = self.packets.iter().filter(|packet| packet.apart.is_some());
        let droppable: usize = droppable.map(|packet| packet.bytes.len()).sum();
        let fixed = self.queued() - if slow == Slow::DropNewest { 0 } else { droppable };
        if fixed + bytes.len() > self.limit {
            self.dropped += 1;
            if slow == Slow::Disconnect {
                self.close(CloseReason::QueueFull(self.limit), false);
                return Verdict::Closed;
            }
            return Verdict::Dropped;
        }
        if self.blocked && matches!(slow, Slow::Latest(_)) {
            self.remove(self.packets.iter().rposition(|packet| packet.apart == Some(slow)));
        }
        while self.queued() + bytes.len() > self.limit {
            self.remove(self.packets.iter().position(|packet| packet.apart.is_some()));
        }
        let beyond = self.blocked || self.queued() + bytes.len() > self.limit / 4;
        let apart = (slow != Slow::Disconnect && (beyond || share)).then_some(slow);
        self.packets.push(Waits { bytes: bytes.clone(), apart });
        Verdict::Queued
    }

    fn remove(&mut self, at: Option<usize>) {
        if let Some(at) = at {
            self.packets.remove(at);
            self.dropped += 1;
        }
    }

    /// The chunks are whole packets from the front, and enough of them: some more where there are keys.
    fn take<'a>(&mut self, chunks: impl Iterator<Item = &'a Bytes>, most: usize, keyed: usize) {
        let mut taken = 0;
        for chunk in chunks {
            assert!(taken < most || (taken < keyed && self.has_keys()), "more than was asked for");
            taken += chunk.len();
            let mut chunk = &chunk[..];
            while !chunk.is_empty() {
                let packet = self.packets.remove(0);
                chunk = chunk.strip_prefix(&packet.bytes[..]).expect("the next packet, and all of it");
            }
        }
        let enough = taken >= most && (taken >= keyed || !self.has_keys());
        assert!(enough || self.packets.is_empty(), "{taken} of {most} bytes, and more wait");
        self.in_hand += taken;
    }

    fn has_keys(&self) -> bool {
        self.packets.iter().any(|packet| matches!(packet.apart, Some(Slow::Latest(_))))
    }

    /// The oldest that may be dropped, until so many bytes have gone; how many have.
    fn shed(&mut self, most: usize) -> usize {
        let mut gone = 0;
        while gone < most {
            let Some(at) = self.packets.iter().position(|packet| packet.apart.is_some()) else { break };
            gone += self.packets[at].bytes.len();
            self.remove(Some(at));
        }
        gone
    }

    fn close(&mut self, reason: CloseReason, flush: bool) {
        let (first, flushes) = self.closed.unwrap_or((reason, true));
        self.closed = Some((first, flushes && flush));
        if !flush {
            self.packets.clear();
        }
    }

    fn waiting(&self) -> usize {
        self.packets.iter().map(|packet| packet.bytes.len()).sum()
    }

    fn queued(&self) -> usize {
        self.waiting() + self.in_hand
    }

    fn has_room(&self) -> bool {
        self.closed.is_some() || self.queued() <= self.limit / 2
    }
}

/// A waker, and whether it was called.
struct Called(Arc<Flag>, Waker);

struct Flag(AtomicBool);

impl Called {
    fn new() -> Self {
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        Self(flag.clone(), flag.into())
    }

    fn take(&self) -> bool {
        self.0.0.swap(false, Relaxed)
    }

    fn peek(&self) -> bool {
        self.0.0.load(Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}
