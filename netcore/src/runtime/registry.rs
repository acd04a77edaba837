//! Every session of a server, and how many there may be.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use super::peer::Peer;
use crate::session::{CloseReason, SessionId};

/// The sessions of a server by their index, and how many each address has.
pub(crate) struct Registry<In> {
    inner: Mutex<Inner<In>>,
    free: Arc<Free>,
    max_sessions: usize,
    max_per_address: usize,
}

/// Indices that may be used again. First in, first out: one rests as long as it can.
#[derive(Default)]
pub(crate) struct Free(Mutex<VecDeque<u32>>);

impl Free {
    fn take(&self) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn give(&self, index: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(index);
    }
}

struct Inner<In> {
    places: Vec<Place<In>>,
    addresses: HashMap<IpAddr, usize>,
    // With those that have no session yet.
    count: usize,
    sessions: usize,
    // The sessions have been told that the server stops.
    told: bool,
    aborted: bool,
}

struct Place<In> {
    generation: u32,
    peer: Option<Arc<Peer<In>>>,
    task: Option<AbortHandle>,
}

impl<In> Registry<In> {
    pub(crate) fn new(max_sessions: usize, max_per_address: usize) -> Self {
        let inner = Inner {
            places: Vec::new(),
            addresses: HashMap::new(),
            count: 0,
            sessions: 0,
            told: false,
            aborted: false,
        };
        Self { inner: Mutex::new(inner), free: Arc::default(), max_sessions, max_per_address }
    }

    /// Where a session's index goes when nobody knows the session any more.
    pub(crate) fn free(&self) -> Arc<Free> {
        self.free.clone()
    }

    /// Makes room for one more session, and names it.
    pub(crate) fn admit(&self, address: Option<IpAddr>) -> Result<SessionId, CloseReason> {
        let mut inner = self.lock();
        self.count(&mut inner, address)?;
        Ok(self.name_next(&mut inner))
    }

    /// Makes room for one more session, which does not begin yet.
    pub(crate) fn reserve(&self, address: Option<IpAddr>) -> Result<(), CloseReason> {
        self.count(&mut self.lock(), address)
    }

    /// Who has made room turns out to come from that address.
    pub(crate) fn reserve_at(&self, address: IpAddr) -> Result<(), CloseReason> {
        self.count_address(&mut self.lock(), address)
    }

    /// Names the session for which there is room already.
    pub(crate) fn name(&self) -> SessionId {
        self.name_next(&mut self.lock())
    }

    /// Nothing came of it.
    pub(crate) fn leave(&self, address: Option<IpAddr>) {
        self.lock().leave(address);
    }

    fn count(&self, inner: &mut Inner<In>, address: Option<IpAddr>) -> Result<(), CloseReason> {
        if inner.count >= self.max_sessions {
            return Err(CloseReason::ServerFull);
        }
        if let Some(address) = address {
            self.count_address(inner, address)?;
        }
        inner.count += 1;
        Ok(())
    }

    fn count_address(&self, inner: &mut Inner<In>, address: IpAddr) -> Result<(), CloseReason> {
        let here = inner.addresses.entry(whole(address)).or_default();
        if *here >= self.max_per_address {
            return Err(CloseReason::AddressFull);
        }
        *here += 1;
        Ok(())
    }

    fn name_next(&self, inner: &mut Inner<In>) -> SessionId {
        inner.sessions += 1;
        let index = self.free.take().unwrap_or_else(|| {
            inner.places.push(Place { generation: 0, peer: None, task: None });
            u32::try_from(inner.places.len() - 1).unwrap_or(u32::MAX)
        });
        let generation = inner.places.get(index as usize).map_or(0, |place| place.generation);
        SessionId::new(index, generation)
    }

    /// Lets everyone find a session. `false`: all others have been [told](Self::tell) already that the server stops.
    pub(crate) fn insert(&self, peer: Arc<Peer<In>>) -> bool {
        let mut inner = self.lock();
        if let Some(place) = inner.places.get_mut(peer.id.index() as usize) {
            place.peer = Some(peer);
        }
        !inner.told
    }

    /// All sessions there are, to be told that the server stops.
    pub(crate) fn tell(&self) -> Vec<Arc<Peer<In>>> {
        let mut inner = self.lock();
        inner.told = true;
        inner.peers()
    }

    /// The task that a session runs in, unless it is over already.
    pub(crate) fn runs_in(&self, id: SessionId, task: AbortHandle) {
        let mut inner = self.lock();
        if inner.aborted {
            drop(inner);
            return task.abort();
        }
        if let Some(place) = inner.places.get_mut(id.index() as usize)
            && place.generation == id.generation()
        {
            place.task = Some(task);
        }
    }

    /// The session is over. Its index is used again only when the game does not know it any more either.
    pub(crate) fn release(&self, id: SessionId, address: Option<IpAddr>) {
        let mut inner = self.lock();
        inner.leave(address);
        inner.sessions -= 1;
        if let Some(place) = inner.places.get_mut(id.index() as usize) {
            place.generation = place.generation.wrapping_add(1);
            place.peer = None;
            place.task = None;
        }
    }

    pub(crate) fn peers(&self) -> Vec<Arc<Peer<In>>> {
        self.lock().peers()
    }

    /// Ends the tasks of all sessions where they are, one that opens at this moment included.
    pub(crate) fn abort(&self) {
        let mut inner = self.lock();
        inner.aborted = true;
        let tasks: Vec<_> = inner.places.iter_mut().filter_map(|place| place.task.take()).collect();
        // Not under the lock, which a task takes as it ends.
        drop(inner);
        for task in tasks {
            task.abort();
        }
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().sessions
    }

    fn lock(&self) -> MutexGuard<'_, Inner<In>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<In> Inner<In> {
    fn peers(&self) -> Vec<Arc<Peer<In>>> {
        self.places.iter().filter_map(|place| place.peer.clone()).collect()
    }

    fn leave(&mut self, address: Option<IpAddr>) {
        if let Some(address) = address.map(whole)
            && let Some(here) = self.addresses.get_mut(&address)
        {
            *here -= 1;
            if *here == 0 {
                self.addresses.remove(&address);
            }
        }
        self.count -= 1;
    }
}

/// What counts as one address: of IPv6 the network, since each customer has 2^64 addresses to come from.
fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_hold_in_total_and_per_address_and_indices_rest() {
        let registry = Registry::<()>::new(3, 2);
        let at = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let first = registry.admit(at("2001:db8::1")).unwrap();
        registry.admit(at("2001:db8::2")).unwrap();
        assert_eq!(registry.admit(at("2001:db8::3")), Err(CloseReason::AddressFull), "one network");
        registry.admit(at("10.0.0.1")).unwrap();
        assert_eq!(registry.admit(at("10.0.0.2")), Err(CloseReason::ServerFull));
        registry.release(first, at("2001:db8::1"));
        registry.free().give(first.index());
        let again = registry.admit(at("2001:db8::3")).unwrap();
        assert_eq!((again.index(), again.generation()), (first.index(), first.generation() + 1));
        assert_eq!(registry.len(), 3);
    }
}
