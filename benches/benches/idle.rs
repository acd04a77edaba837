//! What sessions cost that do nothing: memory, and heartbeats.

use std::error::Error;
use std::time::Duration;

use netcore_benches::scenario::Role;
use netcore_benches::scenario::idle_load::{Load, Measured};
use netcore_benches::scenario::idle_server::Kind;
use netcore_benches::scenario::options::Options;
use netcore_benches::scenario::process::{self, Server};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(role) = Role::given()? {
        return role.play();
    }
    let options = Options::from_args();
    let wanted = if options.test { 50 } else { SESSIONS };
    let sessions = wanted.min(process::descriptors().saturating_sub(100));
    options.introduce("resident memory of a server, for each session");
    if sessions < wanted && !options.json {
        println!("{sessions} sessions instead of {wanted}: a process may have no more files open");
    }
    if options.wants("memory") {
        memory(&options, sessions)?;
    }
    if options.wants("heartbeat") {
        heartbeats(&options, sessions)?;
    }
    Ok(())
}

fn memory(options: &Options, sessions: usize) -> Result<(), Box<dyn Error>> {
    let mut bare = None;
    if !options.json {
        println!("\nmemory of {sessions} sessions, in bytes each");
        println!("{:<26} {:>8} {:>8} {:>12} {:>12}", "", "fresh", "spoken", "above bare", "spoken, above");
    }
    for kind in Kind::ALL.into_iter().filter(|kind| *kind == Kind::Bare || options.wants_server(kind.name()))
    {
        let measured = run(kind, sessions, None)?;
        let Measured { fresh, spoken, .. } = measured;
        let bare = *bare.get_or_insert(measured);
        let (more, spoken_more) = (fresh - bare.fresh, spoken - bare.spoken);
        let name = kind.name();
        if options.json {
            println!(
                "{}",
                json!({
                    "scenario": "memory", "server": name, "sessions": sessions, "fresh": fresh, "spoken": spoken,
                    "fresh_above_bare": more, "spoken_above_bare": spoken_more,
                })
            );
        } else {
            println!("{name:<26} {fresh:>8.0} {spoken:>8.0} {more:>12.0} {spoken_more:>12.0}");
        }
    }
    Ok(())
}

/// More often than in earnest, so that a short run has enough of them; what they cost at 15 s is that much less.
fn heartbeats(options: &Options, sessions: usize) -> Result<(), Box<dyn Error>> {
    let every = if options.test { Duration::from_millis(10) } else { EVERY };
    let time = if options.test { Duration::from_millis(100) } else { options.time.max(EVERY * 5) };
    let measured = run(Kind::Heartbeat(every), sessions, Some(time))?;
    let scaled = measured.busy * every.as_secs_f64() / 15.0;
    if options.json {
        println!(
            "{}",
            json!({
                "scenario": "heartbeat", "sessions": sessions, "every": every.as_secs_f64(), "busy": measured.busy,
                "heartbeats_per_second": measured.heartbeats, "busy_at_15_s": scaled,
            })
        );
    } else {
        println!(
            "\nheartbeats of {sessions} sessions each {every:?}: {:.1}% of a core, {:.0} answered a second; each 15 s: {:.2}%",
            measured.busy * 100.0,
            measured.heartbeats,
            scaled * 100.0
        );
    }
    Ok(())
}

fn run(kind: Kind, sessions: usize, heartbeats: Option<Duration>) -> Result<Measured, Box<dyn Error>> {
    let server = Server::start(&Role::IdleServer(kind), "0")?;
    let load = Load { address: server.address, pid: server.pid, sessions, heartbeats };
    process::load(&Role::IdleLoad(load), "1")
}

const SESSIONS: usize = 10_000;
const EVERY: Duration = Duration::from_secs(2);
