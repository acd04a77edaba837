//! What takes long, beside a worker.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

use tracing::error;

use super::queue::{Event, Queue};
use super::{Context, Full, Logic};
use crate::session::SessionId;

/// Dropped with the worker, it ends the background work.
#[derive(Default)]
pub(super) struct Over(tokio_util::sync::CancellationToken);

impl Over {
    pub(super) fn token(&self) -> tokio_util::sync::CancellationToken {
        self.0.clone()
    }
}

impl Drop for Over {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Which of a worker's sessions something is done for, and since when it is that worker's.
pub(super) type Whom = (SessionId, u64);

impl<L: Logic> Context<L> {
    /// Does what takes long in the background, on the runtime's own threads, and brings its result as a message. A shutdown
    /// waits for it, and for its message, within the [drain time](crate::Server::drain); what is not done then is dropped,
    /// and counted in [`Report::cut_work`](crate::Report). What panics brings no message, and is counted and logged.
    /// Nor does what a state asked for that was made anew since ([`AfterPanic::Rebuild`](crate::AfterPanic::Rebuild)): it is
    /// done to its end, and its result dropped.
    ///
    /// # Errors
    /// [`Full`] when this worker waits for as many messages as it may.
    pub fn spawn<F>(&mut self, work: F) -> Result<(), Full<()>>
    where
        F: Future<Output = L::Message> + Send + 'static,
    {
        self.begin(None, work)
    }

    /// As [`spawn`](Self::spawn), for what must be known before a session's next packet can be judged: until the message
    /// has come, nothing more is heard of the session. What its peer sends meanwhile waits in its inbox, in order and within
    /// the inbox's bounds, the session's end behind it: a peer that sends and closes is answered all the same.
    ///
    /// The session can be sent to, closed and moved; if it has closed or moved away when the work is done, no message
    /// comes, nor if the state was made anew meanwhile. A panic of the work closes it, as one of a callback does. Nothing is
    /// done for a session that is not here.
    ///
    /// The end of a session waits as long as the work takes, so the work must have an end. Its clocks go on: work that a
    /// log-in waits for takes of [`Limits::login`](crate::Limits::login). A [`linger`](crate::Limits::linger) behind that
    /// deadline the peer's connection is closed, whatever the work does; [`Logic::closed`](crate::Logic::closed) is called
    /// behind its message all the same, and until then the session has its place among the
    /// [`max_sessions`](crate::Server::max_sessions).
    ///
    /// # Errors
    /// [`Full`] when this worker waits for as many messages as it may.
    ///
    /// ```
    /// use netcore::{Context, Logic, Packet, SessionId};
    /// # async fn ask_the_database(token: u64) -> bool { true }
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     #[packet(id = 1)]
    ///     LogIn { token: u64 },
    ///     #[packet(id = 2)]
    ///     Chat { #[raw(rest)] text: String },
    /// }
    /// #[derive(Packet)]
    /// enum ToClient {
    ///     #[packet(id = 101)]
    ///     LogIn { ok: u8 },
    /// }
    ///
    /// struct Lobby;
    ///
    /// struct LoggedIn(SessionId, bool);
    ///
    /// impl Logic for Lobby {
    ///     type In = ToServer;
    ///     type Out = ToClient;
    ///     type Message = LoggedIn;
    ///
    ///     fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: ToServer) {
    ///         if let ToServer::LogIn { token } = packet {
    ///             // A client may chat at once: it is heard when the answer is there.
    ///             let asking = async move { LoggedIn(session, ask_the_database(token).await) };
    ///             if ctx.spawn_for(session, asking).is_err() {
    ///                 ctx.send(session, &ToClient::LogIn { ok: 0 });
    ///             }
    ///         }
    ///     }
    ///
    ///     fn message(&mut self, ctx: &mut Context<Self>, LoggedIn(session, ok): LoggedIn) {
    ///         ctx.send(session, &ToClient::LogIn { ok: ok.into() });
    ///     }
    /// }
    /// ```
    pub fn spawn_for<F>(&mut self, session: SessionId, work: F) -> Result<(), Full<()>>
    where
        F: Future<Output = L::Message> + Send + 'static,
    {
        let Some(since) = self.slots.get(session).filter(|slot| !slot.leaving).map(|slot| slot.since) else {
            return Ok(());
        };
        self.begin(Some((session, since)), work)?;
        if let Some(slot) = self.slots.get_mut(session) {
            slot.awaited += 1;
        }
        self.interrupted = true;
        Ok(())
    }

