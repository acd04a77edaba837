//! Logs on stderr.

use std::env;
use std::io::{self, IsTerminal, Write};

use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Logs go to stderr, at the level that `RUST_LOG` names: `info` unless set.
pub(crate) fn start<F: Parser>() {
    let asked = env::var_os("RUST_LOG").unwrap_or_default();
    let asked = asked.to_string_lossy();
    let filter = filter(&asked).unwrap_or_else(|| {
        let name = F::command().get_name().to_owned();
        let words = "is no level (off, error, warn, info, debug, trace) and no TARGET=LEVEL: info is used";
        let _ = writeln!(io::stderr(), "{name}: RUST_LOG={} {words}", asked.escape_debug());
        EnvFilter::new("info")
    });
    // Reporting that a log line cannot be written would panic when stderr is closed.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    logs.with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
}

fn filter(asked: &str) -> Option<EnvFilter> {
    // A word that is no level would be a target, and turn all others off.
    let is_target = |word: &str| !word.contains(['=', ':', '[']) && word.parse::<LevelFilter>().is_err();
    if !asked.is_empty() && asked.split(',').any(is_target) {
        return None;
    }
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(asked).ok()
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_level_or_targets_with_levels_are_understood_and_a_word_is_not() {
        let used = |asked| filter(asked).map(|filter| filter.to_string());
        assert_eq!(used("").as_deref(), Some("info"));
        assert_eq!(used("off").as_deref(), Some("off"));
        for good in ["DEBUG", "warn,netcore=trace", "netcore::runtime", "warn,lobby[turn]=debug"] {
            assert!(used(good).is_some(), "{good}");
        }
        for wrong in ["loud", "info,loud", "netcore=loud", "=", "info debug"] {
            assert_eq!(used(wrong), None, "{wrong}");
        }
    }
}
