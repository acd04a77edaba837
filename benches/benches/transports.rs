//! Echo under TLS and behind WebSocket: packets a second, beside tokio-rustls and tokio-tungstenite alone.

use std::error::Error;

use netcore_benches::scenario::Role;
use netcore_benches::scenario::options::{Options, median};
use netcore_benches::scenario::process::{self, Server};
use netcore_benches::scenario::wrapped_load::{Load, Measured};
use netcore_benches::scenario::wrapped_server::{Certificate, Kind};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(role) = Role::given()? {
        return role.play();
    }
    let options = Options::from_args();
    options.introduce("what it is under, connections x packets under way on each x bytes of body");
    let certificate = Certificate::new()?;
    for (under, kinds) in [
        ("tls", [Kind::Rustls, Kind::NetcoreTls, Kind::RelayTls]),
        ("websocket", [Kind::Tungstenite, Kind::NetcoreWebSocket, Kind::RelayWebSocket]),
    ] {
        for (connections, window) in SHAPES {
            for &body in options.few(&BODIES) {
                let name = format!("{under}-{connections}x{window}x{body}");
                if options.wants(&name) {
                    let shape = (connections, window, body);
                    scenario(&options, &name, kinds, &certificate, shape)?;
                }
            }
        }
    }
    Ok(())
}

/// All by turns; each round is compared within itself.
fn scenario(
    options: &Options,
    name: &str,
    kinds: [Kind; 3],
    certificate: &Certificate,
    (connections, window, body): (usize, usize, usize),
) -> Result<(), Box<dyn Error>> {
    let mut servers = Vec::new();
    for kind in kinds {
        let role = Role::WrappedServer(kind, certificate.clone());
        servers.push((kind, Server::start(&role, "0")?, Vec::new()));
    }
    for _ in 0..options.rounds {
        for (kind, server, measured) in &mut servers {
            let load = Load {
                address: server.address,
                pid: server.pid,
                kind: *kind,
                certificate: certificate.clone(),
                connections,
                window,
                body,
                warm_up: options.time / 3,
                time: options.time,
            };
            measured.push(process::load::<Measured>(&Role::WrappedLoad(load), "1")?);
        }
    }
    if options.test {
        println!("{name}: {} servers, each once", servers.len());
        return Ok(());
    }
    report(
        options,
        name,
        &servers.into_iter().map(|(kind, _, measured)| (kind, measured)).collect::<Vec<_>>(),
    );
    Ok(())
}

fn report(options: &Options, name: &str, all: &[(Kind, Vec<Measured>)]) {
    let Some((_, alone)) = all.first() else { return };
    if !options.json {
        println!("\n{name}");
        println!(
            "{:<26} {:>8} {:>6} {:>10} {:>8} {:>6} {:>6}",
            "", "of alone", "of CPU", "packets/s", "ns CPU", "server", "load"
        );
    }
    for (kind, measured) in all {
        let rounds = || measured.iter().zip(alone);
        let ratio = median(rounds().map(|(own, alone)| own.packets / alone.packets));
        let of_cpu = median(rounds().filter_map(|(own, alone)| Some(alone.nanos? / own.nanos?)));
        let middle = |value: fn(&Measured) -> Option<f64>| median(measured.iter().filter_map(value));
        let (packets, nanos) = (middle(|m| Some(m.packets)), middle(|m| m.nanos));
        let (server, load) = (middle(|m| m.server_busy), middle(|m| m.load_busy));
        if options.json {
            let line = json!({
                "scenario": name, "server": kind.name(), "ratio": ratio, "cpu_ratio": of_cpu,
                "packets_per_second": packets, "cpu_nanos": nanos, "server_busy": server, "load_busy": load,
            });
            println!("{line}");
        } else {
            println!(
                "{:<26} {ratio:>8.2} {of_cpu:>6.2} {packets:>10.0} {nanos:>8.0} {server:>6.2} {load:>6.2}",
                kind.name()
            );
        }
    }
}

/// Connections, and packets under way on each.
const SHAPES: [(usize, usize); 3] = [(50, 64), (10, 512), (50, 1)];
const BODIES: [usize; 2] = [32, 1024];
