//! Chat through the whole server: one room of 100, and 100 rooms of 10, with one logic worker and with one a core.
//!
//! The real `chat` and the real `chat-bots`, over loopback. `full`: each bot says its next line when the last was
//! answered, which shows deliveries a second. `steady`: 20,000 deliveries a second by the clock, which shows how long one
//! takes. The bots check every line.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args();
    let cores = available_parallelism().map_or(1, NonZero::get);
    introduce(&options, cores);
    let mut workers = vec![1, cores];
    workers.dedup();
    for (rooms, users) in ROOMS {
        for &workers in &workers {
            let mut rounds = Vec::new();
            for _ in 0..options.rounds {
                rounds.push(measure(&options, rooms, users, workers)?);
            }
            if options.test {
                println!("{rooms} x {users}, {workers} workers: works");
                continue;
            }
            let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value));
            println!(
                "| {rooms} × {users} | {workers} | {:.0} | {:.2} | {:.1} | {:.2} | {:.2} |",
                of(|round| round.full.deliveries),
                of(|round| round.full.cpu_micros),
                of(|round| round.full.p99 / 1e3),
                of(|round| round.steady.p50 / 1e3),
                of(|round| round.steady.p99 / 1e3),
            );
        }
    }
    Ok(())
}

struct Round {
    full: Measured,
    steady: Measured,
}

#[derive(Clone, Copy)]
struct Measured {
    /// A second.
    deliveries: f64,
    /// The server's time on a core for each of them.
    cpu_micros: f64,
    p50: f64,
    p99: f64,
}

fn measure(options: &Options, rooms: u32, users: u32, workers: usize) -> Result<Round, Box<dyn Error>> {
    let server = Server::start(rooms, workers)?;
    let steady = server.bots(rooms, users, STEADY / (rooms * users * users), options.seconds)?;
    // One is enough to see that it works.
    let full = if options.test { None } else { Some(server.bots(rooms, users, 0, options.seconds)?) };
    Ok(Round { full: full.unwrap_or(steady), steady })
}

/// Ends with the bench.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(rooms: u32, workers: usize) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command.args(["--raw", "127.0.0.1:0", "--msgpack", "off", "--protobuf", "off", "--text", "off"]);
        command.args(["--room-users", "127", "--requests-per-second", "0"]);
        command.args(["--rooms", &rooms.to_string(), "--workers", &workers.to_string()]);
        let mut child = command.env("RUST_LOG", "warn").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().map(BufReader::new);
        let mut server = Self { child, address: String::new() };
        stdout.ok_or("no output")?.read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("listening raw ");
        server.address = address.ok_or_else(|| format!("not listening: {line}"))?.to_owned();
        Ok(server)
    }

    fn bots(&self, rooms: u32, users: u32, rate: u32, seconds: u32) -> Result<Measured, Box<dyn Error>> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-bots"));
        command.args(["--connect", &self.address, "--json", "--timeout-ms", "60000"]);
        for (flag, value) in
            [("--rooms", rooms), ("--room-users", users), ("--rate", rate), ("--duration", seconds)]
        {
            command.args([flag, &value.to_string()]);
        }
        let before = self.cpu_seconds();
        let output = command.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err("the bots are not content".into());
        }
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let cpu = self.cpu_seconds().zip(before).map_or(f64::NAN, |(after, before)| after - before);
        Ok(Measured {
            deliveries: number(&report["deliveries_per_second"]),
            cpu_micros: cpu * 1e6 / number(&report["deliveries"]),
            p50: number(&report["latency_us"]["p50"]),
            p99: number(&report["latency_us"]["p99"]),
        })
    }

    /// What it has had of the cores, its log-ins included, where the system tells.
    fn cpu_seconds(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // Behind the name, which may have blanks: the state is field 3, user and system time are 14 and 15, in 10 ms.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: f64 = fields.get(11..13)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
        Some(ticks / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Options {
    /// Everything once and briefly, only to see that it works.
    test: bool,
    rounds: u32,
    /// Of each measurement.
    seconds: u32,
}

impl Options {
    /// `--rounds=N`, `--seconds=N`; without cargo's `--bench` it is a test, as other benches have it.
    fn from_args() -> Self {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let has = |name: &str| args.iter().any(|arg| arg == name);
        let value = |name: &str| args.iter().find_map(|arg| arg.strip_prefix(name)?.parse().ok());
        let test = has("--test") || !has("--bench");
        let or = |given: Option<u32>, usual| if test { 1 } else { given.unwrap_or(usual) };
        Self { test, rounds: or(value("--rounds="), 3), seconds: or(value("--seconds="), 3) }
    }
}

fn introduce(options: &Options, cores: usize) {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": ?");
    let load = read("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or("?");
    println!("{cores} cores of {}, load {load} before", model.trim_start_matches(['\t', ' ', ':']));
    if options.test {
        return;
    }
    println!(
        "servers and bots share them; the medians of {} rounds of {} s\n",
        options.rounds, options.seconds
    );
    println!(
        "| rooms × users | workers | full: deliveries/s | server's CPU, µs each | full: p99, ms | steady: p50, ms \
         | steady: p99, ms |\n|---|---|---|---|---|---|---|"
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

const ROOMS: [(u32, u32); 2] = [(1, 100), (100, 10)];
/// Deliveries a second, by the clock.
const STEADY: u32 = 20_000;
