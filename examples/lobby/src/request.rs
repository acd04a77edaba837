//! What users ask of the room servers, whatever their door speaks.

use bytes::Bytes;

use crate::Name;

/// A request, as the logic hears it. What a door cannot decode comes to the logic as a fault, in order with the rest.
///
/// Where a value may be out of range (a name of 20 bytes, a room number of 2^40), it is `None`: whether that is answered
/// depends on what else stands in the way, and the logic judges in one order for all formats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request<Command> {
    /// Answered with the same number.
    Ping(i32),
    /// Becomes somebody.
    LogIn {
        /// Who; `None` if nobody can have that name.
        name: Option<Name>,
        /// What proves it: a token, where an API server hands them out.
        password: Bytes,
    },
    /// Enters a room; `None`: a number that no room can have.
    Enter(Option<i32>),
    /// Leaves the room.
    Leave,
    /// Says something to the room.
    Chat(String),
    /// Sends opaque bytes to the room.
    Relay(Bytes),
    /// Says something to one user, in whatever room.
    Whisper {
        /// To whom.
        to: Option<Name>,
        /// What.
        text: String,
    },
    /// Asks one user to come into one's own room.
    Invite(Option<Name>),
    /// Answers an invitation.
    Answer {
        /// Which; `None`: the one that came last.
        invite: Option<u64>,
        /// Whether one comes.
        accept: bool,
    },
    /// For people: takes another name.
    Rename(Name),
    /// For people: goes into a room, out of the one that they are in.
    Join(i32),
    /// For people: who is in the room?
    Who,
    /// For people: which rooms is somebody in?
    Rooms,
    /// For people: what can one say?
    Help,
    /// For people: good-bye.
    Quit,
    /// What the game in the room adds.
    Game(Command),
}
