//! One session at its transport: the only code that reads, writes and waits for a peer.

mod closing;
mod output;
mod reading;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tracing::debug;

use super::Stats;
use super::input::Input;
use super::peer::{Admission, Peer};
use super::spare;
use super::time::{Timer, now};
use crate::session::{Clock, CloseReason, Inbound, Session};

/// What a session runs over: TCP, TLS, WebSocket, memory. Above it, nobody knows which.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for T {}

/// One session and its transport. Polled by one task, it moves bytes both ways and keeps the deadlines, until both ways
/// have come to an end.
///
/// ```text
///  Open ──▶ Flushing ──▶ Lingering ──▶ done
///   │  │       the game is told the end, answers what came before it, and closes the outbox
///   │  └── either side ends: no more is read
///   └── a write fails ──▶ Broke ──▶ done: what had come is read, nothing more is written
/// ```
pub(crate) struct Link<In, T> {
    transport: T,
    session: Session<In>,
    peer: Arc<Peer<In>>,
    stats: Arc<Stats>,
    input: Input,
    // There may be whole packets in it: the last batch was full.
    more: bool,
    batch: Inbound<In>,
    // How many packets the last read brought: what the next batch reserves.
    usual: usize,
    timer: Option<Timer>,
    state: State,
    // The peer will send nothing more.
    read_ended: bool,
    // Sees each batch before the game does, and the end.
    inspect: Option<Inspect<In>>,
    // The game has no room for more just now.
    is_full: bool,
    // The transport may hold back what it took: a socket never does, a stream of somebody else's may.
    held_back: bool,
    // What the game last said of it.
    admission: Admission,
    // Packets over a rate, dropped and passed, that were counted.
    told: (u64, u64),
    // Why what was still to go out after the close was thrown away, if it was.
    cut: Option<CloseReason>,
}

/// Looks through a batch before it is delivered, and may take packets out; or hears why nothing will follow.
pub(crate) type Inspect<In> = Box<dyn FnMut(Result<&mut Inbound<In>, CloseReason>) + Send>;

#[derive(Clone, Copy)]
enum State {
    Open,
    /// Nothing can be written any more; so many bytes had been read by then.
    Broke {
        reason: CloseReason,
        read: u64,
    },
    /// Nothing more is read, and that is why; what the game still says goes out.
    Flushing(CloseReason),
    /// Everything went out that will.
    Shutting(CloseReason),
    /// The write half is shut down, input is discarded until the peer closes too or the timer fires.
    Lingering(CloseReason),
}

/// How a poll went.
pub(crate) enum Progress {
    /// Something reached the game.
    Delivered,
    /// Nothing did, and nothing will before a waker is called.
    Pending,
    /// The session is over.
    Done(CloseReason),
}

