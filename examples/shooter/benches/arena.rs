//! What a tick of the arena costs, by players: `cargo bench -p shooter`.
//!
//! N clients in memory, on one core and on a clock that stands still until nobody has anything to do: the time between two
//! ticks is what one tick takes, all of it. The server decodes what N clients say (each where it is, four shots a second), moves the
//! arena, encodes, and writes to N sessions; the clients write, read and throw away, which is in the time too. What a socket's
//! system calls cost is not. Shots hit and do no harm, so that nobody is dead and silent.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use netcore::memory::MemoryStream;
use netcore::{Host, Packet};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use shooter::rules::{HEIGHT, WIDTH, Weapon};
use shooter::{Arena, Bots, Event, Game, Rules, doors};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::sleep;

/// What a client says in each tick.
struct Talker {
    stream: WriteHalf<MemoryStream>,
    id: i32,
    at: (f32, f32),
    way: (f32, f32),
    bullet: i32,
}

struct Took {
    median: Duration,
    p99: Duration,
    // Bytes that all clients read in a second of the game.
    bytes: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let once = std::env::args().any(|arg| arg == "--test") || !std::env::args().any(|arg| arg == "--bench");
    let ticks = if once { 10 } else { 300 };
    let budget = Duration::from_secs(1) / Rules::default().tick_hz;
    println!(
        "on {}, one core of {}; {ticks} ticks each",
        processor(),
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    println!(
        "{:>8} {:>14} {:>12} {:>12} {:>16} {:>12}",
        "players", "simulation µs", "tick ms", "p99 ms", "kB/s a client", "MB/s in all"
    );
    let sizes: &[usize] = if once { &[10] } else { &[10, 100, 500] };
    for players in sizes {
        let took = play(*players, ticks)?;
        println!(
            "{players:>8} {:>14.1} {:>12.3} {:>12.3} {:>16.1} {:>12.2}",
            simulate(*players, ticks).as_secs_f64() * 1e6,
            took.median.as_secs_f64() * 1e3,
            took.p99.as_secs_f64() * 1e3,
            took.bytes / *players as f64 / 1e3,
            took.bytes / 1e6,
        );
    }
    if once {
        return Ok(());
    }
    // The last size that fits, and the first that does not.
    let (mut fits, mut over) = (10, 1000);
    while over - fits > 10 {
        let middle = usize::midpoint(fits, over);
        if play(middle, ticks)?.p99 <= budget { fits = middle } else { over = middle }
    }
    println!(
        "the largest arena whose p99 is within the {:.1} ms of a tick: {fits} players",
        budget.as_secs_f64() * 1e3
    );
    Ok(())
}

/// A server and so many clients.
fn play(players: usize, ticks: usize) -> Result<Took, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        let rules = Rules::default();
        let (doors, _text, raw) = doors::in_memory();
        let server = doors::server(doors, &rules).host(Host::Task);
        let running = server.logic(Game::new(rules, 0, 1)).await?;
        let read = Arc::new(AtomicU64::new(0));
        let mut chance = ChaCha8Rng::seed_from_u64(players as u64);
        let mut talkers = Vec::new();
        for id in 1..=i32::try_from(players)? {
            let (reader, stream) = split(raw.connect()?);
            tokio::spawn(listen(reader, read.clone()));
            let at = (chance.random_range(0.0..WIDTH), chance.random_range(0.0..HEIGHT));
            talkers.push(Talker { stream, id, at, way: (150.0, 0.0), bullet: 0 });
        }
        let warm_up = ticks.min(60);
        let mut took = Vec::with_capacity(ticks);
        let mut before = 0;
        for tick in 0..warm_up + ticks {
            if tick == warm_up {
                before = read.load(Relaxed);
            }
            let begun = Instant::now();
            for talker in &mut talkers {
                talker.say(tick, &mut chance).await?;
            }
            sleep(Duration::from_secs(1) / rules.tick_hz).await;
            if tick >= warm_up {
                took.push(begun.elapsed());
            }
        }
        took.sort_unstable();
        let bytes = (read.load(Relaxed) - before) as f64 / ticks as f64 * f64::from(rules.tick_hz);
        let stats = running.stats();
        assert_eq!((stats.open(), stats.panics), (players as u64, 0), "all stay to the end");
        running.shutdown().await;
        Ok(Took { median: took[took.len() / 2], p99: took[took.len() * 99 / 100], bytes })
    })
}

impl Talker {
    async fn say(&mut self, tick: usize, chance: &mut ChaCha8Rng) -> Result<(), Box<dyn Error>> {
        let mut bytes = BytesMut::new();
        if tick == 0 {
            Event::Spawn { id: self.id, x: self.at.0, y: self.at.1, hp: 100.0 }
                .encode(&mut bytes, u16::MAX)?;
        }
        if tick % 30 == self.id as usize % 30 {
            let angle: f32 = chance.random_range(0.0..std::f32::consts::TAU);
            self.way = (angle.cos() * 150.0, angle.sin() * 150.0);
        }
        self.at.0 = (self.at.0 + self.way.0 / 60.0).clamp(0.0, WIDTH);
        self.at.1 = (self.at.1 + self.way.1 / 60.0).clamp(0.0, HEIGHT);
        let ((x, y), (vx, vy)) = (self.at, self.way);
        Event::Pos { id: self.id, x, y, vx, vy, aim_x: WIDTH - x, aim_y: HEIGHT - y }
            .encode(&mut bytes, u16::MAX)?;
        if tick % 15 == self.id as usize % 15 {
            self.bullet += 1;
            let Weapon { r, speed, .. } = Weapon::UNARMED;
            let (vx, vy) = (vx / 150.0 * speed * 0.99, vy / 150.0 * speed * 0.99);
            Event::Fire { id: self.id, bullet: self.bullet, x, y, vx, vy, r, dmg: 0.0 }
                .encode(&mut bytes, u16::MAX)?;
        }
        Ok(self.stream.write_all(&bytes).await?)
    }
}

async fn listen(mut stream: ReadHalf<MemoryStream>, read: Arc<AtomicU64>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        read.fetch_add(len as u64, Relaxed);
    }
}

/// What the arena alone takes for a step, with so many bots.
fn simulate(players: usize, ticks: usize) -> Duration {
    let rules = Rules::default();
    let (mut arena, mut bots) = (Arena::new(rules, 1), Bots::new(players as u16, rules.step(), 1));
    let mut step = || {
        bots.act(&mut arena);
        let begun = Instant::now();
        arena.step();
        let took = begun.elapsed();
        arena.drain().for_each(drop);
        took
    };
    for _ in 0..60 {
        step();
    }
    (0..ticks).map(|_| step()).sum::<Duration>() / ticks as u32
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "an unknown processor".to_owned(), |(_, name)| name.to_owned())
}
