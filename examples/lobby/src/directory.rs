//! What all workers know together: who has which name and is where, which seats are taken, who was invited.
//!
//! A name must be one user's over all workers, at once. So it is claimed here, under a lock that is held for a few map
//! operations and never while anything waits; as messages to one worker, each log-in would wait for that worker's turn.
//! Where several nodes share names and seats, they are granted by all nodes before they are
//! written down here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netcore::SessionId;

use crate::Name;

mod invites;

pub(crate) use invites::{INVITES, Invite, Party};

/// The directory; clones are the same one.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    names: HashMap<Name, SessionId>,
    users: HashMap<SessionId, Entry>,
    // Taken seats of each room that has any, by the room's index.
    seats: BTreeMap<u32, u32>,
    invites: HashMap<u64, Invite>,
    last_guest: u64,
    last_invite: u64,
    // How many invitations there may be of one user, and to one, and how often that was not enough.
    most_invites: u32,
    invites_over: u64,
}

#[derive(Debug)]
struct Entry {
    name: Name,
    worker: usize,
    room: Option<u32>,
    // How many of its invitations are in `invites`, answered ones included: this bounds their timers.
    sent: u32,
    // Those that wait for its answer, the oldest first.
    received: Vec<u64>,
}

impl Directory {
    /// Nobody has a name yet; so many invitations there may be of one user, and to one.
    pub(crate) fn new(most_invites: u32) -> Self {
        Self(Arc::new(Mutex::new(Inner { most_invites, ..Inner::default() })))
    }

    /// How many names are taken.
    #[must_use]
    pub fn names(&self) -> usize {
        self.lock().names.len()
    }

