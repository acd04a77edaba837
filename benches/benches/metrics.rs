//! What metrics cost a packet, in instructions counted by valgrind: without the feature, with it where nobody listens, and
//! with a recorder. The first needs a build of its own: run it without and with `--features metrics`.

use std::env;
use std::error::Error;
use std::process::{Command, Stdio};

use netcore_benches::cost::{Way, rounds};
use netcore_benches::host;

/// Tells a process under valgrind what its work is.
const ONE: &str = "NETCORE_BENCHES_METRICS";

const SAMPLES: [(Way, usize, usize); 4] =
    [(Way::Typed, 64, 32), (Way::Typed, 1, 32), (Way::Frames, 64, 64), (Way::Frames, 1, 64)];

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(work) = env::var(ONE) {
        return one(&work);
    }
    if env::args().any(|arg| arg == "--test") || !env::args().any(|arg| arg == "--bench") {
        SAMPLES.iter().for_each(|(way, window, body)| rounds(*way, *window, *body, 2));
        println!("{} samples ran once, uncounted", SAMPLES.len());
        return Ok(());
    }
    if !Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    {
        println!("valgrind is not installed, so that no instructions are counted");
        return Ok(());
    }
    let modes: &[&str] =
        if cfg!(feature = "metrics") { &["no recorder", "recorder"] } else { &["no feature"] };
    host::print();
    println!("instructions a packet, by packets under way and bytes of body");
    for mode in modes {
        for (nth, (way, window, body)) in SAMPLES.iter().enumerate() {
            let packets = ROUNDS * window;
            let count = (count(nth, mode, 2)? - count(nth, mode, 1)?) as f64 / packets as f64;
            println!("{mode:<12} {:<18} {:<6} {count:>8.1}", way.name(), format!("{window}x{body}"));
        }
    }
    Ok(())
}

/// So many windows, or twice as many: the difference has no start-up in it.
const ROUNDS: usize = 200;

fn one(work: &str) -> Result<(), Box<dyn Error>> {
    let [nth, times, mode] = work.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        return Err("no work".into());
    };
    if mode == "recorder" {
        record()?;
    }
    let (way, window, body) = SAMPLES.get(nth.parse::<usize>()?).ok_or("there is no such sample")?;
    rounds(*way, *window, *body, ROUNDS * times.parse::<usize>()?);
    Ok(())
}

fn count(nth: usize, mode: &str, times: usize) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .env(ONE, format!("{nth} {times} {mode}"))
        .output()?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(report.into());
    }
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    Ok(collected.ok_or("valgrind counted nothing")?.1.trim().parse()?)
}

#[cfg(not(feature = "metrics"))]
fn record() -> Result<(), Box<dyn Error>> {
    Err("this was built without the feature `metrics`".into())
}

/// Installs the smallest recorder that counts: an atomic for each counter.
#[cfg(feature = "metrics")]
fn record() -> Result<(), Box<dyn Error>> {
    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::sync::{Arc, Mutex};

    struct Atomics(Mutex<Vec<Arc<Atomic>>>);

    struct Atomic(AtomicU64);

    impl metrics::CounterFn for Atomic {
        fn increment(&self, value: u64) {
            self.0.fetch_add(value, Relaxed);
        }

        fn absolute(&self, value: u64) {
            self.0.fetch_max(value, Relaxed);
        }
    }

    impl Recorder for Atomics {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            let counter = Arc::new(Atomic(AtomicU64::new(0)));
            if let Ok(mut all) = self.0.lock() {
                all.push(counter.clone());
            }
            Counter::from_arc(counter)
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    metrics::set_global_recorder(Atomics(Mutex::default())).map_err(|error| error.to_string())?;
    Ok(())
}
