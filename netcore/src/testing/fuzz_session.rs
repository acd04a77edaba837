//! Lists of operations on two sessions that are joined: what is sent arrives whole, in order and once, or there is a
//! reason why not.

use std::time::Duration;

use super::ops::Ops;
use super::{Pair, Side};
use crate::session::{CloseReason, Heartbeat, Limits, Over, Rate, Slow, Verdict};
use crate::{Frame, Header};

/// Any operations on a pair of sessions.
///
/// The input's first bytes are the limits of both sides and the seed, the rest are operations.
pub fn session_pair(data: &[u8]) {
    let mut ops = Ops(data);
    let limits = [limits(&mut ops), limits(&mut ops)];
    let max = if ops.byte() % 4 == 0 { 2_000 } else { usize::MAX };
    let seed = ops.byte().into();
    let [left, right] = limits;
    let pair = Pair::within(left, right, seed, max);
    let mut run = Run { pair, sent: Default::default(), wild: [false; 2], seen: [(0, 0); 2] };
    while ops.more() {
        run.step(&mut ops);
        for side in SIDES {
            run.check(side);
        }
    }
    run.finish();
}

/// Limits that bite soon.
fn limits(ops: &mut Ops<'_>) -> Limits {
    let (clocks, rates) = (ops.byte(), ops.byte());
    let second = Duration::from_secs;
    let over = [Over::Drop, Over::Warn, Over::Close][usize::from(rates >> 6).min(2)];
    let rate = Rate::per_second(20).burst(40).over(over);
    let mut limits = Limits::new().queue(64 << (ops.byte() % 8));
    limits = limits.first_packet((clocks & 1 != 0).then(|| second(60)));
    limits = limits.login((clocks & 2 != 0).then(|| second(30))).admission(1000, 300);
    limits = limits.unfinished((clocks & 4 != 0).then(|| second(10)));
    limits = limits.idle((clocks & 8 != 0).then(|| second(20)));
    if clocks & 16 != 0 {
        limits = limits.heartbeat(Heartbeat::new(Frame::new(65_001, "?"), 65_002).every(second(4)));
    }
    if rates & 1 != 0 {
        limits = limits.packets(rate);
    }
    if rates & 2 != 0 {
        limits = limits.bytes(Rate::per_second(1000).burst(2000).over(over));
    }
    if rates & 4 != 0 {
        limits = limits.tiny(12, rate);
    }
    limits
}

struct Run {
    pair: Pair,
    // What each side was asked to send.
    sent: [Vec<Sent>; 2],
    // Bytes were put onto that side's pipe that are no packets of it.
    wild: [bool; 2],
    seen: [(usize, u32); 2],
}

struct Sent {
    frame: Frame,
    slow: Slow,
    verdict: Verdict,
}

impl Run {
    fn step(&mut self, ops: &mut Ops<'_>) {
        let op = ops.byte();
        let side = if op & 128 == 0 { Side::Left } else { Side::Right };
        let pair = &mut self.pair;
        match op % 24 {
            0..=7 => {
                let (slow, size) = (ops.slow(), ops.byte());
                self.send(side, slow, usize::from(size) * if op % 24 == 7 { 20 } else { 1 });
            }
            8 | 9 => pair.run(),
            10 => pair.advance(Duration::from_millis(ops.byte().into())),
            11 => pair.advance(Duration::from_millis(100 * u64::from(ops.byte()))),
            12 => pair.pipe(side).stalled = true,
            13 => pair.pipe(side).stalled = false,
            14 => pair.pipe(side).capacity = usize::from(ops.byte()) * 4,
            15 => pair.pipe(side).cut = usize::from(ops.byte()) * 2,
            16 => pair.pipe(side).latency = Duration::from_millis(u64::from(ops.byte()) * 4),
            17 => pair.slow_game(side, ops.byte() & 1 == 0),
            18 => pair.admit(side),
            19 => pair.stay_open(side),
            20 => {
                for _ in 0..ops.byte() {
                    self.send(side, Slow::Latest(9), 0);
                }
            }
            21 => pair.run(),
            _ => match ops.byte() % 16 {
                0 => pair.reset(),
                1 => pair.abort(side, CloseReason::Panicked),
                2 => pair.close(side, CloseReason::Ended),
                3 => pair.half_close(side, CloseReason::Ended),
                4 => {
                    self.wild[side as usize] = true;
                    let bytes: Vec<u8> = (0..ops.byte()).map(|_| ops.byte()).collect();
                    self.pair.inject(side, &bytes);
                }
                _ => pair.run(),
            },
        }
    }

