//! Between the packets and what the lobby hears and says.

use bytes::Bytes;
use netcore::{Adapter, Binary, Fault, FaultKind, Frame, Packet, PacketErrorKind};

use super::{Accept, ToClient, ToServer, User};
use crate::{Event, Game, Name, Outcome, Request, Who};

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
