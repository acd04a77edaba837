//! What the bytes of a session are made of.

use crate::Schema;

/// What an [`Adapter`](crate::Adapter)'s bytes are made of. Metrics count packets by the names that this leads to, and a
/// door of lines waits for people who type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Spoken {
    /// Framed packets.
    Packets {
        /// Those that come from the peer.
        from: &'static Schema,
        /// Those that go to it.
        to: &'static Schema,
    },
    /// Lines of text.
    Lines,
    /// Something else.
    Other,
}
