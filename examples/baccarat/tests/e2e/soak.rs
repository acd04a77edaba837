//! Clients that come, go, stall, break off, start and bet at random from a seed: each game that one sees goes by the rules,
//! ends when all have bet or the time is up, has the next cards of its room, and at the end nothing is left over.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use baccarat::{Pace, Tell, View, heard};
use lobby::{Code, Event, Name, Settings, raw};
use netcore::memory::MemoryStream;
use netcore::{Frame, Packet};
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::memory::{InTest, pass};
use crate::wire::*;

const PACE: Pace = Pace { betting_ms: 400, next_game_ms: 150, tie_bets: true };
const ROOMS: i32 = 4;
const CLIENTS: u64 = 14;
const STAYS: u32 = 60;
/// More than a room sees.
const GAMES: u64 = 1500;

/// Which games of a room look so.
type Cards = HashMap<Vec<u8>, Vec<u64>>;

fn cards() -> Vec<Cards> {
    let room = |room| {
        let mut cards = Cards::new();
        (0..GAMES).for_each(|game| cards.entry(result(room, game)).or_default().push(game));
        cards
    };
    (0..ROOMS).map(room).collect()
}

/// A connection, read packet by packet.
struct Line {
    stream: MemoryStream,
    buffer: Vec<u8>,
}

impl Line {
    /// The next packet; `None` when the time is up. The end of the stream fails.
    async fn next(&mut self, until: Instant) -> Option<Frame> {
        loop {
            if let [a, b, c, d, _, ..] = self.buffer[..] {
                let size = usize::from(u16::from_le_bytes([a, b]));
                if self.buffer.len() >= size {
                    let packet: Vec<u8> = self.buffer.drain(..size).collect();
                    return Some(Frame::new(u16::from_le_bytes([c, d]), packet[5..].to_vec()));
                }
            }
            let read = timeout_at(until, self.stream.read_buf(&mut self.buffer)).await.ok()?;
            assert_ne!(read.expect("no reset"), 0, "closed");
        }
    }

    async fn says(&mut self, bytes: Vec<u8>) {
        self.stream.write_all(&bytes).await.unwrap();
    }
}

/// What one client has seen of the games in its room.
struct Seen<'a> {
    about: String,
    view: View,
    cards: &'a Cards,
    // Which games of the room the last one may have been: two may have looked alike.
    games: Option<Vec<u64>>,
    // When the game began; the inner one is `None` between games. Unknown for who has just entered.
    began: Option<Option<Instant>>,
    have_bet: HashSet<u64>,
    must_end: bool,
    left: bool,
    count: u64,
}

impl Seen<'_> {
    fn hear(&mut self, frame: &Frame) {
        let about = &self.about;
        let packet = raw::ToClient::from_frame(frame).unwrap();
        let event = heard(packet).unwrap_or_else(|| panic!("{about}: what is {frame:?}?"));
        if self.must_end {
            assert_eq!(frame.id.0, 764, "{about}: all have bet, and then comes {event:?}");
        }
        if let Event::Came(who) = &event {
            assert!(self.view.who(who.user).is_none(), "{about}: {who:?} came twice");
        }
        let was_master = self.view.is_master();
        self.view.hear(&event).unwrap_or_else(|error| panic!("{about}: {error}"));
        match event {
            Event::Game(Tell::Started) => {
                assert!(!matches!(self.began, Some(Some(_))), "{about}: a game in a game");
                self.began = Some(Some(Instant::now()));
                self.have_bet.clear();
            }
            Event::Game(Tell::HasBet { user, .. }) => {
                assert_ne!(self.began, Some(None), "{about}: a bet on nothing");
                self.have_bet.insert(user);
            }
            Event::Game(Tell::Result { .. }) => self.ended(frame),
            Event::Game(Tell::Start { result: 1 }) => assert!(was_master, "{about}: who may start?"),
            Event::Game(Tell::Start { result: 173 }) => assert!(!was_master, "{about}: who else?"),
            Event::Went(who) => drop(self.have_bet.remove(&who.user)),
            Event::Leave(code) => {
                assert_eq!(code, Code::Ok);
                self.left = true;
            }
            _ => {}
        }
        let all = self.view.users().all(|who| self.have_bet.contains(&who.user));
        self.must_end = matches!(self.began, Some(Some(_))) && all && !self.left;
    }

    fn ended(&mut self, frame: &Frame) {
        let about = &self.about;
        match self.began {
            Some(None) => panic!("{about}: a result of nothing"),
            Some(Some(began)) => {
                // The clock is read a little later here than there.
                let took = began.elapsed().as_millis();
                let up = (395..=405).contains(&took);
                assert!(up || (self.must_end && took <= 400), "{about}: after {took} ms");
            }
            None => {}
        }
        let bytes = [&(frame.body.len() as u16 + 5).to_le_bytes()[..], &[0xfc, 2, 0], &frame.body].concat();
        let found = self.cards.get(&bytes).unwrap_or_else(|| panic!("{about}: cards of nobody"));
        let next =
            |game: &u64| self.games.as_ref().is_none_or(|last| last.iter().any(|last| last + 1 == *game));
        let games: Vec<u64> = found.iter().copied().filter(next).collect();
        assert!(!games.is_empty(), "{about}: {found:?} behind {:?}", self.games);
        self.games = Some(games);
        self.began = Some(None);
        self.have_bet.clear();
        self.count += 1;
    }
}

