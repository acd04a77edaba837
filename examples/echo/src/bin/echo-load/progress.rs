//! What a person at a terminal sees meanwhile.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::task::AbortHandle;

use crate::flags::Flags;
use crate::report::Tally;

/// A bar on stderr, if that is a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    task: Option<AbortHandle>,
}

impl Progress {
    pub(crate) fn start(flags: &Flags, tally: Arc<Tally>) -> Self {
        // By packets or by time, whichever ends it.
        let whole = flags.count().unwrap_or(flags.duration.unwrap_or_default().as_millis() as u64);
        let bar = ProgressBar::new(whole);
        if bar.is_hidden() {
            return Self { bar, task: None };
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
            bar.set_style(style);
        }
        let timed = flags.duration.is_some();
        let task = tokio::spawn({
            let bar = bar.clone();
            async move {
                let start = Instant::now();
                let (mut before, mut since) = (0, start);
                loop {
                    tokio::time::sleep(EVERY).await;
                    let (packets, now) = (tally.packets.load(Relaxed), Instant::now());
                    let rate = (packets - before) as f64 / now.duration_since(since).as_secs_f64();
                    (before, since) = (packets, now);
                    bar.set_message(format!(
                        "{} packets, {}/s",
                        HumanCount(packets),
                        HumanCount(rate as u64)
                    ));
                    let done = if timed { now.duration_since(start).as_millis() as u64 } else { packets };
                    bar.set_position(done.min(whole));
                }
            }
        });
        Self { bar, task: Some(task.abort_handle()) }
    }

    /// Takes the bar away.
    pub(crate) fn clear(self) {
        if let Some(task) = self.task {
            task.abort();
        }
        self.bar.finish_and_clear();
    }
}

const EVERY: Duration = Duration::from_millis(200);
