//! What a connection goes through before its session begins.
//!
//! ```text
//!  accept ─▶ caps ─▶ PROXY header ─▶ caps of that address ─▶ TLS ─▶ WebSocket ─▶ greeting ─▶ session
//!            └──────────── a task of its own, within the door's deadline ────────────┘
//! ```
//!
//! A door without any of it has no such task: its connections become sessions where they are accepted.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::{Instant, timeout_at};

use super::Proxy;
use super::house::House;
use super::link::Transport;
use super::time::YEARS;
#[cfg(feature = "websocket")]
use super::transport::websocket::NoUpgrade;
use super::work::erased;
use crate::session::{CloseReason, Outbox, SessionId};

/// What a door asks of a connection before its session begins.
pub(super) struct Handshake {
    pub(super) within: Duration,
    pub(super) proxy: Option<Proxy>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<super::Tls>,
    #[cfg(feature = "websocket")]
    pub(super) websocket: Option<super::WebSocket>,
    pub(super) greeting: Option<Greeting>,
}

/// A step on the finished transport that leaves it as it is, packets that come before all others, say. It reads no byte
/// beyond what is its own. The error closes the connection: what the step wrote before still arrives.
pub(super) type Greeting = Arc<dyn for<'a> Fn(&'a mut dyn Transport) -> Greeted<'a> + Send + Sync>;
pub(super) type Greeted<'a> = Pin<Box<dyn Future<Output = Result<(), CloseReason>> + Send + 'a>>;

/// A transport whose handshake is done.
pub(super) enum Shaken<T> {
    /// As it came.
    Same(T),
    #[allow(dead_code, reason = "for transports on top of the socket")]
    /// Something else on top of it, and where it wants its session's outbox.
    Other { transport: Box<dyn Transport>, outbox: Slot },
}

impl<T: Transport> Shaken<T> {
    /// Where there is no session to be: what is on top of the socket looks in its outbox for why it ends, as a WebSocket
    /// does for its close frame.
    pub(super) fn ended(self, reason: CloseReason) -> Box<dyn Transport> {
        match self {
            Self::Same(transport) => Box::new(transport),
            Self::Other { transport, outbox } => {
                let closed = Outbox::new(0);
                closed.close(reason);
                let _ = outbox.set(closed);
                transport
            }
        }
    }

    /// For something on top of it. That says that a write is done when all of a record or a message has left: with a peer
    /// that reads slowly but all the time, this can take longer than bytes may wait without any going out. So the socket
    /// tells the session's outbox what moves.
    #[cfg(any(feature = "tls", feature = "websocket"))]
    pub(super) fn below(self) -> (Box<dyn Transport>, Slot) {
        match self {
            Self::Same(transport) => {
                let slot = Slot::default();
                let session = slot.clone();
                let tell = move |_: &[u8]| {
                    if let Some(outbox) = session.get() {
                        outbox.has_moved();
                    }
                };
                (Box::new(tokio_util::io::InspectWriter::new(transport, tell)), slot)
            }
            Self::Other { transport, outbox } => (transport, outbox),
        }
    }
}

pub(super) type Slot = Arc<OnceLock<Outbox>>;

/// Why there is no session, and how the peer may hear of it.
struct Failed {
    reason: CloseReason,
    end: End,
}

enum End {
    /// There is nobody to hear it.
    Silence,
    /// The door's close notice, if it has one.
    Notice(Box<dyn Transport>),
    /// These bytes, or those that went out already.
    Words(Box<dyn Transport>, BytesMut),
}

