//! How the doors open.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, Weak};

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Server, ServerError};
use crate::runtime::caps::Caps;
use crate::runtime::door::{Place, TcpSettings};
use crate::runtime::house::{Entrance, House, Way};
use crate::runtime::incoming::Arrivals;
use crate::runtime::memory::MemoryListener;
use crate::runtime::registry::Registry;
use crate::runtime::relief::Relief;
use crate::runtime::running::Opened;
use crate::runtime::work::erased;
use crate::runtime::{Stats, listen};
use crate::session::{Full, Meter, Total, no_time};

impl<In: Send + 'static, Out: Send + Sync + 'static> Server<In, Out> {
    /// Opens the doors and lets sessions in.
    pub(super) async fn open(self, way: Way<In, Out>, stats: Arc<Stats>) -> Result<Opened, ServerError> {
        if self.doors.is_empty() {
            return Err(ServerError::NoDoor);
        }
        let (mut addresses, mut places, mut entrances) = (Vec::new(), Vec::new(), Vec::new());
        for mut door in self.doors {
            let handshake = door.take_handshake();
            let handshake =
                handshake.map_err(|source| ServerError::Hello { door: door.name.clone(), source })?;
            let heartbeat = door.limits.heartbeat.as_ref();
            heartbeat
                .map_or(Ok(()), |heartbeat| heartbeat.check(&door.limits, door.adapter.spoken()))
                .map_err(|source| ServerError::Heartbeat { door: door.name.clone(), source })?;
            let within =
                if handshake.any() { no_time("handshake_within", Some(handshake.within)) } else { Ok(()) };
            within
                .and_then(|()| door.limits.check(door.adapter.spoken(), door.adapter.certain()))
                .map_err(|source| ServerError::Limits { door: door.name.clone(), source })?;
            entrances.push(Entrance {
                name: door.name.clone(),
                notice: door.notice(stats.clone()),
                encoding: door.encoding(self.slow),
                limits: Arc::new(door.limits),
                meter: Meter::new(&door.name, door.adapter.spoken()),
                adapter: door.adapter,
                handshake: handshake.any().then(|| Arc::new(handshake)),
            });
            places.push(match door.place {
                Place::Memory(listener) => Listening::Memory(listener),
                Place::Incoming(arrivals) => Listening::Incoming(arrivals),
                Place::Tcp(address) => {
                    let bound = listen::bind(&address, door.tcp).await;
                    let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
                    let (at, listener) = bound.map_err(|source| ServerError::Bind {
                        door: door.name.clone(),
                        address: address.clone(),
                        source,
                    })?;
                    addresses.push((door.name, at));
                    Listening::Tcp(listener, door.tcp)
                }
            });
        }
        let too_much = Arc::new(Notify::new());
        #[cfg(feature = "metrics")]
        let publisher = crate::runtime::metrics::Publisher::new(stats.clone());
        let house = Arc::new_cyclic(|house: &Weak<House<In, Out>>| {
            let (house, nearly) = (house.clone(), too_much.clone());
            let full = move |full| match full {
                Full::Nearly => {
                    nearly.notify_one();
                    false
                }
                Full::Over { len, whole, close } => {
                    house.upgrade().is_some_and(|house| house.make_room(len, whole, close))
                }
            };
            let total = Arc::new(Total::new(self.max_queued_bytes, full));
            let _ = stats.total.set(total.clone());
            let registry = Registry::new(Caps::new(self.max_sessions, self.max_per_address));
            let _ = stats.caps.set(registry.caps().clone());
            House {
                #[cfg(feature = "metrics")]
                _publisher: publisher.clone(),
                entrances,
                registry,
                stats: stats.clone(),
                total,
                max_queued: self.max_queued_bytes,
                relief: Relief::new(),
                way,
                sessions: TaskTracker::new(),
                closing: AtomicBool::new(false),
                refused: Mutex::default(),
                handshakes: AtomicUsize::new(0),
                max_handshakes: self.max_handshakes,
                max_refusals: self.max_refusals,
                stop_handshakes: CancellationToken::new(),
            }
        });
        let mut accepting = JoinSet::new();
        for (door, place) in places.into_iter().enumerate() {
            let house = house.clone();
            accepting.spawn(match place {
                Listening::Tcp(listener, tcp) => erased(listen::accept_tcp(house, door, listener, tcp)),
                Listening::Memory(listener) => erased(listen::accept_memory(house, door, listener)),
                Listening::Incoming(arrivals) => erased(listen::accept_incoming(house, door, arrivals)),
            });
        }
        let mut keeping = JoinSet::new();
        keeping.spawn(erased(house.clone().relieve(too_much)));
        #[cfg(feature = "metrics")]
        keeping.spawn(erased(publisher.run(house.clone())));
        Ok(Opened { addresses, accepting, keeping, house: Box::new(house), stats, drain: self.drain })
    }
}

enum Listening {
    Tcp(TcpListener, TcpSettings),
    Memory(MemoryListener),
    Incoming(Arrivals),
}
