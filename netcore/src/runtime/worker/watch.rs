//! Who keeps a worker busy for long is named: everyone else on it waits meanwhile.

use std::time::{Duration, Instant};

use tracing::warn;

use crate::session::SessionId;

/// How long each thing takes that a worker does. By the machine's clock, also where tokio's is paused.
#[derive(Default)]
pub(super) struct Watch {
    since: Option<Instant>,
    told: Option<Instant>,
    untold: u32,
}

impl Watch {
    /// Something begins, unless it follows at once what has just ended.
    pub(super) fn begin(&mut self) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
        }
    }

    /// It has ended; `session` has caused it, or a tick, a timer or a message.
    pub(super) fn end(&mut self, worker: usize, session: Option<SessionId>) {
        if let Some((took, untold)) = self.look(Instant::now()) {
            let session = session.map(tracing::field::display);
            warn!(
                worker,
                session,
                took = ?took,
                untold,
                "a callback kept its worker busy, and all its sessions waiting: `Context::spawn` is for what takes long"
            );
        }
    }

    /// What follows is time in which others had their turn.
    pub(super) fn pause(&mut self) {
        self.since = None;
    }

    /// How long it took, if that is to be told, and how many others were not.
    fn look(&mut self, now: Instant) -> Option<(Duration, u32)> {
        let took = now.saturating_duration_since(self.since.replace(now)?);
        if took < LONG {
            return None;
        }
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < QUIET) {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.told = Some(now);
        Some((took, std::mem::take(&mut self.untold)))
    }
}

/// What takes so long is told,
const LONG: Duration = Duration::from_millis(500);
/// and then nothing for so long.
const QUIET: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_told_now_and_then() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let mut watch = Watch { since: Some(begun), ..Watch::default() };
        assert_eq!(watch.look(at(499)), None);
        assert_eq!(watch.look(at(999)), Some((LONG, 0)));
        assert_eq!((watch.look(at(2_000)), watch.look(at(3_000))), (None, None));
        assert_eq!(watch.look(at(11_000)), Some((Duration::from_secs(8), 2)));
        watch.pause();
        assert_eq!(watch.look(at(60_000)), None);
    }
}
