//! Every session of a server.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use super::caps::Caps;
use super::peer::Peer;
use crate::session::{CloseReason, SessionId};

/// The sessions of a server by their index.
pub(crate) struct Registry<In> {
    inner: Mutex<Inner<In>>,
    caps: Arc<Caps>,
}

struct Inner<In> {
    places: Vec<Place<In>>,
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

/// Sessions for which much waits.
pub(crate) struct Longer<In> {
    /// With how many bytes that is.
    pub(crate) peers: Vec<(usize, Arc<Peer<In>>)>,
    /// How many bytes wait for all there are, and how many these are.
    pub(crate) all: usize,
    pub(crate) sessions: usize,
}

impl<In> Registry<In> {
    pub(crate) fn new(caps: Caps) -> Self {
        let inner = Inner { places: Vec::new(), sessions: 0, told: false, aborted: false };
        Self { inner: Mutex::new(inner), caps: Arc::new(caps) }
    }

    /// How many there may be; where a session's place goes when nobody knows the session any more.
    pub(crate) fn caps(&self) -> &Arc<Caps> {
        &self.caps
    }

    /// Makes room for one more session, and names it.
    pub(crate) fn admit(&self, address: Option<IpAddr>) -> Result<SessionId, CloseReason> {
        self.caps.reserve(address)?;
        Ok(self.name())
    }

    /// Names the session for which there is room already.
    pub(crate) fn name(&self) -> SessionId {
        let free = self.caps.index();
        let mut inner = self.lock();
        inner.sessions += 1;
        let index = free.unwrap_or_else(|| {
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
    pub(crate) fn release(&self, id: SessionId) {
        let mut inner = self.lock();
        inner.sessions -= 1;
        if let Some(place) = inner.places.get_mut(id.index() as usize) {
            place.generation = place.generation.wrapping_add(1);
            let last = place.peer.take();
            place.task = None;
            // Not under the lock: packets that nobody takes may go with it, which are the game's own.
            drop(inner);
            drop(last);
        }
    }

    pub(crate) fn peers(&self) -> Vec<Arc<Peer<In>>> {
        self.lock().peers()
    }

    /// The sessions for which more than `floor` bytes wait.
    pub(crate) fn longer_than(&self, floor: usize) -> Longer<In> {
        let (inner, mut peers, mut all) = (self.lock(), Vec::new(), 0);
        for peer in inner.places.iter().filter_map(|place| place.peer.as_ref()) {
            let queued = peer.outbox.burden();
            all += queued;
            if queued > floor {
                peers.push((queued, peer.clone()));
            }
        }
        Longer { peers, all, sessions: inner.sessions }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_comes_again_with_the_next_generation() {
        let registry = Registry::<()>::new(Caps::new(3, 2));
        let first = registry.admit(None).unwrap();
        registry.admit(None).unwrap();
        registry.release(first);
        assert_eq!(
            (registry.len(), registry.admit(None).unwrap().index()),
            (1, 2),
            "somebody knows it still"
        );
        assert_eq!(registry.admit(None), Err(CloseReason::ServerFull));
        registry.caps().end(first.index(), None);
        let again = registry.admit(None).unwrap();
        assert_eq!((again.index(), again.generation()), (first.index(), first.generation() + 1));
    }
}
