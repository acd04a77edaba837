//! The packets of the rooms in each format, put together byte by byte, from the wire's own page and not by the encoders
//! that the servers use. Each is named for what it says; [`frame`] makes any other.

#![allow(missing_docs, reason = "each name is that of a packet or a code in the wire's page")]

mod fields;

pub use fields::{bytes, int, text, varint};
use fields::{list, protobuf_user, raw_name, raw_text, raw_user};

/// One of the binary formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Raw,
    MsgPack,
    Protobuf,
}

pub use Format::{MsgPack, Protobuf, Raw};

pub const FORMATS: [Format; 3] = [Raw, MsgPack, Protobuf];

/// A code: its number in the raw format, and in the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(pub i16, pub i16);

pub const OK: Code = Code(1, 0);
pub const BODY: Code = Code(51, 51);
pub const NOT_LOGGED_IN: Code = Code(52, 53);
pub const UNKNOWN_ID: Code = Code(53, 54);
pub const LOGIN_DEADLINE: Code = Code(61, 61);
pub const IN_USE: Code = Code(111, 111);
pub const INVALID_ID: Code = Code(112, 112);
pub const NOT_IN_ROOM: Code = Code(121, 55);
pub const NO_ROOM: Code = Code(122, 122);
pub const FULL: Code = Code(134, 134);
pub const IN_ROOM: Code = Code(135, 135);
pub const CHAT_LENGTH: Code = Code(151, 151);
pub const RELAY_LENGTH: Code = Code(161, 161);
pub const BAD_TOKEN: Code = Code(1001, 1001);
pub const API_AWAY: Code = Code(1002, 1002);
pub const TOO_FAST: Code = Code(1004, 1004);
pub const NO_SUCH_USER: Code = Code(1005, 1005);
pub const NO_INVITE: Code = Code(1007, 1007);
pub const TOO_MANY_INVITES: Code = Code(1008, 1008);
pub const INVITE_HERE: Code = Code(1009, 1009);
pub const ENTER_DEADLINE: Code = Code(1010, 1010);
pub const PING_DEADLINE: Code = Code(1011, 1011);

/// A frame of type 0.
pub fn frame(id: u16, body: impl AsRef<[u8]>) -> Vec<u8> {
    typed(id, 0, body)
}

pub fn typed(id: u16, kind: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = (body.len() as u16 + 5).to_le_bytes().to_vec();
    bytes.extend(id.to_le_bytes());
    bytes.push(kind);
    bytes.extend(body);
    bytes
}

/// Bytes written as hex, with blanks.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

impl Format {
    fn code(self, code: Code) -> i16 {
        if self == Raw { code.0 } else { code.1 }
    }

    pub fn ping(self, number: i16) -> Vec<u8> {
        self.number(201, number)
    }

    pub fn pong(self, number: i16) -> Vec<u8> {
        self.number(202, number)
    }

    fn number(self, id: u16, number: i16) -> Vec<u8> {
        match self {
            Raw | MsgPack => frame(id, number.to_le_bytes()),
            Protobuf => frame(id, varint(1, number as i64 as u64)),
        }
    }

    pub fn login(self, id: impl AsRef<[u8]>) -> Vec<u8> {
        self.login_by(id, "secret")
    }

    /// A log-in with that password, of up to 16 bytes, or token.
    pub fn login_by(self, id: impl AsRef<[u8]>, password: &str) -> Vec<u8> {
        let id = id.as_ref();
        match self {
            Raw => {
                let mut body = id.to_vec();
                body.resize(16, 0);
                body.extend(password.as_bytes());
                body.resize(32, 0);
                frame(701, body)
            }
            MsgPack => {
                let password = text(password);
                frame(701, [&b"\x82\xa6UserID"[..], &text(id), b"\xa6UserPW", &password].concat())
            }
            Protobuf => frame(701, [bytes(1, id), bytes(2, password)].concat()),
        }
    }

    /// 702, 727, 732, 772 and 785: nothing but a result.
    pub fn result(self, id: u16, code: Code) -> Vec<u8> {
        let code = self.code(code);
        match self {
            Raw => frame(id, code.to_le_bytes()),
            MsgPack => frame(id, [&b"\x81\xa6Result"[..], &int(code as u64)].concat()),
            Protobuf => frame(id, varint(1, code as u64)),
        }
    }

    pub fn error(self, code: Code) -> Vec<u8> {
        let code = self.code(code);
        match self {
            Raw => frame(203, code.to_le_bytes()),
            MsgPack => frame(203, [&b"\x81\xa9ErrorCode"[..], &int(code as u64)].concat()),
            Protobuf => frame(203, varint(1, code as u64)),
        }
    }

