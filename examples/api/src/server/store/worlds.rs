//! The worlds in Redis. One task reads a game's world, does in it all that was asked for meanwhile, and puts it back unless
//! another process was faster; then it does so again, on what the other one made of it. Requests that come while it is at
//! work share the next round, so that a round's cost does not grow with them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tracing::error;

use super::redis::Link;
use super::{FORGET, Outcome, StoreError};
use crate::server::secret;
use crate::server::world::{Answer, Denial, Millis, Op, Rules, World};

/// A handle on the task, which ends when this is dropped.
pub(super) struct Worlds {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    game: String,
    op: Op,
    done: oneshot::Sender<Result<Outcome, StoreError>>,
    /// How often another process was faster.
    rounds: u32,
}

impl Worlds {
    pub(super) fn start(link: Arc<Link>, rules: Rules) -> Self {
        let (jobs, come) = mpsc::channel(QUEUE);
        tokio::spawn(work(link, rules, come));
        Self { jobs }
    }

    pub(super) async fn change(&self, game: String, op: Op) -> Result<Outcome, StoreError> {
        let (done, outcome) = oneshot::channel();
        self.jobs.try_send(Job { game, op, done, rounds: 0 }).map_err(|_| StoreError::Busy)?;
        outcome.await.unwrap_or(Err(StoreError::Away))
    }
}

async fn work(link: Arc<Link>, rules: Rules, mut come: mpsc::Receiver<Job>) {
    let mut again = Vec::new();
    loop {
        let mut jobs = std::mem::take(&mut again);
        if jobs.is_empty() {
            if come.recv_many(&mut jobs, QUEUE).await == 0 {
                return;
            }
        } else {
            // Two processes that collide do not do so forever.
            sleep(Duration::from_millis(rand::random_range(0..8))).await;
            while jobs.len() < QUEUE
                && let Ok(job) = come.try_recv()
            {
                jobs.push(job);
            }
        }
        // Who has gone does not want it any more.
        jobs.retain(|job| !job.done.is_closed());
        again = round(&link, &rules, jobs).await;
    }
}

/// Returns what has to be done again.
async fn round(link: &Link, rules: &Rules, jobs: Vec<Job>) -> Vec<Job> {
    let mut games: BTreeMap<String, Vec<Job>> = BTreeMap::new();
    for job in jobs {
        games.entry(job.game.clone()).or_default().push(job);
    }
    let names: Vec<&String> = games.keys().collect();
    let (now, stored) = match read(link, &names).await {
        Ok(read) => read,
        Err(error) => return refuse(games.into_values().flatten(), &error),
    };
    let mut drafts = Vec::new();
    for ((game, jobs), stored) in games.into_iter().zip(stored) {
        drafts.push(Draft::new(game, jobs, now, stored.as_deref(), rules));
    }
    write(link, drafts).await
}

/// A game's world as it is to be.
struct Draft {
    game: String,
    jobs: Vec<(Job, Outcome)>,
    /// What tells this version from all others; empty where there was none.
    was: Vec<u8>,
    /// `None` when nothing changes.
    world: Option<World>,
}

impl Draft {
    fn new(game: String, jobs: Vec<Job>, now: Millis, stored: Option<&[u8]>, rules: &Rules) -> Self {
        let (was, world) = open(&game, stored);
        let mut world = world;
        let mut changed = false;
        let mut drafted = Vec::with_capacity(jobs.len());
        for job in jobs {
            if world.is_none() && matches!(job.op, Op::Register { .. }) {
                world = Some(World::default());
            }
            let mut matched = Vec::new();
            let outcome = match &mut world {
                Some(world) => {
                    changed |= !job.op.only_reads();
                    let answer = world.apply(now, &job.op, rules, &mut matched);
                    Outcome { answer, matched, counts: world.counts() }
                }
                None => Outcome { answer: Answer::No(Denial::UnknownGame), matched, counts: (0, 0, 0) },
            };
            drafted.push((job, outcome));
        }
        Self { game, jobs: drafted, was, world: world.filter(|_| changed) }
    }

    fn tell(self) {
        for (job, outcome) in self.jobs {
            // Who does not wait any more has no use for it.
            let _ = job.done.send(Ok(outcome));
        }
    }
}

/// The version, and the world.
fn open(game: &str, stored: Option<&[u8]>) -> (Vec<u8>, Option<World>) {
    let Some(stored) = stored else { return (Vec::new(), None) };
    let (was, world) = stored.split_at_checked(secret::TOKEN).unwrap_or((stored, b""));
    match serde_json::from_slice(world) {
        Ok(world) => (was.to_owned(), Some(world)),
        // Its servers register anew within seconds.
        Err(error) => {
            error!(%error, game, "what redis has of this game cannot be read; it begins anew");
            (was.to_owned(), Some(World::default()))
        }
    }
}

async fn read(link: &Link, games: &[&String]) -> Result<(Millis, Vec<Option<Vec<u8>>>), StoreError> {
    let keys: Vec<String> = games.iter().map(|game| world_key(link, game)).collect();
    if keys.is_empty() {
        return Ok((0, Vec::new()));
    }
    let mut pipe = redis::pipe();
    pipe.cmd("TIME").cmd("MGET").arg(&keys);
    let ((seconds, micros), stored): ((u64, u64), Vec<Option<Vec<u8>>>) = link.ask_all(&pipe).await?;
    Ok((seconds * 1000 + micros / 1000, stored))
}

async fn write(link: &Link, drafts: Vec<Draft>) -> Vec<Job> {
    let (changed, same): (Vec<Draft>, Vec<Draft>) =
        drafts.into_iter().partition(|draft| draft.world.is_some());
    same.into_iter().for_each(Draft::tell);
    if changed.is_empty() {
        return Vec::new();
    }
    let mut pipe = redis::pipe();
    for draft in &changed {
        let world = serde_json::to_string(&draft.world).unwrap_or_default();
        pipe.cmd("EVAL").arg(EXCHANGE).arg(1).arg(world_key(link, &draft.game));
        pipe.arg(&draft.was).arg(secret::token() + &world).arg(FORGET.as_millis() as u64);
    }
    let done: Vec<bool> = match link.ask_all(&pipe).await {
        Ok(done) => done,
        Err(error) => {
            return refuse(changed.into_iter().flat_map(|draft| draft.jobs).map(|(job, _)| job), &error);
        }
    };
    let mut again = Vec::new();
    for (draft, done) in changed.into_iter().zip(done) {
        if done {
            draft.tell();
            continue;
        }
        for (mut job, _) in draft.jobs {
            job.rounds += 1;
            if job.rounds < MOST_ROUNDS {
                again.push(job);
            } else {
                let _ = job.done.send(Err(StoreError::Busy));
            }
        }
    }
    again
}

fn refuse(jobs: impl IntoIterator<Item = Job>, error: &StoreError) -> Vec<Job> {
    for job in jobs {
        let _ = job.done.send(Err(error.clone()));
    }
    Vec::new()
}

fn world_key(link: &Link, game: &str) -> String {
    link.key(&format!("w1:{game}"))
}

/// The version that was read, the new world, how long it is kept. Nothing is sent back and forth but what is new.
const EXCHANGE: &str = "
if redis.call('GETRANGE', KEYS[1], 0, 15) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
";

/// Requests that wait for the next round.
const QUEUE: usize = 4096;
const MOST_ROUNDS: u32 = 20;
