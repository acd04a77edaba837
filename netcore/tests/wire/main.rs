//! The wire alone: what derives make of packets, layouts byte by byte, streams however they were cut, golden vectors.

mod cuts;
mod derive_hygiene;
mod describe;
#[cfg(feature = "msgpack")]
mod msgpack;
mod raw_layouts;
mod reassembly;
mod recursive;
mod requests;
#[cfg(feature = "msgpack")]
mod schema;
mod vectors;
