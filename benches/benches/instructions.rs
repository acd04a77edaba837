//! Instructions a packet, counted by valgrind: the same on a busy machine as on an idle one.
//!
//! Each workload runs in a process of its own, once with one round of it and once with two; the difference is the
//! round, without start-up, preparation and what happens only the first time.

use std::env;
use std::error::Error;
use std::process::{Command, Stdio};

use netcore_benches::host;
use netcore_benches::pairs::{Pair, pairs};

/// Tells a process under valgrind which workload is its own, and how many rounds of it to run.
const ONE: &str = "NETCORE_BENCHES_WORKLOAD";

fn main() -> Result<(), Box<dyn Error>> {
    let pairs = pairs();
    if let Ok(workload) = env::var(ONE) {
        return run_one(&pairs, &workload);
    }
    // As criterion has it: without cargo's `--bench`, each workload only shows that it works.
    if env::args().any(|arg| arg == "--test") || !env::args().any(|arg| arg == "--bench") {
        for pair in &pairs {
            (pair.netcore)(1, 1);
            (pair.peer)(1, 1);
        }
        println!("{} pairs of workloads ran once, uncounted", pairs.len());
        return Ok(());
    }
    if !Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    {
        println!("valgrind is not installed, so that no instructions are counted");
        return Ok(());
    }
    host::print();
    println!("instructions a packet; `!` marks a ratio over its goal");
    println!("{:<34} {:>9}  {:<28} {:>9}  {:>6}  {:>6}", "netcore", "", "peer", "", "ratio", "goal");
    let filters: Vec<_> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (index, pair) in pairs.iter().enumerate() {
        if !filters.is_empty() && !filters.iter().any(|filter| pair.name.contains(filter)) {
            continue;
        }
        let netcore = a_round(index, "netcore")? / pair.packets as f64;
        let peer = a_round(index, "peer")? / pair.packets as f64;
        let (ratio, goal) = (netcore / peer, pair.goal);
        let over = if ratio > goal { "!" } else { "" };
        println!(
            "{:<34} {netcore:>9.1}  {:<28} {peer:>9.1}  {ratio:>6.2}  {goal:>6.2} {over}",
            pair.name, pair.peer_name
        );
    }
    Ok(())
}

fn run_one(pairs: &[Pair], workload: &str) -> Result<(), Box<dyn Error>> {
    let [index, side, rounds] = workload.split(' ').collect::<Vec<_>>()[..] else {
        return Err("a workload is an index, a side and a number of rounds".into());
    };
    let pair = pairs.get(index.parse::<usize>()?).ok_or("there is no such pair")?;
    let run = if side == "peer" { &pair.peer } else { &pair.netcore };
    // Input for both, however many rounds there are, so that only the rounds differ.
    run(rounds.parse()?, 2);
    Ok(())
}

/// What the second round costs.
fn a_round(index: usize, side: &str) -> Result<f64, Box<dyn Error>> {
    Ok((count(index, side, 2)? - count(index, side, 1)?) as f64)
}

fn count(index: usize, side: &str, rounds: usize) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .env(ONE, format!("{index} {side} {rounds}"))
        .output()?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(report.into());
    }
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    Ok(collected.ok_or("valgrind counted nothing")?.1.trim().parse()?)
}
