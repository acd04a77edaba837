//! Between the packets and what the lobby hears and says.

use bytes::Bytes;
use netcore::{Adapter, Binary, Fault, Frame};

use super::{ToClient, ToServer};
use crate::{Event, Game, Name, Request};

/// A door that speaks MessagePack; otherwise as [`raw::door`](crate::raw::door).
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

fn request<C>(packet: ToServer, game: fn(Frame) -> Result<C, Fault>) -> Result<Request<C>, Fault> {
    Ok(match packet {
        ToServer::Ping { number } => Request::Ping(number.into()),
        ToServer::LogIn { id, password } => {
            let password = Bytes::copy_from_slice(&password.unwrap_or_default().0);
            Request::LogIn { name: Name::new(&id.0), password }
        }
        ToServer::Enter { room } => Request::Enter(room.0),
        ToServer::Leave => Request::Leave,
        ToServer::Chat { text } => Request::Chat(text),
        ToServer::Relay(bytes) => Request::Relay(bytes),
        ToServer::Whisper { to, text } => Request::Whisper { to: Name::new(&to.0), text },
        ToServer::Invite { to } => Request::Invite(Name::new(&to.0)),
        ToServer::Answer { invite, answer } => Request::Answer { invite: Some(invite), accept: answer.0 },
        ToServer::Other(frame) => Request::Game(game(frame)?),
    })
}

fn say<E>(event: &Event<E>, send: &mut dyn FnMut(ToClient), game: fn(&E, &mut dyn FnMut(ToClient))) {
    let packet = match event {
        Event::Error(code) => ToClient::Error { code: code.msgpack() },
        Event::Pong(number) => ToClient::Pong { number: i16::try_from(*number).unwrap_or_default() },
        Event::LogIn(code) => ToClient::LogIn { result: code.msgpack() },
        Event::Enter { code, user, .. } => ToClient::Enter { result: code.msgpack(), user: *user },
        Event::Users(users) => ToClient::Users {
            count: u32::try_from(users.len()).unwrap_or(u32::MAX),
            users: users.iter().map(|who| who.user).collect(),
            ids: users.iter().map(|who| who.name.to_string()).collect(),
        },
        Event::Came(who) => ToClient::Came { user: who.user, id: who.name.to_string() },
        Event::Leave(code) => ToClient::Leave { result: code.msgpack() },
        Event::Went(who) => ToClient::Went { user: who.user },
        Event::Chat(code) => ToClient::Chat { result: code.msgpack() },
        Event::Chatted { who, text } => ToClient::Chatted { user: who.user, text: text.clone() },
        Event::Relayed { who, bytes } => ToClient::Relayed { user: who.user, bytes: bytes.clone() },
        Event::Whisper { code, .. } => ToClient::Whisper { result: code.msgpack() },
        Event::Whispered { from, text } => ToClient::Whispered { from: from.to_string(), text: text.clone() },
        Event::Invite { code, invite, .. } => ToClient::Invite { result: code.msgpack(), invite: *invite },
        Event::Invited { invite, from, room, millis } => {
            ToClient::Invited { invite: *invite, room: *room, millis: *millis, from: from.to_string() }
        }
        Event::Answer { code, .. } => ToClient::Answer { result: code.msgpack() },
        Event::InviteOver { invite, to, outcome, .. } => {
            ToClient::InviteOver { invite: *invite, outcome: outcome.number(), to: to.to_string() }
        }
        // There is no packet for another name: one user leaves, and another one comes.
        Event::Renamed { old, new } => {
            send(ToClient::Went { user: old.user });
            ToClient::Came { user: new.user, id: new.name.to_string() }
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
