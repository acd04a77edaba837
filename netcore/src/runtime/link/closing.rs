//! The end of a transport, once all has gone out that will.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use super::super::time::{Timer, YEARS};
use super::super::transport;
use super::{Link, State, Transport};
use crate::session::{Clock, CloseReason, Moment};

impl<In: 'static, T: Transport> Link<In, T> {
    /// Shuts the write half down and discards input, so that closing the socket makes no reset that would destroy the
    /// last answer.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>, clock: &Clock) -> Poll<CloseReason> {
        if let State::Shutting(reason) = self.state {
            if self.peer.outbox.given_up().is_some() {
                return Poll::Ready(reason);
            }
            self.state = State::Lingering(reason);
            // The shutdown itself may wait, with TLS; it has the same time.
            let linger = self.session.limits().linger.min(YEARS);
            let until = tokio::time::Instant::from_std(clock.now() + linger);
            self.timer = Some(Timer::new(until));
        }
        let State::Lingering(reason) = self.state else { return Poll::Pending };
        if self.timer.as_mut().is_some_and(|timer| timer.poll(cx).is_ready()) {
            return Poll::Ready(reason);
        }
        let shut = ready!(Pin::new(&mut self.transport).poll_shutdown(cx));
        if shut.is_err() || self.read_ended {
            return Poll::Ready(reason);
        }
        let mut waste = [MaybeUninit::uninit(); WASTE];
        // A peer that goes on sending is not read for ever in one poll.
        for _ in 0..16 {
            let mut buf = ReadBuf::uninit(&mut waste);
            match ready!(Pin::new(&mut self.transport).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {}
                // The peer may have closed behind it, and waits for the end.
                Err(error) if transport::reads_on(&error) => {
                    let _ = ready!(Pin::new(&mut self.transport).poll_shutdown(cx));
                }
                _ => return Poll::Ready(reason),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// So much of what still comes is discarded at once.
const WASTE: usize = 2 * 1024;
