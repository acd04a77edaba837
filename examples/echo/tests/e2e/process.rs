//! The two binaries, and packets as plain bytes.

use std::io::Write;
use std::process::Command;

use support::testing::{Server, read};

/// The ways to run that must not differ in anything that a peer sees.
pub(crate) const WORKERS: [&str; 3] = ["0", "1", "4"];

pub(crate) fn echo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo"));
    command.args(args);
    command
}

pub(crate) fn echo_load(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-load"));
    command.args(args);
    command
}

/// Servers on ports of their own, one for each way to run.
pub(crate) fn servers() -> impl Iterator<Item = Server> {
    servers_with(&[])
}

/// The same, with more flags.
pub(crate) fn servers_with(args: &[&str]) -> impl Iterator<Item = Server> {
    WORKERS.iter().map(move |workers| {
        Server::start(echo(&["--raw", "127.0.0.1:0", "--workers", workers]).args(args), 1)
    })
}

/// The same, with a line in the log for every session.
pub(crate) fn servers_that_tell() -> impl Iterator<Item = Server> {
    WORKERS.iter().map(|workers| {
        Server::start(
            echo(&["--raw", "127.0.0.1:0", "--workers", workers]).env("RUST_LOG", "netcore=debug"),
            1,
        )
    })
}

/// Fails unless a new connection gets its answer.
pub(crate) fn assert_serves(server: &Server) {
    let mut stream = server.connect();
    stream.write_all(&packet(101, 0, b"hi")).unwrap();
    assert_eq!(read(&mut stream, 7), packet(101, 0, b"hi"));
}

/// A packet's bytes, written down independently of the library.
pub(crate) fn packet(id: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    let size = u16::try_from(body.len() + 5).unwrap();
    let mut bytes = size.to_le_bytes().to_vec();
    bytes.extend(id.to_le_bytes());
    bytes.push(kind);
    bytes.extend(body);
    bytes
}
