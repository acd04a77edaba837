//! Sessions as machines: two of them on a clock that the test moves, joined by pipes that the test cuts and stalls.

mod clocks;
mod operations;
mod queues;
mod rates;
mod shutdown;

use std::time::Duration;

use netcore::testing::{Pair, Side};
use netcore::{CloseReason, Frame, Limits};

const NANO: Duration = Duration::from_nanos(1);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// No clock runs but that of a stalled output.
fn quiet() -> Limits {
    Limits::new().first_packet(None).unfinished(None)
}

/// A silent peer on the left, and the limits that are looked at on the right.
fn pair(limits: Limits) -> Pair {
    Pair::new(quiet(), limits, 1)
}

/// The right side ends for that reason after exactly that time, and not a nanosecond earlier.
#[track_caller]
fn ends_after(pair: &mut Pair, time: Duration, reason: CloseReason) {
    pair.advance(time - NANO);
    assert_eq!(pair.ended(Side::Right), None, "a nanosecond early");
    pair.advance(NANO);
    assert_eq!(pair.ended(Side::Right), Some(reason));
}

#[track_caller]
fn lives_for(pair: &mut Pair, time: Duration) {
    pair.advance(time);
    assert_eq!(pair.ended(Side::Right), None);
}

/// A packet with a number for a body.
fn numbered(number: u32) -> Frame {
    Frame::new(1, number.to_le_bytes().to_vec())
}

fn numbers(frames: &[Frame]) -> Vec<u32> {
    frames.iter().map(|frame| u32::from_le_bytes(frame.body[..4].try_into().unwrap())).collect()
}

/// A packet of that many bytes, header included, as it is on the wire.
fn wire(size: u16) -> Vec<u8> {
    let mut bytes = vec![7; usize::from(size)];
    bytes[..5].copy_from_slice(&[size.to_le_bytes()[0], size.to_le_bytes()[1], 1, 0, 0]);
    bytes
}
