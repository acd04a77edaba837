//! The manual: what does not belong to one type.
//!
//! - [`tutorial`]: a quiz server in forty lines, then a packet protocol, then a world with a clock
//! - [`running`]: the three ways to run, and what each promises
//! - [`bounds`]: every bound, its default, its setting and its counter; what a hostile peer can do
//! - [`tuning`]: what costs what, and the settings that matter
//! - [`metrics`]: what a server and its clients tell a metrics recorder
//! - [`cluster`]: several processes: what is promised, and what happens while the backplane is away
//! - [`formats`]: how to add a body format, an adapter, a transport

#[doc = include_str!("tutorial.md")]
pub mod tutorial {}

#[doc = include_str!("running.md")]
pub mod running {}

#[doc = include_str!("bounds.md")]
pub mod bounds {}

#[doc = include_str!("tuning.md")]
pub mod tuning {}

#[doc = include_str!("metrics.md")]
pub mod metrics {}

#[doc = include_str!("cluster.md")]
pub mod cluster {}

#[doc = include_str!("formats.md")]
pub mod formats {}
