//! The MessagePack format: maps with the keys of the old servers.

mod door;
mod lenient;

use bytes::Bytes;
use netcore::{Frame, Packet};

pub use door::door;
pub use lenient::{Accept, Number, Text};

/// What clients send.
#[derive(Packet, Clone, Debug, PartialEq)]
#[packet(format = MsgPack)]
pub enum ToServer {
    /// Answered with the same number. Not MessagePack.
    #[packet(id = 201, reply = 202, format = Raw)]
    Ping {
        /// Any.
        number: i16,
    },
    /// Becomes somebody.
    #[packet(id = 701, reply = 702)]
    LogIn {
        /// The user id.
        #[serde(rename = "UserID", default)]
        id: Text,
        /// The password or token.
        #[serde(rename = "UserPW", default)]
        password: Option<Text>,
    },
    /// Enters a room.
    #[packet(id = 721, reply = 722)]
    Enter {
        /// Its number.
        #[serde(rename = "RoomNumber")]
        room: Number,
    },
    /// Leaves the room.
    #[packet(id = 726, reply = 727, ignore_extra)]
    Leave,
    /// Says something to the room.
    #[packet(id = 731, reply = 732)]
    Chat {
        /// 1 to 126 bytes.
        #[serde(rename = "Msg")]
        text: String,
    },
    /// Sends bytes to the room. Not MessagePack.
    #[packet(id = 741, format = Raw)]
    Relay(#[raw(rest)] Bytes),
    /// Says something to one user.
    #[packet(id = 771, reply = 772)]
    Whisper {
        /// To whom.
        #[serde(rename = "UserID")]
        to: Text,
        /// 1 to 126 bytes.
        #[serde(rename = "Msg")]
        text: String,
    },
    /// Asks a user into one's room.
    #[packet(id = 781, reply = 782)]
    Invite {
        /// Whom.
        #[serde(rename = "UserID")]
        to: Text,
    },
    /// Answers an invitation.
    #[packet(id = 784, reply = 785)]
    Answer {
        /// Which.
        #[serde(rename = "InviteId")]
        invite: u64,
        /// Whether one comes.
        #[serde(rename = "Answer")]
        answer: Accept,
    },
    /// The game's own, or none at all.
    #[packet(other)]
    Other(Frame),
}

/// What the server sends.
#[derive(Packet, Clone, Debug, PartialEq)]
#[packet(format = MsgPack)]
pub enum ToClient {
    /// The number of the ping. Not MessagePack.
    #[packet(id = 202, format = Raw)]
    Pong {
        /// As it came.
        number: i16,
    },
    /// What has no answer of its own.
    #[packet(id = 203)]
    Error {
        /// Why.
        #[serde(rename = "ErrorCode")]
        code: i16,
    },
    /// The answer to a log-in.
    #[packet(id = 702)]
    LogIn {
        /// 0, or why not.
        #[serde(rename = "Result")]
        result: i16,
    },
    /// The answer to an enter.
    #[packet(id = 722)]
    Enter {
        /// 0, or why not.
        #[serde(rename = "Result")]
        result: i16,
        /// One's own room user id; 0 on an error.
        #[serde(rename = "RoomUserUniqueId")]
        user: u64,
    },
    /// Who was in the room before: two lists side by side.
    #[packet(id = 723)]
    Users {
        /// How many.
        #[serde(rename = "UserCount")]
        count: u32,
        /// Their room user ids.
        #[serde(rename = "UniqueId")]
        users: Vec<u64>,
        /// Their user ids.
        #[serde(rename = "ID")]
        ids: Vec<String>,
    },
    /// Somebody came.
    #[packet(id = 724)]
    Came {
        /// The room user id.
        #[serde(rename = "UniqueId")]
        user: u64,
        /// The user id.
        #[serde(rename = "ID")]
        id: String,
    },
    /// The answer to a leave.
    #[packet(id = 727)]
    Leave {
        /// 0, or why not.
        #[serde(rename = "Result")]
        result: i16,
    },
    /// Somebody left.
    #[packet(id = 728)]
    Went {
        /// Who.
        #[serde(rename = "UserUniqueId")]
        user: u64,
    },
    /// The answer to a chat.
    #[packet(id = 732)]
    Chat {
        /// 0, or why not.
        #[serde(rename = "Result")]
        result: i16,
    },
    /// Somebody said something.
    #[packet(id = 733)]
    Chatted {
        /// Who.
        #[serde(rename = "UserUniqueId")]
        user: u64,
        /// What.
        #[serde(rename = "Msg")]
        text: String,
    },
    /// Somebody sent bytes. Not MessagePack.
    #[packet(id = 742, format = Raw)]
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
        /// 0, or why not.
        #[serde(rename = "Result")]
        result: i16,
    },
    /// Somebody said something to this user alone.
    #[packet(id = 773)]
    Whispered {
        /// Who.
        #[serde(rename = "UserID")]
        from: String,
        /// What.
        #[serde(rename = "Msg")]
        text: String,
    },
    /// The answer to asking somebody in.
    #[packet(id = 782)]
    Invite {
        /// 0, or why not.
        #[serde(rename = "Result")]
        result: i16,
        /// The invitation; 0 on an error.
        #[serde(rename = "InviteId")]
        invite: u64,
    },
    /// Somebody asks this user to come.
    #[packet(id = 783)]
    Invited {
        /// The invitation.
        #[serde(rename = "InviteId")]
        invite: u64,
        /// Into which room.
        #[serde(rename = "RoomNumber")]
        room: i32,
        /// For how many milliseconds it stands.
        #[serde(rename = "TimeLeft")]
        millis: i32,
        /// Who asks.
        #[serde(rename = "UserID")]
        from: String,
    },
    /// The answer to answering an invitation.
    #[packet(id = 785)]
    Answer {
        /// 0, or why not.
        #[serde(rename = "Result")]
        result: i16,
    },
    /// How an invitation ended.
    #[packet(id = 786)]
    InviteOver {
        /// The invitation.
        #[serde(rename = "InviteId")]
        invite: u64,
        /// 1 accepted, 2 refused, 3 expired.
        #[serde(rename = "Answer")]
        outcome: i8,
        /// Who was asked.
        #[serde(rename = "UserID")]
        to: String,
    },
    /// The game's own.
    #[packet(other)]
    Other(Frame),
}
