//! What stands in place of `mod.rs` without the feature: nothing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::TryError;
use crate::Packet;
use crate::cluster::Snapshot;
use crate::session::{CloseReason, Meter, Spoken};

pub(super) struct Ticking;

impl Ticking {
    #[inline(always)]
    pub(super) fn new(_: usize, _: bool) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn begin(&self, _: Duration) -> Begun {
        Begun
    }

    #[inline(always)]
    pub(super) fn end(&self, _: Begun) {}
}

pub(super) struct Begun;

pub(super) struct RoundTrip;

impl RoundTrip {
    #[inline(always)]
    pub(super) fn begin(_: &impl Packet) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn end(self) {}
}

#[derive(Clone, Debug, Default)]
pub(super) struct ClientMeter(());

impl ClientMeter {
    #[inline(always)]
    pub(super) fn get(&self, _: Spoken) -> Meter {
        Meter::NONE
    }
}

#[inline(always)]
pub(super) fn client_connected(_: bool) {}

#[inline(always)]
pub(super) fn client_failed(_: &TryError) {}

#[inline(always)]
pub(super) fn client_lost(_: CloseReason) {}

#[inline(always)]
pub(super) fn client_unsent(_: u64) {}

#[inline(always)]
pub(super) fn publish_node(_: impl Fn() -> (Snapshot, bool), _: CancellationToken) {}
