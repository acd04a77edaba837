//! What nodes say to each other: netcore's own packets, raw.
//!
//! A node of another version may say what this one does not know; it is left out.

use bytes::{Buf, Bytes, BytesMut};
use netcore::{Frame, FrameCodec, Packet, Raw};

use crate::{Name, Outcome, Who};

/// A message between nodes. The first ones go to all who have somebody in a room, the last ones to one node.
#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Told {
    #[packet(id = 1)]
    Came(Sitting),
    #[packet(id = 2)]
    Went { seat: u64 },
    #[packet(id = 3)]
    Renamed(Sitting),
    /// Who of the sender's is in the room: whoever was cut off cannot know.
    #[packet(id = 4)]
    Here {
        #[raw(count = u8)]
        users: Vec<Sitting>,
    },
    #[packet(id = 5)]
    Chatted {
        user: u64,
        #[raw(len = u8)]
        name: String,
        #[raw(len = u8)]
        text: String,
    },
    // Without the name: what fits into a 742 fits in here, and what does not is refused to its sender.
    #[packet(id = 6)]
    Relayed {
        user: u64,
        #[raw(rest)]
        bytes: Bytes,
    },
    /// The game's own.
    #[packet(id = 7)]
    Game(#[raw(rest)] Bytes),

    #[packet(id = 21)]
    Whispered {
        #[raw(len = u8)]
        to: String,
        #[raw(len = u8)]
        from: String,
        #[raw(len = u8)]
        text: String,
    },
    #[packet(id = 22)]
    Invited {
        invite: u64,
        room: i32,
        #[raw(len = u8)]
        to: String,
        #[raw(len = u8)]
        from: String,
    },
    #[packet(id = 23)]
    InviteOver { invite: u64, outcome: Ending },
}

/// Who has a seat.
#[derive(Raw, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sitting {
    /// Stays the same when the user takes another name.
    pub(crate) seat: u64,
    pub(crate) user: u64,
    #[raw(len = u8)]
    pub(crate) name: String,
}

#[derive(Raw, Clone, Copy, Debug, PartialEq, Eq)]
#[raw(tag = u8)]
pub(crate) enum Ending {
    #[raw(tag = 1)]
    Accepted,
    #[raw(tag = 2)]
    Refused,
    #[raw(tag = 3)]
    Expired,
}

impl Told {
    /// As it goes out; `None` if it is longer than a packet can be.
    pub(crate) fn bytes(&self) -> Option<Bytes> {
        let mut bytes = BytesMut::new();
        match self.encode(&mut bytes, u16::MAX) {
            Ok(()) => Some(bytes.freeze()),
            Err(error) => {
                tracing::error!(%error, "what the other nodes are to hear does not encode");
                None
            }
        }
    }

    /// What came; `None` if it is nothing that this version knows.
    pub(crate) fn read(body: &Bytes) -> Option<Self> {
        let mut bytes = BytesMut::from(&body[..]);
        let frame: Frame = FrameCodec::new().decode_frame(&mut bytes).ok().flatten()?;
        if bytes.has_remaining() {
            return None;
        }
        Self::from_frame(&frame).ok()
    }
}

impl Sitting {
    pub(crate) fn new(seat: u64, who: &Who) -> Self {
        Self { seat, user: who.user, name: who.name.to_string() }
    }

    /// `None` if nobody can have that name.
    pub(crate) fn who(&self) -> Option<Who> {
        Some(Who { user: self.user, name: named(&self.name)? })
    }
}

pub(crate) fn named(name: &str) -> Option<Name> {
    Name::new(name.as_bytes())
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accepted => Self::Accepted,
            Outcome::Refused => Self::Refused,
            Outcome::Expired => Self::Expired,
        }
    }
}

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Accepted => Self::Accepted,
            Ending::Refused => Self::Refused,
            Ending::Expired => Self::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_another_one_reads_and_what_nobody_knows_is_left_out() {
        let who = Who { user: 7, name: named("ann").unwrap() };
        for told in [
            Told::Came(Sitting::new(3, &who)),
            Told::Here { users: vec![Sitting::new(3, &who); 127] },
            Told::Relayed { user: 7, bytes: vec![1; 60_000].into() },
            Told::InviteOver { invite: 9, outcome: Ending::Refused },
        ] {
            assert_eq!(Told::read(&told.bytes().unwrap()), Some(told));
        }
        for wrong in [&b""[..], b"\x05\0", b"\x05\0\x63\0\0", b"\x05\0\x01\0\0", b"\x05\0\x07\0\0!"] {
            assert_eq!(Told::read(&Bytes::copy_from_slice(wrong)), None, "{wrong:02x?}");
        }
        assert!(Told::Relayed { user: 7, bytes: vec![1; 65_536].into() }.bytes().is_none());
    }
}