impl<In: 'static, T: Transport> Link<In, T> {
    /// In a box: it is moved into a task through several futures, of which each would keep a place for it.
    pub(crate) fn new(
        transport: T,
        session: Session<In>,
        peer: Arc<Peer<In>>,
        stats: Arc<Stats>,
    ) -> Box<Self> {
        let mut batch = Inbound::new();
        batch.meter = peer.outbox.meter().clone();
        Box::new(Self {
            transport,
            session,
            peer,
            stats,
            input: Input::default(),
            more: false,
            batch,
            usual: 0,
            timer: None,
            state: State::Open,
            read_ended: false,
            inspect: None,
            is_full: false,
            held_back: false,
            admission: Admission::default(),
            told: (0, 0),
            cut: None,
        })
    }

    pub(crate) fn inspect(&mut self, inspect: Inspect<In>) {
        self.inspect = Some(inspect);
    }

    /// Runs until the session is over, for a game that is elsewhere. Why it closed, and why its last words were thrown away,
    /// if they were.
    pub(crate) async fn run(mut self: Box<Self>) -> (CloseReason, Option<CloseReason>) {
        std::future::poll_fn(|cx| {
            let (mut turns, clock) = (Turns::default(), Clock::new(now));
            loop {
                ready!(turns.poll_next(cx));
                match self.poll(cx, &clock) {
                    Progress::Done(reason) => return Poll::Ready((reason, self.cut)),
                    Progress::Pending => return Poll::Pending,
                    // Again: the transport has not said yet that there is nothing more.
                    Progress::Delivered => {}
                }
            }
        })
        .await
    }

    /// Moves what can be moved. The reader of the inbox is woken, unless it is the very task that polls: that one sees
    /// the result.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, clock: &Clock) -> Progress {
        let mut delivered = false;
        if self.is_writing()
            && let Err(reason) = self.poll_write(cx, clock)
        {
            delivered = true;
            self.give_up(cx, reason);
        }
        match self.state {
            State::Open => match self.poll_read(cx, clock) {
                Ok(any) => delivered = any,
                Err(reason) => {
                    delivered = true;
                    self.end(cx, reason);
                }
            },
            State::Broke { reason, read } => match self.poll_read(cx, clock) {
                Ok(any) if !self.is_over(cx, read) => delivered = any,
                _ => {
                    delivered = true;
                    self.give_up(cx, reason);
                }
            },
            _ => {}
        }
        if self.is_writing() {
            if let Err(reason) = self.poll_timer(cx, clock) {
                delivered = true;
                self.end(cx, reason);
            } else if let State::Broke { .. } = self.state {
                // By a ping.
                cx.waker().wake_by_ref();
            }
        }
        match self.poll_close(cx, clock) {
            Poll::Ready(reason) => Progress::Done(reason),
            Poll::Pending if delivered => Progress::Delivered,
            Poll::Pending => {
                // Whole packets are still in it.
                if !self.more {
                    self.input.put_away();
                }
                spare::give(&mut self.batch.packets);
                Progress::Pending
            }
        }
    }

    /// Waits for the next deadline and does what is due. The timer is not moved when a deadline moves away, only when it
    /// fires too early: with each packet would be too often.
    fn poll_timer(&mut self, cx: &mut Context<'_>, clock: &Clock) -> Result<(), CloseReason> {
        if !matches!(self.state, State::Open) {
            // Nothing is read that would look. A game that is made anew gives its sessions a new time to log in.
            self.look_at_admission(clock);
        }
        loop {
            let Some(due) = self.session.poll_timeout() else {
                if self.timer.as_ref().is_some_and(|timer| timer.is_due()) {
                    self.timer = None;
                }
                return Ok(());
            };
            let due = tokio::time::Instant::from_std(due);
            match &mut self.timer {
                Some(timer) if timer.due() <= due => {}
                Some(timer) => timer.reset(due),
                None => self.timer = Some(Timer::new(due)),
            }
            if self.timer.as_mut().is_some_and(|timer| timer.poll(cx).is_pending()) {
                return Ok(());
            }
            // It may have been given since something was read last.
            self.look_at_admission(clock);
            self.session.handle_timeout(now())?;
            self.timer = None;
            // A ping may wait to go out now.
            self.poll_write(cx, clock)?;
            if !self.is_writing() {
                return Ok(());
            }
        }
    }

    /// Reading is over, and nothing more goes out.
    fn give_up(&mut self, cx: &mut Context<'_>, reason: CloseReason) {
        self.end(cx, reason);
        self.state = State::Shutting(reason);
    }

    /// Reading is over: the game is told, and its last words go out.
    fn end(&mut self, cx: &mut Context<'_>, reason: CloseReason) {
        let is_cut = reason.is_cut();
        let reason = if is_cut { self.cut_off(reason) } else { reason };
        if let State::Open = self.state {
            self.state = State::Flushing(reason);
        }
        let late = matches!(reason, CloseReason::Login(_));
        let was_late = self.session.end_input(now(), late);
        self.input = Input::default();
        if is_cut {
            self.peer.outbox.abort(reason);
            // It may be waiting for the transport, which will never be ready.
            self.state = State::Shutting(reason);
        }
        if let Some(inspect) = &mut self.inspect {
            inspect(Err(reason));
        }
        self.peer.end(reason, Some(cx.waker()));
        if late
            && was_late
            && let State::Flushing(first) = self.state
        {
            // The game hears of it once it has come to it, or is done with what the log-in waits for. That may be never: the
            // peer is not kept waiting for it, nor its socket.
            self.peer.finish(first);
        }
    }

    /// The peer does not take what waits for it. Why the session closes: what the game was told already stays, and a close
    /// has one reason.
    #[cold]
    fn cut_off(&mut self, limit: CloseReason) -> CloseReason {
        let ended = if let State::Flushing(first) = self.state { Some(first) } else { None };
        let Some(first) = self.peer.outbox.closed().or(ended) else { return limit };
        self.cut = Some(limit);
        self.stats.closes_cut.fetch_add(1, Relaxed);
        let bytes = self.peer.outbox.queued();
        debug!(reason = %first, cut = %limit, bytes, "what was still to go out after the close is thrown away");
        first
    }
}

/// How often one poll has gone round. A peer that sends faster than its packets are handled has always sent more, and would
/// keep the thread from all others: tokio's own budget counts reads, of which each may bring thousands of packets.
#[derive(Default)]
pub(super) struct Turns(u32);

impl Turns {
    /// Ready for another turn; otherwise the task is polled again after the others had theirs, and after the runtime has
    /// looked at its sockets.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0 += 1;
        if self.0 <= TURNS {
            return Poll::Ready(());
        }
        let mut others = std::pin::pin!(tokio::task::yield_now());
        // It wakes this task whether it is polled to its end or not.
        others.as_mut().poll(cx)
    }
}

/// So many batches are handled in one poll.
const TURNS: u32 = 4;
