//! One bot: it enters its room, starts games if it is the master, bets, and checks what it hears.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use baccarat::{Account, Ask, Place, Round, Side, Tell, Verdict, View, ask, heard, refusal};
use lobby::client::{Format, Raw};
use lobby::{Code, Event, Name, Request, raw};
use netcore::{Client, ClientReceiver, ClientSender};
use rand::RngExt;
use tokio::sync::{Barrier, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::flags::Flags;
use crate::report::Tally;

/// What all bots know together.
pub(crate) struct Crowd {
    flags: Flags,
    pub(crate) tally: Tally,
    /// So many connect at once.
    connecting: Semaphore,
    /// Who has an account waits here for the others, so that groups do not begin one after the other.
    ready: Barrier,
}

/// Why a bot came to an end before its time, and the exit code for it.
pub(crate) struct Failed(pub(crate) u8, pub(crate) String);

impl Crowd {
    pub(crate) fn new(flags: Flags) -> Self {
        let ready = Barrier::new(flags.bots as usize);
        Self { flags, tally: Tally::default(), connecting: Semaphore::new(64), ready }
    }
}

/// A bot in its room.
pub(crate) struct Bot {
    crowd: Arc<Crowd>,
    name: Name,
    view: View,
    at: String,
    sender: ClientSender<raw::ToClient, raw::ToServer>,
    receiver: ClientReceiver<raw::ToClient, raw::ToServer>,
    // What it does next, and when.
    start: Option<Instant>,
    bet: Option<Instant>,
    // A game that it waits for has to be over by then.
    over: Option<Instant>,
}

/// What became of a connection.
enum Ended {
    /// The bot has played as much as it should.
    Done,
    /// The server is gone.
    Lost(String),
}

impl Bot {
    /// Plays all its games, on more than one server if need be.
    pub(crate) async fn live(crowd: Arc<Crowd>, number: u32) -> Result<(), Failed> {
        let flags = &crowd.flags;
        let text = format!("{}{number}", flags.name);
        let name = Name::new(text.as_bytes()).ok_or_else(|| Failed(2, format!("{text} is no name")))?;
        let mut rounds = 0;
        let (Some(url), Some(password)) = (&flags.api, &flags.password) else {
            let (view, room) = (View::new(name), flags.room_of(number));
            let connected = Self::enter(&crowd, view, &flags.connect, String::new(), room).await?;
            return match connected {
                Ok(mut bot) => match bot.play(&mut rounds).await? {
                    Ended::Done => Ok(()),
                    Ended::Lost(why) => Err(Failed(1, why)),
                },
                Err(why) => Err(Failed(2, why)),
            };
        };
        let account = Account::open(url, &text, password, true, flags.timeout()).await;
        let mut account = account.map_err(|error| Failed(2, error.to_string()))?;
        crowd.ready.wait().await;
        let mut view = View::new(name);
        loop {
            let place = match flags.wants_match {
                true => account.group(flags.timeout()).await,
                false => account.seat(flags.timeout()).await,
            };
            let place = place.map_err(|error| Failed(1, format!("{text} has no place: {error}")))?;
            let Place { server, address, room, token, .. } = place;
            crowd.tell(format_args!("{text} goes to {address}, room {room}"));
            let why = match Self::enter(&crowd, view.clone(), &address, token, room).await? {
                Err(why) => why,
                Ok(mut bot) => {
                    let ended = bot.play(&mut rounds).await?;
                    view = bot.view;
                    match ended {
                        Ended::Done => return Ok(()),
                        Ended::Lost(why) => why,
                    }
                }
            };
            crowd.tell(format_args!("{text} loses {address}: {why}"));
            crowd.tally.moved();
            account.avoid(&server);
            view.leave();
        }
    }

    /// Connects, logs in and enters a room; else in words why the server cannot be reached.
    async fn enter(
        crowd: &Arc<Crowd>,
        view: View,
        address: &str,
        password: String,
        room: i32,
    ) -> Result<Result<Self, String>, Failed> {
        let _turn = crowd.connecting.acquire().await;
        let deadline = Instant::now() + crowd.flags.timeout();
        let options = Client::options().connect_timeout(crowd.flags.timeout());
        let client = match options.connect(address).await {
            Ok(client) => client,
            Err(error) => return Ok(Err(format!("no server at {address}: {error}"))),
        };
        let (sender, receiver) = client.split();
        let (crowd, name, at) = (crowd.clone(), view.name().clone(), address.to_owned());
        let mut bot = Self { crowd, name, view, at, sender, receiver, start: None, bet: None, over: None };
        bot.ask(Request::LogIn { name: Some(bot.name.clone()), password: password.into() });
        bot.ask(Request::Enter(Some(room)));
        let refused = |code| Failed(1, format!("{} may not enter room {room}: {code}", bot.name));
        loop {
            let packet = timeout_at(deadline, bot.receiver.recv()).await;
            let packet = match packet.map_err(|_| Failed(1, "no answer to entering".into()))? {
                Ok(Some(packet)) => packet,
                ended => return Ok(Err(why(ended.err()))),
            };
            let event = heard(packet).ok_or_else(unheard)?;
            bot.view.hear(&event).map_err(nonsense)?;
            match event {
                Event::LogIn(code) if code != Code::Ok => {
                    return Err(Failed(1, format!("{} may not log in: {code}", bot.name)));
                }
                Event::Enter { code: Code::Ok, .. } => {
                    // A game may be on: the others would wait for its bet.
                    bot.bet = Some(Instant::now());
                    bot.new_master();
                    return Ok(Ok(bot));
                }
                Event::Enter { code, .. } | Event::Error(code) => return Err(refused(code)),
                _ => {}
            }
        }
    }

    async fn play(&mut self, rounds: &mut u32) -> Result<Ended, Failed> {
        let all = self.crowd.flags.rounds;
        while all == 0 || *rounds < all {
            tokio::select! {
                biased;
                packet = self.receiver.recv() => match packet {
                    Ok(Some(packet)) => *rounds += u32::from(self.hear(packet, *rounds)?),
                    ended => return Ok(Ended::Lost(why(ended.err()))),
                },
                () = at(self.start) => {
                    self.start = None;
                    self.ask(Request::Game(Ask::Start));
                    self.must_end();
                }
                () = at(self.bet) => {
                    self.bet = None;
                    let side = self.choose();
                    self.ask(Request::Game(Ask::Bet { side: side.number() }));
                }
                () = at(self.over) => {
                    let who: Vec<String> = self.view.users().map(|who| who.name.shown()).collect();
                    let words = format!("{} waits in vain for a result, with {}", self.name, who.join(", "));
                    return Err(Failed(1, words));
                }
            }
        }
        self.ask(Request::Leave);
        let deadline = Instant::now() + self.crowd.flags.timeout();
        loop {
            let packet = timeout_at(deadline, self.receiver.recv()).await;
            match packet.map_err(|_| Failed(1, "no answer to leaving".into()))? {
                Ok(Some(packet)) => {
                    if let Some(Event::Leave(Code::Ok)) = heard(packet) {
                        return Ok(Ended::Done);
                    }
                }
                ended => return Ok(Ended::Lost(why(ended.err()))),
            }
        }
    }

    /// Whether it was a result.
    fn hear(&mut self, packet: raw::ToClient, rounds: u32) -> Result<bool, Failed> {
        let event = heard(packet).ok_or_else(unheard)?;
        let was_master = self.view.is_master();
        if let Some(round) = self.view.hear(&event).map_err(nonsense)? {
            self.note(&round, rounds);
            (self.bet, self.over) = (None, None);
            self.new_master();
            return Ok(true);
        }
        match &event {
            Event::Game(Tell::Started) => {
                let think = rand::rng().random_range(0..=self.crowd.flags.think_ms);
                self.bet = Some(Instant::now() + Duration::from_millis(think.into()));
                self.must_end();
            }
            Event::Game(tell) => match refusal(tell) {
                // The last game rests; nothing tells for how long.
                Some(Verdict::StartNotNow) if self.view.is_master() => {
                    self.start = Some(Instant::now() + AGAIN)
                }
                // What comes late is late; on entering it bet without knowing whether there is a game.
                None | Some(Verdict::BetNotNow | Verdict::SameSide) => {}
                Some(verdict) => return Err(Failed(1, format!("{} was refused: {verdict}", self.name))),
            },
            Event::Error(code) => return Err(Failed(1, format!("{} was refused: {code}", self.name))),
            _ => {}
        }
        if !was_master {
            self.new_master();
        }
        Ok(false)
    }

    fn note(&self, round: &Round, rounds: u32) {
        let own = round.gains.iter().find(|(who, ..)| Some(who.user) == self.view.me());
        let (winner, gain) = (Side::from(round.coup.winner()), own.map(|(.., gain)| *gain));
        self.crowd.tally.round(&self.at, winner, gain);
        let (name, at, chips) = (&self.name, &self.at, self.view.chips());
        let (room, gain) = (self.view.room().unwrap_or_default(), gain.unwrap_or_default());
        let number = rounds + 1;
        let words =
            format_args!("{name} at {at}, room {room}, round {number}: {winner:?}, {gain:+} ({chips} chips)");
        self.crowd.tell(words);
    }

    /// If it is the master, it starts the next game.
    fn new_master(&mut self) {
        if self.view.is_master() && self.start.is_none() {
            self.start = Some(Instant::now());
        }
    }

    fn must_end(&mut self) {
        self.over.get_or_insert(Instant::now() + self.crowd.flags.timeout());
    }

    /// A tie is worth a try one time in ten.
    fn choose(&self) -> Side {
        let mut dice = rand::rng();
        if self.crowd.flags.tie_bets && dice.random_bool(0.1) {
            Side::Tie
        } else if dice.random_bool(0.5) {
            Side::Player
        } else {
            Side::Banker
        }
    }

    /// What cannot be sent any more shows when the next packet is awaited.
    fn ask(&self, request: Request<Ask>) {
        let packet = match request {
            Request::Game(wish) => ask(wish),
            request => Raw::ask(request),
        };
        if let Some(packet) = packet {
            let _ = self.sender.send(&packet);
        }
    }
}

impl Crowd {
    fn tell(&self, words: std::fmt::Arguments<'_>) {
        if self.flags.verbose {
            let _ = writeln!(std::io::stderr(), "{words}");
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn why(reason: Option<netcore::CloseReason>) -> String {
    match reason {
        Some(reason) => format!("a connection broke: {reason}"),
        None => "the server closed a connection".to_owned(),
    }
}

fn nonsense(nonsense: baccarat::Nonsense) -> Failed {
    Failed(1, format!("the server says what cannot be: {nonsense}"))
}

fn unheard() -> Failed {
    Failed(1, "the server said what no bot understands".into())
}

/// Before a start is tried again.
const AGAIN: Duration = Duration::from_millis(100);
