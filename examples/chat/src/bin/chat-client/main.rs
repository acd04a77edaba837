//! A chat client for people, in any of the three binary formats: what is typed is what one types at the text door, and
//! goes out as packets.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::BytesMut;
use chat::text::{HELP, People};
use chat::{Command, Happening};
use clap::ValueEnum;
use lobby::client::{self, Format};
use lobby::{Code, Event, Name, Request, Who};
use netcore::{
    Adapter, Client, ClientSender, ClientTls, CloseReason, Fault, SendError, Text, TextProtocol, WebSocket,
};
use support::Outcome;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Chats in a room of the chat server, over raw structs, MessagePack or protobuf.
///
/// Lines are said to the room; `/help` names what else there is. The exit code is 0 after /quit or the end of the input,
/// 2 for wrong flags, when no server is there, when it refuses the log-in or `--room`, or when it closes the connection.
#[derive(clap::Parser)]
#[command(name = "chat-client", version)]
#[command(
    after_help = "Example: chat-client --name ann --room 3 --format protobuf --connect 127.0.0.1:11023"
)]
struct Flags {
    /// Where the server's door is [default: the format's own, on 127.0.0.1].
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<String>,
    /// Under TLS, to a server whose certificate one in this file vouches for: PEM.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Over WebSocket, as browsers do.
    #[arg(long)]
    websocket: bool,
    /// The format that the door speaks.
    #[arg(long, value_enum, default_value_t = Spoken::Raw)]
    format: Spoken,
    /// Under which name to log in: 1 to 16 bytes.
    #[arg(long, value_parser = |text: &str| Name::read(text).ok_or("it takes 1 to 16 bytes"))]
    name: Name,
    /// The password or token.
    // One token in 64 begins with a hyphen.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    password: String,
    /// The room to enter at once.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<i32>(i32::MIN..=i32::MAX))]
    room: Option<i32>,
    /// How long to wait until one is logged in, and at the end for the last answers, in milliseconds: 1 to 600000.
    #[arg(long, value_name = "MS", default_value_t = 10_000, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=600_000))]
    timeout_ms: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Spoken {
    Raw,
    Msgpack,
    Protobuf,
}

fn main() -> ExitCode {
    support::main(async |flags: Flags| match flags.format {
        Spoken::Raw => chat_over::<client::Raw>(flags, 11021).await,
        Spoken::Msgpack => chat_over::<client::MsgPack>(flags, 11022).await,
        Spoken::Protobuf => chat_over::<client::Protobuf>(flags, 11023).await,
    })
}

async fn chat_over<F: Format>(flags: Flags, port: u16) -> Outcome {
    let address = flags.connect.unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let timeout = Duration::from_millis(flags.timeout_ms.into());
    let until = Instant::now() + timeout;
    let mut options = Client::<F::In, F::Out>::options().connect_timeout(timeout);
    if let Some(file) = flags.tls_ca {
        options = options.tls(ClientTls::with_roots_file(file)?);
    }
    if flags.websocket {
        options = options.websocket(WebSocket::new());
    }
    let client =
        options.connect(&address).await.map_err(|error| format!("no server at {address}: {error}"))?;
    let (sender, mut receiver) = client.split();
    let mut session = Session::<F>::new(sender);
    session.ask(Request::LogIn { name: Some(flags.name), password: flags.password.into() })?;
    if let Some(room) = flags.room {
        session.wanted = true;
        session.enter(room)?;
    }
    let mut lines = support::typed();
    loop {
        tokio::select! {
            line = lines.recv() => match line.transpose()? {
                Some(line) if session.typed(&line)? => {}
                _ => break,
            },
            came = receiver.recv_any() => session.came(came)?,
            () = sleep_until(until), if !session.is_logged_in => Err(SILENT)?,
        }
    }
    // What was asked before is answered before this.
    session.ask(Request::Ping(0))?;
    let rest = async {
        while !session.is_answered {
            session.came(receiver.recv_any().await)?;
        }
        Ok(())
    };
    timeout_at(Instant::now() + timeout, rest).await.map_err(|_| SILENT)?
}

const CLOSED: &str = "the server closed the connection";
const SILENT: &str = "the server does not answer: is that a door for game clients?";
/// Of what there is at the text door, that for which game clients have no packet.
const NOT_HERE: [&str; 4] = ["/nick", "/rooms", "/dice", "/vote"];

/// What is remembered of the room, since most packets name a user by number alone.
struct Session<F: Format> {
    sender: ClientSender<F::In, F::Out>,
    room: Option<i32>,
    // Rooms that were asked for and not answered yet: 722 may come without a number.
    entering: VecDeque<i32>,
    users: BTreeMap<u64, Name>,
    // Whispers and invitations that were sent and not answered yet.
    whispers: VecDeque<(Option<Name>, String)>,
    invites: VecDeque<Option<Name>>,
    // The last invitation, and into which room.
    invited: Option<(u64, i32)>,
    // The room of the one that was accepted, until that is answered.
    accepted: Option<i32>,
    me: Option<Name>,
    // Whether the flags' log-in is answered: without it there is nothing to do here.
    is_logged_in: bool,
    // Whether the flags' room is asked for and not answered: who is not let in there has nothing to do here either.
    wanted: bool,
    // The ping at the end.
    is_answered: bool,
}

impl<F: Format> Session<F> {
    fn new(sender: ClientSender<F::In, F::Out>) -> Self {
        Self {
            sender,
            room: None,
            entering: VecDeque::new(),
            users: BTreeMap::new(),
            whispers: VecDeque::new(),
            invites: VecDeque::new(),
            invited: None,
            accepted: None,
            me: None,
            is_logged_in: false,
            wanted: false,
            is_answered: false,
        }
    }

