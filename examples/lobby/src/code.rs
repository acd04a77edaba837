//! What an answer says, and the number that each kind of door has for it.

use std::fmt;

/// What an answer says: done, or why not.
///
/// The raw wire and MessagePack have numbers of their own for the same thing; protobuf has MessagePack's.
///
/// ```
/// use lobby::Code;
///
/// assert_eq!((Code::Ok.raw(), Code::Ok.msgpack()), (1, 0));
/// assert_eq!((Code::NotInRoom.raw(), Code::NotInRoom.msgpack()), (121, 55));
/// assert_eq!(Code::from_raw(134), Some(Code::Full));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Code {
    /// Done.
    Ok,
    /// The body of the request does not decode.
    Body,
    /// Log in first.
    NotLoggedIn,
    /// No request has that packet id.
    UnknownId,
    /// The session did not log in in time, and is closed.
    LoginDeadline,
    /// Somebody has that id, or this session is logged in already.
    InUse,
    /// The id is empty, too long, or not UTF-8.
    InvalidId,
    /// Only in a room.
    NotInRoom,
    /// There is no room of that number.
    NoRoom,
    /// All seats of the room are taken.
    Full,
    /// In a room already.
    InRoom,
    /// A chat or whisper of no bytes, or of more than 126.
    ChatLength,
    /// A relay that is too long to be passed on.
    RelayLength,
    /// The token is not one that the API server gave out for this id.
    BadToken,
    /// The API server does not answer.
    ApiAway,
    /// The id belonged to an older session on another node; this session is closed.
    Claimed,
    /// More requests a second than allowed: this one was not looked at.
    TooFast,
    /// Nobody has that id.
    NoSuchUser,
    /// The server cannot do it now: a queue of its own is full.
    Busy,
    /// There is no such invitation: it was answered, has expired, or was somebody else's.
    NoInvite,
    /// Too many invitations, of this user or to that one.
    TooManyInvites,
    /// Whom you invite is in the room already.
    InviteHere,
    /// The session was in no room for too long, and is closed.
    EnterDeadline,
    /// The session was silent for too long, and is closed.
    PingDeadline,
    /// The user may be on another node, which cannot be asked.
    NodesAway,
}

impl Code {
    /// Every code, in the order of the raw numbers.
    pub const ALL: [Self; 25] = [
        Self::Ok,
        Self::Body,
        Self::NotLoggedIn,
        Self::UnknownId,
        Self::LoginDeadline,
        Self::InUse,
        Self::InvalidId,
        Self::NotInRoom,
        Self::NoRoom,
        Self::Full,
        Self::InRoom,
        Self::ChatLength,
        Self::RelayLength,
        Self::BadToken,
        Self::ApiAway,
        Self::Claimed,
        Self::TooFast,
        Self::NoSuchUser,
        Self::Busy,
        Self::NoInvite,
        Self::TooManyInvites,
        Self::InviteHere,
        Self::EnterDeadline,
        Self::PingDeadline,
        Self::NodesAway,
    ];

    /// Its number on the raw wire.
    #[must_use]
    pub const fn raw(self) -> i16 {
        self.about().0
    }

    /// Its number in MessagePack and protobuf.
    #[must_use]
    pub const fn msgpack(self) -> i16 {
        self.about().1
    }

    /// The code of that number on the raw wire.
    #[must_use]
    pub fn from_raw(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.raw() == number)
    }

    /// The code of that number in MessagePack and protobuf.
    #[must_use]
    pub fn from_msgpack(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.msgpack() == number)
    }

    /// The only place where a code gets its numbers and its words: one without them does not compile.
    const fn about(self) -> (i16, i16, &'static str) {
        match self {
            Self::Ok => (1, 0, "done"),
            Self::Body => (51, 51, "that does not decode"),
            Self::NotLoggedIn => (52, 53, "log in first"),
            Self::UnknownId => (53, 54, "no request has that id"),
            Self::LoginDeadline => (61, 61, "you did not log in in time"),
            Self::InUse => (111, 111, "that name is taken, or you are logged in already"),
            Self::InvalidId => (112, 112, "a name has 1 to 16 bytes"),
            Self::NotInRoom => (121, 55, "you are not in a room"),
            Self::NoRoom => (122, 122, "there is no room of that number"),
            Self::Full => (134, 134, "that room is full"),
            Self::InRoom => (135, 135, "you are in a room already"),
            Self::ChatLength => (151, 151, "a line has 1 to 126 bytes"),
            Self::RelayLength => (161, 161, "that is too long to be passed on"),
            Self::BadToken => (1001, 1001, "that token is not valid"),
            Self::ApiAway => (1002, 1002, "the log-in server does not answer, try again later"),
            Self::Claimed => (1003, 1003, "somebody else has your name"),
            Self::TooFast => (1004, 1004, "too fast: that was not heard"),
            Self::NoSuchUser => (1005, 1005, "nobody has that name"),
            Self::Busy => (1006, 1006, "the server is busy, try again later"),
            Self::NoInvite => (1007, 1007, "there is no such invitation, or it has expired"),
            Self::TooManyInvites => (1008, 1008, "too many invitations, try again later"),
            Self::InviteHere => (1009, 1009, "you are in the same room already"),
            Self::EnterDeadline => (1010, 1010, "you did not enter a room in time"),
            Self::PingDeadline => (1011, 1011, "you were silent for too long"),
            Self::NodesAway => {
                (1012, 1012, "nobody here has that name, and the other servers cannot be asked")
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about().2)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn no_two_codes_have_one_number_and_both_tables_lead_back() {
        for code in Code::ALL {
            assert_eq!(Code::from_raw(code.raw()), Some(code));
            assert_eq!(Code::from_msgpack(code.msgpack()), Some(code));
        }
        assert_eq!((Code::from_raw(0), Code::from_msgpack(1)), (None, None));
    }

    #[test]
    fn the_two_tables_differ_where_the_old_servers_did() {
        for (code, raw, msgpack) in [
            (Code::Ok, 1, 0),
            (Code::Body, 51, 51),
            (Code::NotLoggedIn, 52, 53),
            (Code::UnknownId, 53, 54),
            (Code::NotInRoom, 121, 55),
            (Code::NoRoom, 122, 122),
        ] {
            assert_eq!((code.raw(), code.msgpack()), (raw, msgpack));
        }
    }
}
