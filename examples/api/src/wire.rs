//! The bodies of requests and answers: JSON objects with these fields. A request with another field is refused; an answer
//! may get more of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::object::{maybe_object, object};

/// `POST /v1/users` and `POST /v1/sessions`: who somebody is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// 1 to 16 bytes of UTF-8 without NUL.
    pub name: String,
    /// 8 to 128 bytes of UTF-8.
    pub password: String,
}

/// Without the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct User {
    /// Never used again: 1 to 2⁵³ − 1.
    pub id: u64,
    /// 1 to 16 bytes of UTF-8 without NUL.
    pub name: String,
}

/// Somebody is logged in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// For the header `Authorization: Bearer SESSION`.
    pub session: String,
    /// Who it is.
    pub user: User,
    /// So long it is good, in milliseconds.
    pub expires_in_ms: u64,
}

/// Without the secret.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What a game server takes in place of a password, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// 16 of `A`–`Z`, `a`–`z`, `0`–`9`, `-` and `_`: 96 random bits.
    pub token: String,
    /// So long it is good, in milliseconds.
    pub expires_in_ms: u64,
}

impl Token {
    /// Whether that could be a token at all. What cannot, a password say, need not be sent anywhere.
    #[must_use]
    pub fn is_text(text: &str) -> bool {
        text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    }
}

/// Without the secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_in_ms", &self.expires_in_ms).finish_non_exhaustive()
    }
}

/// `POST /v1/tokens/redeem`: is that token this user's?
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    /// The user's name.
    pub user: String,
    /// The token that they gave.
    pub token: String,
}

/// Without the token.
impl fmt::Debug for Redeem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redeem").field("user", &self.user).finish_non_exhaustive()
    }
}

/// `POST /v1/games/GAME/servers`: a game server is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Where users find it: the name of each door and its address, 1 to 16 of them, of 1 to 32 and 1 to 255 visible ASCII
    /// characters. An address is `HOST:PORT` or `[IPv6]:PORT`, and the port not 0.
    pub doors: BTreeMap<String, String>,
    /// The most users it takes: 1 to 1,000,000.
    pub capacity: u32,
    /// Its rooms, if it has numbered ones.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "maybe_object")]
    pub rooms: Option<Rooms>,
    /// How full it is already: no more users than `capacity`, and of the rooms those that it has, each once and with no
    /// more users than seats.
    #[serde(default, deserialize_with = "object")]
    pub load: Load,
}

impl Registration {
    /// A server for so many users, without doors.
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        Self { doors: BTreeMap::new(), capacity, rooms: None, load: Load::default() }
    }

    /// Adds a door, and the address at which users reach it.
    #[must_use]
    pub fn door(mut self, name: impl Into<String>, address: impl Into<String>) -> Self {
        self.doors.insert(name.into(), address.into());
        self
    }

    /// It has numbered rooms.
    #[must_use]
    pub fn rooms(mut self, rooms: Rooms) -> Self {
        self.rooms = Some(rooms);
        self
    }
}

/// Numbered rooms of one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rooms {
    /// The number of the first.
    pub first: u32,
    /// How many there are: 1 to 65,536.
    pub count: u32,
    /// Users in each: 1 to 65,535.
    pub seats: u16,
}

/// `PUT /v1/games/GAME/servers/SERVER`: how full a server is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Users on it, those outside of rooms included.
    pub users: u32,
    /// Number and users of each room in which there is somebody; 8,192 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub occupied: Vec<(u32, u16)>,
    /// Ids of users who came since the last report, whom the numbers above count: the seats that were kept for them are
    /// theirs no more. 8,192 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entered: Vec<u64>,
}

/// A server has its place in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lease {
    /// The server's id.
    pub server: String,
    /// Unless it reports within so many milliseconds, it is taken off the list.
    pub expires_in_ms: u64,
}

/// `GET /v1/games/GAME/servers`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// All servers of that game, by id.
    pub servers: Vec<Member>,
}

/// A server in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub server: String,
    /// Its doors: name and address.
    pub doors: BTreeMap<String, String>,
    /// The most users it takes.
    pub capacity: u32,
    /// Users on it when it last reported.
    pub users: u32,
    /// Seats kept for users who were placed there and have not been reported yet.
    pub reserved: u32,
    /// Its rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rooms: Option<Rooms>,
    /// Rooms in which there is somebody.
    pub occupied_rooms: u32,
    /// Unless it reports within so many milliseconds, it is taken off the list.
    pub expires_in_ms: u64,
}

/// `POST /v1/games/GAME/seat`: what matters about where to play.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Ids of servers that this user could not reach: 16 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<String>,
}

/// Where a user plays, and what lets them in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The server's id.
    pub server: String,
    /// Its doors: name and address.
    pub doors: BTreeMap<String, String>,
    /// The room, where the server has rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<u32>,
    /// For so many milliseconds the seat is kept.
    pub reserved_ms: u64,
    /// A token as `POST /v1/tokens` gives it.
    pub token: String,
    /// So long the token is good, in milliseconds.
    pub token_expires_in_ms: u64,
}

/// Without the token.
impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("server", &self.server)
            .field("doors", &self.doors)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

/// `POST /v1/games/GAME/match`: wait for others to play with.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Ids of servers that this user could not reach: 16 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<String>,
    /// The answer may take so many milliseconds: 0 to 25,000.
    #[serde(default)]
    pub wait_ms: u64,
}

/// How it stands with somebody who waits for a match.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// Ask again.
    Waiting {
        /// How many wait for this game.
        waiting: u32,
        /// How many make a group.
        size: u32,
        /// In so many milliseconds it is given up.
        gives_up_in_ms: u64,
    },
    /// The group is complete; all of it has the same server and room.
    Matched {
        /// Where.
        #[serde(flatten)]
        seat: Seat,
        /// Everyone in the group, this user included.
        users: Vec<User>,
    },
}

/// `GET /health`: `ok`, or in words what is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Health {
    /// `ok` when everything below is.
    pub status: String,
    /// The accounts.
    pub database: String,
    /// Tokens, list and queue.
    pub store: String,
}

/// The body of every answer that is not a success.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// What is wrong.
    pub error: Refusal,
}

/// What is wrong with a request, or with the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs: one of the codes in the README.
    pub code: String,
    /// For people.
    pub message: String,
}
