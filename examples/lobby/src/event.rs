//! What users hear, whatever their door speaks.

use bytes::Bytes;

use crate::{Code, Name};

/// Somebody in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    /// The room user id: 1, 2, 3 … in each room, new at each entry, never used again; where several nodes share the
    /// rooms, not one after the other. 0 in the lounge.
    pub user: u64,
    /// The name.
    pub name: Name,
}

/// How an invitation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The user comes.
    Accepted,
    /// The user does not come.
    Refused,
    /// Nobody answered in time, or the user has gone.
    Expired,
}

/// An answer or a notice, as the logic says it. Each door has its own bytes for it, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event<Game> {
    /// 203: what has no answer of its own.
    Error(Code),
    /// 202: the number of the ping.
    Pong(i32),
    /// 702: the answer to a log-in.
    LogIn(Code),
    /// 722: the answer to an enter.
    Enter {
        /// Whether, and why not.
        code: Code,
        /// The room's number; 0 on an error.
        room: i32,
        /// One's own room user id; 0 on an error.
        user: u64,
    },
    /// 723: who was in the room before.
    Users(Vec<Who>),
    /// 724: somebody came.
    Came(Who),
    /// 727: the answer to a leave.
    Leave(Code),
    /// 728: somebody left.
    Went(Who),
    /// 732: the answer to a chat.
    Chat(Code),
    /// 733: somebody said something.
    Chatted {
        /// Who.
        who: Who,
        /// What.
        text: String,
    },
    /// 742: somebody sent opaque bytes.
    Relayed {
        /// Who.
        who: Who,
        /// What.
        bytes: Bytes,
    },
    /// 772: the answer to a whisper.
    Whisper {
        /// Whether, and why not.
        code: Code,
        /// To whom; `None` if nobody can have that name.
        to: Option<Name>,
        /// What, for doors that repeat it.
        text: String,
    },
    /// 773: somebody said something to this user alone.
    Whispered {
        /// Who.
        from: Name,
        /// What.
        text: String,
    },
    /// 782: the answer to asking somebody in.
    Invite {
        /// Whether, and why not.
        code: Code,
        /// The invitation; 0 on an error.
        invite: u64,
        /// Who was asked; `None` if nobody can have that name.
        to: Option<Name>,
    },
    /// 783: somebody asks this user to come.
    Invited {
        /// The invitation.
        invite: u64,
        /// Who asks.
        from: Name,
        /// Into which room.
        room: i32,
        /// For how many milliseconds it stands.
        millis: i32,
    },
    /// 785: the answer to answering an invitation.
    Answer {
        /// Whether, and why not.
        code: Code,
        /// What the answer was.
        accept: bool,
    },
    /// 786: how an invitation ended. To who asked; and to who was asked, if they did not answer.
    InviteOver {
        /// The invitation.
        invite: u64,
        /// Who asked.
        from: Name,
        /// Who was asked.
        to: Name,
        /// How.
        outcome: Outcome,
    },
    /// Somebody in the room has another name from now on, and another room user id.
    Renamed {
        /// Who it was.
        old: Who,
        /// Who it is.
        new: Who,
    },
    /// For people: the answer to taking another name.
    Rename {
        /// Whether, and why not.
        code: Code,
        /// The name that one has.
        name: Option<Name>,
    },
    /// For people: the first words; the name that one has, if any yet.
    Welcome(Option<Name>),
    /// For people: in the lounge.
    Lounge,
    /// For people: who is in the room.
    Here {
        /// The room; `None` for the lounge.
        room: Option<i32>,
        /// Who.
        users: Vec<Who>,
    },
    /// For people: the rooms that somebody is in.
    Rooms {
        /// The number, and how many are in it.
        rooms: Vec<(i32, u32)>,
        /// How many may be in one.
        seats: u32,
    },
    /// For people: what one can say.
    Help,
    /// For people: good-bye.
    Bye,
    /// For people: the server stops.
    Stopping,
    /// For people: the other nodes cannot be reached.
    NodesAway,
    /// For people: the other nodes are there again.
    NodesBack {
        /// What was said here meanwhile and they did not hear.
        unsent: u64,
    },
    /// What the game in the room adds.
    Game(Game),
}