    pub fn enter(self, room: i32) -> Vec<u8> {
        match self {
            Raw => frame(721, room.to_le_bytes()),
            MsgPack => frame(721, [&b"\x81\xaaRoomNumber\xd2"[..], &room.to_be_bytes()].concat()),
            Protobuf => frame(721, varint(1, i64::from(room) as u64)),
        }
    }

    pub fn entered(self, code: Code, room: i32, user: u64) -> Vec<u8> {
        let code = self.code(code);
        match self {
            Raw => frame(722, [&code.to_le_bytes()[..], &room.to_le_bytes(), &user.to_le_bytes()].concat()),
            MsgPack => {
                let (code, user) = (int(code as u64), int(user));
                frame(722, [&b"\x82\xa6Result"[..], &code, b"\xb0RoomUserUniqueId", &user].concat())
            }
            Protobuf => {
                frame(722, [varint(1, code as u64), varint(2, room as u64), varint(3, user)].concat())
            }
        }
    }

    /// An enter that was refused.
    pub fn not_entered(self, code: Code) -> Vec<u8> {
        self.entered(code, 0, 0)
    }

    pub fn users(self, users: &[(u64, &str)]) -> Vec<u8> {
        match self {
            Raw => {
                let mut body = vec![users.len() as u8];
                for (user, name) in users {
                    body.extend(raw_user(*user, name));
                }
                frame(723, body)
            }
            MsgPack => {
                let list = list(users.len());
                let mut body =
                    [&b"\x83\xa9UserCount"[..], &int(users.len() as u64), b"\xa8UniqueId"].concat();
                body.extend(&list);
                users.iter().for_each(|(user, _)| body.extend(int(*user)));
                body.extend(b"\xa2ID");
                body.extend(&list);
                users.iter().for_each(|(_, name)| body.extend(text(name)));
                frame(723, body)
            }
            Protobuf => {
                let users = users.iter().map(|(user, name)| bytes(1, protobuf_user(*user, name)));
                frame(723, users.collect::<Vec<_>>().concat())
            }
        }
    }

    pub fn came(self, user: u64, name: &str) -> Vec<u8> {
        match self {
            Raw => frame(724, raw_user(user, name)),
            MsgPack => frame(724, [&b"\x82\xa8UniqueId"[..], &int(user), b"\xa2ID", &text(name)].concat()),
            Protobuf => frame(724, bytes(1, protobuf_user(user, name))),
        }
    }

    pub fn leave(self) -> Vec<u8> {
        frame(726, "")
    }

    pub fn went(self, user: u64) -> Vec<u8> {
        match self {
            Raw => frame(728, user.to_le_bytes()),
            MsgPack => frame(728, [&b"\x81\xacUserUniqueId"[..], &int(user)].concat()),
            Protobuf => frame(728, varint(1, user)),
        }
    }

    pub fn chat(self, what: impl AsRef<[u8]>) -> Vec<u8> {
        let what = what.as_ref();
        match self {
            Raw => frame(731, raw_text(what)),
            MsgPack => frame(731, [&b"\x81\xa3Msg"[..], &text(what)].concat()),
            Protobuf => frame(731, bytes(1, what)),
        }
    }

    pub fn chatted(self, user: u64, what: &str) -> Vec<u8> {
        match self {
            Raw => frame(733, [&user.to_le_bytes()[..], &raw_text(what)].concat()),
            MsgPack => {
                frame(733, [&b"\x82\xacUserUniqueId"[..], &int(user), b"\xa3Msg", &text(what)].concat())
            }
            Protobuf => frame(733, [varint(1, user), bytes(2, what)].concat()),
        }
    }

    pub fn relay(self, what: &[u8]) -> Vec<u8> {
        match self {
            Raw | MsgPack => frame(741, what),
            Protobuf => frame(741, bytes(1, what)),
        }
    }

    pub fn relayed(self, user: u64, what: &[u8]) -> Vec<u8> {
        match self {
            Raw | MsgPack => frame(742, [&user.to_le_bytes()[..], what].concat()),
            Protobuf => frame(742, [varint(1, user), bytes(2, what)].concat()),
        }
    }

    pub fn whisper(self, to: &str, what: &str) -> Vec<u8> {
        self.named_text(771, to, what)
    }

    pub fn whispered(self, from: &str, what: &str) -> Vec<u8> {
        self.named_text(773, from, what)
    }

    fn named_text(self, id: u16, name: &str, what: &str) -> Vec<u8> {
        match self {
            Raw => frame(id, [raw_name(name), raw_text(what)].concat()),
            MsgPack => frame(id, [&b"\x82\xa6UserID"[..], &text(name), b"\xa3Msg", &text(what)].concat()),
            Protobuf => frame(id, [bytes(1, name), bytes(2, what)].concat()),
        }
    }

