//! Which packets of a batch something is true of.

use super::Inbound;

/// A bit for each packet of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks([u64; WORDS]);

impl Marks {
    pub(crate) const NONE: Self = Self([0; WORDS]);

    pub(crate) fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(crate) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// How many are marked.
    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

const WORDS: usize = Inbound::<()>::MAX / 64;
