//! Where workers run.

use super::super::bell::Bell;

/// Where a worker runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Host {
    /// On a thread of its own, so that a callback which takes long keeps nobody waiting but its own sessions. Where the process
    /// has one core, it is called once for all sessions that have something at the time, not for each.
    #[default]
    Thread,
    /// As a task of the runtime: the least latency, and on a paused clock the same each time.
    Task,
}

impl Host {
    pub(super) fn bell(self) -> Bell {
        match self {
            Self::Thread => Bell::of_a_thread(),
            Self::Task => Bell::new(),
        }
    }
}
