//! What all sessions of a server share, and how one begins.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, error};

use super::encoding::Encoding;
use super::handshake::{self, Guest, Handshake, Shaken};
use super::link::{Link, Transport};
use super::peer::{Notice, Peer};
use super::registry::Registry;
use super::relief::Relief;
use super::task::{self, Handling};
use super::time::now;
use super::transport::reads_on;
use super::{Adapter, Connection, Stats};
use crate::session::{CloseReason, Limits, Meter, Outbox, Session, SessionId, Total};

/// A running server, seen from inside.
pub(super) struct House<In, Out> {
    // Dropped with the last session, it tells what came after the last second.
    #[cfg(feature = "metrics")]
    pub(super) _publisher: Arc<super::metrics::Publisher>,
    pub(super) entrances: Vec<Entrance<In, Out>>,
    pub(super) registry: Registry<In>,
    pub(super) stats: Arc<Stats>,
    pub(super) total: Arc<Total>,
    pub(super) max_queued: usize,
    pub(super) relief: Relief,
    pub(super) way: Way<In, Out>,
    pub(super) sessions: TaskTracker,
    // A shutdown has begun: what was accepted just before is not let in any more.
    pub(super) closing: AtomicBool,
    // Those who are being told that there is no room for them.
    pub(super) refused: Mutex<JoinSet<Result<(), Elapsed>>>,
    // How many handshakes are under way, and may be; cancelled, they end.
    pub(super) handshakes: AtomicUsize,
    pub(super) max_handshakes: usize,
    pub(super) max_refusals: usize,
    pub(super) stop_handshakes: CancellationToken,
}

/// A door, without its socket.
pub(super) struct Entrance<In, Out> {
    pub(super) name: String,
    pub(super) adapter: Arc<dyn Adapter<In, Out>>,
    pub(super) encoding: Encoding<Out>,
    pub(super) limits: Arc<Limits>,
    pub(super) notice: Option<Notice>,
    // What comes before the session; most doors have nothing.
    pub(super) handshake: Option<Arc<Handshake>>,
    pub(super) meter: Meter,
}

/// How the game runs.
pub(super) enum Way<In, Out> {
    /// A task a session.
    Task(Arc<dyn Fn(Connection<In, Out>) -> Handling + Send + Sync>),
    /// Workers: one of them takes the session.
    Workers(Arc<dyn Fn(Arc<Peer<In>>) + Send + Sync>),
}

impl<In: Send + 'static, Out: Send + Sync + 'static> House<In, Out> {
    /// Lets a connection in: at once, or after its door's handshake.
    pub(super) fn arrive<T: Transport>(
        self: &Arc<Self>,
        transport: T,
        address: Option<SocketAddr>,
        door: usize,
    ) {
        match self.entrances.get(door).and_then(|entrance| entrance.handshake.as_ref()) {
            Some(handshake) => handshake::begin(self, handshake.clone(), transport, address, door),
            None => self.open(transport, address, door),
        }
    }

    /// Begins a session, if there is room for one.
    fn open<T: Transport>(self: &Arc<Self>, transport: T, address: Option<SocketAddr>, door: usize) {
        let Some(entrance) = self.entrances.get(door) else { return };
        if self.closing.load(Relaxed) {
            return self.refuse(transport, entrance, address, CloseReason::Stopping);
        }
        match self.registry.admit(address.map(|address| address.ip())) {
            Ok(id) => self.begin(transport, id, address, door, None),
            Err(reason) => self.refuse(transport, entrance, address, reason),
        }
    }

    /// Begins the session of a guest whose handshake is done.
    pub(super) fn open_shaken<T: Transport>(
        self: &Arc<Self>,
        shaken: Shaken<T>,
        guest: Guest<In, Out>,
        door: usize,
    ) {
        let Some(entrance) = self.entrances.get(door) else { return };
        let address = guest.address();
        if self.closing.load(Relaxed) {
            let reason = CloseReason::Stopping;
            return self.refuse(shaken.ended(reason), entrance, address, reason);
        }
        let id = guest.becomes_session();
        match shaken {
            Shaken::Same(transport) => self.begin(transport, id, address, door, None),
            Shaken::Other { transport, outbox } => self.begin(transport, id, address, door, Some(&outbox)),
        }
    }

