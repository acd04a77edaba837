//! What stands in place of `meter.rs` without the feature: nothing.

use super::{Sequence, Spoken, Verdict};
use crate::PacketId;

#[derive(Clone, Debug, Default)]
pub(crate) struct Meter;

#[must_use]
pub(crate) struct Tally;

impl Meter {
    pub(crate) const NONE: Self = Self;

    #[inline(always)]
    pub(crate) fn new(_: &str, _: Spoken) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        false
    }

    #[inline(always)]
    pub(crate) fn received(&self) -> Tally {
        Tally
    }

    #[inline(always)]
    pub(crate) fn received_other(&self, _: u64, _: u64) {}

    #[cfg(feature = "compress")]
    #[inline(always)]
    pub(crate) fn inflated(&self, _: u64) {}

    #[inline(always)]
    pub(crate) fn faults<In>(&self, _: &Sequence<In>) {}

    #[inline(always)]
    pub(crate) fn sent(&self, _: &[u8]) -> Tally {
        Tally
    }
}

impl Tally {
    #[inline(always)]
    pub(crate) fn add(&mut self, _: PacketId, _: usize) {}

    #[inline(always)]
    pub(crate) fn flush(&self) {}

    #[inline(always)]
    pub(crate) fn flush_if(&self, _: Verdict) {}
}