impl Handshake {
    pub(super) fn new() -> Self {
        Self {
            within: Duration::from_secs(10),
            proxy: None,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "websocket")]
            websocket: None,
            greeting: None,
        }
    }

    /// Whether there is anything to do.
    pub(super) fn any(&self) -> bool {
        self.proxy.is_some() || self.changes_transport() || self.greeting.is_some()
    }

    /// Whether the door's own bytes go out only after it.
    pub(super) fn changes_transport(&self) -> bool {
        let changes = false;
        #[cfg(feature = "tls")]
        let changes = changes || self.tls.is_some();
        #[cfg(feature = "websocket")]
        let changes = changes || self.websocket.is_some();
        changes
    }

    /// What is said to somebody for whom there is no room, before anything was read: where the peers begin with HTTP in the
    /// clear, its own word for that.
    fn no_room(&self, reason: CloseReason) -> Option<BytesMut> {
        use CloseReason::{AddressFull, Handshakes, ServerFull, Stopping};
        if !matches!(reason, ServerFull | AddressFull | Handshakes | Stopping) {
            return None;
        }
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return None;
        }
        #[cfg(feature = "websocket")]
        return self.websocket.as_ref()?.no_room(reason);
        #[cfg(not(feature = "websocket"))]
        None
    }

    async fn shake<In, Out, T>(
        &self,
        mut transport: T,
        guest: &mut Guest<In, Out>,
    ) -> Result<Shaken<T>, Failed>
    where
        In: Send + 'static,
        Out: Send + Sync + 'static,
        T: Transport,
    {
        if let Some(proxy) = &self.proxy {
            let source = proxy.read(&mut transport).await;
            if let Err(reason) = source.and_then(|source| guest.comes_from(source)) {
                let end = match self.no_room(reason) {
                    Some(words) => End::Words(Box::new(transport), words),
                    None if self.changes_transport() => End::Silence,
                    None => End::Notice(Box::new(transport)),
                };
                return Err(Failed { reason, end });
            }
        }
        let shaken = Shaken::Same(transport);
        #[cfg(feature = "tls")]
        let shaken = match &self.tls {
            None => shaken,
            Some(tls) => {
                let (below, outbox) = shaken.below();
                match tls.accept(below).await {
                    Ok(records) => Shaken::Other { transport: Box::new(records), outbox },
                    // Behind the alert that went out.
                    Err((reason, transport)) => {
                        return Err(Failed { reason, end: End::Words(transport, BytesMut::new()) });
                    }
                }
            }
        };
        #[cfg(feature = "websocket")]
        let shaken = match &self.websocket {
            None => shaken,
            Some(websocket) => {
                let (below, outbox) = shaken.below();
                match websocket.accept(below).await {
                    Ok(stream) => Shaken::Other { transport: Box::new(stream.of(outbox.clone())), outbox },
                    Err(NoUpgrade { reason, words }) => {
                        let end =
                            words.map_or(End::Silence, |(transport, words)| End::Words(transport, words));
                        return Err(Failed { reason, end });
                    }
                }
            }
        };
        Ok(shaken)
    }

    /// The last step, on what has an end in order already, also where the step is not done in time.
    async fn greet<T: Transport>(
        &self,
        mut shaken: Shaken<T>,
        deadline: Instant,
        late: CloseReason,
    ) -> Result<Shaken<T>, Failed> {
        let Some(greeting) = &self.greeting else { return Ok(shaken) };
        let greeted = match &mut shaken {
            Shaken::Same(transport) => greeting(transport),
            Shaken::Other { transport, .. } => greeting(transport),
        };
        match timeout_at(deadline, greeted).await.unwrap_or(Err(late)) {
            Ok(()) => Ok(shaken),
            Err(reason) => Err(Failed { reason, end: End::Words(shaken.ended(reason), BytesMut::new()) }),
        }
    }
}