    pub fn invite(self, to: &str) -> Vec<u8> {
        match self {
            Raw => frame(781, raw_name(to)),
            MsgPack => frame(781, [&b"\x81\xa6UserID"[..], &text(to)].concat()),
            Protobuf => frame(781, bytes(1, to)),
        }
    }

    pub fn invite_result(self, code: Code, invite: u64) -> Vec<u8> {
        let code = self.code(code);
        match self {
            Raw => frame(782, [&code.to_le_bytes()[..], &invite.to_le_bytes()].concat()),
            MsgPack => {
                let (code, invite) = (int(code as u64), int(invite));
                frame(782, [&b"\x82\xa6Result"[..], &code, b"\xa8InviteId", &invite].concat())
            }
            Protobuf => frame(782, [varint(1, code as u64), varint(2, invite)].concat()),
        }
    }

    pub fn invited(self, invite: u64, room: i32, from: &str) -> Vec<u8> {
        let millis = 60_000_i32;
        match self {
            Raw => {
                let numbers =
                    [&invite.to_le_bytes()[..], &room.to_le_bytes(), &millis.to_le_bytes()].concat();
                frame(783, [numbers, raw_name(from)].concat())
            }
            MsgPack => frame(
                783,
                [
                    &b"\x84\xa8InviteId"[..],
                    &int(invite),
                    b"\xaaRoomNumber",
                    &int(room as u64),
                    b"\xa8TimeLeft\xcd\xea\x60\xa6UserID",
                    &text(from),
                ]
                .concat(),
            ),
            Protobuf => frame(
                783,
                [varint(1, invite), varint(2, room as u64), varint(3, 60_000), bytes(4, from)].concat(),
            ),
        }
    }

    /// 1 accepts, 2 refuses.
    pub fn answer(self, invite: u64, answer: u8) -> Vec<u8> {
        match self {
            Raw => frame(784, [&invite.to_le_bytes()[..], &[answer]].concat()),
            MsgPack => {
                frame(784, [&b"\x82\xa8InviteId"[..], &int(invite), b"\xa6Answer", &[answer]].concat())
            }
            Protobuf => frame(784, [varint(1, invite), varint(2, answer.into())].concat()),
        }
    }

    /// 1 accepted, 2 refused, 3 expired.
    pub fn invite_over(self, invite: u64, outcome: u8, to: &str) -> Vec<u8> {
        match self {
            Raw => frame(786, [&invite.to_le_bytes()[..], &[outcome], &raw_name(to)].concat()),
            MsgPack => frame(
                786,
                [&b"\x83\xa8InviteId"[..], &int(invite), b"\xa6Answer", &[outcome], b"\xa6UserID", &text(to)]
                    .concat(),
            ),
            Protobuf => frame(786, [varint(1, invite), varint(2, outcome.into()), bytes(3, to)].concat()),
        }
    }
}

#[test]
fn the_builders_write_what_the_page_shows() {
    assert_eq!(MsgPack.result(702, OK), hex("0e00 be02 00 81 a6 526573756c74 00"));
    assert_eq!(Raw.error(NOT_LOGGED_IN), hex("0700 cb00 00 3400"));
    assert_eq!(
        Raw.users(&[(1, "ann"), (2, "bob")]),
        hex("1e00 d302 00 02 0100000000000000 03 616e6e 0200000000000000 03 626f62")
    );
    assert_eq!(Raw.chatted(3, "hi"), hex("1100 dd02 00 0300000000000000 0200 6869"));
    assert_eq!(Raw.not_entered(FULL), hex("1300 d202 00 8600 00000000 0000000000000000"));
    assert_eq!(Protobuf.chatted(3, "hi"), hex("0b00 dd02 00 0803 1202 6869"));
}

#[test]
fn the_page_of_the_wire_shows_whispers_and_invitations_as_they_are() {
    let page = include_str!("../../../../proto/WIRE.md");
    let section = &page[page.find("\n## 11.").unwrap()..];
    let shown: Vec<Vec<u8>> = section.lines().filter(|line| line.starts_with("    ")).map(hex).collect();
    let packets = FORMATS.map(|f| {
        [
            f.whisper("bob", "psst"),
            f.whispered("ann", "psst"),
            f.invited(1, 3, "ann"),
            f.answer(1, 1),
            f.invite_over(1, 1, "bob"),
        ]
    });
    let bodies: Vec<Vec<u8>> = packets.iter().flatten().map(|packet| packet[5..].to_vec()).collect();
    assert_eq!(shown, bodies);
}
