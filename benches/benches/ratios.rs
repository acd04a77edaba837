//! netcore's time beside its peer's: the two take turns, so that what disturbs the machine disturbs both.
//!
//! Each turn is a round of the one and a round of the other; who is first changes. What is printed is the median of the
//! turns' ratios, the quarter of them that is below and above, and the ratio of the shortest rounds.

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use netcore_benches::host;
use netcore_benches::pairs::{Pair, pairs};

/// How long the turns of one pair go on.
const AT_LEAST: Duration = Duration::from_millis(600);

/// How many turns each pair has at least.
const TURNS: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    let pairs = pairs();
    // As criterion has it: without cargo's `--bench`, each workload only shows that it works.
    if env::args().any(|arg| arg == "--test") || !env::args().any(|arg| arg == "--bench") {
        for pair in &pairs {
            (pair.netcore)(1, 1);
            (pair.peer)(1, 1);
        }
        println!("{} pairs of workloads ran once, unmeasured", pairs.len());
        return Ok(());
    }
    host::print();
    println!("time, netcore's of the peer's; `!` marks a median over its goal");
    println!(
        "{:<40} {:<28} {:>6}  {:>13}  {:>8}  {:>6}",
        "netcore", "peer", "median", "middle half", "shortest", "goal"
    );
    let filters: Vec<_> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for pair in &pairs {
        if filters.is_empty() || filters.iter().any(|filter| pair.name.contains(filter)) {
            print(pair);
        }
    }
    Ok(())
}

fn print(pair: &Pair) {
    let Pair { name, netcore, peer_name, peer, goal, .. } = pair;
    let (mut ratios, mut shortest) = (Vec::new(), [Duration::MAX; 2]);
    let begin = Instant::now();
    while ratios.len() < TURNS || begin.elapsed() < AT_LEAST {
        let [ours, theirs] = if ratios.len() % 2 == 0 {
            [netcore(1, 1), peer(1, 1)]
        } else {
            let theirs = peer(1, 1);
            [netcore(1, 1), theirs]
        };
        ratios.push(ours.as_secs_f64() / theirs.as_secs_f64());
        shortest = [shortest[0].min(ours), shortest[1].min(theirs)];
    }
    ratios.sort_by(f64::total_cmp);
    let at = |quarter: usize| ratios[ratios.len() * quarter / 4];
    let (median, shortest) = (at(2), shortest[0].as_secs_f64() / shortest[1].as_secs_f64());
    let over = if median > *goal { "!" } else { "" };
    println!(
        "{name:<40} {peer_name:<28} {median:>6.2}  {:>5.2} to {:>4.2}  {shortest:>8.2}  {goal:>6.2} {over}",
        at(1),
        at(3),
    );
}
