//! The other side: what a client, a bot or a test makes of the packets.
//!
//! A [`Format`] is one of the three, seen from the client: requests become its packets, its packets become events.

use netcore::Packet;

use crate::protobuf::message::{
    InviteAnswer, LoginReq, PingReq, RoomChatReq, RoomEnterReq, RoomInviteAnswerReq, RoomInviteReq,
    RoomRelayReq, RoomUser, WhisperReq,
};
use crate::{Code, Event, Name, Outcome, Request, Who, msgpack, protobuf, raw};

/// One of the formats, from the client's side.
pub trait Format: Send + 'static {
    /// The packets that come.
    type In: Packet + Send + 'static;
    /// The packets that go.
    type Out: Packet + Send + Sync + 'static;

    /// The packet that asks; `None` for what the format has no packet for.
    fn ask<C>(request: Request<C>) -> Option<Self::Out>;

    /// What a packet says; `None` if it is none of the lobby's, or has a code or a name that cannot be.
    fn heard<E>(packet: Self::In) -> Option<Event<E>>;
}

/// Raw structs.
#[derive(Clone, Copy, Debug)]
pub enum Raw {}

/// MessagePack.
#[derive(Clone, Copy, Debug)]
pub enum MsgPack {}

/// Protobuf.
#[derive(Clone, Copy, Debug)]
pub enum Protobuf {}

impl Format for Raw {
    type In = raw::ToClient;
    type Out = raw::ToServer;

    fn ask<C>(request: Request<C>) -> Option<raw::ToServer> {
        use raw::{Accept, ToServer};
        let name = |name: Option<Name>| bytes::Bytes::from(text(name));
        Some(match request {
            Request::Ping(number) => ToServer::Ping { number: i16::try_from(number).ok()? },
            Request::LogIn { name, password } => ToServer::LogIn {
                id: raw::padded(&text(name)),
                password: raw::padded(&String::from_utf8_lossy(&password)),
            },
            Request::Enter(room) => ToServer::Enter { room: room? },
            Request::Leave => ToServer::Leave,
            Request::Chat(text) => ToServer::Chat { text },
            Request::Relay(bytes) => ToServer::Relay(bytes),
            Request::Whisper { to, text } => ToServer::Whisper { to: name(to), text },
            Request::Invite(to) => ToServer::Invite { to: name(to) },
            Request::Answer { invite, accept } => {
                ToServer::Answer { invite: invite?, answer: if accept { Accept::Yes } else { Accept::No } }
            }
            _ => return None,
        })
    }

    fn heard<E>(packet: raw::ToClient) -> Option<Event<E>> {
        use raw::ToClient;
        let code = Code::from_raw;
        let who = |raw::User { user, id }| who(user, &id);
        Some(match packet {
            ToClient::Pong { number } => Event::Pong(number.into()),
            ToClient::Error { code: number } => Event::Error(code(number)?),
            ToClient::LogIn { result } => Event::LogIn(code(result)?),
            ToClient::Enter { result, room, user } => Event::Enter { code: code(result)?, room, user },
            ToClient::Users { users } => Event::Users(users.into_iter().map(who).collect::<Option<_>>()?),
            ToClient::Came(user) => Event::Came(who(user)?),
            ToClient::Leave { result } => Event::Leave(code(result)?),
            ToClient::Went { user } => Event::Went(nameless(user)?),
            ToClient::Chat { result } => Event::Chat(code(result)?),
            ToClient::Chatted { user, text } => Event::Chatted { who: nameless(user)?, text },
            ToClient::Relayed { user, bytes } => Event::Relayed { who: nameless(user)?, bytes },
            ToClient::Whisper { result } => whisper(code(result)?),
            ToClient::Whispered { from, text } => Event::Whispered { from: named(&from)?, text },
            ToClient::Invite { result, invite } => Event::Invite { code: code(result)?, invite, to: None },
            ToClient::Invited { invite, room, millis, from } => {
                Event::Invited { invite, from: named(&from)?, room, millis }
            }
            ToClient::Answer { result } => Event::Answer { code: code(result)?, accept: true },
            ToClient::InviteOver { invite, outcome, to } => over(invite, outcome.into(), &to)?,
            ToClient::Other(_) => return None,
        })
    }
}

