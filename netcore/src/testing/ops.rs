//! Bytes as a list of operations.

use crate::session::Slow;

/// What is left of the list. After its end, every byte is 0.
pub(super) struct Ops<'a>(pub(super) &'a [u8]);

impl Ops<'_> {
    pub(super) fn more(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// Any policy, of the keys only a few, so that they meet.
    pub(super) fn slow(&mut self) -> Slow {
        match self.byte() % 8 {
            0 | 1 => Slow::Disconnect,
            2 => Slow::DropNewest,
            3 => Slow::DropOldest,
            key => Slow::Latest(key.into()),
        }
    }
}
