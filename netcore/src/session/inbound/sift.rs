//! Packets that do not go on to the game, and what the others weigh without them.

use std::mem;

use super::Inbound;
use crate::session::Fault;

/// The bytes of one packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Of the stream.
    pub(super) wire: u32,
    /// So many more where it waits for the game.
    pub(super) grown: u32,
}

impl<In> Inbound<In> {
    /// Says whether each packet of the batches to come is weighed, for [`sift`](Self::sift).
    pub(crate) const fn weigh(&mut self, each: bool) {
        self.weighs = each;
    }

    /// Takes all packets out; those that come back go on. The bytes of the others leave with them: exactly, if each was
    /// weighed, or else as if all were of one size.
    pub(crate) fn sift(&mut self, mut goes_on: impl FnMut(Result<In, Fault>) -> Option<Result<In, Fault>>) {
        let before = self.packets.len();
        // Not if a rate took some out: then nothing says whose size is whose.
        let weighed = self.sizes.take().filter(|sizes| sizes.len() == before);
        let mut bytes = 0;
        for (at, packet) in mem::take(&mut self.packets).enumerate() {
            if let Some(packet) = goes_on(packet) {
                let size = weighed.as_ref().and_then(|sizes| sizes.get(at));
                bytes += size.map_or(0, |size| size.wire as usize + size.grown as usize);
                self.packets.push(packet);
            }
        }
        let after = self.packets.len();
        if after < before {
            // Rounded up: what goes on weighs something.
            let share = || (self.bytes / before + 1).saturating_mul(after);
            self.bytes = self.bytes.min(if weighed.is_some() { bytes } else { share() });
        }
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
