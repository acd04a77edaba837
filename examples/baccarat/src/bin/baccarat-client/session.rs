//! One connection: what is typed goes out, what comes is shown.

use std::io::{self, Write};
use std::time::Duration;

use baccarat::{Ask, Round, Side, Tell, View, ask, heard, picture, refusal};
use lobby::client::{Format, Raw};
use lobby::{Code, Event, Name, Request, Who, raw};
use netcore::{Client, ClientReceiver, ClientSender, SendError};
use support::{Outcome, visible};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::typed::{HELP, Typed, read};

/// Somebody at the terminal. The purse outlives a connection.
pub(crate) struct Session {
    name: Name,
    // How long to wait for the answer to a log-in, and for the last answers.
    patience: Duration,
    view: View,
    line: Option<Line>,
}

struct Line {
    // By then the log-in has to be answered, if it is not yet.
    log_in: Option<Instant>,
    sender: ClientSender<raw::ToClient, raw::ToServer>,
    receiver: ClientReceiver<raw::ToClient, raw::ToServer>,
}

/// Why a session is over.
pub(crate) enum Ended {
    /// By the user.
    Typed,
    /// The server is gone.
    Lost(String),
}

impl Session {
    pub(crate) fn new(name: Name, patience: Duration) -> Self {
        Self { view: View::new(name.clone()), name, patience, line: None }
    }

    /// Connects, and asks for all that comes first. The answers are shown by [`play`](Self::play).
    pub(crate) async fn enter(&mut self, address: &str, password: String, room: Option<i32>) -> Outcome {
        self.view.leave();
        let log_in = Some(Instant::now() + self.patience);
        let connected = Client::options().connect_timeout(self.patience).connect(address).await;
        let client = connected.map_err(|error| format!("no server at {address}: {error}"))?;
        let (sender, receiver) = client.split();
        self.line = Some(Line { log_in, sender, receiver });
        self.ask(Request::LogIn { name: Some(self.name.clone()), password: password.into() })?;
        room.map_or(Ok(()), |room| self.ask(Request::Enter(Some(room))))
    }

    /// Until the user or the server ends it.
    pub(crate) async fn play(&mut self, lines: &mut Receiver<io::Result<String>>) -> Result<Ended, Error> {
        loop {
            let Some(line) = &mut self.line else { return Ok(Ended::Lost(CLOSED.into())) };
            let log_in = line.log_in;
            tokio::select! {
                typed = lines.recv() => match typed.transpose()? {
                    Some(typed) if self.typed(&typed)? => {}
                    _ => break,
                },
                packet = line.receiver.recv() => match packet {
                    Ok(Some(packet)) => drop(self.hear(packet)?),
                    Ok(None) => return Ok(Ended::Lost(CLOSED.into())),
                    Err(reason) => return Ok(Ended::Lost(format!("the connection broke: {reason}"))),
                },
                () = sleep_until(log_in.unwrap_or_else(Instant::now)), if log_in.is_some() => {
                    return Ok(Ended::Lost(SILENT.into()));
                }
            }
        }
        // What was asked before is answered before this.
        self.ask(Request::Ping(0))?;
        let until = Instant::now() + self.patience;
        let rest = async {
            while let Some(line) = &mut self.line {
                let packet = line.receiver.recv().await?.ok_or(CLOSED)?;
                if !self.hear(packet)? {
                    break;
                }
            }
            Ok(Ended::Typed)
        };
        timeout_at(until, rest).await.map_err(|_| SILENT)?
    }

    fn ask(&self, request: Request<Ask>) -> Outcome {
        let packet = match request {
            Request::Game(wish) => ask(wish),
            request => Raw::ask(request),
        };
        match (&self.line, packet) {
            (Some(line), Some(packet)) => match line.sender.send(&packet) {
                // The server is gone: what it said before, and how it went, comes when the next packet is awaited.
                Ok(()) | Err(SendError::Closed(_)) => Ok(()),
                Err(error) => Err(error.into()),
            },
            _ => say("there is no packet for that"),
        }
    }

    /// Does what a line says; `false` to end.
    fn typed(&mut self, line: &str) -> Result<bool, Error> {
        match read(line) {
            Err(words) => say(&words)?,
            Ok(Typed::Quit) => return Ok(false),
            Ok(Typed::Nothing) => {}
            Ok(Typed::Help) => say(HELP)?,
            Ok(Typed::Who) => self.say_who()?,
            Ok(Typed::Say(text)) => self.ask(Request::Chat(text))?,
            Ok(Typed::Start) => self.ask(Request::Game(Ask::Start))?,
            Ok(Typed::Bet(side)) => self.ask(Request::Game(Ask::Bet { side: side.number() }))?,
            Ok(Typed::Whisper(to, text)) => self.ask(Request::Whisper { to: Some(to), text })?,
            Ok(Typed::Leave) => self.ask(Request::Leave)?,
            Ok(Typed::Join(room)) => {
                if self.view.room().is_some() {
                    self.ask(Request::Leave)?;
                }
                self.ask(Request::Enter(Some(room)))?;
            }
        }
        Ok(true)
    }

