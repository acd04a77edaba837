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

/// What is certain of the sizes of packets beside what [`Spoken`] says: nothing, unless the adapter is one of netcore's own.
#[doc(hidden)]
#[derive(Clone, Copy, Default, Debug)]
pub struct Certain {
    /// No body is compressed.
    pub(crate) plain: bool,
    /// There are no packets from the peer but those of the schema.
    pub(crate) all_from: bool,
    /// Nor to it.
    pub(crate) all_to: bool,
}
