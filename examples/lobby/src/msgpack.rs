//! The MessagePack format: maps with the keys of the old servers.

use std::fmt;

use bytes::Bytes;
use netcore::schema::Type;
use netcore::{Adapter, Binary, Describe, Fault, Frame, Packet};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{Event, Game, Name, Request};

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

/// A text whose bytes need not be UTF-8: an id that is not decodes, and is then refused.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text(pub Bytes);

/// A room number; `None`: one outside of `i32`, which decodes, and is then refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number(pub Option<i32>);

/// An answer to an invitation: 1 or 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accept(pub bool);

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

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Look;
        impl Visitor<'_> for Look {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(text.into())
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(Bytes::copy_from_slice(bytes)))
            }
        }
        from.deserialize_bytes(Look)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.serialize_bytes(&self.0),
        }
    }
}

impl Describe for Text {
    const TYPE: &'static Type = String::TYPE;
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        integer(from).map(|number| Self(i32::try_from(number).ok()))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // One that is outside stays outside.
        to.serialize_i64(self.0.map_or(i64::MAX, i64::from))
    }
}

impl Describe for Number {
    const TYPE: &'static Type = i32::TYPE;
}

impl<'de> Deserialize<'de> for Accept {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match integer(from)? {
            1 => Ok(Self(true)),
            2 => Ok(Self(false)),
            _ => Err(D::Error::custom("an answer is 1 or 2")),
        }
    }
}

impl Serialize for Accept {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(if self.0 { 1 } else { 2 })
    }
}

impl Describe for Accept {
    const TYPE: &'static Type = i8::TYPE;
}

/// An integer of any width.
fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<i128, D::Error> {
    struct Look;
    impl Visitor<'_> for Look {
        type Value = i128;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<i128, E> {
            Ok(number.into())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<i128, E> {
            Ok(number.into())
        }
    }
    from.deserialize_i64(Look)
}
