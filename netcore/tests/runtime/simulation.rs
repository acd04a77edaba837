//! A whole server from one seed: clients that send, stall, break and leave, sessions that move, a drain at the end. It runs
//! the same each time, and nothing that was accepted is lost or doubled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use netcore::memory::MemoryConnector;
use netcore::{Client, CloseReason, Context, Logic, SessionId};

use crate::common::{Ask, Hear, Log, pass, said, server};

struct Random(u64);

impl Random {
    fn next(&mut self, below: u32) -> u32 {
        // The high bits of a linear congruence are random enough for a script.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(below)) as u32
    }
}

/// What the server received from each client, by the client's number; each packet is checked against it.
type Received = Arc<Mutex<HashMap<u32, u32>>>;

struct World {
    log: Log,
    start: Instant,
    received: Received,
    // The client behind each session, which its first packet names.
    clients: HashMap<SessionId, u32>,
}

impl World {
    fn note(&self, words: impl std::fmt::Display) {
        self.log.add(format!("{:?} {words}", self.start.elapsed()));
    }
}

impl Logic for World {
    type In = Ask;
    type Out = Hear;
    type Message = Option<u32>;

    fn opened(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        self.note(format_args!("{} opened {session}", ctx.worker()));
    }

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
        let worker = ctx.worker();
        self.note(format_args!("{worker} {session} {ask:?}"));
        match ask {
            Ask::Do { what, n: 0 } => {
                assert_eq!(self.clients.insert(session, what), None, "it opened once");
            }
            Ask::Do { what, n } => {
                ctx.send(session, &said(n));
                self.count(session, n);
                ctx.move_to(session, what as usize % ctx.workers(), self.clients.remove(&session));
            }
            Ask::Say { n } => {
                ctx.send(session, &said(n));
                self.count(session, n);
                if n % 17 == 0 {
                    ctx.broadcast_everywhere(&Hear::Note { who: worker as u32, n });
                }
            }
        }
    }

    fn arrived(&mut self, ctx: &mut Context<Self>, session: SessionId, client: Option<u32>) {
        self.note(format_args!("{} arrived {session}", ctx.worker()));
        self.clients.extend(client.map(|client| (session, client)));
    }

    fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, reason: CloseReason) {
        self.note(format_args!("{} closed {session} {reason}", ctx.worker()));
        self.clients.remove(&session);
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) {
        ctx.broadcast(&Hear::Bye { code: 1 });
    }
}

impl World {
    fn count(&self, session: SessionId, n: u32) {
        let client = self.clients[&session];
        let mut received = self.received.lock().unwrap();
        let last = received.entry(client).or_default();
        *last += 1;
        assert_eq!(n, *last, "client {client}");
    }
}

/// How one client fared: how many it sent, how many came back, and whether anything but itself ended it.
struct Fate {
    sent: u32,
    heard: u32,
    broken: bool,
    whole: bool,
}

async fn play(connector: MemoryConnector, number: u32, mut random: Random) -> Fate {
    pass(random.next(50).into()).await;
    let stream = connector.with_capacity(16 + random.next(2_000) as usize).connect().unwrap();
    let faults = stream.faults();
    if random.next(2) == 0 {
        faults.cut(random.0, 1 + random.next(40) as usize);
    }
    let breaks = random.next(5) == 0;
    if breaks {
        faults.reset_after(random.next(400) as usize);
    }
    let (sender, mut receiver) = Client::<Hear, Ask>::options().over(stream).split();
    let mut fate = Fate { sent: 0, heard: 0, broken: breaks, whole: false };
    let hear = tokio::spawn(async move {
        let mut heard = 0;
        loop {
            match receiver.recv().await {
                Ok(Some(Hear::Said { n })) => {
                    heard += 1;
                    assert_eq!(n, heard, "client {number}");
                }
                Ok(Some(_)) => {}
                Ok(None) => return (heard, true),
                Err(_) => return (heard, false),
            }
        }
    });
    let _ = sender.send(&Ask::Do { what: number, n: 0 });
    for n in 1..=5 + random.next(60) {
        let moves = random.next(6) == 0;
        let ask = if moves { Ask::Do { what: random.next(8), n } } else { Ask::Say { n } };
        if sender.send_wait(&ask).await.is_err() {
            break;
        }
        fate.sent = n;
        match random.next(12) {
            0 => pass(random.next(30).into()).await,
            1 => {
                faults.stall_reads(true);
                pass(random.next(100).into()).await;
                faults.stall_reads(false);
            }
            2 => tokio::task::yield_now().await,
            _ => {}
        }
    }
    // Some go at once, others wait for the server to end.
    let leaves = random.next(2) == 0;
    if leaves {
        let time = random.next(200).into();
        pass(time).await;
        hear.abort();
        fate.heard = u32::MAX;
    } else if let Ok((heard, whole)) = hear.await {
        (fate.heard, fate.whole) = (heard, whole);
    }
    fate
}

/// Runs everything, and gives what happened.
async fn run(seed: u64, clients: u32) -> Vec<String> {
    let (server, connector) = server();
    let (log, received, start) = (Log::default(), Received::default(), Instant::now());
    let (logged, counted) = (log.clone(), received.clone());
    let make =
        move |_| World { log: logged.clone(), start, received: counted.clone(), clients: HashMap::new() };
    let running = server.workers(1 + seed as usize % 3, make).await.unwrap();
    let mut playing = JoinSet::new();
    for number in 0..clients {
        let random = Random(seed * 1_000 + u64::from(number));
        let connector = connector.clone();
        playing.spawn(async move { (number, play(connector, number, random).await) });
    }
    pass(5_000).await;
    let stats = running.stats();
    let report = running.shutdown().await;
    assert_eq!((report.cut, report.cut_bytes, stats.panics), (0, 0, 0), "seed {seed}");
    while let Some(fate) = playing.join_next().await {
        let (number, fate) = fate.unwrap();
        let received = received.lock().unwrap().get(&number).copied().unwrap_or(0);
        assert!(received <= fate.sent, "seed {seed}, client {number}: doubled");
        if !fate.broken {
            assert_eq!(received, fate.sent, "seed {seed}, client {number}: lost on the way in");
        }
        if fate.whole {
            assert_eq!(fate.heard, received, "seed {seed}, client {number}: lost on the way out");
        }
        log.add(format!("client {number}: sent {}, heard {}", fate.sent, fate.heard));
    }
    log.add(format!("{stats:?} {report:?}"));
    log.take()
}

/// A runtime of its own, whose clock begins to run when everything rests.
fn simulate(seed: u64, clients: u32) -> Vec<String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(async {
        tokio::time::timeout(Duration::from_secs(3_600), run(seed, clients)).await.expect("it ends")
    })
}

#[test]
fn one_seed_gives_one_history() {
    for seed in [1, 2, 3] {
        let (first, second) = (simulate(seed, 20), simulate(seed, 20));
        assert!(first.len() > 300, "{}", first.len());
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(first.len(), second.len());
    }
}

#[test]
fn nothing_accepted_is_lost_or_doubled_whatever_the_seed() {
    for seed in 100..400 {
        simulate(seed, 6);
    }
}
