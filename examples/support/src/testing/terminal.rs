//! A program for people, with a terminal.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The program; killed on drop.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keys: Option<ChildStdin>,
    screen: BufReader<ChildStdout>,
}

impl Terminal {
    /// Starts it.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let screen = BufReader::new(child.stdout.take().unwrap());
        Self { keys: child.stdin.take(), screen, child }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) -> &mut Self {
        writeln!(self.keys.as_mut().unwrap(), "{line}").unwrap();
        self
    }

    /// The next line that it shows.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.screen.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Fails unless these are the next lines. One of them may be several.
    #[track_caller]
    pub fn reads(&mut self, lines: &[&str]) -> &mut Self {
        for expected in lines.iter().flat_map(|lines| lines.lines()) {
            assert_eq!(self.line(), expected);
        }
        self
    }

    /// Types the end of the input.
    pub fn ends_input(&mut self) {
        self.keys = None;
    }

    /// The end of the input ends it, well, when all is answered.
    pub fn ends(mut self) {
        self.ends_input();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