/// One client's life; how many results it has heard.
async fn live(server: &InTest, seed: u64, number: u64, cards: &[Cards]) -> u64 {
    let mut dice = ChaCha20Rng::seed_from_u64(seed);
    dice.set_stream(number);
    let name = format!("user{number}");
    let (mut stays, mut heard) = (0, 0);
    while stays < STAYS {
        let mut line = Line { stream: server.client().0, buffer: Vec::new() };
        let faults = line.stream.faults();
        if dice.random_bool(0.5) {
            faults.cut(dice.random(), 9);
        }
        // The one that broke off may not have been noticed yet.
        loop {
            line.says(RAW.login(&name)).await;
            let answer = line.next(soon(3_600_000)).await.unwrap();
            match i16::from_le_bytes(answer.body[..].try_into().unwrap()) {
                1 => break,
                code => assert_eq!((answer.id.0, code), (702, 111)),
            }
            pass(Duration::from_millis(1)).await;
        }
        loop {
            stays += 1;
            heard += stay(&mut line, &mut dice, &name, cards).await;
            if stays >= STAYS || dice.random_bool(0.3) {
                break;
            }
        }
        match dice.random_range(0..4) {
            // In a reset, in the middle of a room, in the middle of a bet, or in order.
            0 => faults.reset(),
            1 => {
                line.says([RAW.enter(dice.random_range(0..ROOMS)), start(), bet(TIE)].concat()).await;
                pass(Duration::from_millis(dice.random_range(0..50))).await;
            }
            2 => line.says(bet(PLAYER)[..5].to_vec()).await,
            _ => drop(line.stream.shutdown().await),
        }
    }
    heard
}

/// One stay in a room, from entering to leaving; how many results it has heard.
async fn stay(line: &mut Line, dice: &mut ChaCha20Rng, name: &str, cards: &[Cards]) -> u64 {
    let room = dice.random_range(0..ROOMS);
    line.says(RAW.enter(room)).await;
    let mut seen = Seen {
        about: format!("{name} in room {room}"),
        view: View::new(Name::new(name.as_bytes()).unwrap()),
        cards: &cards[room as usize],
        games: None,
        began: None,
        have_bet: HashSet::new(),
        must_end: false,
        left: false,
        count: 0,
    };
    while seen.view.room().is_none() {
        let frame = line.next(soon(3_600_000)).await.unwrap();
        if frame.id.0 == 722 && frame.body[..2] == [134, 0] {
            return 0;
        }
        seen.hear(&frame);
    }
    for _ in 0..dice.random_range(0..30) {
        let says = match dice.random_range(0..12) {
            0..4 => start(),
            4..9 => bet(dice.random_range(0..5)),
            9 => frame(761, ""),
            10 => RAW.chat("hm"),
            _ => [start(), bet(BANKER), bet(PLAYER)].concat(),
        };
        line.says(says).await;
        // Now and then it stalls: what comes waits for it.
        if dice.random_bool(0.05) {
            pass(Duration::from_millis(dice.random_range(1..30))).await;
            // What came meanwhile cannot be timed.
            seen.began = None;
            while let Some(frame) = line.next(Instant::now()).await {
                seen.hear(&frame);
            }
            seen.began = None;
        }
        let until = soon(dice.random_range(0..120));
        while let Some(frame) = line.next(until).await {
            seen.hear(&frame);
        }
    }
    line.says(RAW.leave()).await;
    while !seen.left {
        let frame = line.next(soon(3_600_000)).await.unwrap();
        seen.hear(&frame);
    }
    seen.count
}

fn soon(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}

#[tokio::test(start_paused = true)]
async fn each_game_ends_in_time_with_the_next_cards_and_nothing_is_left_over() {
    let cards = cards();
    for (seed, workers) in [(1, 1), (2, 2), (3, 3), (4, 1)] {
        let settings = Settings { workers, requests_per_second: 0, ..Settings::default() };
        let server = InTest::new(settings, PACE).await;
        let lives = (0..CLIENTS).map(|number| live(&server, seed, number, &cards));
        let heard: u64 = lobby::testing::memory::all_at_once(lives).await.into_iter().sum();
        assert!(heard > 500, "only {heard} results");
        pass(Duration::from_secs(20)).await;
        let directory = server.shared.directory();
        assert_eq!((directory.names(), directory.seats()), (0, 0), "seed {seed}");
        let stats = server.running.stats();
        assert_eq!(stats.opened, stats.closed, "a session is left");
        server.ends_empty().await;
    }
}
