//! Packets on their way to a queue.

use bytes::BytesMut;

use super::Slow;

/// Packets that were put together, so that one lock takes them all to a queue.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    pub(crate) bytes: BytesMut,
    // How many of them may be dropped, and whether there are others.
    droppable: u32,
    firm: bool,
}

impl Joined {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// A packet of that policy was added to the bytes. Of several of which none may be dropped it is enough to say the
    /// first.
    #[inline]
    pub(crate) fn added(&mut self, slow: Slow) {
        if slow == Slow::Disconnect {
            self.firm = true;
        } else {
            self.droppable += 1;
        }
    }

    /// How many may be dropped, if that is so for all.
    #[inline]
    pub(crate) fn droppable(&self) -> Option<u32> {
        (!self.firm).then_some(self.droppable)
    }

    /// What becomes of them where there is no room.
    #[inline]
    pub(super) fn slow(&self) -> Slow {
        if self.firm { Slow::Disconnect } else { Slow::DropNewest }
    }

    /// Empty again, for the next ones; the memory stays.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        (self.droppable, self.firm) = (0, false);
    }
}