impl Format for MsgPack {
    type In = msgpack::ToClient;
    type Out = msgpack::ToServer;

    fn ask<C>(request: Request<C>) -> Option<msgpack::ToServer> {
        use msgpack::{Accept, Number, Text, ToServer};
        let name = |name: Option<Name>| Text::from(text(name).as_str());
        Some(match request {
            Request::Ping(number) => ToServer::Ping { number: i16::try_from(number).ok()? },
            Request::LogIn { name: id, password } => {
                ToServer::LogIn { id: name(id), password: Some(Text(password)) }
            }
            Request::Enter(room) => ToServer::Enter { room: Number(room) },
            Request::Leave => ToServer::Leave,
            Request::Chat(text) => ToServer::Chat { text },
            Request::Relay(bytes) => ToServer::Relay(bytes),
            Request::Whisper { to, text } => ToServer::Whisper { to: name(to), text },
            Request::Invite(to) => ToServer::Invite { to: name(to) },
            Request::Answer { invite, accept } => {
                ToServer::Answer { invite: invite?, answer: Accept(accept) }
            }
            _ => return None,
        })
    }

    fn heard<E>(packet: msgpack::ToClient) -> Option<Event<E>> {
        use msgpack::ToClient;
        let code = Code::from_msgpack;
        Some(match packet {
            ToClient::Pong { number } => Event::Pong(number.into()),
            ToClient::Error { code: number } => Event::Error(code(number)?),
            ToClient::LogIn { result } => Event::LogIn(code(result)?),
            // This format does not say which room.
            ToClient::Enter { result, user } => Event::Enter { code: code(result)?, room: 0, user },
            ToClient::Users { users, ids, .. } => {
                let users = users.into_iter().zip(&ids).map(|(user, id)| who(user, id));
                Event::Users(users.collect::<Option<_>>()?)
            }
            ToClient::Came { user, id } => Event::Came(who(user, &id)?),
            ToClient::Leave { result } => Event::Leave(code(result)?),
            ToClient::Went { user } => Event::Went(nameless(user)?),
            ToClient::Chat { result } => Event::Chat(code(result)?),
            ToClient::Chatted { user, text } => Event::Chatted { who: nameless(user)?, text },
            ToClient::Relayed { user, bytes } => Event::Relayed { who: nameless(user)?, bytes },
            ToClient::Whisper { result } => whisper(code(result)?),
            ToClient::Whispered { from, text } => Event::Whispered { from: named(&from)?, text },
            ToClient::Invite { result, invite } => Event::Invite { code: code(result)?, invite, to: None },
            ToClient::Invited { invite, room, millis, from } => {
                Event::Invited { invite, from: named(&from)?, room, millis }
            }
            ToClient::Answer { result } => Event::Answer { code: code(result)?, accept: true },
            ToClient::InviteOver { invite, outcome, to } => over(invite, outcome.into(), &to)?,
            ToClient::Other(_) => return None,
        })
    }
}

impl Format for Protobuf {
    type In = protobuf::ToClient;
    type Out = protobuf::ToServer;

