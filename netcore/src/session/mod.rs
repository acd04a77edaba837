//! One peer as a state machine without IO: no socket, no task, no clock of its own.

mod close;
mod heartbeat;
mod hello_fault;
mod id;
mod inbound;
mod limits;
mod limits_error;
mod machine;
mod marks;
#[cfg(feature = "metrics")]
mod meter;
#[cfg(not(feature = "metrics"))]
#[path = "meter_off.rs"]
mod meter;
mod moment;
mod outbox;
#[cfg(feature = "testing")]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a check that fails must panic")]
pub(crate) mod pair;
#[cfg(feature = "testing")]
mod pipe;
mod rate;
mod sequence;
mod spoken;
mod transport_fault;
mod waiting;

pub use close::CloseReason;
pub use heartbeat::{Heartbeat, HeartbeatError};
pub use hello_fault::HelloFault;
pub use id::SessionId;
pub use inbound::{Decode, Fault, FaultKind, Inbound};
pub use limits::Limits;
pub use limits_error::LimitsError;
pub(crate) use limits_error::no_time;
pub use machine::{Counts, Session};
pub(crate) use meter::Meter;
#[cfg(feature = "metrics")]
pub(crate) use meter::is_recording;
pub(crate) use moment::Clock;
pub use moment::Moment;
#[cfg(feature = "testing")]
pub(crate) use outbox::Take;
pub(crate) use outbox::{Calls, Full, Joined, Kept, Part, Total};
pub use outbox::{Outbox, Slow, Verdict};
#[cfg(feature = "testing")]
pub use pipe::Pipe;
pub(crate) use rate::Bucket;
pub use rate::{Over, Rate};
pub(crate) use sequence::{Sequence, put};
pub use spoken::{Certain, Spoken};
pub use transport_fault::{ProxyFault, TlsFault, WebSocketFault};
