//! Times and deadlines, as the runtime's clock has them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// The time, which a test may have stopped.
#[inline]
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// For ever, as a time that can be added to any other.
pub(super) const YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The next deadline, as the runtime knows it.
pub(super) struct Timer {
    sleep: Pin<Box<Sleep>>,
    // Whom it calls. To ask it again on behalf of the same task would be in vain, and costs.
    waker: Option<Waker>,
}

impl Timer {
    pub(super) fn new(due: tokio::time::Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(due)), waker: None }
    }

    pub(super) fn due(&self) -> tokio::time::Instant {
        self.sleep.deadline()
    }

    pub(super) fn is_due(&self) -> bool {
        self.sleep.is_elapsed()
    }

    #[inline]
    pub(super) fn reset(&mut self, due: tokio::time::Instant) {
        self.sleep.as_mut().reset(due);
        self.waker = None;
    }

    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.sleep.is_elapsed() {
            return Poll::Ready(());
        }
        if self.waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        // Without budget the timer only asks to be polled again.
        let asks = tokio::task::coop::has_budget_remaining();
        let polled = self.sleep.as_mut().poll(cx);
        if polled.is_pending() && asks {
            self.waker = Some(cx.waker().clone());
        }
        polled
    }
}
