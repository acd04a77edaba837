//! The face that a server starts from.

mod error;
mod host;
mod open;
mod start;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use error::ServerError;
pub use host::Host;

use super::house::Way;
use super::task::{self, Handling, Outcome};
use super::teller::Untold;
use super::worker::WorkerSettings;
use super::{AfterPanic, Connection, Door, LateTick, Logic, Running, Stats};
use crate::session::Slow;

/// A server: doors, and the game behind them.
///
/// There are three ways to run a game: [`serve`](Self::serve) has a task for each session, [`logic`](Self::logic) has one
/// worker that owns all state, and [`workers`](Self::workers) has several.
///
/// ```
/// use netcore::{Client, Connection, Door, Packet, SendError, Server};
///
/// #[derive(Packet, Debug, PartialEq)]
/// enum Number {
///     #[packet(id = 1)]
///     Is { value: u32 },
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new().door(Door::tcp("127.0.0.1:0"));
/// let running = server
///     .serve(|mut peer: Connection<Number, Number>| async move {
///         while let Some(Number::Is { value }) = peer.recv().await? {
///             peer.send(&Number::Is { value: value * 2 })?;
///         }
///         Ok::<_, SendError>(())
///     })
///     .await?;
///
/// let mut client = Client::<Number, Number>::connect(running.addr()).await?;
/// client.send(&Number::Is { value: 21 })?;
/// assert_eq!(client.recv().await?, Some(Number::Is { value: 42 }));
///
/// let report = running.shutdown().await;
/// assert_eq!(report.cut, 0);
/// # Ok(())
/// # }
/// ```
///
/// # Bounds
/// | setting | default |
/// |---|---|
/// | [`max_sessions`](Self::max_sessions) | 65,536 |
/// | [`max_per_address`](Self::max_per_address) | 256, and an IPv6 network of 2^64 addresses counts as one |
/// | [`max_handshakes`](Self::max_handshakes) | 1,024 |
/// | [`max_refusals`](Self::max_refusals) | 256 |
/// | [`max_queued_bytes`](Self::max_queued_bytes) | 256 MiB, all sessions together |
/// | [`max_messages`](Self::max_messages) | 65,536 for each worker |
/// | [`max_timers`](Self::max_timers) | 1,000,000 for each worker |
/// | [`drain`](Self::drain) | 5 s |
///
/// Those of one session are the door's: [`Limits`](crate::Limits).
pub struct Server<In, Out> {
    doors: Vec<Door<In, Out>>,
    slow: Option<fn(&Out) -> Slow>,
    max_sessions: usize,
    max_per_address: usize,
    max_handshakes: usize,
    max_refusals: usize,
    max_queued_bytes: usize,
    max_messages: usize,
    drain: Duration,
    host: Host,
    worker: WorkerSettings,
}

impl<In: Send + 'static, Out: Send + Sync + 'static> Server<In, Out> {
    /// A server without doors.
    #[must_use]
    pub fn new() -> Self {
        let worker = WorkerSettings {
            tick: None,
            late: LateTick::Skip,
            after_panic: AfterPanic::GoOn,
            max_timers: 1_000_000,
        };
        Self {
            doors: Vec::new(),
            slow: None,
            max_sessions: 65_536,
            max_per_address: 256,
            max_handshakes: 1024,
            max_refusals: 256,
            max_queued_bytes: 256 * 1024 * 1024,
            max_messages: 65_536,
            drain: Duration::from_secs(5),
            host: Host::Thread,
            worker,
        }
    }

    /// Adds a door.
    #[must_use]
    pub fn door(mut self, door: Door<In, Out>) -> Self {
        self.doors.push(door);
        self
    }

    /// Adds doors: those of a list, or the one of an `Option`, as it comes from a flag that may turn a door off. Where it is off, the
    /// doors behind it have other [numbers](crate::Context::door).
    #[must_use]
    pub fn doors(mut self, doors: impl IntoIterator<Item = Door<In, Out>>) -> Self {
        self.doors.extend(doors);
        self
    }

