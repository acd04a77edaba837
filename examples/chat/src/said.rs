//! What the games of several nodes say to each other about a room that they share.

use bytes::{Bytes, BytesMut};
use lobby::Name;
use netcore::{FrameCodec, Packet};

/// A message between the games of two nodes.
#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Said {
    #[packet(id = 1)]
    Rolled {
        user: u64,
        #[raw(len = u8)]
        name: String,
        sides: u32,
        number: u32,
    },
    /// A vote is open, for so long.
    #[packet(id = 2)]
    Opened {
        vote: u64,
        /// The vote that closed before it on the sender's node.
        after: u64,
        millis: u32,
        /// Who asked.
        seat: u64,
        user: u64,
        #[raw(len = u8)]
        name: String,
        #[raw(len = u8)]
        question: String,
    },
    #[packet(id = 3)]
    Chose {
        vote: u64,
        seat: u64,
        #[raw(len = u8)]
        choice: String,
    },
}

impl Said {
    pub(crate) fn bytes(&self) -> Option<Bytes> {
        let mut bytes = BytesMut::new();
        self.encode(&mut bytes, u16::MAX).ok()?;
        Some(bytes.freeze())
    }

    /// `None` if it is nothing that this version knows.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let frame = FrameCodec::new().decode_frame(&mut BytesMut::from(bytes)).ok()??;
        Self::from_frame(&frame).ok()
    }
}

pub(crate) fn named(name: &str) -> Option<Name> {
    Name::new(name.as_bytes())
}
