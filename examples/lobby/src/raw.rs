//! The raw format: structs laid out to the byte, little-endian.

mod door;

use bytes::Bytes;
use netcore::{Frame, Packet, Raw};

pub use door::{door, no_packets, no_words, own_packet, own_words, padded};

/// What clients send.
#[derive(Packet, Clone, Debug, PartialEq)]
pub enum ToServer {
    /// Answered with the same number.
    #[packet(id = 201, reply = 202)]
    Ping {
        /// Any.
        number: i16,
    },
    /// Becomes somebody.
    #[packet(id = 701, reply = 702)]
    LogIn {
        /// The user id, padded with zeros. Bytes, since an id that is not UTF-8 decodes, and is then refused.
        id: [u8; 16],
        /// The password or token, padded with zeros.
        password: [u8; 16],
    },
    /// Enters a room.
    #[packet(id = 721, reply = 722)]
    Enter {
        /// Its number.
        room: i32,
    },
    /// Leaves the room.
    #[packet(id = 726, reply = 727, ignore_extra)]
    Leave,
    /// Says something to the room.
    #[packet(id = 731, reply = 732)]
    Chat {
        /// 1 to 126 bytes.
        #[raw(len = i16)]
        text: String,
    },
    /// Sends bytes to the room.
    #[packet(id = 741)]
    Relay(#[raw(rest)] Bytes),
    /// Says something to one user.
    #[packet(id = 771, reply = 772)]
    Whisper {
        /// To whom.
        #[raw(len = i8)]
        to: Bytes,
        /// 1 to 126 bytes.
        #[raw(len = i16)]
        text: String,
    },
    /// Asks a user into one's room.
    #[packet(id = 781, reply = 782)]
    Invite {
        /// Whom.
        #[raw(len = i8)]
        to: Bytes,
    },
    /// Answers an invitation.
    #[packet(id = 784, reply = 785)]
    Answer {
        /// Which.
        invite: u64,
        /// Whether one comes.
        answer: Accept,
    },
    /// The game's own, or none at all.
    #[packet(other)]
    Other(Frame),
}

/// An answer to an invitation.
#[derive(Raw, Clone, Copy, Debug, PartialEq, Eq)]
#[raw(tag = i8)]
pub enum Accept {
    /// One comes.
    #[raw(tag = 1)]
    Yes,
    /// One does not.
    #[raw(tag = 2)]
    No,
}

/// What the server sends.
#[derive(Packet, Clone, Debug, PartialEq)]
pub enum ToClient {
    /// The number of the ping.
    #[packet(id = 202)]
    Pong {
        /// As it came.
        number: i16,
    },
    /// What has no answer of its own.
    #[packet(id = 203)]
    Error {
        /// Why.
        code: i16,
    },
    /// The answer to a log-in.
    #[packet(id = 702)]
    LogIn {
        /// 1, or why not.
        result: i16,
    },
    /// The answer to an enter.
    #[packet(id = 722)]
    Enter {
        /// 1, or why not.
        result: i16,
        /// The room's number; 0 on an error.
        room: i32,
        /// One's own room user id; 0 on an error.
        user: u64,
    },
    /// Who was in the room before.
    #[packet(id = 723)]
    Users {
        /// In the order in which they came; where servers share rooms, those on this one first.
        #[raw(count = i8)]
        users: Vec<User>,
    },
    /// Somebody came.
    #[packet(id = 724)]
    Came(User),
    /// The answer to a leave.
    #[packet(id = 727)]
    Leave {
        /// 1, or why not.
        result: i16,
    },
    /// Somebody left.
    #[packet(id = 728)]
    Went {
        /// Who.
        user: u64,
    },
    /// The answer to a chat.
    #[packet(id = 732)]
    Chat {
        /// 1, or why not.
        result: i16,
    },
    /// Somebody said something.
    #[packet(id = 733)]
    Chatted {
        /// Who.
        user: u64,
        /// What.
        #[raw(len = i16)]
        text: String,
    },
    /// Somebody sent bytes.
    #[packet(id = 742)]
    Relayed {
        /// Who.
        user: u64,
        /// What.
        #[raw(rest)]
        bytes: Bytes,
    },
    /// The answer to a whisper.
    #[packet(id = 772)]
    Whisper {
        /// 1, or why not.
        result: i16,
    },
    /// Somebody said something to this user alone.
    #[packet(id = 773)]
    Whispered {
        /// Who.
        #[raw(len = i8)]
        from: String,
        /// What.
        #[raw(len = i16)]
        text: String,
    },
    /// The answer to asking somebody in.
    #[packet(id = 782)]
    Invite {
        /// 1, or why not.
        result: i16,
        /// The invitation; 0 on an error.
        invite: u64,
    },
    /// Somebody asks this user to come.
    #[packet(id = 783)]
    Invited {
        /// The invitation.
        invite: u64,
        /// Into which room.
        room: i32,
        /// For how many milliseconds it stands.
        millis: i32,
        /// Who asks.
        #[raw(len = i8)]
        from: String,
    },
    /// The answer to answering an invitation.
    #[packet(id = 785)]
    Answer {
        /// 1, or why not.
        result: i16,
    },
    /// How an invitation ended.
    #[packet(id = 786)]
    InviteOver {
        /// The invitation.
        invite: u64,
        /// 1 accepted, 2 refused, 3 expired.
        outcome: i8,
        /// Who was asked.
        #[raw(len = i8)]
        to: String,
    },
    /// The game's own.
    #[packet(other)]
    Other(Frame),
}

/// Somebody in a room.
#[derive(Raw, Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The room user id.
    pub user: u64,
    /// The user id.
    #[raw(len = i8)]
    pub id: String,
}
