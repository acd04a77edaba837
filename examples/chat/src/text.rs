//! The text door: what people type, and what they read.

use lobby::{CHAT_MAX, Code, Event, Name, Outcome, Request, Who};
use netcore::{Lines, TextProtocol};
use support::visible;

use crate::{Command, Happening};

/// Lines of text in front of the rooms.
#[derive(Clone, Copy, Debug, Default)]
pub struct People;

type In = Request<Command>;
type Out = Event<Happening>;

impl TextProtocol for People {
    type In = In;
    type Out = Out;

    fn parse(&mut self, line: &str) -> Result<In, String> {
        let Some(command) = line.strip_prefix('/') else { return Ok(Request::Chat(text(line)?)) };
        // Two begin a line that is said with one.
        if command.starts_with('/') {
            return Ok(Request::Chat(text(command)?));
        }
        let (word, rest) = split(command);
        Ok(match word {
            "nick" | "대화명" => Request::Rename(nick(rest)?),
            "dice" | "주사위" => Request::Game(Command::Dice(sides(rest)?)),
            "msg" | "메시지" => match split(rest) {
                ("", _) | (_, "") => return Err("a whisper: /msg WHO TEXT".into()),
                (to, what) => Request::Whisper { to: Name::read(to), text: text(what)? },
            },
            "vote" | "투표" => match split(rest) {
                ("start", question) if word == "vote" => ask(question)?,
                ("", _) => return Err("a vote: /vote start QUESTION, then /vote CHOICE".into()),
                _ => Request::Game(Command::Choose(text(rest)?)),
            },
            "투표시작" => ask(rest)?,
            "join" | "참가" => match rest.parse() {
                Ok(room) => Request::Join(room),
                Err(_) => return Err("a room has a number: /join 3".into()),
            },
            "leave" | "나가기" => Request::Leave,
            "who" | "누구" => Request::Who,
            "rooms" | "방목록" => Request::Rooms,
            "invite" | "초대" if rest.is_empty() => return Err("whom? /invite WHO".into()),
            "invite" | "초대" => Request::Invite(Name::read(rest)),
            "accept" | "수락" => Request::Answer { invite: None, accept: true },
            "refuse" | "거절" => Request::Answer { invite: None, accept: false },
            "login" | "로그인" => {
                let (name, token) = split(rest);
                if token.is_empty() {
                    return Err("a log-in: /login NAME TOKEN".into());
                }
                // An account may have a name that nobody takes by /nick.
                Request::LogIn { name: Name::read(name), password: token.to_owned().into() }
            }
            "help" | "도움말" => Request::Help,
            "quit" | "종료" => Request::Quit,
            _ => return Err(format!("there is no /{}: /help says what there is", visible(word))),
        })
    }

