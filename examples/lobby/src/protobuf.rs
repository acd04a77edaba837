//! The protobuf format: the messages of `proto/chat.proto`.

use bytes::Bytes;
use netcore::body::BodyError;
use netcore::{Adapter, Binary, Fault, FaultKind, Frame, Packet};

use crate::{Event, Game, Name, Request, Who};

/// The messages, as `proto/chat.proto` declares them.
#[allow(missing_docs, reason = "the file's own comments are there where it has them")]
pub mod message {
    include!(concat!(env!("OUT_DIR"), "/chat.rs"));
}

use message::{
    ErrorNtf, InviteAnswer, LoginReq, LoginRes, PingReq, PingRes, RoomChatNtf, RoomChatReq, RoomChatRes,
    RoomEnterReq, RoomEnterRes, RoomInviteAnswerReq, RoomInviteAnswerRes, RoomInviteNtf, RoomInviteOverNtf,
    RoomInviteReq, RoomInviteRes, RoomLeaveRes, RoomLeaveUserNtf, RoomNewUserNtf, RoomRelayNtf, RoomRelayReq,
    RoomUser, RoomUserListNtf, WhisperNtf, WhisperReq, WhisperRes,
};

/// What clients send.
#[derive(Packet, Clone, Debug, PartialEq)]
#[packet(format = Protobuf)]
pub enum ToServer {
    /// Answered with the same number.
    #[packet(id = 201, reply = 202)]
    Ping(PingReq),
    /// Becomes somebody.
    #[packet(id = 701, reply = 702)]
    LogIn(LoginReq),
    /// Enters a room.
    #[packet(id = 721, reply = 722)]
    Enter(RoomEnterReq),
    /// Leaves the room.
    #[packet(id = 726, reply = 727, ignore_extra)]
    Leave,
    /// Says something to the room.
    #[packet(id = 731, reply = 732)]
    Chat(RoomChatReq),
    /// Sends bytes to the room.
    #[packet(id = 741)]
    Relay(RoomRelayReq),
    /// Says something to one user.
    #[packet(id = 771, reply = 772)]
    Whisper(WhisperReq),
    /// Asks a user into one's room.
    #[packet(id = 781, reply = 782)]
    Invite(RoomInviteReq),
    /// Answers an invitation.
    #[packet(id = 784, reply = 785)]
    Answer(RoomInviteAnswerReq),
    /// The game's own, or none at all.
    #[packet(other)]
    Other(Frame),
}

/// What the server sends.
#[derive(Packet, Clone, Debug, PartialEq)]
#[packet(format = Protobuf)]
pub enum ToClient {
    /// The number of the ping.
    #[packet(id = 202)]
    Pong(PingRes),
    /// What has no answer of its own.
    #[packet(id = 203)]
    Error(ErrorNtf),
    /// The answer to a log-in.
    #[packet(id = 702)]
    LogIn(LoginRes),
    /// The answer to an enter.
    #[packet(id = 722)]
    Enter(RoomEnterRes),
    /// Who was in the room before.
    #[packet(id = 723)]
    Users(RoomUserListNtf),
    /// Somebody came.
    #[packet(id = 724)]
    Came(RoomNewUserNtf),
    /// The answer to a leave.
    #[packet(id = 727)]
    Leave(RoomLeaveRes),
    /// Somebody left.
    #[packet(id = 728)]
    Went(RoomLeaveUserNtf),
    /// The answer to a chat.
    #[packet(id = 732)]
    Chat(RoomChatRes),
    /// Somebody said something.
    #[packet(id = 733)]
    Chatted(RoomChatNtf),
    /// Somebody sent bytes.
    #[packet(id = 742)]
    Relayed(RoomRelayNtf),
    /// The answer to a whisper.
    #[packet(id = 772)]
    Whisper(WhisperRes),
    /// Somebody said something to this user alone.
    #[packet(id = 773)]
    Whispered(WhisperNtf),
    /// The answer to asking somebody in.
    #[packet(id = 782)]
    Invite(RoomInviteRes),
    /// Somebody asks this user to come.
    #[packet(id = 783)]
    Invited(RoomInviteNtf),
    /// The answer to answering an invitation.
    #[packet(id = 785)]
    Answer(RoomInviteAnswerRes),
    /// How an invitation ended.
    #[packet(id = 786)]
    InviteOver(RoomInviteOverNtf),
    /// The game's own.
    #[packet(other)]
    Other(Frame),
}

