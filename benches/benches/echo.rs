//! Echo over loopback: packets a second, and how long they take.

use std::error::Error;
use std::thread;

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
    options.introduce("connections x packets under way on each x bytes of body");
    for (connections, window) in SHAPES {
        for &body in options.few(&BODIES) {
            let name = format!("{connections}x{window}x{body}");
            if options.wants(&name) {
                scenario(&options, &kinds, &name, connections, window, body)?;
            }
        }
    }
    if options.wants("cores") {
        two_cores(&options)?;
    }
    Ok(())
}

/// One worker on one core beside two workers on two, each under the load of two processes on cores of their own.
fn two_cores(options: &Options) -> Result<(), Box<dyn Error>> {
    let enough = process::pins() && process::cores() >= 4;
    if !enough && !options.test {
        println!(
            "\nskipped: two cores against one. Server and load would share them: it needs four cores and `taskset`"
        );
        return Ok(());
    }
    let servers = if enough { ["0", "0,1"] } else { ["0", "0"] };
    let loads = if enough { ["2", "3"] } else { ["1", "1"] };
    let one = Server::start(&Role::EchoServer(Kind::Worker), servers[0])?;
    let two = Server::start(&Role::EchoServer(Kind::TwoWorkers), servers[1])?;
    let packets = |server: &Server| -> Result<f64, Box<dyn Error>> {
        let role = load(options, Kind::Worker, server, (25, 64), 32);
        let run = |cores| process::load::<Measured>(&role, cores).map_err(|error| error.to_string());
        let (first, second) = thread::scope(|scope| {
            let first = scope.spawn(|| run(loads[0]));
            let second = run(loads[1]);
            (first.join(), second)
        });
        Ok(first.map_err(|_| "a load panicked")??.packets + second?.packets)
    };
    let mut ratios = Vec::new();
    for _ in 0..options.rounds {
        let (one, two) = (packets(&one)?, packets(&two)?);
        ratios.push(two / one);
    }
    let ratio = median(ratios);
    if options.json {
        println!("{}", json!({ "scenario": "cores", "ratio": ratio }));
    } else {
        println!("\ncores: 2 workers on 2 cores have {ratio:.2} of the packets/s of 1 worker on 1");
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
            let load = load(options, *kind, server, (connections, window), body);
            measured.push(process::load::<Measured>(&load, "1")?);
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

fn load(options: &Options, kind: Kind, server: &Server, shape: (usize, usize), body: usize) -> Role {
    Role::EchoLoad(Load {
        address: server.address,
        pid: server.pid,
        connections: shape.0,
        window: shape.1,
        body,
        varint: kind.varint(),
        spin: process::pins(),
        warm_up: options.time / 3,
        time: options.time,
    })
}

fn report(options: &Options, name: &str, all: &[(Kind, Vec<Measured>)]) {
    let Some((_, bare)) = all.first() else { return };
    if !options.json {
        println!("\n{name}");
        println!(
            "{:<32} {:>6} {:>6} {:>10} {:>8} {:>9} {:>9} {:>6} {:>6}",
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
                "{:<32} {ratio:>6.2} {of_cpu:>6.2} {packets:>10.0} {nanos:>8.0} {p50:>9.1} {p99:>9.1} {server:>6.2} {load:>6.2}",
                kind.name()
            );
        }
    }
}

/// Connections, and packets under way on each.
const SHAPES: [(usize, usize); 7] = [(50, 64), (1, 64), (10, 512), (1000, 64), (50, 1), (1, 1), (1000, 1)];
const BODIES: [usize; 2] = [32, 1024];