    fn ask<C>(request: Request<C>) -> Option<protobuf::ToServer> {
        use protobuf::ToServer;
        Some(match request {
            Request::Ping(number) => ToServer::Ping(PingReq { number }),
            Request::LogIn { name, password } => ToServer::LogIn(LoginReq {
                user_id: text(name),
                user_pw: String::from_utf8_lossy(&password).into_owned(),
            }),
            Request::Enter(room) => ToServer::Enter(RoomEnterReq { room_number: room?.into() }),
            Request::Leave => ToServer::Leave,
            Request::Chat(msg) => ToServer::Chat(RoomChatReq { msg }),
            Request::Relay(data) => ToServer::Relay(RoomRelayReq { data }),
            Request::Whisper { to, text: msg } => ToServer::Whisper(WhisperReq { user_id: text(to), msg }),
            Request::Invite(to) => ToServer::Invite(RoomInviteReq { user_id: text(to) }),
            Request::Answer { invite, accept } => {
                let answer = if accept { InviteAnswer::Accepted } else { InviteAnswer::Refused };
                ToServer::Answer(RoomInviteAnswerReq { invite_id: invite?, answer: answer.into() })
            }
            _ => return None,
        })
    }

    fn heard<E>(packet: protobuf::ToClient) -> Option<Event<E>> {
        use protobuf::ToClient;
        let code = |number: i32| Code::from_msgpack(i16::try_from(number).ok()?);
        let user = |user: RoomUser| who(user.room_user_id, &user.user_id);
        Some(match packet {
            ToClient::Pong(pong) => Event::Pong(pong.number),
            ToClient::Error(error) => Event::Error(code(error.error_code)?),
            ToClient::LogIn(answer) => Event::LogIn(code(answer.result)?),
            ToClient::Enter(answer) => Event::Enter {
                code: code(answer.result)?,
                room: answer.room_number,
                user: answer.room_user_id,
            },
            ToClient::Users(list) => Event::Users(list.users.into_iter().map(user).collect::<Option<_>>()?),
            ToClient::Came(came) => Event::Came(user(came.user?)?),
            ToClient::Leave(answer) => Event::Leave(code(answer.result)?),
            ToClient::Went(went) => Event::Went(nameless(went.room_user_id)?),
            ToClient::Chat(answer) => Event::Chat(code(answer.result)?),
            ToClient::Chatted(chat) => Event::Chatted { who: nameless(chat.room_user_id)?, text: chat.msg },
            ToClient::Relayed(relay) => {
                Event::Relayed { who: nameless(relay.room_user_id)?, bytes: relay.data }
            }
            ToClient::Whisper(answer) => whisper(code(answer.result)?),
            ToClient::Whispered(whisper) => {
                Event::Whispered { from: named(&whisper.user_id)?, text: whisper.msg }
            }
            ToClient::Invite(answer) => {
                Event::Invite { code: code(answer.result)?, invite: answer.invite_id, to: None }
            }
            ToClient::Invited(invited) => Event::Invited {
                invite: invited.invite_id,
                from: named(&invited.user_id)?,
                room: invited.room_number,
                millis: invited.time_left,
            },
            ToClient::Answer(answer) => Event::Answer { code: code(answer.result)?, accept: true },
            ToClient::InviteOver(end) => over(end.invite_id, end.answer, &end.user_id)?,
            ToClient::Other(_) => return None,
        })
    }
}

fn text(name: Option<Name>) -> String {
    name.map(|name| name.to_string()).unwrap_or_default()
}

fn named(name: &str) -> Option<Name> {
    Name::new(name.as_bytes())
}

fn who(user: u64, id: &str) -> Option<Who> {
    Some(Who { user, name: named(id)? })
}

/// Who is named on the wire by the room user id alone: the client knows the name from 723 and 724.
fn nameless(user: u64) -> Option<Who> {
    who(user, "?")
}

fn whisper<E>(code: Code) -> Event<E> {
    Event::Whisper { code, to: None, text: String::new() }
}

fn over<E>(invite: u64, outcome: i32, to: &str) -> Option<Event<E>> {
    let outcome = match outcome {
        1 => Outcome::Accepted,
        2 => Outcome::Refused,
        3 => Outcome::Expired,
        _ => return None,
    };
    let to = named(to)?;
    Some(Event::InviteOver { invite, from: to.clone(), to, outcome })
}
