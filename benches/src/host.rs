//! What a run ran on.

use std::fs;

/// The processor and the compiler, in one line.
#[must_use]
pub fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    format!("{model}, {}", env!("NETCORE_BENCHES_RUSTC"))
}

/// Prints [`describe`].
pub fn print() {
    println!("on {}", describe());
}
