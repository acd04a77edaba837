//! Where there is room.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use crate::Rooms;

use super::registry::{Entry, Held};
use super::{Answer, Denial, Kept, Millis, Rules, World, millis};

/// A server, and a room there if it has rooms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) server: String,
    pub(super) room: Option<u32>,
}

/// The least loaded server with room for so many together.
pub(super) fn find(
    servers: &BTreeMap<String, Entry>,
    seats: usize,
    may: impl Fn(&str) -> bool,
) -> Option<Found> {
    let mut candidates: Vec<(&String, &Entry)> =
        servers.iter().filter(|(id, server)| server.free() >= seats && may(id)).collect();
    candidates.sort_by(|(_, a), (_, b)| a.fuller(b));
    candidates.into_iter().find_map(|(id, server)| {
        let room = server.room(seats)?;
        Some(Found { server: id.clone(), room })
    })
}

impl World {
    pub(super) fn place(&mut self, now: Millis, user: u64, avoid: &[String], rules: &Rules) -> Answer {
        // Whoever asks anew has no use for what they had.
        self.leave(user);
        self.release(user);
        let Some(found) = self.find(1, |id| !avoid.iter().any(|avoided| avoided == id)) else {
            return Answer::No(Denial::NoRoom);
        };
        match self.keep(now, &[user], &found, rules) {
            Some(kept) => Answer::Seat(kept),
            None => Answer::No(Denial::NoRoom),
        }
    }

    pub(super) fn give_back(&mut self, user: u64) -> Answer {
        self.matched.remove(&user);
        self.release(user);
        Answer::Done
    }

    /// Keeps a seat there for each of these.
    pub(super) fn keep(&mut self, now: Millis, users: &[u64], found: &Found, rules: &Rules) -> Option<Kept> {
        let until = self.ends(now.saturating_add(millis(rules.keep)));
        let server = self.servers.get_mut(&found.server)?;
        for user in users {
            server.held.insert(*user, Held { room: found.room, until, group: users.len() > 1 });
        }
        Some(server.seat(&found.server, found.room, now, until))
    }
}

impl Entry {
    /// Users that still find room.
    pub(super) fn free(&self) -> usize {
        (self.capacity as usize).saturating_sub(self.taken())
    }

    pub(super) fn seat(&self, id: &str, room: Option<u32>, now: Millis, until: Millis) -> Kept {
        let for_so_long = std::time::Duration::from_millis(until.saturating_sub(now));
        Kept { server: id.to_owned(), doors: self.doors.clone(), room, for_so_long }
    }

    fn taken(&self) -> usize {
        (self.users as usize).saturating_add(self.held.len())
    }

    /// Compares how much of it is taken, in proportion.
    fn fuller(&self, other: &Self) -> Ordering {
        // Both below 2³³ · 2²⁰.
        let of = |taken: usize, capacity: u32| taken as u128 * u128::from(capacity);
        of(self.taken(), other.capacity).cmp(&of(other.taken(), self.capacity))
    }

    /// A room for so many together: `Some(None)` where there are no rooms, `None` where none has room. One user joins
    /// others, in the fullest room; a group has an empty one.
    #[allow(clippy::option_option, reason = "whether there is room, and which")]
    fn room(&self, seats: usize) -> Option<Option<u32>> {
        let Some(rooms) = self.rooms else { return Some(None) };
        if seats > usize::from(rooms.seats) {
            return None;
        }
        let (taken, closed) = self.taken_in_rooms();
        let beside_others = || {
            let open = taken
                .iter()
                .filter(|(room, users)| **users < usize::from(rooms.seats) && !closed.contains(room));
            open.max_by_key(|(room, users)| (**users, Reverse(**room))).map(|(room, _)| *room)
        };
        let empty = || {
            // Ends after as many steps as rooms are taken.
            let mut all = (0..rooms.count).map(|index| rooms.first.saturating_add(index));
            all.find(|room| !taken.contains_key(room))
        };
        let room = if seats == 1 { beside_others().or_else(empty) } else { empty() };
        room.map(Some)
    }

    /// Users and kept seats in each room that has some; and the rooms that a group has for itself for now.
    fn taken_in_rooms(&self) -> (BTreeMap<u32, usize>, BTreeSet<u32>) {
        let users = self.occupied.iter().map(|(room, users)| (*room, usize::from(*users)));
        let mut taken: BTreeMap<u32, usize> = users.collect();
        let mut closed = BTreeSet::new();
        for held in self.held.values() {
            let Some(room) = held.room else { continue };
            *taken.entry(room).or_default() += 1;
            if held.group {
                closed.insert(room);
            }
        }
        (taken, closed)
    }
}

pub(crate) fn is_in(rooms: Rooms, room: u32) -> bool {
    room >= rooms.first && room - rooms.first < rooms.count
}
