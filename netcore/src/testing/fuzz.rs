//! One function a fuzz target. Each takes any bytes, and panics where something that must hold does not. `cargo fuzz`
//! searches; `cargo test` replays what it found, and the golden vectors, on stable.

pub use super::fuzz_bodies::{
    derived_enum, msgpack_bodies, protobuf_bodies, raw_bodies, schema_seed, schemas,
};
pub use super::fuzz_compress::inflate;
pub use super::fuzz_hello::hello;
pub use super::fuzz_outbox::outbox_ops;
pub use super::fuzz_session::session_pair;
pub use super::fuzz_streams::{frame_round_trip, lines, reassembly};
pub use super::fuzz_transports::{proxy_header, websocket_frames};

/// What a target is.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 14] = [
    ("reassembly", reassembly),
    ("frame_round_trip", frame_round_trip),
    ("raw_bodies", raw_bodies),
    ("msgpack_bodies", msgpack_bodies),
    ("protobuf_bodies", protobuf_bodies),
    ("derived_enum", derived_enum),
    ("lines", lines),
    ("schemas", schemas),
    ("session_pair", session_pair),
    ("outbox_ops", outbox_ops),
    ("inflate", inflate),
    ("hello", hello),
    ("proxy_header", proxy_header),
    ("websocket_frames", websocket_frames),
];
