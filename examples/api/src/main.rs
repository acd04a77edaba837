//! The API server: its flags, and the start.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use api::server::{Flags, serve};

fn main() -> ExitCode {
    support::main(async |flags: Flags| serve(&flags).await)
}
