//! The raw format: structs laid out to the byte, little-endian.

use bytes::Bytes;
use netcore::{Adapter, Binary, Fault, FaultKind, Frame, Packet, PacketErrorKind, Raw};

use crate::{Event, Game, Name, Outcome, Request, Who};

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

/// A door that speaks raw packets. `incoming` makes a request of the game's out of a packet that is none of the lobby's;
/// `outgoing` passes on the packets that say what the game says.
pub fn door<G: Game>(
    frames: Binary,
    incoming: fn(Frame) -> Result<G::Command, Fault>,
    outgoing: fn(&G::Event, &mut dyn FnMut(ToClient)),
) -> impl Adapter<Request<G::Command>, Event<G::Event>> {
    frames.map(
        move |packet| request(packet, incoming),
        move |event: &Event<G::Event>, send: &mut dyn FnMut(ToClient)| say(event, send, outgoing),
    )
}

/// For a game without packets of its own: every other id is unknown.
///
/// # Errors
/// Always.
pub fn no_packets<Command>(frame: Frame) -> Result<Command, Fault> {
    Err(FaultKind::Unknown(Frame { body: Bytes::copy_from_slice(&frame.body), ..frame }).into())
}

/// For a game with packets of its own: reads one of them out of a frame whose id is none of the lobby's.
///
/// # Errors
/// An id that the game does not know either, or a body that does not decode, as the logic hears of them.
pub fn own_packet<P: Packet>(frame: Frame) -> Result<P, Fault> {
    P::from_frame(&frame).map_err(|error| {
        match error.into_kind() {
            PacketErrorKind::Malformed { id, source } => {
                // It may be kept: the slice would keep alive all that it was read with.
                FaultKind::Malformed { id, error: source, body: Bytes::copy_from_slice(&frame.body) }
            }
            _ => FaultKind::Unknown(Frame { body: Bytes::copy_from_slice(&frame.body), ..frame }),
        }
        .into()
    })
}

/// For a game that says nothing at this door.
pub fn no_words<Event, Packet>(_: &Event, _: &mut dyn FnMut(Packet)) {}

/// For a game with packets of its own, which are its events: passes them on.
pub fn own_words<P: Packet>(event: &P, send: &mut dyn FnMut(ToClient)) {
    match Frame::from_packet(event) {
        Ok(frame) => send(ToClient::Other(frame)),
        Err(error) => tracing::error!(%error, "the game said what no packet can hold"),
    }
}

/// A text in a field of 16 bytes, cut off if it is longer.
#[must_use]
pub fn padded(text: &str) -> [u8; 16] {
    let mut field = [0; 16];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
}

fn request<C>(packet: ToServer, game: fn(Frame) -> Result<C, Fault>) -> Result<Request<C>, Fault> {
    Ok(match packet {
        ToServer::Ping { number } => Request::Ping(number.into()),
        ToServer::LogIn { id, password } => {
            let end = password.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let password = Bytes::copy_from_slice(password.get(..end).unwrap_or_default());
            Request::LogIn { name: Name::new(&id), password }
        }
        ToServer::Enter { room } => Request::Enter(Some(room)),
        ToServer::Leave => Request::Leave,
        ToServer::Chat { text } => Request::Chat(text),
        ToServer::Relay(bytes) => Request::Relay(bytes),
        ToServer::Whisper { to, text } => Request::Whisper { to: Name::new(&to), text },
        ToServer::Invite { to } => Request::Invite(Name::new(&to)),
        ToServer::Answer { invite, answer } => {
            Request::Answer { invite: Some(invite), accept: answer == Accept::Yes }
        }
        ToServer::Other(frame) => Request::Game(game(frame)?),
    })
}

fn say<E>(event: &Event<E>, send: &mut dyn FnMut(ToClient), game: fn(&E, &mut dyn FnMut(ToClient))) {
    let packet = match event {
        Event::Error(code) => ToClient::Error { code: code.raw() },
        // The number came through this door, as an i16.
        Event::Pong(number) => ToClient::Pong { number: i16::try_from(*number).unwrap_or_default() },
        Event::LogIn(code) => ToClient::LogIn { result: code.raw() },
        Event::Enter { code, room, user } => ToClient::Enter { result: code.raw(), room: *room, user: *user },
        Event::Users(users) => ToClient::Users { users: users.iter().map(User::from).collect() },
        Event::Came(who) => ToClient::Came(who.into()),
        Event::Leave(code) => ToClient::Leave { result: code.raw() },
        Event::Went(who) => ToClient::Went { user: who.user },
        Event::Chat(code) => ToClient::Chat { result: code.raw() },
        Event::Chatted { who, text } => ToClient::Chatted { user: who.user, text: text.clone() },
        Event::Relayed { who, bytes } => ToClient::Relayed { user: who.user, bytes: bytes.clone() },
        Event::Whisper { code, .. } => ToClient::Whisper { result: code.raw() },
        Event::Whispered { from, text } => ToClient::Whispered { from: from.to_string(), text: text.clone() },
        Event::Invite { code, invite, .. } => ToClient::Invite { result: code.raw(), invite: *invite },
        Event::Invited { invite, from, room, millis } => {
            ToClient::Invited { invite: *invite, room: *room, millis: *millis, from: from.to_string() }
        }
        Event::Answer { code, .. } => ToClient::Answer { result: code.raw() },
        Event::InviteOver { invite, to, outcome, .. } => {
            ToClient::InviteOver { invite: *invite, outcome: outcome.number(), to: to.to_string() }
        }
        // There is no packet for another name: one user leaves, and another one comes.
        Event::Renamed { old, new } => {
            send(ToClient::Went { user: old.user });
            ToClient::Came(new.into())
        }
        Event::Game(event) => return game(event, send),
        Event::Rename { .. }
        | Event::Welcome(_)
        | Event::Lounge
        | Event::Here { .. }
        | Event::Rooms { .. }
        | Event::Help
        | Event::Bye
        | Event::Stopping
        | Event::NodesAway
        | Event::NodesBack { .. } => return,
    };
    send(packet);
}

impl From<&Who> for User {
    fn from(who: &Who) -> Self {
        Self { user: who.user, id: who.name.to_string() }
    }
}

impl Outcome {
    /// Its number on the wire: 1, 2, 3.
    #[must_use]
    pub const fn number(self) -> i8 {
        match self {
            Self::Accepted => 1,
            Self::Refused => 2,
            Self::Expired => 3,
        }
    }
}