    fn begin<T: Transport>(
        self: &Arc<Self>,
        transport: T,
        id: SessionId,
        address: Option<SocketAddr>,
        door: usize,
        slot: Option<&OnceLock<Outbox>>,
    ) {
        let Some(entrance) = self.entrances.get(door) else { return };
        let outbox = Outbox::within(entrance.limits.queue, Some(self.total.clone()));
        let outbox = outbox.measured(entrance.meter.clone());
        if let Some(slot) = slot {
            let _ = slot.set(outbox.clone());
        }
        // The adapter is the game's code, and this the task that accepts.
        let opened = catch_unwind(AssertUnwindSafe(|| entrance.adapter.open()));
        let panicked = |panic: Box<dyn std::any::Any + Send>| {
            error!(
                door = entrance.name,
                address = address.map(tracing::field::display),
                panic = super::panicked::words(&*panic),
                "the door's adapter panicked as a session was to begin"
            );
        };
        let Ok(decode) = opened.map_err(panicked) else {
            self.registry.release(id);
            self.registry.caps().end(id.index(), address.map(|address| address.ip()));
            self.stats.panics.fetch_add(1, Relaxed);
            outbox.close(CloseReason::Panicked);
            return self.refuse(transport, entrance, address, CloseReason::Panicked);
        };
        let peer = Arc::new(Peer::new(
            id,
            door,
            address,
            outbox.clone(),
            entrance.notice.clone(),
            Some(self.registry.caps().clone()),
        ));
        if !self.registry.insert(peer.clone()) {
            peer.end(CloseReason::Stopping, None);
        }
        self.stats.opened.fetch_add(1, Relaxed);
        let span = tracing::debug_span!("session", %id, door = entrance.name);
        debug!(session = %id, door = entrance.name, address = address.map(tracing::field::display), "opened");
        let session = Session::new(entrance.limits.clone(), decode, outbox, now());
        let link = Link::new(transport, session, peer.clone(), self.stats.clone());
        let ticket = Ticket { house: self.clone(), peer: peer.clone(), reason: None };
        let task = match &self.way {
            Way::Workers(open) => {
                open(peer);
                let task = async move {
                    let mut ticket = ticket;
                    ticket.reason = Some(link.run().await.0);
                };
                self.sessions.spawn(task.instrument(span))
            }
            Way::Task(handler) => {
                let connection = Connection::new(peer.clone(), entrance.encoding.clone());
                // Here, not in the task: the game sees its sessions in the order in which they came.
                let game = task::begin(&**handler, connection, &peer, &self.stats);
                let task = async move {
                    let mut ticket = ticket;
                    let stats = ticket.house.stats.clone();
                    ticket.reason = Some(task::both(link, game, &peer, &stats).await);
                };
                // What the game logs in the session's task says which session it was.
                self.sessions.spawn(task.instrument(span))
            }
        };
        self.registry.runs_in(id, task.abort_handle());
    }

    /// Says no. The peer hears why if the door has a word for it.
    pub(super) fn refuse<T: Transport>(
        &self,
        transport: T,
        entrance: &Entrance<In, Out>,
        address: Option<SocketAddr>,
        reason: CloseReason,
    ) {
        self.count_refused(entrance, address, reason);
        self.say_notice(transport, entrance, reason);
    }

    /// The door's last words, to a connection that is no session. Where it has none, TLS and WebSocket have an end of their own.
    pub(super) fn say_notice<T: Transport>(
        &self,
        transport: T,
        entrance: &Entrance<In, Out>,
        reason: CloseReason,
    ) {
        let mut words = BytesMut::new();
        match &entrance.notice {
            Some(notice) => notice(reason, &mut words),
            None if entrance.handshake.as_ref().is_some_and(|handshake| handshake.changes_transport()) => {}
            None => return,
        }
        self.see_off(transport, words, entrance.limits.linger);
    }

    /// Nothing becomes of a connection.
    pub(super) fn count_refused(
        &self,
        entrance: &Entrance<In, Out>,
        address: Option<SocketAddr>,
        reason: CloseReason,
    ) {
        let counter = match reason {
            CloseReason::AddressFull => Some(&self.stats.refused_address),
            CloseReason::Handshakes => Some(&self.stats.refused_handshakes),
            CloseReason::ServerFull | CloseReason::Stopping => Some(&self.stats.refused_full),
            CloseReason::Handshake(_) => Some(&self.stats.handshakes_timed_out),
            // Counted as what it is already, where it was caught.
            CloseReason::Panicked => None,
            _ => Some(&self.stats.handshakes_failed),
        };
        if let Some(counter) = counter {
            counter.fetch_add(1, Relaxed);
        }
        self.stats.turn_away(reason);
        debug!(door = entrance.name, address = address.map(tracing::field::display), %reason, "refused");
    }

    /// Last words to a connection that is no session.
    pub(super) fn see_off<T: Transport>(&self, transport: T, words: BytesMut, linger: Duration) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        while refused.try_join_next().is_some() {}
        if refused.len() < self.max_refusals {
            refused.spawn(timeout(linger, say_no(transport, words)));
        } else {
            self.stats.refusals_untold.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn count_accept_error(&self) {
        self.stats.accept_errors.fetch_add(1, Relaxed);
    }
}

/// Writes a refusal, then discards input: a connection closed with unread input is reset, which would destroy the words.
async fn say_no<T: Transport>(mut transport: T, words: BytesMut) {
    if transport.write_all(&words).await.is_ok() && transport.shutdown().await.is_ok() {
        let mut waste = [0; 256];
        loop {
            match transport.read(&mut waste).await {
                Ok(1..) => {}
                // The peer may have closed behind it, and waits for the end.
                Err(error) if reads_on(&error) && transport.shutdown().await.is_ok() => {}
                _ => break,
            }
        }
    }
}

/// A session's place in the server. Dropped, however its task ends, it is free again.
struct Ticket<In, Out> {
    house: Arc<House<In, Out>>,
    peer: Arc<Peer<In>>,
    // `None` where it was cut off.
    reason: Option<CloseReason>,
}

impl<In, Out> Drop for Ticket<In, Out> {
    fn drop(&mut self) {
        let id = self.peer.id;
        let mut reason = self.reason.or_else(|| self.peer.outbox.closed()).unwrap_or(CloseReason::Stopping);
        // The door's adapter is the game's code, and runs in the session's task.
        if std::thread::panicking() {
            reason = CloseReason::Panicked;
            self.house.stats.panics.fetch_add(1, Relaxed);
            error!(session = %id, "the door's adapter panicked");
        }
        self.house.stats.close(reason);
        self.house.registry.release(id);
        // The game, if it still knows the session: nothing goes out any more.
        self.peer.outbox.abort(reason);
        self.peer.end(reason, None);
        let address = self.peer.address.map(tracing::field::display);
        // Within the session's span, which has its id.
        debug!(address, %reason, "closed");
    }
}