/// A door that speaks protobuf; otherwise as [`raw::door`](crate::raw::door).
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
        ToServer::Ping(PingReq { number }) => Request::Ping(number),
        ToServer::LogIn(LoginReq { user_id, user_pw }) => {
            Request::LogIn { name: Name::new(user_id.as_bytes()), password: user_pw.into_bytes().into() }
        }
        ToServer::Enter(RoomEnterReq { room_number }) => Request::Enter(i32::try_from(room_number).ok()),
        ToServer::Leave => Request::Leave,
        ToServer::Chat(RoomChatReq { msg }) => Request::Chat(msg),
        ToServer::Relay(RoomRelayReq { data }) => Request::Relay(data),
        ToServer::Whisper(WhisperReq { user_id, msg }) => {
            Request::Whisper { to: Name::new(user_id.as_bytes()), text: msg }
        }
        ToServer::Invite(RoomInviteReq { user_id }) => Request::Invite(Name::new(user_id.as_bytes())),
        ToServer::Answer(answer) => {
            let accept = match answer.answer() {
                InviteAnswer::Accepted => true,
                InviteAnswer::Refused => false,
                _ => return Err(no_answer()),
            };
            Request::Answer { invite: Some(answer.invite_id), accept }
        }
        ToServer::Other(frame) => Request::Game(game(frame)?),
    })
}

/// An answer that is neither: a body that does not decode, as in the other formats.
fn no_answer() -> Fault {
    let error = BodyError::format("neither accepted nor refused");
    FaultKind::Malformed { id: ToServer::ANSWER_ID, error, body: Bytes::new() }.into()
}

fn say<E>(event: &Event<E>, send: &mut dyn FnMut(ToClient), game: fn(&E, &mut dyn FnMut(ToClient))) {
    let packet = match event {
        Event::Error(code) => ToClient::Error(ErrorNtf { error_code: code.msgpack().into() }),
        Event::Pong(number) => ToClient::Pong(PingRes { number: *number }),
        Event::LogIn(code) => ToClient::LogIn(LoginRes { result: code.msgpack().into() }),
        Event::Enter { code, room, user } => ToClient::Enter(RoomEnterRes {
            result: code.msgpack().into(),
            room_number: *room,
            room_user_id: *user,
        }),
        Event::Users(users) => {
            ToClient::Users(RoomUserListNtf { users: users.iter().map(RoomUser::from).collect() })
        }
        Event::Came(who) => ToClient::Came(RoomNewUserNtf { user: Some(who.into()) }),
        Event::Leave(code) => ToClient::Leave(RoomLeaveRes { result: code.msgpack().into() }),
        Event::Went(who) => ToClient::Went(RoomLeaveUserNtf { room_user_id: who.user }),
        Event::Chat(code) => ToClient::Chat(RoomChatRes { result: code.msgpack().into() }),
        Event::Chatted { who, text } => {
            ToClient::Chatted(RoomChatNtf { room_user_id: who.user, msg: text.clone() })
        }
        Event::Relayed { who, bytes } => {
            ToClient::Relayed(RoomRelayNtf { room_user_id: who.user, data: bytes.clone() })
        }
        Event::Whisper { code, .. } => ToClient::Whisper(WhisperRes { result: code.msgpack().into() }),
        Event::Whispered { from, text } => {
            ToClient::Whispered(WhisperNtf { user_id: from.to_string(), msg: text.clone() })
        }
        Event::Invite { code, invite, .. } => {
            ToClient::Invite(RoomInviteRes { result: code.msgpack().into(), invite_id: *invite })
        }
        Event::Invited { invite, from, room, millis } => ToClient::Invited(RoomInviteNtf {
            invite_id: *invite,
            room_number: *room,
            time_left: *millis,
            user_id: from.to_string(),
        }),
        Event::Answer { code, .. } => ToClient::Answer(RoomInviteAnswerRes { result: code.msgpack().into() }),
        Event::InviteOver { invite, to, outcome, .. } => ToClient::InviteOver(RoomInviteOverNtf {
            invite_id: *invite,
            answer: outcome.number().into(),
            user_id: to.to_string(),
        }),
        // There is no packet for another name: one user leaves, and another one comes.
        Event::Renamed { old, new } => {
            send(ToClient::Went(RoomLeaveUserNtf { room_user_id: old.user }));
            ToClient::Came(RoomNewUserNtf { user: Some(new.into()) })
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

impl From<&Who> for RoomUser {
    fn from(who: &Who) -> Self {
        Self { room_user_id: who.user, user_id: who.name.to_string() }
    }
}