    fn send(&mut self, side: Side, slow: Slow, size: usize) {
        let sent = &mut self.sent[side as usize];
        let number = u32::try_from(sent.len()).unwrap_or(u32::MAX).to_le_bytes();
        let body: Vec<u8> = number.into_iter().chain(std::iter::repeat_n(number[0], size)).collect();
        let frame = Frame::new(1, body);
        let verdict = self.pair.send(side, &frame, slow);
        sent.push(Sent { frame, slow, verdict });
    }

    /// What arrived from that side was sent, is whole, in order and there once.
    fn check(&mut self, side: Side) {
        let outbox = self.pair.outbox(side);
        assert!(outbox.queued() <= outbox.limit());
        if self.wild[side as usize] {
            return;
        }
        // Where the last look ended: how many were there, and the number that may follow.
        let (seen, next) = &mut self.seen[side as usize];
        for frame in &self.pair.received(side.other())[*seen..] {
            let number = u32::from_le_bytes(frame.body[..4].try_into().expect("a number"));
            let sent = &self.sent[side as usize][number as usize];
            assert!(number >= *next, "packet {number}, where {next} or more may follow");
            assert!(sent.frame == *frame && sent.verdict == Verdict::Queued);
            (*seen, *next) = (*seen + 1, number + 1);
        }
    }

    /// Nothing hinders any more, and both close: what may be expected then has arrived.
    fn finish(mut self) {
        for side in SIDES {
            let pipe = self.pair.pipe(side);
            (pipe.stalled, pipe.capacity, pipe.latency) = (false, 1 << 20, Duration::ZERO);
            self.pair.slow_game(side, false);
        }
        self.pair.run();
        for side in SIDES {
            self.pair.half_close(side, CloseReason::Ended);
        }
        self.pair.advance(Duration::from_secs(120));
        for side in SIDES {
            self.check(side);
            self.check_all_arrived(side);
        }
        assert_eq!(self.pair.dissolve(), [0; 3], "something is queued for ever");
    }

    fn check_all_arrived(&self, side: Side) {
        let outbox = self.pair.outbox(side);
        assert!(self.pair.finished(side).is_some(), "{side:?} never finished");
        let sent = &self.sent[side as usize];
        let refused = sent.iter().filter(|sent| sent.verdict == Verdict::Dropped).count() as u64;
        assert!(outbox.dropped() >= refused, "a sender was told of a drop that was not counted");
        // Whatever cuts a session short has a reason, on one side or the other.
        let heard_out = self.pair.ended(side.other()) == Some(CloseReason::PeerClosed);
        if outbox.given_up().is_some() || !heard_out || self.wild[side as usize] {
            return;
        }
        let counts = self.pair.session(side.other()).counts();
        let received = self.pair.received(side.other());
        if counts.rate_dropped > 0 {
            return;
        }
        let queued = sent.iter().filter(|sent| sent.verdict == Verdict::Queued);
        let bytes = |frame: &Frame| (Header::LEN + frame.body.len()) as u64;
        assert_eq!(self.pair.session(side).counts().bytes_out, counts.bytes_in);
        let beats = SIDES.into_iter().any(|side| self.pair.beats(side));
        if !beats {
            let dropped = outbox.dropped() - refused;
            assert_eq!(received.len() as u64, queued.clone().count() as u64 - dropped);
            assert_eq!(received.iter().map(bytes).sum::<u64>(), counts.bytes_in);
        }
        let firm = |frame: &&Frame| {
            let number = u32::from_le_bytes(frame.body[..4].try_into().expect("a number"));
            sent[number as usize].slow == Slow::Disconnect
        };
        let firm_sent = queued.filter(|sent| sent.slow == Slow::Disconnect).count();
        assert_eq!(received.iter().filter(firm).count(), firm_sent, "one that must not be lost was");
    }
}

const SIDES: [Side; 2] = [Side::Left, Side::Right];
