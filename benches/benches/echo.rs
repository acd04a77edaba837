//! Echo over loopback: packets a second, and how long they take.

use std::error::Error;
use std::time::Duration;

use netcore_benches::host;
use netcore_benches::scenario::Role;
use netcore_benches::scenario::echo_load::{Load, Measured};
use netcore_benches::scenario::echo_server::Kind;
use netcore_benches::scenario::options::{Options, median};
use netcore_benches::scenario::process::{self, Server};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(role) = Role::given()? {
        return role.play();
    }
    let options = Options::from_args();
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| *kind == Kind::Bare || options.wants_server(kind.name()))
        .collect();
    if !options.json {
        introduce(&options);
    }
    for (connections, window) in SHAPES {
        for body in BODIES {
            let name = format!("{connections}x{window}x{body}");
            if options.wants(&name) {
                scenario(&options, &kinds, &name, connections, window, body)?;
            }
        }
    }
    Ok(())
}

fn scenario(
    options: &Options,
    kinds: &[Kind],
    name: &str,
    connections: usize,
    window: usize,
    body: usize,
) -> Result<(), Box<dyn Error>> {
    let mut servers = Vec::new();
    for kind in kinds {
        servers.push((*kind, Server::start(&Role::EchoServer(*kind), "0")?, Vec::new()));
    }
    for _ in 0..options.rounds {
        for (kind, server, measured) in &mut servers {
            let load = Load {
                address: server.address,
                pid: server.pid,
                connections,
                window,
                body,
                varint: kind.varint(),
                spin: process::pins(),
                warm_up: options.time / 3,
                time: options.time,
            };
            measured.push(process::load::<Measured>(&Role::EchoLoad(load), "1")?);
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

fn report(options: &Options, name: &str, all: &[(Kind, Vec<Measured>)]) {
    let Some((_, bare)) = all.first() else { return };
    if !options.json {
        println!("\n{name}");
        println!(
            "{:<28} {:>6} {:>6} {:>10} {:>8} {:>9} {:>9} {:>6} {:>6}",
            "", "of bare", "of CPU", "packets/s", "ns CPU", "p50 µs", "p99 µs", "server", "load"
        );
    }
    for (kind, measured) in all {
        // Each round is compared within itself, so that what changes on the machine changes both sides.
        let rounds = || measured.iter().zip(bare);
        let ratio = median(rounds().map(|(own, bare)| own.packets / bare.packets));
        let of_cpu = median(rounds().filter_map(|(own, bare)| Some(bare.nanos? / own.nanos?)));
        let middle = |value: fn(&Measured) -> Option<f64>| median(measured.iter().filter_map(value));
        let (packets, nanos) = (middle(|m| Some(m.packets)), middle(|m| m.nanos));
        let (p50, p99) = (middle(|m| Some(m.p50)), middle(|m| Some(m.p99)));
        let (server, load) = (middle(|m| m.server_busy), middle(|m| m.load_busy));
        if options.json {
            let line = json!({
                "scenario": name, "server": kind.name(), "ratio": ratio, "cpu_ratio": of_cpu,
                "packets_per_second": packets, "cpu_nanos": nanos, "p50_micros": p50, "p99_micros": p99,
                "server_busy": server, "load_busy": load,
            });
            println!("{line}");
        } else {
            println!(
                "{:<28} {ratio:>6.2} {of_cpu:>6.2} {packets:>10.0} {nanos:>8.0} {p50:>9.1} {p99:>9.1} {server:>6.2} {load:>6.2}",
                kind.name()
            );
        }
    }
}

fn introduce(options: &Options) {
    host::print();
    if process::pins() {
        println!("servers on core 0, load on core 1");
    } else {
        println!("server and load share the cores: there is no `taskset`, or but one core");
    }
    println!(
        "{} rounds of {:?}; connections x packets under way on each x bytes of body",
        options.rounds,
        options.time.max(Duration::from_millis(1))
    );
}

/// Connections, and packets under way on each.
const SHAPES: [(usize, usize); 7] = [(50, 64), (1, 64), (10, 512), (1000, 64), (50, 1), (1, 1), (1000, 1)];
const BODIES: [usize; 2] = [32, 1024];
