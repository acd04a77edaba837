//! What the user of a bench asks for, and what comes of several rounds.

use std::env;
use std::time::Duration;

use super::process;
use crate::host;

/// How a scenario is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything once and briefly, only to see that it works.
    pub test: bool,
    /// A line of JSON for each result, instead of tables.
    pub json: bool,
    /// Every server is measured so many times, one after the other and then from the start again.
    pub rounds: usize,
    /// How long each measurement takes.
    pub time: Duration,
    /// Only scenarios whose names have one of these in them, or all.
    pub scenarios: Vec<String>,
    /// Only servers whose names have one of these in them (`only=`), or all; the first is always measured.
    pub servers: Vec<String>,
}

impl Options {
    /// From the command line. As other benches have it, without cargo's `--bench` it is a test.
    #[must_use]
    pub fn from_args() -> Self {
        let args: Vec<String> = env::args().skip(1).collect();
        let has = |name: &str| args.iter().any(|arg| arg == name);
        let value = |name: &str| args.iter().filter_map(|arg| arg.strip_prefix(name)).next_back();
        let test = has("--test") || !has("--bench");
        let seconds = value("--seconds=").and_then(|value| value.parse().ok()).unwrap_or(1.0);
        Self {
            test,
            json: has("--json"),
            rounds: if test {
                1
            } else {
                value("--rounds=").and_then(|value| value.parse().ok()).unwrap_or(3)
            },
            time: if test { Duration::from_millis(10) } else { Duration::from_secs_f64(seconds) },
            scenarios: args.iter().filter(|arg| !arg.contains(['-', '='])).cloned().collect(),
            servers: args.iter().filter_map(|arg| arg.strip_prefix("only=")).map(str::to_owned).collect(),
        }
    }

    /// Says what this runs on, and how; `what` is what the names of scenarios mean.
    pub fn introduce(&self, what: &str) {
        if self.json {
            return;
        }
        host::print();
        if process::pins() {
            println!("servers on core 0, load on core 1");
        } else {
            println!("server and load share the cores: there is no `taskset`, or but one core");
        }
        println!("{what}; {} rounds of {:?}", self.rounds, self.time);
    }

    /// All of these, or one that stands for them when it is only to see that it works.
    #[must_use]
    pub fn few<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        all.get(..1).filter(|_| self.test).unwrap_or(all)
    }

    /// Whether a scenario was asked for.
    #[must_use]
    pub fn wants(&self, scenario: &str) -> bool {
        matches(&self.scenarios, scenario)
    }

    /// Whether a server was asked for.
    #[must_use]
    pub fn wants_server(&self, server: &str) -> bool {
        matches(&self.servers, server)
    }
}

fn matches(filters: &[String], name: &str) -> bool {
    filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
}

/// The middle one; NaN of none.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        None => f64::NAN,
        Some(upper) if values.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(values.get(middle - 1).copied().unwrap_or(*upper), *upper),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert!(median([]).is_nan());
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
