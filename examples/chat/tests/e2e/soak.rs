//! Clients that join, leave, chat, stall, reset and come back at random from a seed: whoever stays hears each line of
//! their room once and in order, and at the end nobody is left in a room.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use lobby::Settings;
use netcore::memory::Faults;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::memory::{InTest, all_at_once};
use crate::scenario::Started;
use crate::wire::*;

/// What a client has been told of its room.
#[derive(Default)]
struct Seen {
    // The last line of each user who is there, by room user id.
    last: HashMap<u64, u32>,
    lines: u64,
}

type Connecting<S> = Pin<Box<dyn Future<Output = (S, Option<Faults>)> + Send>>;

/// One client's life: it enters one of a few rooms, says numbered lines, leaves or breaks off, and begins anew.
struct Life {
    dice: ChaCha8Rng,
    name: String,
    format: Format,
    rooms: i32,
}

/// What a client reads, packet by packet.
enum Heard {
    Result(u16, i64),
    Users(Vec<u64>),
    Came(u64),
    Went(u64),
    Entered(i64, u64),
    Chatted(u64, u32),
    Other,
}

impl Life {
    /// Lives until `steps` are over; how many lines it has heard. Every line that it misses or hears twice panics.
    async fn live<S>(mut self, mut connect: impl FnMut(Format) -> Connecting<S>, steps: u32) -> u64
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut heard, mut said) = (0, 0);
        let mut step = 0;
        while step < steps {
            let (mut stream, faults) = connect(self.format).await;
            if let Some(faults) = &faults
                && self.dice.random_bool(0.5)
            {
                faults.cut(self.dice.random(), 40);
            }
            // The one that broke off may not have been noticed yet: its name is taken until then.
            loop {
                let login = self.format.login(&self.name);
                if stream.write_all(&login).await.is_err() {
                    panic!("{}: closed before log-in", self.name);
                }
                match self.next(&mut stream).await {
                    Some(Heard::Result(702, ok)) if ok == self.ok() => break,
                    Some(Heard::Result(702, 111)) => tokio::task::yield_now().await,
                    _ => panic!("{}: no answer to the log-in", self.name),
                }
            }
            loop {
                step += 1;
                let lines = self.dice.random_range(0..20);
                let room = self.dice.random_range(0..self.rooms);
                let Some(seen) = self.stay(&mut stream, room, lines, &mut said).await else { continue };
                heard += seen.lines;
                if step >= steps || self.dice.random_bool(0.3) {
                    break;
                }
            }
            match self.dice.random_range(0..4) {
                // In order, in a reset, or in the middle of a room.
                0 => drop(stream.shutdown().await),
                1 => {
                    if let Some(faults) = &faults {
                        faults.reset();
                    }
                }
                2 => {
                    let half = [self.format.enter(0), self.format.chat("last words")].concat();
                    let _ = stream.write_all(&half[..half.len() - 3]).await;
                }
                _ => {}
            }
        }
        heard
    }

    /// One stay in a room; `None` if it was full.
    async fn stay<S>(&mut self, stream: &mut S, room: i32, lines: u32, said: &mut u32) -> Option<Seen>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (f, name) = (self.format, self.name.clone());
        stream.write_all(&f.enter(room)).await.unwrap();
        let mut seen = Seen::default();
        let me = loop {
            match self.next(stream).await.unwrap_or_else(|| panic!("{name}: closed while entering")) {
                Heard::Users(users) => seen.last.extend(users.into_iter().map(|user| (user, 0))),
                Heard::Entered(134, 0) => return None,
                Heard::Entered(code, user) if code == self.ok() => break user,
                _ => panic!("{name}: entering"),
            }
        };
        seen.last.insert(me, 0);
        for _ in 0..lines {
            if self.dice.random_bool(0.05) {
                // It stalls: what the others say waits for it.
                tokio::time::sleep(Duration::from_millis(self.dice.random_range(1..50))).await;
            }
            *said += 1;
            stream.write_all(&f.chat(said.to_string())).await.unwrap();
            // Its own line, then the answer; the others' in between.
            let mut own = false;
            loop {
                match self.next(stream).await.unwrap_or_else(|| panic!("{name}: closed in a room")) {
                    Heard::Result(732, ok) => {
                        assert!(own && ok == self.ok(), "{name}: the answer before the line");
                        break;
                    }
                    Heard::Chatted(user, line) if user == me => {
                        assert_eq!(line, *said, "{name}: its own line");
                        own = true;
                        seen.note(&name, user, line);
                    }
                    other => seen.take(&name, other),
                }
            }
        }
        stream.write_all(&f.leave()).await.unwrap();
        loop {
            match self.next(stream).await.unwrap_or_else(|| panic!("{name}: closed while leaving")) {
                Heard::Result(727, _) => return Some(seen),
                other => seen.take(&name, other),
            }
        }
    }

    fn ok(&self) -> i64 {
        i64::from(self.format == Raw)
    }

    async fn next<S: AsyncRead + Unpin>(&self, stream: &mut S) -> Option<Heard> {
        let mut header = [0; 5];
        stream.read_exact(&mut header).await.ok()?;
        let mut body = vec![0; usize::from(u16::from_le_bytes([header[0], header[1]])) - 5];
        stream.read_exact(&mut body).await.ok()?;
        Some(heard(self.format, u16::from_le_bytes([header[2], header[3]]), &body))
    }
}

