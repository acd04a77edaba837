//! What can be wrong with a hello.

use crate::PacketId;

/// What is wrong with what the other side says before the session begins, where both sides greet each other: WIRE §10.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelloFault {
    /// Something else came: a game's packet from a side that does not greet or has other ids for it, another protocol.
    #[error(
        "packet {id} of {size} bytes came where the hello is due: the other side has none (`Door::hello`, \
         `ClientOptions::hello`), other ids for it (`Hello::first_id`), or speaks another protocol"
    )]
    NotHello {
        /// The id, if it is a packet.
        id: PacketId,
        /// The size, if it is a packet.
        size: u16,
    },
    /// The other side greets in a version of the hello that this library does not know.
    #[error("the other side has version {0} of the hello, and this one version 1")]
    Protocol(u8),
    /// A packet of the hello has a body that cannot be.
    #[error("the body of packet {0}, one of the hello's, cannot be read")]
    Malformed(PacketId),
    /// The other side's schemas would take more than 64 KiB.
    #[error("the other side's schemas have {0} bytes, more than 64 KiB")]
    TooLarge(u32),
    /// The other side's schemas do not decode.
    #[error("the other side's schemas cannot be read")]
    BadSchema,
}
