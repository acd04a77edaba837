//! A command line that is wrong ends in one sentence and exit code 2.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// Reads the command line; when there is nothing to run, says so and returns the exit code.
pub(crate) fn parse<F: Parser>() -> Result<F, ExitCode> {
    F::try_parse().map_err(|error| {
        if !error.use_stderr() {
            // `--help` and `--version`. A reader that has gone away is no failure.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        let text = error.render().to_string();
        // clap puts tips and a usage after an empty line.
        let first = text.split("\n\n").next().unwrap_or(&text).trim_start_matches("error: ");
        let sentence = first.split_whitespace().collect::<Vec<_>>().join(" ");
        fail(F::command().get_name(), 2, &format!("{sentence}; see --help"))
    })
}

/// Says on stderr, in one line, why the program ends.
pub(crate) fn fail(program: &str, code: u8, sentence: &str) -> ExitCode {
    // Not `eprintln!`, which panics when stderr is a closed pipe.
    let _ = writeln!(io::stderr(), "{program}: {sentence}");
    ExitCode::from(code)
}