    fn ask(&mut self, request: Request<Command>) -> Outcome {
        if let Request::LogIn { name, .. } = &request {
            self.me.clone_from(name);
        }
        match F::ask(request) {
            Some(packet) => match self.sender.send(&packet) {
                // The server is gone: what it said before, and how it went, comes when the next packet is awaited.
                Ok(()) | Err(SendError::Closed(_)) => Ok(()),
                Err(error) => Err(error.into()),
            },
            None => self.say("a game client has no packet for that"),
        }
    }

    fn enter(&mut self, room: i32) -> Outcome {
        self.entering.push_back(room);
        self.ask(Request::Enter(Some(room)))
    }

    /// Does what a line says; `false` to end.
    fn typed(&mut self, line: &str) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        match People.parse(line) {
            Err(words) => self.say(&words)?,
            Ok(Request::Quit) => return Ok(false),
            Ok(Request::Help) => {
                let here = |line: &&str| !NOT_HERE.iter().any(|word| line.starts_with(word));
                HELP.lines().filter(here).try_for_each(|line| self.say(line))?;
            }
            Ok(Request::Who) if self.room.is_none() => self.say(&Code::NotInRoom.to_string())?,
            Ok(Request::Who) => {
                let users = self.users.iter().map(|(user, name)| Who { user: *user, name: name.clone() });
                self.print(&Event::Here { room: self.room, users: users.collect() })?;
            }
            Ok(Request::Join(room)) => {
                if self.room.is_some() {
                    self.ask(Request::Leave)?;
                }
                self.enter(room)?;
            }
            Ok(Request::Whisper { to, text }) => {
                self.whispers.push_back((to.clone(), text.clone()));
                self.ask(Request::Whisper { to, text })?;
            }
            Ok(Request::Invite(to)) => {
                self.invites.push_back(to.clone());
                self.ask(Request::Invite(to))?;
            }
            Ok(Request::Answer { accept, .. }) => match self.invited.take() {
                None => self.say(&Code::NoInvite.to_string())?,
                Some((invite, room)) => {
                    // The server sends a 722 behind the answer, in which there may be no number.
                    if accept {
                        self.accepted = Some(room);
                    }
                    self.ask(Request::Answer { invite: Some(invite), accept })?;
                }
            },
            Ok(request) => self.ask(request)?,
        }
        Ok(true)
    }

