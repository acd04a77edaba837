//! What a set of packets looks like on the wire, as a value.
//!
//! [`Packet::SCHEMA`](crate::Packet::SCHEMA) is a constant that `#[derive(Packet)]` fills. On it hang the
//! [fingerprint](Schema::fingerprint), the [comparison](Schema::compare) of two sides, the [plain](Schema::to_text) and
//! [Markdown](Schema::to_markdown) documentation, and the [compact form](Schema::to_compact) that fits a handshake.
//!
//! ```
//! use netcore::Packet;
//!
//! #[derive(Packet)]
//! enum Old {
//!     /// A line of chat.
//!     #[packet(id = 731)]
//!     Chat { #[raw(len = i16, max = 126)] text: String },
//! }
//!
//! #[derive(Packet)]
//! enum New {
//!     /// A line of chat.
//!     #[packet(id = 731)]
//!     Chat { #[raw(len = u32, max = 126)] text: String },
//! }
//!
//! assert_eq!(Old::SCHEMA.to_text().lines().nth(1), Some("731  Chat  raw, 2 to 128 bytes"));
//! let difference = Old::SCHEMA.compare(New::SCHEMA).unwrap();
//! assert_eq!(
//!     difference.to_string(),
//!     "packet 731 Chat, field text: here text with an i16 length, at most 126, there text with a u32 length, at most 126",
//! );
//! ```

mod canonical;
mod compact;
mod compare;
mod describe;
mod render;
mod replies;
mod runs;
mod shared;
mod sizes;
mod types;
mod words;

pub use compact::SchemaError;
pub use compare::Difference;
#[cfg(feature = "runtime")]
pub(crate) use compare::{NONE, NOTHING};
pub use describe::{Describe, OpaqueBody, Probe};
#[doc(hidden)]
pub use replies::{check_replies, check_reply};
pub use shared::Shared;
pub use types::{By, Enum, Field, Form, Int, Len, PacketSchema, Schema, Struct, Type, Variant};
