//! The list of servers, and what each has room for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answer, Denial, Millis, Rules, World, millis, place};
use crate::{Listing, Load, Member, Registration, Rooms};

/// A server in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(super) doors: BTreeMap<String, String>,
    pub(super) capacity: u32,
    pub(super) rooms: Option<Rooms>,
    pub(super) users: u32,
    /// Rooms in which there is somebody.
    pub(super) occupied: BTreeMap<u32, u16>,
    /// Seats that are kept, by user: one a user in all of the game.
    pub(super) held: BTreeMap<u64, Held>,
    pub(super) until: Millis,
}

/// A seat that is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(super) room: Option<u32>,
    pub(super) until: Millis,
    /// For one of a group that wants the room for itself until it has come.
    pub(super) group: bool,
}

impl Entry {
    pub(super) fn kept(&self) -> usize {
        self.held.len()
    }

    fn report(&mut self, load: &Load) {
        self.users = load.users;
        let rooms = self.rooms;
        let within = |room: u32| rooms.is_some_and(|rooms| place::is_in(rooms, room));
        let known = load.occupied.iter().filter(|(room, users)| *users > 0 && within(*room));
        self.occupied = known.copied().collect();
        for user in &load.entered {
            self.held.remove(user);
        }
    }

    fn member(&self, id: &str, now: Millis) -> Member {
        Member {
            server: id.to_owned(),
            doors: self.doors.clone(),
            capacity: self.capacity,
            users: self.users,
            reserved: u32::try_from(self.held.len()).unwrap_or(u32::MAX),
            rooms: self.rooms,
            occupied_rooms: u32::try_from(self.occupied.len()).unwrap_or(u32::MAX),
            expires_in_ms: self.until.saturating_sub(now),
        }
    }
}

impl World {
    pub(super) fn register(&mut self, now: Millis, id: &str, server: &Registration, rules: &Rules) -> Answer {
        // A server that died and started anew is at the same address: nobody is to be sent to its ghost.
        self.servers
            .retain(|_, other| !server.doors.iter().any(|(name, at)| other.doors.get(name) == Some(at)));
        self.requeue(now);
        if self.servers.len() >= rules.servers {
            return Answer::No(Denial::TooManyServers);
        }
        let mut entry = Entry {
            doors: server.doors.clone(),
            capacity: server.capacity,
            rooms: server.rooms,
            users: 0,
            occupied: BTreeMap::new(),
            held: BTreeMap::new(),
            until: self.ends(now.saturating_add(millis(rules.lease))),
        };
        entry.report(&server.load);
        self.servers.insert(id.to_owned(), entry);
        self.arrived(id, &server.load.entered);
        Answer::Done
    }

    pub(super) fn report(&mut self, now: Millis, id: &str, load: &Load, rules: &Rules) -> Answer {
        let until = self.ends(now.saturating_add(millis(rules.lease)));
        let Some(server) = self.servers.get_mut(id) else { return Answer::No(Denial::UnknownServer) };
        server.until = until;
        server.report(load);
        self.arrived(id, &load.entered);
        Answer::Done
    }

    pub(super) fn remove(&mut self, now: Millis, id: &str) -> Answer {
        self.servers.remove(id);
        self.requeue(now);
        Answer::Done
    }

    pub(super) fn list(&self, now: Millis) -> Listing {
        Listing { servers: self.servers.iter().map(|(id, server)| server.member(id, now)).collect() }
    }
}
