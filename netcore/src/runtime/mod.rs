//! What runs on tokio.

pub mod memory;