impl Seen {
    fn take(&mut self, name: &str, heard: Heard) {
        match heard {
            Heard::Came(user) => assert!(self.last.insert(user, 0).is_none(), "{name}: {user} came twice"),
            Heard::Went(user) => assert!(self.last.remove(&user).is_some(), "{name}: {user} was not there"),
            Heard::Chatted(user, line) => self.note(name, user, line),
            _ => panic!("{name}: what is that?"),
        }
    }

    /// Each speaker counts on, one by one: a line that is missing, doubled or from a ghost is seen.
    fn note(&mut self, name: &str, user: u64, line: u32) {
        let last =
            self.last.get_mut(&user).unwrap_or_else(|| panic!("{name}: a line of {user}, who is not there"));
        assert!(*last == 0 || line == *last + 1, "{name}: line {line} of {user} behind {last}");
        *last = line;
        self.lines += 1;
    }
}

fn heard(format: Format, id: u16, body: &[u8]) -> Heard {
    use lobby::{msgpack, protobuf, raw};
    use netcore::{Frame, Packet};
    let frame = Frame::new(id, body.to_vec());
    let line = |text: &str| text.parse().unwrap_or_else(|_| panic!("a line that nobody said: {text}"));
    match format {
        Raw => match raw::ToClient::from_frame(&frame).unwrap() {
            raw::ToClient::Users { users } => Heard::Users(users.iter().map(|user| user.user).collect()),
            raw::ToClient::Came(user) => Heard::Came(user.user),
            raw::ToClient::Went { user } => Heard::Went(user),
            raw::ToClient::Enter { result, user, .. } => Heard::Entered(result.into(), user),
            raw::ToClient::Chatted { user, text } => Heard::Chatted(user, line(&text)),
            raw::ToClient::LogIn { result }
            | raw::ToClient::Chat { result }
            | raw::ToClient::Leave { result } => Heard::Result(id, result.into()),
            _ => Heard::Other,
        },
        MsgPack => match msgpack::ToClient::from_frame(&frame).unwrap() {
            msgpack::ToClient::Users { users, .. } => Heard::Users(users),
            msgpack::ToClient::Came { user, .. } => Heard::Came(user),
            msgpack::ToClient::Went { user } => Heard::Went(user),
            msgpack::ToClient::Enter { result, user } => Heard::Entered(result.into(), user),
            msgpack::ToClient::Chatted { user, text } => Heard::Chatted(user, line(&text)),
            msgpack::ToClient::LogIn { result }
            | msgpack::ToClient::Chat { result }
            | msgpack::ToClient::Leave { result } => Heard::Result(id, result.into()),
            _ => Heard::Other,
        },
        Protobuf => match protobuf::ToClient::from_frame(&frame).unwrap() {
            protobuf::ToClient::Users(list) => {
                Heard::Users(list.users.iter().map(|user| user.room_user_id).collect())
            }
            protobuf::ToClient::Came(came) => Heard::Came(came.user.unwrap().room_user_id),
            protobuf::ToClient::Went(went) => Heard::Went(went.room_user_id),
            protobuf::ToClient::Enter(answer) => Heard::Entered(answer.result.into(), answer.room_user_id),
            protobuf::ToClient::Chatted(chat) => Heard::Chatted(chat.room_user_id, line(&chat.msg)),
            protobuf::ToClient::LogIn(answer) => Heard::Result(id, answer.result.into()),
            protobuf::ToClient::Chat(answer) => Heard::Result(id, answer.result.into()),
            protobuf::ToClient::Leave(answer) => Heard::Result(id, answer.result.into()),
            _ => Heard::Other,
        },
    }
}

const CLIENTS: u64 = 24;

