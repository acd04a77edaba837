//! What is counted, in the text form of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counters and gauges. As many as there are routes, statuses, codes and games, all of which have their bounds.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, String, u16), Timed>>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    games: Mutex<BTreeMap<String, (usize, usize, usize)>>,
    pub(crate) connections: AtomicUsize,
    /// Connections that were closed at once, because there were too many.
    pub(crate) turned_away: AtomicU64,
    pub(crate) matches: AtomicU64,
}

#[derive(Default)]
struct Timed {
    count: u64,
    time: Duration,
}

impl Metrics {
    pub(crate) fn answered(&self, method: &'static str, path: &str, status: u16, took: Duration) {
        let mut requests = lock(&self.requests);
        let timed = requests.entry((method, path.to_owned(), status)).or_default();
        timed.count += 1;
        timed.time += took;
    }

    pub(crate) fn refused(&self, code: &'static str) {
        *lock(&self.refusals).entry(code).or_default() += 1;
    }

    /// How a game stands.
    pub(crate) fn game(&self, game: &str, counts: (usize, usize, usize)) {
        let mut games = lock(&self.games);
        if games.len() < MOST_GAMES || games.contains_key(game) {
            games.insert(game.to_owned(), counts);
        }
    }

    /// All of it; `gauges` are those that others know: name, what it is, value.
    pub(crate) fn text(&self, gauges: &[(&str, &str, usize)]) -> String {
        let mut text = String::new();
        let requests = lock(&self.requests);
        head(&mut text, "api_requests_total", "counter", "Answers, by route and status.");
        for ((method, path, status), timed) in &*requests {
            let labels = format!("method=\"{method}\",path=\"{path}\",status=\"{status}\"");
            line(&mut text, "api_requests_total", &labels, timed.count);
        }
        head(
            &mut text,
            "api_request_seconds_total",
            "counter",
            "Time until the answers, in seconds, by route and status.",
        );
        for ((method, path, status), timed) in &*requests {
            let labels = format!("method=\"{method}\",path=\"{path}\",status=\"{status}\"");
            line(&mut text, "api_request_seconds_total", &labels, timed.time.as_secs_f64());
        }
        drop(requests);
        head(&mut text, "api_refusals_total", "counter", "Refused requests, by the code of the answer.");
        for (code, count) in &*lock(&self.refusals) {
            line(&mut text, "api_refusals_total", &format!("code=\"{code}\""), count);
        }
        self.games_text(&mut text);
        let turned_away = "Connections closed at once because there were too many.";
        head(&mut text, "api_connections_turned_away_total", "counter", turned_away);
        line(&mut text, "api_connections_turned_away_total", "", self.turned_away.load(Relaxed));
        head(&mut text, "api_matches_total", "counter", "Users for whom a match was made by this server.");
        line(&mut text, "api_matches_total", "", self.matches.load(Relaxed));
        let connections = ("api_connections", "Open connections.", self.connections.load(Relaxed));
        for (name, help, value) in gauges.iter().chain([&connections]) {
            head(&mut text, name, "gauge", help);
            line(&mut text, name, "", value);
        }
        text
    }

    fn games_text(&self, text: &mut String) {
        let games = lock(&self.games);
        type Pick = fn(&(usize, usize, usize)) -> usize;
        let gauges: [(&str, &str, Pick); 3] = [
            ("api_game_servers", "Game servers in the list, when this server last looked.", |counts| {
                counts.0
            }),
            ("api_game_reserved_seats", "Seats that are kept, when this server last looked.", |counts| {
                counts.1
            }),
            ("api_game_queue", "Users who wait for a match, when this server last looked.", |counts| {
                counts.2
            }),
        ];
        for (name, help, pick) in gauges {
            head(text, name, "gauge", help);
            for (game, counts) in &*games {
                line(text, name, &format!("game=\"{game}\""), pick(counts));
            }
        }
    }
}

/// A method as a label: anybody can make up others.
pub(crate) fn method(name: &str) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "HEAD"].into_iter().find(|known| *known == name).unwrap_or("other")
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = match labels {
        "" => writeln!(text, "{name} {value}"),
        _ => writeln!(text, "{name}{{{labels}}} {value}"),
    };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Above that, further games are not shown.
const MOST_GAMES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_a_help_a_type_and_values_for_each() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/health", 200, Duration::from_millis(1500));
        metrics.answered("GET", "/health", 200, Duration::from_millis(500));
        metrics.refused("bad_body");
        metrics.game("chat", (2, 3, 4));
        let text = metrics.text(&[("api_matches_open", "Held requests.", 7)]);
        for line in [
            "api_requests_total{method=\"GET\",path=\"/health\",status=\"200\"} 2",
            "api_request_seconds_total{method=\"GET\",path=\"/health\",status=\"200\"} 2",
            "api_refusals_total{code=\"bad_body\"} 1",
            "api_game_servers{game=\"chat\"} 2",
            "api_game_reserved_seats{game=\"chat\"} 3",
            "api_game_queue{game=\"chat\"} 4",
            "api_matches_open 7",
            "api_connections 0",
            "# TYPE api_connections gauge",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
        }
        assert_eq!(method("BREW"), "other");
    }

    #[test]
    fn games_without_end_do_not_fill_it() {
        let metrics = Metrics::default();
        for game in 0..10_000 {
            metrics.game(&game.to_string(), (1, 1, 1));
        }
        assert!(metrics.text(&[]).len() < 100_000);
    }
}