    fn begin<F>(&mut self, whom: Option<Whom>, work: F) -> Result<(), Full<()>>
    where
        F: Future<Output = L::Message> + Send + 'static,
    {
        let Some(queue) = self.queues.get(self.worker).filter(|queue| queue.reserve()).cloned() else {
            self.stats.messages_refused.fetch_add(1, Relaxed);
            return Err(Full(()));
        };
        let (over, stats, made) = (self.over.token(), self.stats.clone(), self.made);
        // Here, not in the task, which a runtime that ends drops before it is polled.
        let under_way = UnderWay::new(queue, whom, made);
        self.io.spawn(async move {
            let mut under_way = under_way;
            let mut work = pin!(work);
            let guarded = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
                Ok(polled) => polled.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            });
            match over.run_until_cancelled(guarded).await {
                Some(Ok(message)) => under_way.done(message),
                Some(Err(panic)) => {
                    stats.panics.fetch_add(1, Relaxed);
                    let session = whom.map(|(session, _)| tracing::field::display(session));
                    error!(session, panic = super::panicked::words(&*panic), "background work panicked");
                }
                None => {}
            }
        });
        Ok(())
    }

    /// Work for a session is done: it is heard again, unless there is more. Whether it is still the same one.
    pub(super) fn heard_again(&mut self, (session, since): Whom) -> bool {
        let Some(slot) = self.slots.get_mut(session).filter(|slot| slot.since == since) else { return false };
        slot.awaited -= 1;
        if slot.awaited == 0 {
            self.schedule(session);
        }
        true
    }

    /// Of work that is under way for a session, no message will come.
    pub(super) fn abandon(&mut self, session: SessionId) {
        let since = self.slots.next();
        if let Some(slot) = self.slots.get_mut(session) {
            (slot.since, slot.awaited) = (since, 0);
            self.schedule(session);
        }
    }

    /// What came for a session meanwhile is to be handled.
    fn schedule(&mut self, session: SessionId) {
        if let Some(slot) = self.slots.get_mut(session)
            && std::mem::take(&mut slot.waits)
            && let Some(queue) = self.queues.get(self.worker)
        {
            queue.push(Event::Ready(slot.peer.clone()));
        }
    }
}

/// Work that has a place in its worker's queue for a message that has not come yet. Dropped without one, it gives that
/// back; a session that waits for it is told.
struct UnderWay<In, Message> {
    queue: Arc<Queue<In, Message>>,
    whom: Option<Whom>,
    // Which state asked for it.
    made: u64,
    told: bool,
}

impl<In, Message> UnderWay<In, Message> {
    fn new(queue: Arc<Queue<In, Message>>, whom: Option<Whom>, made: u64) -> Self {
        queue.begin_work();
        Self { queue, whom, made, told: false }
    }

    fn done(&mut self, message: Message) {
        self.told = true;
        self.queue.push(match self.whom {
            Some(whom) => Event::Done(whom, Some(message)),
            None => Event::Worked(self.made, message),
        });
    }
}

impl<In, Message> Drop for UnderWay<In, Message> {
    fn drop(&mut self) {
        match self.whom {
            _ if self.told => {}
            Some(whom) => self.queue.push(Event::Done(whom, None)),
            None => self.queue.release(),
        }
        self.queue.end_work();
    }
}
