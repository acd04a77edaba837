//! One speaker and many listeners: deliveries a second, and how long they take, with and without some who never read.

use std::error::Error;

use netcore_benches::scenario::Role;
use netcore_benches::scenario::fanout_load::{Load, Measured};
use netcore_benches::scenario::fanout_server::Kind;
use netcore_benches::scenario::options::{Options, median};
use netcore_benches::scenario::process::{self, Server};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(role) = Role::given()? {
        return role.play();
    }
    let options = Options::from_args();
    options.introduce("listeners x bytes of body; `stalled`: 1% more who never read");
    for listeners in LISTENERS {
        let name = format!("{listeners}x{BODY}");
        if options.wants(&name) {
            scenario(&options, &name, listeners)?;
        }
    }
    Ok(())
}

fn scenario(options: &Options, name: &str, listeners: usize) -> Result<(), Box<dyn Error>> {
    let mut servers = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind == Kind::Loop || options.wants_server(kind.name()))
    {
        servers.push((kind, Server::start(&Role::FanoutServer(kind), "0")?, Vec::new()));
    }
    for _ in 0..options.rounds {
        for (_, server, measured) in &mut servers {
            let load = |stalled| {
                let load = Load {
                    address: server.address,
                    pid: server.pid,
                    listeners,
                    stalled,
                    body: BODY,
                    window: 8,
                    rate: 50_000 / u32::try_from(listeners).unwrap_or(u32::MAX),
                    spin: process::pins(),
                    time: options.time,
                };
                process::load::<Measured>(&Role::FanoutLoad(load), "1")
            };
            measured.push((load(0)?, load(listeners.div_ceil(100))?));
        }
    }
    if options.test {
        println!("{name}: {} servers, each once", servers.len());
        return Ok(());
    }
    let all: Vec<_> = servers.into_iter().map(|(kind, _, measured)| (kind, measured)).collect();
    report(options, name, &all);
    Ok(())
}

type Rounds = Vec<(Measured, Measured)>;

fn report(options: &Options, name: &str, all: &[(Kind, Rounds)]) {
    let Some((_, hand)) = all.first() else { return };
    if !options.json {
        println!("\n{name}");
        println!(
            "{:<26} {:>8} {:>8} {:>12} {:>8} {:>12} {:>9} {:>9} {:>12}",
            "",
            "of loop",
            "of CPU",
            "deliveries/s",
            "ns CPU",
            "full p99 µs",
            "p50 µs",
            "p99 µs",
            "p99, stalled"
        );
    }
    for (kind, measured) in all {
        for stalled in [false, true] {
            let pick = |pair: &(Measured, Measured)| if stalled { pair.1 } else { pair.0 };
            let rounds = || measured.iter().map(pick).zip(hand.iter().map(|pair| pair.0));
            let ratio = median(rounds().map(|(own, hand)| own.deliveries / hand.deliveries));
            let of_cpu = median(rounds().filter_map(|(own, hand)| Some(hand.nanos? / own.nanos?)));
            // What those who never read do to those who do.
            let harm = median(measured.iter().map(|(without, with)| with.p99 / without.p99));
            let harm = if stalled { harm } else { 1.0 };
            let middle = |value: fn(&Measured) -> f64| median(measured.iter().map(|pair| value(&pick(pair))));
            let (deliveries, full_p99) = (middle(|m| m.deliveries), middle(|m| m.full_p99));
            let nanos = middle(|m| m.nanos.unwrap_or(f64::NAN));
            let (p50, p99) = (middle(|m| m.p50), middle(|m| m.p99));
            if options.json {
                let line = json!({
                    "scenario": name, "server": kind.name(), "stalled": stalled, "ratio": ratio,
                    "cpu_ratio": of_cpu, "deliveries_per_second": deliveries, "cpu_nanos": nanos,
                    "full_p99_micros": full_p99, "p50_micros": p50, "p99_micros": p99, "p99_ratio": harm,
                });
                println!("{line}");
            } else {
                let kind = if stalled { "  the same, stalled" } else { kind.name() };
                println!(
                    "{kind:<26} {ratio:>8.2} {of_cpu:>8.2} {deliveries:>12.0} {nanos:>8.0} {full_p99:>12.1} {p50:>9.1} {p99:>9.1} {harm:>12.2}"
                );
            }
        }
    }
}

const LISTENERS: [usize; 2] = [100, 1000];
const BODY: usize = 64;
