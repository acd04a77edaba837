//! Logs on stderr.

use std::env;
use std::io::{self, IsTerminal, Write};

use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Logs go to stderr, as `RUST_LOG` asks for in the words of [`EnvFilter`]: at the level `info` unless set.
pub(crate) fn start<F: Parser>() {
    let asked = env::var_os("RUST_LOG").unwrap_or_default();
    let asked = asked.to_string_lossy();
    let command = F::command();
    let name = command.get_name();
    let say = |words: &str| {
        let _ = writeln!(io::stderr(), "{name}: RUST_LOG={} {words}", asked.escape_debug());
    };
    let filter = filter(&asked).unwrap_or_else(|| {
        say("is no level (off, error, warn, info, debug, trace) and no TARGET=LEVEL: info is used");
        EnvFilter::new("info")
    });
    if let Some(target) = stray(&asked, name) {
        say(&format!(
            "names no level (off, error, warn, info, debug, trace): only what the target {} logs is shown",
            target.escape_debug()
        ));
    }
    // Reporting that a log line cannot be written would panic when stderr is closed.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    logs.with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
}

fn filter(asked: &str) -> Option<EnvFilter> {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(asked).ok()
}

/// The one word in it, if it is a target that nobody is known to log under, a level that is misspelt most likely: it turns
/// all logs off, and whoever typed it would wonder where they are.
fn stray<'a>(asked: &'a str, program: &str) -> Option<&'a str> {
    let is_known = |word: &str| {
        OURS.contains(&word) || word == program.replace('-', "_") || word.parse::<LevelFilter>().is_ok()
    };
    let is_word = !asked.is_empty() && !asked.contains(['=', ':', '[', ',']);
    (is_word && !is_known(asked)).then_some(asked)
}

/// The libraries of this workspace, and how a server stops.
const OURS: [&str; 5] = ["netcore", "lobby", "api", "support", crate::LOG];

#[cfg(test)]
mod tests {
    use super::{filter, stray};

    #[test]
    fn what_tracing_takes_is_taken() {
        let used = |asked| filter(asked).map(|filter| filter.to_string());
        assert_eq!(used("").as_deref(), Some("info"));
        assert_eq!(used("off").as_deref(), Some("off"));
        assert_eq!(used("netcore").as_deref(), Some("netcore=trace"));
        for good in
            ["DEBUG", "warn,netcore=trace", "netcore::runtime", "info,netcore", "warn,lobby[turn]=debug"]
        {
            assert!(used(good).is_some(), "{good}");
        }
        for wrong in ["netcore=loud", "="] {
            assert_eq!(used(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_word_alone_that_is_neither_a_level_nor_a_target_of_ours_is_told_from_these() {
        for known in [
            "",
            "info",
            "WARN",
            "5",
            "netcore",
            "lobby",
            "chat_bots",
            "tokio::net",
            "info,loud",
            "tokio=info",
        ] {
            assert_eq!(stray(known, "chat-bots"), None, "{known}");
        }
        for word in ["loud", "warning", "info debug"] {
            assert_eq!(stray(word, "chat-bots"), Some(word));
        }
    }
}
