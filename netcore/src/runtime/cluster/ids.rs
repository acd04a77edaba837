//! Numbers that no other node has.

use std::ops::Range;

use super::NodeId;

/// What is left of the blocks that were reserved, and the numbers that a node makes up when it has none.
pub(super) struct Ids {
    node: NodeId,
    block: Range<u64>,
    next: Option<Range<u64>>,
    /// A block was asked for.
    pub(super) asked: bool,
    /// The end of the last block that this node had.
    pub(super) floor: u64,
    alone: u64,
}

impl Ids {
    pub(super) fn new(node: NodeId) -> Self {
        Self { node, block: 0..0, next: None, asked: false, floor: 0, alone: 0 }
    }

    pub(super) fn next(&mut self) -> u64 {
        if self.block.is_empty()
            && let Some(next) = self.next.take()
        {
            self.block = next;
        }
        self.block.next().unwrap_or_else(|| self.made_up())
    }

    /// Whether there should be another block.
    pub(super) fn low(&self) -> bool {
        self.next.is_none() && !self.asked
    }

    pub(super) fn add(&mut self, start: u64, size: u64) {
        self.used(start, size);
        let block = start..start.saturating_add(size).min(MADE_UP);
        if self.block.is_empty() {
            self.block = block;
        } else {
            self.next = Some(block);
        }
    }

    /// The node had that block.
    pub(super) fn used(&mut self, start: u64, size: u64) {
        self.floor = self.floor.max(start.saturating_add(size)).min(MADE_UP);
    }

    /// Bit 62, 30 bits of the node's own, and a counter of 32 bits: below 2⁶³, and never in a block.
    fn made_up(&mut self) -> u64 {
        let (epoch, low) = (self.alone >> 32, self.alone & 0xffff_ffff);
        self.alone += 1;
        MADE_UP | (mix(self.node.get() ^ epoch) >> 34 << 32) | low
    }
}

/// A number that has nothing to do with the last one, the same each time. It is splitmix64's.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Numbers from here on are made up.
pub(super) const MADE_UP: u64 = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_from_the_blocks_and_then_are_made_up_beside_them() {
        let mut ids = Ids::new(NodeId::new(7));
        ids.add(10, 2);
        assert!(ids.low());
        ids.add(100, 1);
        assert!(!ids.low());
        assert_eq!([ids.next(), ids.next(), ids.next()], [10, 11, 100]);
        assert!(ids.low());
        let (first, second) = (ids.next(), ids.next());
        assert!(first >= MADE_UP && second == first + 1 && second < 1 << 63);
        assert_eq!(ids.floor, 101);
        assert_ne!(Ids::new(NodeId::new(8)).next(), first);
    }

    #[test]
    fn made_up_numbers_go_on_after_four_billion() {
        let mut ids = Ids::new(NodeId::new(7));
        let before = ids.next();
        ids.alone = 1 << 32;
        let after = ids.next();
        assert!(after != before && (MADE_UP..1 << 63).contains(&after));
    }
}