fn life(seed: u64, number: u64) -> Life {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(number);
    let format = FORMATS[number as usize % 3];
    Life { dice, name: format!("user{number}"), format, rooms: 5 }
}

fn settings(workers: u16) -> Settings {
    Settings { workers, room_users: 6, requests_per_second: 0, ..Settings::default() }
}

#[tokio::test(start_paused = true)]
async fn whoever_stays_hears_each_line_once_and_nobody_is_left_behind() {
    for (seed, workers) in [(1, 1), (2, 2), (3, 3), (4, 5)] {
        let server = InTest::new(settings(workers)).await;
        let lives = (0..CLIENTS).map(|number| {
            let server = &server;
            life(seed, number).live(
                |format| {
                    let stream = server.client(format).0;
                    let faults = stream.faults();
                    Box::pin(async { (stream, Some(faults)) })
                },
                40,
            )
        });
        let heard: u64 = all_at_once(lives).await.into_iter().sum();
        assert!(heard > 5_000, "only {heard} lines");
        crate::memory::pass(Duration::from_secs(20)).await;
        let directory = server.shared.directory();
        assert_eq!((directory.names(), directory.seats()), (0, 0), "seed {seed}");
        let stats = server.running.stats();
        assert_eq!(stats.opened, stats.closed, "a session is left");
        server.ends_empty().await;
    }
}

/// As long as `CHAT_SOAK_SECONDS` says: 2 unless set.
#[test]
fn the_same_over_real_sockets() {
    let seconds = std::env::var("CHAT_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    for workers in [1, 3] {
        let server = Started::new(settings(workers));
        let until = std::time::Instant::now() + Duration::from_secs(seconds) / 2;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let ports = FORMATS.map(|format| server.at(format));
        let heard: u64 = runtime.block_on(async {
            let mut lives = tokio::task::JoinSet::new();
            for number in 0..CLIENTS {
                lives.spawn(async move {
                    let (mut heard, mut round) = (0, 0);
                    while std::time::Instant::now() < until {
                        round += 1;
                        let connect = |format: Format| -> Connecting<TcpStream> {
                            let port = ports[format as usize];
                            Box::pin(async move {
                                let stream = TcpStream::connect(port).await.unwrap();
                                stream.set_nodelay(true).unwrap();
                                if format == Raw {
                                    // Each end of such a connection is a reset.
                                    stream.set_zero_linger().unwrap();
                                }
                                (stream, None)
                            })
                        };
                        heard += life(round, number).live(connect, 10).await;
                    }
                    heard
                });
            }
            lives.join_all().await.into_iter().sum()
        });
        assert!(heard > 100, "only {heard} lines");
        server.ends_empty("after the soak");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_closed_and_its_room_goes_on() {
    for workers in [1, 3] {
        let server = InTest::new(settings(workers)).await;
        let f = Raw;
        let mut clients = Vec::new();
        for (user, name) in (1..).zip(["ann", "bob", "mute"]) {
            let mut client = server.client(f);
            client.says([f.login(name), f.enter(4)].concat()).await;
            let users: Vec<(u64, &str)> = (1..user).zip(["ann", "bob"]).collect();
            let list = if users.is_empty() { Vec::new() } else { f.users(&users) };
            client.hears(&[f.result(702, OK), list, f.entered(OK, 4, user)]).await;
            clients.push(client);
        }
        let [mut ann, mut bob, mute] = <[_; 3]>::try_from(clients).ok().unwrap();
        ann.hears(&[f.came(2, "bob"), f.came(3, "mute")]).await;
        bob.hears(&[f.came(3, "mute")]).await;
        // 10 MB, of which the mute one takes nothing.
        let relayed = f.relayed(1, &[7; 1000]);
        let (mut went, mut packet) = (0, vec![0; relayed.len()]);
        for _ in 0..10_000 {
            ann.says(f.relay(&[7; 1000])).await;
            for client in [&mut ann, &mut bob] {
                let stream = &mut client.0;
                stream.read_exact(&mut packet[..5]).await.unwrap();
                if packet[2..4] == 728_u16.to_le_bytes() {
                    let mut user = [0; 8];
                    stream.read_exact(&mut user).await.unwrap();
                    assert_eq!(u64::from_le_bytes(user), 3);
                    went += 1;
                    stream.read_exact(&mut packet[..5]).await.unwrap();
                }
                stream.read_exact(&mut packet[5..]).await.unwrap();
                assert_eq!(packet, relayed);
            }
        }
        assert_eq!(went, 2, "both are told that it is gone");
        drop((ann, bob, mute));
        server.ends_empty().await;
    }
}
