//! Packets that do not go on to the game, and what the others weigh without them.

use std::mem;

use super::Inbound;
use crate::session::Fault;

/// What each packet of a batch weighs among those that wait for the game.
#[derive(Debug, Default)]
pub(super) struct Weights(Vec<usize>);

impl Weights {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn push(&mut self, size: usize) {
        self.0.push(size);
    }

    /// The last one has become so much larger.
    #[cfg(feature = "compress")]
    pub(super) fn grow(&mut self, by: usize) {
        if let Some(last) = self.0.last_mut() {
            *last += by;
        }
    }
}

impl<In> Inbound<In> {
    /// Says whether each packet of the batches to come is weighed, for [`sift`](Self::sift).
    pub(crate) fn weigh(&mut self, each: bool) {
        if each {
            self.weights.get_or_insert_default();
        } else {
            self.weights = None;
        }
    }

    /// Takes all packets out; those that come back go on. The bytes of the others leave with them: exactly, if each was
    /// weighed, or else as if all were of one size.
    pub(crate) fn sift(&mut self, mut goes_on: impl FnMut(Result<In, Fault>) -> Option<Result<In, Fault>>) {
        let (before, weights) = (self.packets.len(), self.weights.take());
        // Not if a rate took some out: then nothing says whose weight is whose.
        let weighed = weights.as_ref().filter(|weights| weights.0.len() == before);
        let mut bytes = 0usize;
        for (at, packet) in mem::take(&mut self.packets).enumerate() {
            if let Some(packet) = goes_on(packet) {
                bytes += weighed.and_then(|weights| weights.0.get(at)).copied().unwrap_or_default();
                self.packets.push(packet);
            }
        }
        let after = self.packets.len();
        if after < before {
            // Rounded up: what goes on weighs something.
            let share = || (self.bytes / before + 1).saturating_mul(after);
            self.bytes = self.bytes.min(if weighed.is_some() { bytes } else { share() });
        }
        self.weights = weights;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn batch(weigh: bool) -> Inbound<u32> {
        let mut batch = Inbound::new();
        batch.weigh(weigh);
        batch.begin(Instant::now(), 0, false);
        for (packet, size) in [(1, 7), (2, 30_000), (3, 6), (4, 20_000)] {
            batch.push(Ok(packet), size);
        }
        batch
    }

    fn odd(packet: Result<u32, Fault>) -> Option<Result<u32, Fault>> {
        packet.is_ok_and(|packet| packet % 2 == 1).then_some(Ok(1))
    }

    #[test]
    fn the_bytes_of_what_does_not_go_on_leave_with_it() {
        let mut weighed = batch(true);
        weighed.sift(odd);
        assert_eq!((weighed.len(), weighed.bytes), (2, 13));
        weighed.sift(Some);
        assert_eq!((weighed.len(), weighed.bytes), (2, 13), "all went on");
        weighed.sift(|_| None);
        assert_eq!((weighed.len(), weighed.bytes), (0, 0));
    }

    #[test]
    fn of_what_was_not_weighed_a_part_leaves_and_never_more_than_there_is() {
        let mut some = batch(false);
        some.sift(odd);
        assert!((25_006..=25_010).contains(&some.bytes), "{}", some.bytes);
        let mut cut = batch(true);
        cut.keep(3);
        cut.sift(odd);
        assert!(cut.bytes > 13 && cut.bytes <= 50_013, "{}", cut.bytes);
        let mut none = Inbound::<u32>::new();
        none.sift(odd);
        assert_eq!(none.bytes, 0);
    }
}
