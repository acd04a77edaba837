//! The way from a session to its transport.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::super::transport;
use super::{Link, State, Transport};
use crate::session::{Clock, CloseReason, Joined};

impl<In: 'static, T: Transport> Link<In, T> {
    pub(super) fn is_writing(&self) -> bool {
        matches!(self.state, State::Open | State::Flushing(_))
    }

    /// Writes until nothing waits or the transport takes nothing more. The error is the end of the output.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, clock: &Clock) -> Result<(), CloseReason> {
        loop {
            let chunks = match self.session.poll_output(clock, cx.waker()) {
                Ok(chunks) => chunks,
                // The last words, too, are to have as much time as those of any other transport.
                Err(reason) if self.held_back && self.peer.outbox.given_up().is_none() => {
                    return match self.poll_flush(cx) {
                        Poll::Pending => Ok(()),
                        Poll::Ready(flushed) => flushed.or_else(|why| self.broke(why)).and(Err(reason)),
                    };
                }
                Err(reason) => return Err(reason),
            };
            let Some(front) = chunks.front() else {
                self.session.handle_blocked(clock, false, cx.waker());
                // What a stream of somebody else's holds back has no clock of its own: nobody sees how much of it moves.
                return match self.held_back.then(|| self.poll_flush(cx)) {
                    Some(Poll::Ready(Err(why))) => self.broke(why),
                    _ => Ok(()),
                };
            };
            let transport = Pin::new(&mut self.transport);
            let written = if chunks.len() == 1 {
                transport.poll_write(cx, front)
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let count = chunks.len().min(SLICES);
                for (slice, chunk) in slices.iter_mut().zip(chunks) {
                    *slice = IoSlice::new(chunk);
                }
                transport.poll_write_vectored(cx, slices.get(..count).unwrap_or_default())
            };
            match written {
                Poll::Ready(Ok(len)) if len > 0 => {
                    self.held_back = true;
                    self.session.handle_written(clock, len);
                    self.stats.traffic.bytes_out(len);
                }
                Poll::Ready(result) => return self.broke(why_not(&result)),
                Poll::Pending => {
                    self.session.handle_blocked(clock, true, cx.waker());
                    // Closed by a policy, because the peer reads too slowly: waiting for it would be in vain.
                    return match self.peer.outbox.given_up() {
                        Some(reason) => Err(reason),
                        None => Ok(()),
                    };
                }
            }
        }
    }

    /// Sends what the session's own task said in its turn: straight to the transport, if nothing waits before it.
    pub(crate) fn send_own(&mut self, cx: &mut Context<'_>, said: &mut Joined) {
        if said.is_empty() {
            return;
        }
        if !self.is_writing() || !self.session.is_idle() {
            return self.peer.outbox.push_own(said);
        }
        // What may be dropped is before the transport has begun with it, or not at all.
        let droppable = said.droppable().is_some();
        if droppable && !self.peer.outbox.hold_droppable(said) {
            self.peer.outbox.staged();
            return said.clear();
        }
        self.peer.outbox.meter().sent(&said.bytes).flush();
        let (mut taken, mut failed) = (0, None);
        match Pin::new(&mut self.transport).poll_write(cx, &said.bytes) {
            Poll::Ready(Ok(len)) if len > 0 => {
                taken = len;
                self.session.handle_sent(len);
                self.stats.traffic.bytes_out(len);
                self.held_back = true;
                if let Poll::Ready(Err(why)) = self.poll_flush(cx) {
                    failed = Some(why);
                }
            }
            Poll::Ready(result) => failed = Some(why_not(&result)),
            Poll::Pending => {}
        }
        let rest = said.bytes.get(taken..).unwrap_or_default();
        if droppable {
            self.peer.outbox.gone(taken);
        }
        if !rest.is_empty() && (droppable || self.peer.outbox.hold(rest.len())) {
            self.session.hold(rest);
        }
        self.peer.outbox.staged();
        said.clear();
        if let Some(why) = failed
            && let Err(reason) = self.broke(why)
        {
            self.give_up(cx, reason);
        }
    }

    /// Lets go out what the transport took.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let flushed = ready!(Pin::new(&mut self.transport).poll_flush(cx));
        self.held_back = false;
        Poll::Ready(flushed.map_err(|error| transport::reason(&error)))
    }

    /// Whether nothing is left to do before something else happens: the transport holds nothing back, and has not failed.
    pub(crate) fn is_settled(&self) -> bool {
        !self.held_back && !matches!(self.state, State::Broke { .. })
    }

    /// Nothing can be written any more. What came before is still there to be read; if reading is over, this is the end.
    #[cold]
    fn broke(&mut self, reason: CloseReason) -> Result<(), CloseReason> {
        self.held_back = false;
        // The game may have been told why already, and a close has one reason.
        let reason = if let State::Flushing(first) = self.state { first } else { reason };
        self.peer.outbox.abort(reason);
        let State::Open = self.state else { return Err(reason) };
        self.session.handle_broken();
        self.peer.outbox.set_blocked(true);
        self.timer = None;
        self.state = State::Broke { reason, read: self.session.counts().bytes_in };
        Ok(())
    }
}

/// Why a write took nothing.
#[cold]
fn why_not(result: &io::Result<usize>) -> CloseReason {
    result.as_ref().err().map_or(io::ErrorKind::WriteZero.into(), transport::reason)
}

/// So many pieces go out in one write.
const SLICES: usize = 64;