    fn print(&self, event: &Out, lines: &mut Lines<'_>) {
        match event {
            Event::Welcome(Some(name)) => {
                lines.line(format_args!("welcome, you are {}: /help says what you can do", name.shown()));
            }
            Event::Welcome(None) => lines.line("welcome: log in first, with /login NAME TOKEN"),
            Event::LogIn(Code::Ok) => lines.line("you are logged in"),
            Event::Rename { code: Code::Ok, name: Some(name) } => {
                lines.line(format_args!("you are {}", name.shown()));
            }
            Event::Rename { code: Code::InUse, .. } => lines.line("that name is taken"),
            Event::Lounge => {
                lines.line("you are in the lobby: /rooms shows the rooms, /join ROOM enters one")
            }
            Event::Enter { code: Code::Ok, room, user } => {
                lines.line(format_args!("you are in room {room}, as number {user}"));
            }
            Event::Enter { code: Code::InRoom, .. } | Event::Answer { code: Code::InRoom, .. } => {
                lines.line("you are in that room already");
            }
            Event::Leave(Code::Ok) => lines.line("you left the room"),
            Event::Chat(Code::Ok) | Event::Answer { code: Code::Ok, accept: true } => {}
            Event::Answer { code: Code::Ok, accept: false } => lines.line("you do not come"),
            Event::Whisper { code: Code::Ok, to: Some(to), text } => {
                lines.line(format_args!("[to {}] {}", to.shown(), visible(text)));
            }
            Event::Invite { code: Code::Ok, to: Some(to), .. } => {
                lines.line(format_args!("{} was asked to come", to.shown()));
            }
            Event::Error(code)
            | Event::LogIn(code)
            | Event::Rename { code, .. }
            | Event::Enter { code, .. }
            | Event::Leave(code)
            | Event::Chat(code)
            | Event::Whisper { code, .. }
            | Event::Invite { code, .. }
            | Event::Answer { code, .. } => lines.line(code),
            Event::Users(users) => lines.line(format_args!("here: {}", names(users))),
            Event::Here { room: Some(room), users } => {
                lines.line(format_args!("in room {room}: {}", names(users)));
            }
            Event::Here { room: None, users } => lines.line(format_args!("in the lobby: {}", names(users))),
            Event::Rooms { rooms, .. } if rooms.is_empty() => lines.line("all rooms are empty"),
            Event::Rooms { rooms, seats } => {
                for (room, taken) in rooms {
                    lines.line(format_args!("room {room}: {taken} of {seats}"));
                }
            }
            Event::Came(who) => lines.line(format_args!("* {} came", numbered(who))),
            Event::Went(who) => lines.line(format_args!("* {} left", numbered(who))),
            Event::Renamed { old, new } => {
                lines.line(format_args!("* {} is now {}", old.name.shown(), numbered(new)));
            }
            Event::Chatted { who, text } => {
                lines.line(format_args!("{}: {}", who.name.shown(), visible(text)));
            }
            Event::Whispered { from, text } => {
                lines.line(format_args!("[from {}] {}", from.shown(), visible(text)));
            }
            Event::Invited { from, room, millis, .. } => lines.line(format_args!(
                "* {} asks you into room {room}: /accept or /refuse, within {} s",
                from.shown(),
                millis / 1000
            )),
            Event::InviteOver { from, to, outcome, .. } => match outcome {
                Outcome::Accepted => lines.line(format_args!("* {} comes", to.shown())),
                Outcome::Refused => lines.line(format_args!("* {} does not come", to.shown())),
                Outcome::Expired => lines.line(format_args!(
                    "* the invitation of {} to {} has expired",
                    from.shown(),
                    to.shown()
                )),
            },
            Event::Game(happening) => print(happening, lines),
            Event::Help => HELP.lines().for_each(|line| lines.line(line)),
            Event::Bye => lines.line("bye"),
            Event::Stopping => lines.line("the server stops"),
            Event::NodesAway => lines.line("the other servers are away: only those on this one hear you"),
            Event::NodesBack { unsent: 0 } => lines.line("the other servers are back"),
            Event::NodesBack { unsent: 1 } => {
                lines.line("the other servers are back, and did not hear one message of this one");
            }
            Event::NodesBack { unsent } => {
                lines.line(format_args!(
                    "the other servers are back, and did not hear {unsent} messages of this one"
                ));
            }
            // A number and opaque bytes are for programs.
            Event::Pong(_) | Event::Relayed { .. } => {}
        }
    }
}

/// What can be typed, a line each.
pub const HELP: &str = "\
/nick NAME · /대화명 이름: take a name
/join ROOM · /참가 방: go into a room
/leave · /나가기: go back to the lobby
/who · /누구: who is here
/rooms · /방목록: the rooms in which somebody is
/msg WHO TEXT · /메시지 누구 내용: say something to one user, in any room
/invite WHO · /초대 누구: ask a user into your room
/accept, /refuse · /수락, /거절: answer the last one who asked you
/dice N · /주사위 N: throw a die with N sides
/vote start QUESTION · /투표시작 질문: open a vote
/vote CHOICE · /투표 선택: choose in it
/login NAME TOKEN · /로그인 이름 토큰: log in
/help · /도움말: this
/quit · /종료: leave
anything else is said to everyone here; // begins a line with /";

