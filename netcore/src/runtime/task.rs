//! A session whose game is a task: link and game in one, polled by turns.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Poll, ready};

use tracing::{debug, error, info};

use super::link::{Link, Progress, Transport, Turns};
use super::peer::Peer;
use super::time::now;
use super::{Connection, Stats, turn};
use crate::session::{Clock, CloseReason, SessionId};

/// How a session's task ends: with nothing to say, or with a `Result`, whose error is [logged](super::Server::serve).
#[diagnostic::on_unimplemented(
    message = "a session's task ends with `()` or a `Result<(), E>`, not with `{Self}`",
    label = "this task ends with `{Self}`",
    note = "`E` is any error that can be displayed: it is logged"
)]
pub trait Outcome {
    /// What went wrong, if anything did.
    fn error(&self) -> Option<&dyn fmt::Display>;
}

impl Outcome for () {
    fn error(&self) -> Option<&dyn fmt::Display> {
        None
    }
}

impl<E: fmt::Display> Outcome for Result<(), E> {
    fn error(&self) -> Option<&dyn fmt::Display> {
        self.as_ref().err().map(|error| error as &dyn fmt::Display)
    }
}

/// Logs it.
pub(super) fn failed(session: SessionId, closed: Option<CloseReason>, error: &dyn fmt::Display) {
    // Of what the peer did, or a limit of the door, the close says more.
    if closed == Some(CloseReason::Ended) {
        info!(%session, %error, "the session's task ended with an error");
    } else {
        // Within the session's span, which has its id.
        debug!(%error, "the session's task ended with an error");
    }
}

/// What a session's task does.
pub(super) type Handling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes what a session's task does; `None` if the game's code panicked.
pub(super) fn begin<In, Out>(
    handler: &(dyn Fn(Connection<In, Out>) -> Handling + Send + Sync),
    connection: Connection<In, Out>,
    peer: &Peer<In>,
    stats: &Stats,
) -> Option<Handling> {
    let game = catch_unwind(AssertUnwindSafe(|| handler(connection)));
    game.inspect_err(|panic| panicked(peer, stats, &**panic)).ok()
}

/// Runs a session's link and its game's task as one task, which is polled by turns: neither wakes the other through the
/// scheduler.
pub(super) async fn both<In: 'static, T: Transport>(
    link: Box<Link<In, T>>,
    mut game: Option<Handling>,
    peer: &Arc<Peer<In>>,
    stats: &Stats,
) -> CloseReason {
    // Gone once the session is over, and its socket with it; the game may still have something to finish.
    let mut link = Some(link);
    let mut reason = CloseReason::Ended;
    peer.play(game.is_some());
    poll_fn(|cx| {
        let mut clock = Clock::new(now);
        let mut played = false;
        let mut turns = Turns::default();
        loop {
            ready!(turns.poll_next(cx));
            // The link first: a wake-up brings packets, mostly.
            let delivered = match link.as_mut().map(|link| link.poll(cx, &clock)) {
                Some(Progress::Delivered) => true,
                Some(Progress::Done(why)) => {
                    reason = why;
                    link = None;
                    true
                }
                Some(Progress::Pending) | None => false,
            };
            if game.is_none() && link.is_none() {
                return Poll::Ready(reason);
            }
            let Some(task) = game.as_mut().filter(|_| delivered || !played) else {
                if delivered {
                    continue;
                }
                return Poll::Pending;
            };
            let turn = turn::begin(&peer.outbox);
            let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx)));
            let mut said = turn.end();
            let settled = match &mut link {
                Some(link) => {
                    link.send_own(cx, &mut said);
                    link.is_settled()
                }
                None => {
                    peer.outbox.push_own(&mut said);
                    true
                }
            };
            turn::give(said);
            played = true;
            // The game may have taken long: what the link does next is not done at the time before.
            clock = Clock::new(now);
            match polled {
                Ok(Poll::Pending) if !delivered && settled && !peer.outbox.has_output() => {
                    return Poll::Pending;
                }
                Ok(Poll::Pending) => continue,
                Ok(Poll::Ready(())) => {}
                Err(panic) => panicked(peer, stats, &*panic),
            }
            game = None;
            peer.play(false);
            peer.ignore();
            peer.finish(CloseReason::Ended);
        }
    })
    .await
}

#[cold]
fn panicked<In>(peer: &Peer<In>, stats: &Stats, panic: &(dyn std::any::Any + Send)) {
    stats.panics.fetch_add(1, Relaxed);
    error!(session = %peer.id, panic = super::panicked::words(panic), "the session's task panicked");
    peer.finish(CloseReason::Panicked);
}

/// Runs one session over any stream, as a server with a task a session would.
#[cfg(feature = "testing")]
pub async fn serve_one<In, Out, S, F, T>(
    stream: S,
    adapter: impl super::Adapter<In, Out>,
    handler: F,
) -> CloseReason
where
    In: Send + 'static,
    Out: Send + Sync + 'static,
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    F: Fn(Connection<In, Out>) -> T + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    use super::encoding::{Encoding, Writes};
    use crate::session::{Limits, Meter, Outbox, Session, SessionId};

    let outbox = Outbox::new(256 * 1024).measured(Meter::new("testing", adapter.spoken()));
    let peer = Arc::new(Peer::new(SessionId::new(0, 0), 0, None, outbox.clone(), None, None));
    let adapter = Arc::new(adapter);
    let stats = Arc::new(Stats::default());
    let session = Session::new(Arc::new(Limits::new()), adapter.open(), outbox, now());
    let link = Link::new(stream, session, peer.clone(), stats.clone());
    let encode = Arc::new(Writes(adapter, std::marker::PhantomData));
    let connection = Connection::new(peer.clone(), Encoding { encode, slow: None, door: "".into() });
    both(link, Some(Box::pin(handler(connection))), &peer, &stats).await
}
