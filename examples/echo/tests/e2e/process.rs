//! The two binaries, and packets as plain bytes.

use std::process::Command;

use support::testing::Server;
pub(crate) use support::testing::{Ended, PATIENCE, Process, assert_same, exchange, read, read_to_end};

/// The three ways to run of which every behaviour here is the same.
pub(crate) const WORKERS: [&str; 3] = ["0", "1", "4"];
