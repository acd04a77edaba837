//! One session at its transport: the only code that reads, writes and waits for a peer.

mod closing;
mod output;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};

use super::Stats;
use super::input::Input;
use super::peer::{Peer, Room};
use super::spare;
use super::time::{Timer, YEARS, now};
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
    // Packets over a rate, dropped and passed, that were counted.
    told: (u64, u64),
}

/// Looks through a batch before it is delivered, and may take packets out; `None`: nothing will follow.
pub(crate) type Inspect<In> = Box<dyn FnMut(Option<&mut Inbound<In>>) + Send>;

#[derive(Clone, Copy)]
enum State {
    Open,
    /// Nothing can be written any more; so many bytes had been read by then.
    Broke {
        reason: CloseReason,
        read: u64,
    },
    /// Nothing more is read; what the game still says goes out.
    Flushing,
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
            told: (0, 0),
        })
    }

    pub(crate) fn inspect(&mut self, inspect: Inspect<In>) {
        self.inspect = Some(inspect);
    }

    /// Runs until the session is over, for a game that is elsewhere.
    pub(crate) async fn run(mut self: Box<Self>) -> CloseReason {
        std::future::poll_fn(|cx| {
            let (mut turns, clock) = (Turns::default(), Clock::new(now));
            loop {
                ready!(turns.poll_next(cx));
                match self.poll(cx, &clock) {
                    Progress::Done(reason) => return Poll::Ready(reason),
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
                Ok(any) if !self.is_over(cx, any, read) => delivered = any,
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

    /// Reads until whole packets have come, and delivers them. The error is the end of the input.
    fn poll_read(&mut self, cx: &mut Context<'_>, clock: &Clock) -> Result<bool, CloseReason> {
        if self.peer.admitted.load(Relaxed) {
            self.session.admit();
        }
        let (limits, outbox) = (self.session.limits(), &self.peer.outbox);
        let broke = !self.is_writing();
        // Tried again when some of it has been written: that is this task's own doing.
        let ahead = limits.backpressure && !broke && outbox.queued() > outbox.limit() / 2;
        if broke {
            // Else the write before has left the waker there. Not once it is full: room may be made meanwhile.
            outbox.listen(cx.waker());
        }
        match self.peer.room(limits.inbox, limits.inbox_bytes) {
            Room::Free if !ahead => self.is_full = false,
            Room::Ended(reason) => return Err(reason),
            Room::Full | Room::Free => {
                self.is_full = true;
                // Not the peer's slowness to speak: its clocks stand still. The game calls when there is room again, by
                // the outbox's waker.
                self.session.pause(clock);
                return Ok(false);
            }
        }
        self.session.resume(clock);
        loop {
            let fresh = match self.fill(cx) {
                Poll::Pending => {
                    self.session.handle_silence(clock);
                    return Ok(false);
                }
                Poll::Ready(result) => result?,
            };
            if self.batch.packets.memory() == 0 {
                self.batch.packets = spare::take();
                self.batch.packets.reserve(self.usual);
            }
            let before = self.session.counts().packets_in;
            let Self { session, batch, input, .. } = self;
            let share = input.is_much(fresh);
            batch.share(share);
            let apart = !share && session.always_shares();
            let result = input.decode(apart, |input| session.handle_bytes(clock, input, fresh, batch));
            self.tell_rates();
            self.more = self.batch.is_full();
            let count = self.batch.len();
            self.deliver(cx, count);
            result?;
            // Also where none is left of them, dropped by a rate or answered: they are work, of which others wait for the end.
            if self.session.counts().packets_in != before {
                return Ok(true);
            }
        }
    }

    /// Reads once behind what is left of the last read, unless there may be whole packets in that. The error is the end.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, CloseReason>> {
        if std::mem::take(&mut self.more) {
            return Poll::Ready(Ok(0));
        }
        let chunk = self.session.limits().read_chunk;
        match self.input.read(&mut self.transport, cx, chunk) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0)) => {
                self.read_ended = true;
                Poll::Ready(Err(self.session.handle_end(self.input.bytes())))
            }
            Poll::Ready(Ok(len)) => {
                self.stats.traffic.bytes_in(len);
                Poll::Ready(Ok(len))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.read_failed(&error))),
        }
    }

    #[cold]
    fn read_failed(&mut self, error: &io::Error) -> CloseReason {
        let reason = super::transport::reason(error);
        // A peer that breaks the rules of its messages still takes what is owed to it.
        if !matches!(reason, CloseReason::WebSocket(_)) {
            self.read_ended = true;
            self.peer.outbox.abort(reason);
        }
        reason
    }

    /// Whether, of a connection that broke, all was read that had come, or as much as anybody waits for.
    #[cold]
    fn is_over(&mut self, cx: &mut Context<'_>, any: bool, read: u64) -> bool {
        // Who inspects, and no more, waits for what is behind it.
        let ignored = self.inspect.is_none() && self.peer.is_abandoned();
        if ignored || self.session.counts().bytes_in - read > HAD_COME {
            return true;
        }
        if self.is_full {
            // That is the game's time.
            self.timer = None;
            return false;
        }
        if !any {
            if tokio::task::coop::has_budget_remaining() {
                return true;
            }
            // Whatever the transport said, it was not asked.
            cx.waker().wake_by_ref();
            return false;
        }
        // A stream whose other half lives on would be read for as long as its peer likes.
        let linger = self.session.limits().linger.min(YEARS);
        let timer = self.timer.get_or_insert_with(|| Timer::new(tokio::time::Instant::now() + linger));
        timer.poll(cx).is_ready()
    }

    /// Counts what was over a rate since it was counted last.
    fn tell_rates(&mut self) {
        let counts = self.session.counts();
        let all = (counts.rate_dropped, counts.rate_warned);
        let told = std::mem::replace(&mut self.told, all);
        if told != all {
            self.stats.rate_dropped.fetch_add(all.0 - told.0, Relaxed);
            self.stats.rate_warned.fetch_add(all.1 - told.1, Relaxed);
        }
    }

    /// Hands the batch to the game.
    fn deliver(&mut self, cx: &mut Context<'_>, count: usize) {
        if count == 0 {
            self.batch.bytes = 0;
            return;
        }
        self.usual = count;
        self.stats.traffic.packets_in(count);
        if let Some(inspect) = &mut self.inspect {
            inspect(Some(&mut self.batch));
            if self.batch.is_empty() {
                // All of it was answers, which wait for nobody.
                self.batch.bytes = 0;
                return;
            }
        }
        self.peer.deliver(&mut self.batch, cx.waker());
        spare::give(&mut self.batch.packets);
    }

    /// Waits for the next deadline and does what is due. The timer is not moved when a deadline moves away, only when it
    /// fires too early: with each packet would be too often.
    fn poll_timer(&mut self, cx: &mut Context<'_>, clock: &Clock) -> Result<(), CloseReason> {
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
        if let State::Open = self.state {
            self.state = State::Flushing;
            self.session.pause(now());
        }
        self.input = Input::default();
        if let CloseReason::Stalled(_) = reason {
            self.peer.outbox.abort(reason);
            // It may be waiting for the transport, which will never be ready.
            self.state = State::Shutting(reason);
        }
        if let Some(inspect) = &mut self.inspect {
            inspect(None);
        }
        self.peer.end(reason, Some(cx.waker()));
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

/// More than a socket holds: what is read behind so much of a connection that broke had not come by then.
const HAD_COME: u64 = 8 * 1024 * 1024;
/// So many batches are handled in one poll.
const TURNS: u32 = 4;