    fn say_who(&self) -> Outcome {
        let Some(room) = self.view.room() else { return say(&Code::NotInRoom.to_string()) };
        let here: Vec<String> = self.view.users().map(|who| told(&who)).collect();
        say(&format!("in room {room}: {}; you have {} chips", here.join(", "), self.view.chips()))?;
        let bets: Vec<String> =
            self.view.bets().map(|(who, side)| format!("{} on {}", who.name.shown(), words(side))).collect();
        if bets.is_empty() { Ok(()) } else { say(&format!("bets: {}", bets.join(", "))) }
    }

    /// Shows what came; `false` when it is the last answer.
    fn hear(&mut self, packet: raw::ToClient) -> Result<bool, Error> {
        let Some(event) = heard(packet) else {
            say("a packet that this client does not know")?;
            return Ok(true);
        };
        if let Event::LogIn(code) = &event {
            if *code != Code::Ok {
                return Err(format!("not logged in: {code}").into());
            }
            if let Some(line) = &mut self.line {
                line.log_in = None;
            }
        }
        let (master, me) = (self.view.master(), self.view.me());
        let gone = if let Event::Went(who) = &event { self.view.who(who.user) } else { None };
        match self.view.hear(&event) {
            Err(nonsense) => say(&format!("the server says what cannot be: {nonsense}"))?,
            Ok(Some(round)) => self.show(&round)?,
            Ok(None) => self.say_event(&event, gone)?,
        }
        if me.is_some() && me == self.view.me() && self.view.is_master() && master != self.view.master() {
            say("* you have been here longest: /start begins a game")?;
        }
        Ok(!matches!(event, Event::Pong(_)))
    }

    fn say_event(&self, event: &Event<Tell>, gone: Option<Who>) -> Outcome {
        let who = |user| self.view.who(user).map_or_else(|| "?".to_owned(), |who| who.name.shown());
        let bets = |user, side| {
            let side = Side::from_number(side).map_or("nothing", words);
            if self.view.me() == Some(user) {
                format!("you bet on {side}")
            } else {
                format!("* {} bets on {side}", who(user))
            }
        };
        let words = match event {
            Event::LogIn(Code::Ok) => "you are logged in".to_owned(),
            Event::Users(users) => {
                format!("here: {}", users.iter().map(told).collect::<Vec<_>>().join(", "))
            }
            Event::Enter { code: Code::Ok, room, user } => {
                let master = if self.view.is_master() { ": /start begins a game" } else { "" };
                format!("you are in room {room}, as number {user}{master}")
            }
            Event::Came(who) => format!("* {} came", told(who)),
            Event::Went(_) => format!("* {} left", gone.as_ref().map_or_else(|| "?".to_owned(), told)),
            Event::Leave(Code::Ok) => "you left the room".to_owned(),
            Event::Chatted { who: user, text } => format!("{}: {}", who(user.user), visible(text)),
            Event::Whispered { from, text } => format!("[from {}] {}", from.shown(), visible(text)),
            Event::Invited { from, room, .. } => {
                format!("* {} asks you into room {room}: /join {room}", from.shown())
            }
            Event::Game(Tell::Started) => "* a game begins: /player or /banker".to_owned(),
            Event::Game(Tell::HasBet { user, side }) => bets(*user, *side),
            Event::Game(tell) => match refusal(tell) {
                Some(verdict) => verdict.to_string(),
                None => return Ok(()),
            },
            Event::Error(code)
            | Event::Enter { code, .. }
            | Event::Leave(code)
            | Event::Whisper { code, .. }
            | Event::Chat(code)
                if *code != Code::Ok =>
            {
                code.to_string()
            }
            _ => return Ok(()),
        };
        say(&words)
    }

    fn show(&self, round: &Round) -> Outcome {
        let winner = match Side::from(round.coup.winner()) {
            Side::Tie => "it is a tie".to_owned(),
            side => format!("{} wins", words(side)),
        };
        let gains: Vec<String> = round
            .gains
            .iter()
            .map(|(who, _, gain)| match Some(who.user) == self.view.me() {
                true => format!("you {gain:+} ({} chips)", self.view.chips()),
                false => format!("{} {gain:+}", who.name.shown()),
            })
            .collect();
        let gains = if gains.is_empty() { "nobody has bet".to_owned() } else { gains.join(", ") };
        say(&format!("{}{winner}: {gains}", picture(&round.coup)))
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

const CLOSED: &str = "the server closed the connection";
const SILENT: &str = "the server does not answer: is that a door for game clients?";

/// With the room user id.
fn told(who: &Who) -> String {
    format!("{} ({})", who.name.shown(), who.user)
}

fn words(side: Side) -> &'static str {
    match side {
        Side::Player => "the player",
        Side::Banker => "the banker",
        Side::Tie => "a tie",
    }
}

pub(crate) fn say(words: &str) -> Outcome {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{words}")?;
    Ok(stdout.flush()?)
}