    /// How many seats are taken in all rooms.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.lock().seats.values().map(|taken| *taken as usize).sum()
    }

    /// How many invitations are written down, and how many there was no room for.
    pub(crate) fn invites(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.invites.len() as u64, inner.invites_over)
    }

    /// Whether somebody has that name.
    pub(crate) fn is_taken(&self, name: &Name) -> bool {
        self.lock().names.contains_key(name)
    }

    /// Gives a session a name, in place of the one that it had; `false` if somebody has it.
    pub(crate) fn claim(&self, name: &Name, session: SessionId, worker: usize) -> bool {
        let mut inner = self.lock();
        if inner.names.contains_key(name) {
            return false;
        }
        inner.give(name.clone(), session, worker);
        true
    }

    /// Gives a session a name that nobody has: `guest1`, or the next.
    pub(crate) fn claim_guest(&self, session: SessionId, worker: usize) -> Name {
        let mut inner = self.lock();
        loop {
            inner.last_guest += 1;
            let name = format!("guest{}", inner.last_guest);
            // Somebody may have logged in as one, but not as all of them.
            if let Some(name) = Name::new(name.as_bytes()).filter(|name| !inner.names.contains_key(name)) {
                inner.give(name.clone(), session, worker);
                return name;
            }
        }
    }

    /// Forgets a session: its name is free, and its seat. Those whose invitations it leaves unanswered, with these.
    pub(crate) fn release(&self, session: SessionId) -> Vec<(u64, Invite)> {
        let mut inner = self.lock();
        let Some(entry) = inner.users.remove(&session) else { return Vec::new() };
        inner.names.remove(&entry.name);
        if let Some(room) = entry.room {
            inner.free(room);
        }
        let close = |id: &u64| Some((*id, inner.invites.get_mut(id)?.close()?));
        entry.received.iter().filter_map(close).collect()
    }

    /// Where a session is.
    pub(crate) fn worker(&self, session: SessionId) -> Option<usize> {
        Some(self.lock().users.get(&session)?.worker)
    }

    /// Who has that name, on which worker, in which room.
    pub(crate) fn find(&self, name: &Name) -> Option<(SessionId, usize, Option<u32>)> {
        let inner = self.lock();
        let session = *inner.names.get(name)?;
        let entry = inner.users.get(&session)?;
        Some((session, entry.worker, entry.room))
    }

    /// The session is on its way to another worker.
    pub(crate) fn moves(&self, session: SessionId, worker: usize) {
        if let Some(entry) = self.lock().users.get_mut(&session) {
            entry.worker = worker;
        }
    }

    /// Takes a seat for a session, and gives back the one that it had; `false` if all of them are taken.
    pub(crate) fn take_seat(&self, session: SessionId, room: u32, most: u32) -> bool {
        let mut inner = self.lock();
        if inner.seats.get(&room).is_some_and(|taken| *taken >= most) {
            return false;
        }
        let Some(entry) = inner.users.get_mut(&session) else { return false };
        let old = entry.room.replace(room);
        *inner.seats.entry(room).or_default() += 1;
        if let Some(old) = old {
            inner.free(old);
        }
        true
    }

    /// Gives back the seat that a session has.
    pub(crate) fn leave_seat(&self, session: SessionId) {
        let mut inner = self.lock();
        if let Some(room) = inner.users.get_mut(&session).and_then(|entry| entry.room.take()) {
            inner.free(room);
        }
    }

    /// The rooms in which seats are taken, in order, and how many.
    pub(crate) fn rooms(&self) -> Vec<(u32, u32)> {
        self.lock().seats.iter().map(|(room, taken)| (*room, *taken)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock calls the game, so a poisoned directory is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Directory {
    fn default() -> Self {
        Self::new(INVITES)
    }
}

impl Inner {
    fn give(&mut self, name: Name, session: SessionId, worker: usize) {
        self.names.insert(name.clone(), session);
        match self.users.get_mut(&session) {
            Some(entry) => {
                let old = std::mem::replace(&mut entry.name, name);
                self.names.remove(&old);
            }
            None => {
                let entry = Entry { name, worker, room: None, sent: 0, received: Vec::new() };
                self.users.insert(session, entry);
            }
        }
    }

    fn free(&mut self, room: u32) {
        if let Some(taken) = self.seats.get_mut(&room) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                self.seats.remove(&room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text.as_bytes()).unwrap()
    }

    const ANN: SessionId = SessionId::new(1, 0);
    const BOB: SessionId = SessionId::new(2, 0);

    #[test]
    fn of_two_who_claim_one_name_one_gets_it_until_it_is_free_again() {
        let directory = Directory::default();
        assert!(directory.claim(&name("ann"), ANN, 0));
        assert!(!directory.claim(&name("ann"), BOB, 1));
        assert!(directory.claim(&name("bob"), ANN, 0), "another name in place of the first");
        assert!(directory.claim(&name("ann"), BOB, 1));
        assert_eq!(directory.find(&name("bob")), Some((ANN, 0, None)));
        directory.release(ANN);
        directory.release(BOB);
        assert_eq!((directory.names(), directory.is_taken(&name("ann"))), (0, false));
    }

    #[test]
    fn guests_get_the_next_name_that_nobody_has() {
        let directory = Directory::default();
        assert!(directory.claim(&name("guest1"), ANN, 0));
        assert_eq!(directory.claim_guest(BOB, 0), name("guest2"));
        assert_eq!(directory.claim_guest(SessionId::new(3, 0), 0), name("guest3"));
    }

    #[test]
    fn seats_are_counted_and_the_old_one_goes_back_when_the_new_one_is_there() {
        let directory = Directory::default();
        for (session, who) in [(ANN, "ann"), (BOB, "bob")] {
            assert!(directory.claim(&name(who), session, 0));
        }
        assert!(directory.take_seat(ANN, 3, 1) && !directory.take_seat(BOB, 3, 1));
        assert!(directory.take_seat(BOB, 4, 1) && !directory.take_seat(BOB, 3, 1));
        assert_eq!(directory.rooms(), [(3, 1), (4, 1)]);
        assert!(directory.take_seat(ANN, 5, 1));
        directory.leave_seat(BOB);
        directory.leave_seat(BOB);
        assert_eq!(directory.rooms(), [(5, 1)]);
        directory.release(ANN);
        assert_eq!(directory.seats(), 0);
    }
}
