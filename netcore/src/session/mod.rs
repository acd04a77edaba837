//! One peer as a state machine without IO: no socket, no task, no clock of its own.

mod close;
mod id;
mod inbound;
mod limits;
mod machine;
mod outbox;
mod rate;
mod waiting;

pub use close::CloseReason;
pub use id::SessionId;
pub use inbound::{Decode, Fault, FaultKind, Inbound};
pub use limits::{Heartbeat, Limits};
pub use machine::{Counts, Session};
pub(crate) use outbox::Total;
pub use outbox::{Outbox, Slow, Verdict};
pub use rate::{Over, Rate};
