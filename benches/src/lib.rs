//! What netcore is measured with: sample packets and messages, and the same work written by hand or done by another
//! library. `README.md` has the method and the numbers.
#![forbid(unsafe_code)]

pub mod cost;
pub mod decode;
pub mod encode;
pub mod hand;
pub mod host;
pub mod messages;
pub mod packets;
pub mod pairs;
pub mod scenario;