/// Begins a handshake, if there is room for one.
pub(super) fn begin<In, Out, T>(
    house: &Arc<House<In, Out>>,
    handshake: Arc<Handshake>,
    transport: T,
    address: Option<SocketAddr>,
    door: usize,
) where
    In: Send + 'static,
    Out: Send + Sync + 'static,
    T: Transport,
{
    let Some(entrance) = house.entrances.get(door) else { return };
    let mut guest = match Guest::admit(house, &handshake, address) {
        Ok(guest) => guest,
        Err(reason) if handshake.changes_transport() => {
            house.count_refused(entrance, address, reason);
            if let Some(words) = handshake.no_room(reason) {
                house.see_off(transport, words, entrance.limits.linger);
            }
            return;
        }
        Err(reason) => return house.refuse(transport, entrance, address, reason),
    };
    let house = house.clone();
    let (stop, tracked) = (house.stop_handshakes.clone(), house.sessions.clone());
    let work = async move {
        let within = handshake.within.min(YEARS);
        let (deadline, late) = (Instant::now() + within, CloseReason::Handshake(within));
        let shaken = match timeout_at(deadline, handshake.shake(transport, &mut guest)).await {
            Ok(Ok(shaken)) => handshake.greet(shaken, deadline, late).await,
            Ok(failed) => failed,
            Err(_) => Err(Failed { reason: late, end: End::Silence }),
        };
        match shaken {
            Ok(shaken) => house.open_shaken(shaken, guest, door),
            Err(failed) => house.turn_away(guest, failed, door),
        }
    };
    // A shutdown does not wait for those who have not even come in; only for one that is coming in at that moment.
    tracked.spawn(erased(async move { stop.run_until_cancelled(work).await }));
}

impl<In: Send + 'static, Out: Send + Sync + 'static> House<In, Out> {
    fn turn_away(&self, guest: Guest<In, Out>, failed: Failed, door: usize) {
        let Some(entrance) = self.entrances.get(door) else { return };
        let Failed { reason, end } = failed;
        self.count_refused(entrance, guest.address(), reason);
        // Whom it is told is not a guest any more.
        drop(guest);
        match end {
            End::Silence => {}
            End::Notice(transport) => self.say_notice(transport, entrance, reason),
            End::Words(transport, words) => self.see_off(transport, words, entrance.limits.linger),
        }
    }
}

/// Who has a place among the sessions, but no session yet. Dropped, it gives the place back.
pub(super) struct Guest<In: Send + 'static, Out: Send + Sync + 'static> {
    house: Arc<House<In, Out>>,
    address: Option<SocketAddr>,
    // Counted among those of that address.
    counted: bool,
    is_session: bool,
}

impl<In: Send + 'static, Out: Send + Sync + 'static> Guest<In, Out> {
    fn admit(
        house: &Arc<House<In, Out>>,
        handshake: &Handshake,
        address: Option<SocketAddr>,
    ) -> Result<Self, CloseReason> {
        if house.closing.load(Relaxed) {
            return Err(CloseReason::Stopping);
        }
        if let Some(proxy) = &handshake.proxy {
            proxy.check(address)?;
        }
        if house.handshakes.fetch_add(1, Relaxed) >= house.max_handshakes {
            house.handshakes.fetch_sub(1, Relaxed);
            return Err(CloseReason::Handshakes);
        }
        // A proxy's own address would be that of everyone.
        let counted = address.filter(|_| handshake.proxy.is_none());
        if let Err(reason) = house.registry.caps().reserve(counted.map(|address| address.ip())) {
            house.handshakes.fetch_sub(1, Relaxed);
            return Err(reason);
        }
        Ok(Self { house: house.clone(), address, counted: counted.is_some(), is_session: false })
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// A proxy has said where the peer comes from; if it did not, it is the proxy itself.
    fn comes_from(&mut self, source: Option<SocketAddr>) -> Result<(), CloseReason> {
        self.address = source.or(self.address);
        if let Some(address) = self.address {
            self.house.registry.caps().reserve_at(address.ip())?;
            self.counted = true;
        }
        Ok(())
    }

    /// Its place becomes that of a session.
    pub(super) fn becomes_session(mut self) -> SessionId {
        self.is_session = true;
        self.house.registry.name()
    }
}

impl<In: Send + 'static, Out: Send + Sync + 'static> Drop for Guest<In, Out> {
    fn drop(&mut self) {
        self.house.handshakes.fetch_sub(1, Relaxed);
        if !self.is_session {
            let address = self.address.filter(|_| self.counted);
            self.house.registry.caps().leave(address.map(|address| address.ip()));
        }
    }
}