fn print(happening: &Happening, lines: &mut Lines<'_>) {
    match happening {
        Happening::Rolled { who, sides, number } => {
            lines.line(format_args!("* {} rolls {number} of {sides}", who.name.shown()));
        }
        Happening::Opened { who, question } => {
            lines.line(format_args!("* {} asks: {} (/vote CHOICE)", who.name.shown(), visible(question)))
        }
        Happening::Chosen(choice) => lines.line(format_args!("you chose {}", visible(choice))),
        Happening::Closed { question, tally, .. } => {
            lines.line(format_args!("* the vote is closed: {}", visible(question)));
            if tally.is_empty() {
                lines.line("* nobody voted");
            }
            for (choice, count) in tally {
                lines.line(format_args!("* {count} for {}", visible(choice)));
            }
        }
        Happening::Enough(stand) => {
            let stand = visible(&stand.join(", "));
            lines.line(format_args!("this vote has enough choices; take one of these: {stand}"));
        }
        Happening::Refused(words) => lines.line(words),
    }
}

/// The first word, and what is behind it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn text(line: &str) -> Result<String, String> {
    match line.len() {
        1..=CHAT_MAX => Ok(line.to_owned()),
        0 => Err(Code::ChatLength.to_string()),
        long => Err(format!("{}, and that one has {long}", Code::ChatLength)),
    }
}

fn ask(question: &str) -> Result<In, String> {
    if question.is_empty() {
        return Err("a vote has a question: /vote start QUESTION".into());
    }
    Ok(Request::Game(Command::Ask(text(question)?)))
}

fn sides(number: &str) -> Result<u32, String> {
    match number.parse() {
        Ok(sides) if sides > 0 => Ok(sides),
        _ => Err("a die has 1 to 4294967295 sides: /dice 6".into()),
    }
}

/// A name that a person may take: one that can be typed as it is shown.
fn nick(name: &str) -> Result<Name, String> {
    if name.is_empty() {
        return Err("a name: /nick NAME".into());
    }
    let Some(new) = Name::new(name.as_bytes()) else { return Err(Code::InvalidId.to_string()) };
    if new.shown() != name {
        return Err("a name has no blanks, nothing unseen, and no \\".into());
    }
    Ok(new)
}

fn names(users: &[Who]) -> String {
    users.iter().map(numbered).collect::<Vec<_>>().join(", ")
}

fn numbered(who: &Who) -> String {
    match who.user {
        0 => who.name.shown(),
        user => format!("{} ({user})", who.name.shown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<In, String> {
        People.parse(line)
    }

    #[test]
    fn each_command_has_its_korean_twin() {
        for (english, korean) in [
            ("/nick ann", "/대화명 ann"),
            ("/dice 6", "/주사위 6"),
            ("/msg ann hi there", "/메시지 ann hi there"),
            ("/vote start lunch?", "/투표시작 lunch?"),
            ("/vote soup", "/투표 soup"),
            ("/join 3", "/참가 3"),
            ("/leave", "/나가기"),
            ("/who", "/누구"),
            ("/rooms", "/방목록"),
            ("/invite ann", "/초대 ann"),
            ("/accept", "/수락"),
            ("/refuse", "/거절"),
            ("/login ann token", "/로그인 ann token"),
            ("/help", "/도움말"),
            ("/quit", "/종료"),
        ] {
            let twin = parse(korean);
            assert!(twin.is_ok(), "{korean}: {twin:?}");
            assert_eq!(parse(english), twin, "{english}");
            let word = english.split(' ').next().unwrap();
            assert!(
                HELP.contains(word) && HELP.contains(korean.split(' ').next().unwrap()),
                "{word} in the help"
            );
        }
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        for line in [
            "",
            "/nick",
            "/nick two words",
            "/nick 0123456789abcdefg",
            "/dice",
            "/dice 0",
            "/dice six",
            "/msg",
            "/msg ann",
            "/vote",
            "/vote start",
            "/join",
            "/join here",
            "/invite",
            "/login",
            "/",
            "/nothing",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse(&"x".repeat(126)).is_ok());
        assert!(parse(&"x".repeat(127)).unwrap_err().contains("126"));
        assert_eq!(parse("//nick ann"), Ok(Request::Chat("/nick ann".into())));
    }
}