    /// What becomes of each kind of packet when its peer reads too slowly; [`Slow::Disconnect`] unless it is given.
    #[must_use]
    pub fn slow(mut self, policy: fn(&Out) -> Slow) -> Self {
        self.slow = Some(policy);
        self
    }

    /// The most sessions at once. One more is refused, with the door's close notice if it has one. One that is over counts
    /// until its worker has heard so: a worker that is behind still has all that it sent.
    #[must_use]
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.max_sessions = sessions;
        self
    }

    /// The most sessions at once from one address.
    #[must_use]
    pub fn max_per_address(mut self, sessions: usize) -> Self {
        self.max_per_address = sessions;
        self
    }

    /// The most connections at once whose handshake is under way: on doors that have one, for TLS, WebSocket or a PROXY
    /// header. One more is closed at once. They count among the sessions of [`max_sessions`](Self::max_sessions) and
    /// [`max_per_address`](Self::max_per_address), too.
    #[must_use]
    pub fn max_handshakes(mut self, handshakes: usize) -> Self {
        self.max_handshakes = handshakes;
        self
    }

    /// The most connections at once that are refused and told why, in the door's close notice or what its transport has for
    /// that: each for the door's [`linger`](crate::Limits::linger) at most. Who is refused is owed little memory, and in a
    /// flood none: one more sees the connection close, and counts in
    /// [`refusals_untold`](crate::Snapshot::refusals_untold).
    #[must_use]
    pub fn max_refusals(mut self, connections: usize) -> Self {
        self.max_refusals = connections;
        self
    }

    /// The most bytes that wait for all peers together, with those that workers are about to hand over, as bytes for the wire.
    /// Near it, and at once where something has no room, those with the most make room: their oldest packets go that may be
    /// dropped, and where that is not enough, they are closed. Nobody is closed for a packet that may be dropped itself, and
    /// nobody makes room for one who would have more waiting: that one's packet is dropped, or its session closed. What is
    /// closed for this counts no more; until its task has let go of it, twice the bound may be kept.
    #[must_use]
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// The most messages that wait for one worker, those of background work included that is still under way.
    #[must_use]
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = messages;
        self
    }

    /// The most timers that run at once on one worker. Of these, one session has the hundredth part at most
    /// ([`after_for`](crate::Context::after_for)), though 16 in any case: what one peer has started for it takes no timers
    /// from others. One more does not start, and counts in [`Snapshot::timers_refused`](crate::Snapshot::timers_refused).
    #[must_use]
    pub fn max_timers(mut self, timers: usize) -> Self {
        self.worker.max_timers = timers;
        self
    }

    /// How long a shutdown may take, until what is left is cut off; sessions and workers that do not end even then have a
    /// second each. Workers have half of it for their [`Logic::stopping`](crate::Logic::stopping).
    #[must_use]
    pub fn drain(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }

    /// Calls [`Logic::tick`] so many times a second: 1 at least. Above 1,000 it is 1,000, but for [`LateTick::CatchUp`]:
    /// [`tick`](Self::tick) says why.
    #[must_use]
    pub fn tick_hz(self, hz: u32) -> Self {
        self.tick(Duration::from_secs(1) / hz.max(1))
    }

    /// Calls [`Logic::tick`] once each `step`.
    ///
    /// The clock has whole milliseconds: a tick comes one or two after its time, as [`Tick::late`](crate::Tick::late) says, and
    /// the next one is none the later for it (but for [`LateTick::Delay`], with which 60 Hz are about 55). Up to 250 a second
    /// hold; of 500 one in a hundred is skipped, of 1,000 one in seven, because the next one is due already.
    ///
    /// A `step` below a millisecond is one of a millisecond. With [`LateTick::CatchUp`] it is kept, down to a microsecond, and
    /// those that have become due come together, ten or twenty of 10,000 a second: with `CatchUp(100)` none is skipped.
    #[must_use]
    pub fn tick(mut self, step: Duration) -> Self {
        self.worker.tick = Some(step.min(super::time::YEARS));
        self
    }

    /// What becomes of ticks whose time has passed.
    #[must_use]
    pub fn late_tick(mut self, policy: LateTick) -> Self {
        self.worker.late = policy;
        self
    }

    /// What to do after a worker's callback has panicked.
    #[must_use]
    pub fn after_panic(mut self, policy: AfterPanic) -> Self {
        self.worker.after_panic = policy;
        self
    }

    /// Where workers run.
    #[must_use]
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// Starts, with a task for each session. The session closes when its task ends; a panic closes that session alone. It
    /// ends with nothing, or with a `Result`, whose error is logged: at `info`, or at `debug` where the session was closed
    /// already, by its peer say.
    ///
    /// What all sessions share, each task has a handle of its own to:
    ///
    /// ```no_run
    /// # use netcore::{Connection, Frame, SendError, Server};
    /// # use std::sync::Arc;
    /// # async fn greet(_: Connection<Frame, Frame>, _: Arc<String>) -> Result<(), SendError> { Ok(()) }
    /// # async fn main_(server: Server<Frame, Frame>) -> Result<(), netcore::ServerError> {
    /// let greeting = Arc::new("hello".to_owned());
    /// let running = server.serve(move |peer| greet(peer, greeting.clone())).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `handler` is called in the order in which the sessions of a door came, before the next one is let in: it makes the
    /// session's future and must not block.
    ///
    /// Cancel-safe: dropped before it is done, nothing listens.
    ///
    /// # Errors
    /// When a door cannot listen.
    pub async fn serve<F, T>(self, handler: F) -> Result<Running, ServerError>
    where
        F: Fn(Connection<In, Out>) -> T + Send + Sync + 'static,
        T: Future<Output: Outcome> + Send + 'static,
    {
        let handler = move |connection: Connection<In, Out>| {
            let (id, outbox) = (connection.id(), connection.outbox());
            let task = handler(connection);
            Box::pin(async move {
                if let Some(error) = task.await.error() {
                    task::failed(id, outbox.closed(), error);
                }
            }) as Handling
        };
        let (stats, stop) = (Arc::new(Stats::default()), CancellationToken::new());
        let opened = self.open(Way::Task(Arc::new(handler)), stats).await?;
        Ok(Running::new(opened, stop, Arc::new(|_, (), _| Err(Untold::Gone(())))))
    }

    /// Starts, with one worker that owns `logic`. After a panic it goes on with the same state: to make it anew needs
    /// [`workers`](Self::workers).
    ///
    /// Cancel-safe: dropped before it is done, nothing listens.
    ///
    /// # Errors
    /// When a door cannot listen.
    pub async fn logic<L>(mut self, logic: L) -> Result<Running<L::Message>, ServerError>
    where
        L: Logic<In = In, Out = Out>,
    {
        if self.worker.after_panic == AfterPanic::Rebuild {
            self.worker.after_panic = AfterPanic::GoOn;
        }
        self.start(vec![logic], None).await
    }

    /// Starts, with so many workers (1 at least), each with a value of its own that `make` makes out of its number. A new
    /// session begins on one after the other.
    ///
    /// Cancel-safe: dropped before it is done, nothing listens.
    ///
    /// # Errors
    /// When a door cannot listen.
    pub async fn workers<L>(
        self,
        count: usize,
        make: impl Fn(usize) -> L + Send + Sync + 'static,
    ) -> Result<Running<L::Message>, ServerError>
    where
        L: Logic<In = In, Out = Out>,
    {
        let logics = (0..count.max(1)).map(&make).collect();
        self.start(logics, Some(Arc::new(make))).await
    }
}

impl<In: Send + 'static, Out: Send + Sync + 'static> Default for Server<In, Out> {
    fn default() -> Self {
        Self::new()
    }
}
