//! One bot: it enters its room, chats, and checks what it hears.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lobby::client::Format;
use lobby::{Code, Event, Name, Request};
use netcore::{Client, ClientReceiver, ClientSender};
use tokio::sync::{Barrier, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::flags::Flags;
use crate::report::Tally;

type Never = std::convert::Infallible;

/// What the bots of one room know together.
pub(crate) struct Room {
    number: i32,
    // How many have said all they say, and how many lines that were in all.
    done: watch::Sender<(u32, u64)>,
}

/// What all bots know together.
pub(crate) struct Crowd {
    pub(crate) flags: Flags,
    pub(crate) tally: Tally,
    /// So many connect at once.
    connecting: Arc<Semaphore>,
    ready: Barrier,
    start: Instant,
    /// When all were in their rooms and the first began to speak.
    pub(crate) begun: OnceLock<Instant>,
}

/// One of those who connect, until it is dropped.
pub(crate) type Turn = Option<OwnedSemaphorePermit>;

/// Why a bot came to an end before its time, and the exit code for it.
pub(crate) struct Failed(pub(crate) u8, pub(crate) String);

impl Room {
    pub(crate) fn new(number: i32) -> Arc<Self> {
        Arc::new(Self { number, done: watch::Sender::new((0, 0)) })
    }
}

impl Crowd {
    pub(crate) fn new(flags: Flags, tally: Tally) -> Arc<Self> {
        let ready = Barrier::new(flags.bots() as usize);
        let connecting = Arc::new(Semaphore::new(64));
        Arc::new(Self { flags, tally, connecting, ready, start: Instant::now(), begun: OnceLock::new() })
    }

    /// A bot's turn to connect.
    pub(crate) async fn turn(&self) -> Turn {
        self.connecting.clone().acquire_owned().await.ok()
    }
}

pub(crate) struct Bot<F: Format> {
    crowd: Arc<Crowd>,
    room: Arc<Room>,
    sender: ClientSender<F::In, F::Out>,
    receiver: ClientReceiver<F::In, F::Out>,
    // What was said, and how much of it was answered.
    said: u64,
    answered: u64,
    refused: u64,
    heard: u64,
    // The last line of each user of the room.
    last: HashMap<u64, u64>,
    latencies: Vec<Duration>,
}

impl<F: Format> Bot<F> {
    /// Lives from connecting to the last delivery.
    pub(crate) async fn live(
        crowd: Arc<Crowd>,
        room: Arc<Room>,
        number: u32,
        turn: Turn,
    ) -> Result<(), Failed> {
        let mut bot = Self::enter(crowd.clone(), room, number).await?;
        drop(turn);
        crowd.ready.wait().await;
        let start = Instant::now();
        let _ = crowd.begun.set(start);
        let end = start + crowd.flags.duration();
        // Not all at once.
        let mut due = start + crowd.flags.duration() / crowd.flags.bots().max(1) * number / 16;
        let pause = Duration::from_secs(1).checked_div(crowd.flags.rate);
        loop {
            let by_clock = pause.is_some();
            let may_speak = by_clock || bot.answered + bot.refused == bot.said;
            let next = if by_clock { due } else { start };
            tokio::select! {
                biased;
                () = sleep_until(end) => break,
                () = sleep_until(next), if may_speak => {
                    bot.say(next.max(start), by_clock)?;
                    due = next + pause.unwrap_or_default();
                }
                packet = bot.receiver.recv() => bot.hear(packet)?,
            }
        }
        bot.hear_the_rest(Instant::now() + crowd.flags.timeout()).await
    }

    async fn enter(crowd: Arc<Crowd>, room: Arc<Room>, number: u32) -> Result<Self, Failed> {
        let (flags, address) = (&crowd.flags, crowd.flags.address());
        let options = Client::<F::In, F::Out>::options().connect_timeout(flags.timeout());
        let connected = options.request_timeout(flags.timeout()).connect(&address).await;
        let client = connected.map_err(|error| Failed(2, format!("no server at {address}: {error}")))?;
        let (sender, receiver) = client.split();
        let name = format!("{}{number}", flags.name);
        let log_in =
            Request::<Never>::LogIn { name: Name::new(name.as_bytes()), password: Default::default() };
        let Some(packet) = F::ask(log_in) else { return Err(unheard()) };
        let answer = sender.request(packet).await.map_err(|error| Failed(1, error.to_string()))?;
        match F::heard::<Never>(answer) {
            Some(Event::LogIn(Code::Ok)) => {}
            Some(Event::LogIn(code)) => return Err(Failed(1, format!("{name} may not log in: {code}"))),
            _ => return Err(unheard()),
        }
        let mut bot = Self {
            crowd: crowd.clone(),
            room: room.clone(),
            sender,
            receiver,
            said: 0,
            answered: 0,
            refused: 0,
            heard: 0,
            last: HashMap::new(),
            latencies: Vec::new(),
        };
        bot.ask(Request::Enter(Some(room.number)))?;
        loop {
            let deadline = Instant::now() + flags.timeout();
            let packet = timeout_at(deadline, bot.receiver.recv()).await;
            let packet = packet.map_err(|_| Failed(1, "no answer to entering".into()))?;
            match F::heard::<Never>(packet.map_err(broke)?.ok_or_else(closed)?) {
                Some(Event::Enter { code: Code::Ok, .. }) => return Ok(bot),
                Some(Event::Enter { code, .. } | Event::Error(code)) => {
                    return Err(Failed(1, format!("{name} may not enter room {}: {code}", room.number)));
                }
                _ => {}
            }
        }
    }

    fn ask(&self, request: Request<Never>) -> Result<(), Failed> {
        let packet = F::ask(request).ok_or_else(unheard)?;
        self.sender.send(&packet).map_err(|error| Failed(1, error.to_string()))
    }

    /// A line says which one it is, and when it was due: a line that the clock of a slow bot delays is late for who waits.
    fn say(&mut self, due: Instant, by_clock: bool) -> Result<(), Failed> {
        let at = if by_clock { due } else { Instant::now() };
        let nanos = at.duration_since(self.crowd.start).as_nanos();
        self.said += 1;
        let text = format!("{} {nanos} ", self.said);
        let text = format!("{text:-<width$}", width = self.crowd.flags.size as usize);
        self.crowd.tally.chats.fetch_add(1, Relaxed);
        self.ask(Request::Chat(text))
    }

    fn hear(&mut self, packet: Result<Option<F::In>, netcore::CloseReason>) -> Result<(), Failed> {
        match F::heard::<Never>(packet.map_err(broke)?.ok_or_else(closed)?).ok_or_else(unheard)? {
            Event::Chatted { who, text } => self.delivered(who.user, &text)?,
            Event::Chat(Code::Ok) => self.answered += 1,
            Event::Error(Code::TooFast) => {
                self.refused += 1;
                self.crowd.tally.refused.fetch_add(1, Relaxed);
            }
            Event::Chat(code) | Event::Error(code) => {
                return Err(Failed(1, format!("a chat was refused: {code}")));
            }
            _ => {}
        }
        Ok(())
    }

    fn delivered(&mut self, user: u64, text: &str) -> Result<(), Failed> {
        let mut words = text.split(' ').map(str::parse::<u64>);
        let (Some(Ok(line)), Some(Ok(nanos))) = (words.next(), words.next()) else { return Err(unheard()) };
        let last = self.last.insert(user, line).unwrap_or(0);
        // A line that was refused is a gap; the counts at the end tell whether there were more.
        if line <= last {
            return Err(Failed(1, format!("line {line} of user {user} came behind line {last}")));
        }
        let sent = self.crowd.start + Duration::from_nanos(nanos);
        self.latencies.push(Instant::now().duration_since(sent));
        self.heard += 1;
        if self.latencies.len() >= 256 {
            self.crowd.tally.add(&mut self.latencies);
        }
        Ok(())
    }

    /// Nobody says anything any more: hears what is still on its way.
    async fn hear_the_rest(&mut self, deadline: Instant) -> Result<(), Failed> {
        let late = |what: &str| Failed(1, format!("{what} did not come in time"));
        while self.answered + self.refused < self.said {
            let packet = timeout_at(deadline, self.receiver.recv()).await;
            self.hear(packet.map_err(|_| late("an answer"))?)?;
        }
        self.room.done.send_modify(|(done, lines)| {
            *done += 1;
            *lines += self.answered;
        });
        let users = self.crowd.flags.room_users;
        let mut done = self.room.done.subscribe();
        loop {
            let (all, lines) = *done.borrow_and_update();
            if all == users && self.heard >= lines {
                let doubled = self.heard - lines;
                self.crowd.tally.add(&mut self.latencies);
                return if doubled == 0 {
                    Ok(())
                } else {
                    Err(Failed(1, format!("{doubled} lines too many")))
                };
            }
            tokio::select! {
                changed = done.changed() => drop(changed),
                packet = self.receiver.recv() => self.hear(packet)?,
                () = sleep_until(deadline) => return Err(late("a line")),
            }
        }
    }
}

impl<F: Format> Drop for Bot<F> {
    /// What a bot heard counts, also where it is interrupted.
    fn drop(&mut self) {
        self.crowd.tally.add(&mut self.latencies);
    }
}

fn broke(reason: netcore::CloseReason) -> Failed {
    Failed(1, format!("a connection broke: {reason}"))
}

fn closed() -> Failed {
    Failed(1, "the server closed a connection".into())
}

fn unheard() -> Failed {
    Failed(1, "the server said what no bot understands".into())
}