    /// What came, or that nothing will. What cannot be read before the log-in is answered may well be another door's.
    fn came(&mut self, came: Result<Option<Result<F::In, Fault>>, CloseReason>) -> Outcome {
        let (words, is_strange) = match came {
            Ok(Some(Ok(packet))) => return self.heard(packet),
            Ok(Some(Err(fault))) => (fault.to_string(), true),
            Ok(None) => (CLOSED.to_owned(), false),
            Err(reason) => (reason.to_string(), reason.is_peers_fault()),
        };
        if is_strange && !self.is_logged_in {
            return Err(format!("{words}: is that a door for game clients, and of this --format?").into());
        }
        Err(words.into())
    }

    fn heard(&mut self, packet: F::In) -> Outcome {
        let Some(mut event) = F::heard::<Happening>(packet) else {
            return self.say("a packet that this client does not know");
        };
        match &mut event {
            Event::LogIn(Code::Ok) => self.is_logged_in = true,
            Event::LogIn(code) if !self.is_logged_in => Err(format!("not logged in: {code}"))?,
            Event::Users(users) => {
                self.users = users.iter().map(|who| (who.user, who.name.clone())).collect();
            }
            Event::Came(who) => drop(self.users.insert(who.user, who.name.clone())),
            Event::Went(who) => {
                if let Some(name) = self.users.remove(&who.user) {
                    who.name = name;
                }
            }
            Event::Chatted { who, .. } | Event::Relayed { who, .. } => {
                if let Some(name) = self.users.get(&who.user) {
                    who.name = name.clone();
                }
            }
            Event::Enter { code, room, user } => {
                let asked = self.entering.pop_front();
                self.let_in(*code, asked)?;
                if *code == Code::Ok {
                    *room = if *room == 0 { asked.unwrap_or_default() } else { *room };
                    self.room = Some(*room);
                    self.users.extend(self.me.clone().map(|me| (*user, me)));
                }
            }
            Event::Error(Code::NoRoom) => {
                let asked = self.entering.pop_front();
                self.let_in(Code::NoRoom, asked)?;
            }
            Event::Leave(Code::Ok) => {
                self.room = None;
                self.users.clear();
            }
            Event::Whisper { to, text, .. } => {
                (*to, *text) = self.whispers.pop_front().unwrap_or_default();
            }
            Event::Answer { code, .. } => {
                let room = self.accepted.take();
                self.entering.extend(room.filter(|_| *code == Code::Ok));
            }
            Event::Invite { to, .. } => *to = self.invites.pop_front().flatten(),
            Event::Invited { invite, room, .. } => {
                self.invited = Some((*invite, *room));
            }
            Event::Pong(_) => self.is_answered = true,
            _ => {}
        }
        self.print(&event)
    }

    /// Ends the client if it was not let into the room of its flags.
    fn let_in(&mut self, code: Code, room: Option<i32>) -> Outcome {
        match std::mem::take(&mut self.wanted) {
            true if code != Code::Ok => {
                Err(format!("not in room {}: {code}", room.unwrap_or_default()).into())
            }
            _ => Ok(()),
        }
    }

    /// Prints an event as the text door does.
    fn print(&self, event: &Event<Happening>) -> Outcome {
        let mut lines = BytesMut::new();
        Adapter::encode(&Text::new(People), event, &mut lines)?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(&lines)?;
        Ok(stdout.flush()?)
    }

    fn say(&self, words: &str) -> Outcome {
        Ok(writeln!(io::stdout(), "{words}")?)
    }
}
