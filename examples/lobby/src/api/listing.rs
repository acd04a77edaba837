//! The place in the API server's list: what the server is, and how full.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::api::{Load, Registration, Reporter, Rooms};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::tokens::Visitors;
use super::{Public, SetupError};
use crate::{Settings, Shared};

/// Keeps a server in the list.
pub(super) struct Listing {
    pub(super) reporter: Reporter,
    pub(super) shared: Shared,
    pub(super) visitors: Arc<Visitors>,
}

impl Listing {
    /// Notes how full the server is, each second, until it leaves; then takes it off the list. The reporter says it to the
    /// API server, and also when nothing has changed for a while.
    pub(super) async fn keep(self, mut leaving: watch::Receiver<bool>) {
        let mut each = interval(EACH);
        each.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Load::default();
        loop {
            let elsewhere = async {
                each.tick().await;
                self.shared.seen_elsewhere().await
            };
            let elsewhere = tokio::select! {
                _ = leaving.wait_for(|leaving| *leaving) => break,
                elsewhere = elsewhere => elsewhere,
            };
            let rooms = || self.shared.rooms(elsewhere);
            let now = load(&self.shared, &self.visitors, rooms);
            // A report that says nothing new is due later.
            if now != last {
                last = Load { entered: Vec::new(), ..now.clone() };
                self.reporter.load(now);
            }
        }
        self.reporter.end().await;
    }
}

/// What the list says of a server with these doors.
pub(super) fn registration(
    settings: &Settings,
    doors: &[(String, SocketAddr)],
) -> Result<Registration, SetupError> {
    let flags = &settings.api;
    for public in &flags.public {
        if let Public::Door(name, _) = public
            && !doors.iter().any(|(door, _)| door == name)
        {
            return Err(SetupError::NoSuchDoor(name.clone()));
        }
    }
    let mut server = Registration::new(settings.capacity()).rooms(rooms(settings));
    for (door, listens) in doors {
        server = server.door(door, flags.public_address(door, *listens)?);
    }
    Ok(server)
}

/// The rooms that users are sent to: the first of them, as many as a report may name. In the others they meet by
/// themselves.
fn rooms(settings: &Settings) -> Rooms {
    Rooms {
        first: settings.first_room.unsigned_abs(),
        count: settings.rooms.min(MOST_ROOMS),
        seats: settings.room_users.into(),
    }
}

/// A room that is shared has the users of all servers, so that nobody is sent to a seat that another server gave away; the
/// users of this one are its own.
fn load(shared: &Shared, visitors: &Visitors, rooms: impl FnOnce() -> Vec<(u32, u32)>) -> Load {
    let (settings, directory) = (shared.settings(), shared.directory());
    let first = settings.first_room.unsigned_abs();
    // Before the seats are counted: whoever has come is counted then.
    let entered = visitors.take(|name| directory.find(name).is_some_and(|(_, _, room)| room.is_some()));
    let occupied = rooms().into_iter().take_while(|(index, _)| *index < MOST_ROOMS);
    // The API server takes no more users than there are seats. There may be: those in no room, and after Redis was away.
    let seats = u16::from(settings.room_users);
    let occupied = occupied
        .map(|(index, taken)| {
            (first.saturating_add(index), u16::try_from(taken).map_or(seats, |taken| taken.min(seats)))
        })
        .collect();
    let users = u32::try_from(directory.names()).unwrap_or(u32::MAX).min(settings.capacity());
    Load { users, occupied, entered }
}

/// How often it is looked at.
const EACH: Duration = Duration::from_secs(1);
/// The most that a report may name.
const MOST_ROOMS: u32 = 8192;

#[cfg(test)]
mod tests {
    use netcore::SessionId;

    use super::*;
    use crate::{ApiFlags, Directory, Name};

    fn settings(rooms: u32, first_room: i32) -> Settings {
        Settings { rooms, first_room, ..Settings::default() }
    }

    #[test]
    fn the_list_says_where_users_reach_each_door_and_which_rooms_there_are() {
        let doors = [("raw", "127.0.0.1:7"), ("text", "[::1]:8")];
        let doors = doors.map(|(name, at)| (name.to_owned(), at.parse().unwrap()));
        let server = registration(&settings(1000, 5), &doors).unwrap();
        let told: Vec<(&str, &str)> = server.doors.iter().map(|(name, at)| (&**name, &**at)).collect();
        assert_eq!(told, [("raw", "127.0.0.1:7"), ("text", "[::1]:8")]);
        let rooms = Rooms { first: 5, count: 1000, seats: 4 };
        assert_eq!((server.capacity, server.rooms), (4000, Some(rooms)));
        let huge = registration(&settings(1_000_000, 0), &doors).unwrap();
        assert_eq!((huge.capacity, huge.rooms.unwrap().count), (1_000_000, 8192));
        let public = vec!["msgpack=a:1".parse().unwrap()];
        let api = ApiFlags { public, ..ApiFlags::default() };
        let wrong = registration(&Settings { api, ..settings(1, 0) }, &doors).unwrap_err();
        assert_eq!(wrong.to_string(), "--public names the door msgpack, which is not open");
    }

    #[test]
    fn the_load_is_what_the_directory_knows_in_the_numbers_of_the_rooms() {
        let visitors = Visitors::new(&ApiFlags::default());
        let with = |settings, directory: &Directory| Shared {
            directory: directory.clone(),
            ..Shared::new(settings)
        };
        let directory = Directory::default();
        for (index, (name, room)) in
            [("ann", Some(3)), ("bob", Some(3)), ("cat", None), ("dan", Some(9000))].into_iter().enumerate()
        {
            let session = SessionId::new(index as u32, 0);
            assert!(directory.claim(&Name::new(name.as_bytes()).unwrap(), session, 0));
            assert!(room.is_none_or(|room| directory.take_seat(session, room, 4)));
        }
        let load = |settings| {
            let shared = with(settings, &directory);
            load(&shared, &visitors, || shared.rooms(Vec::new()))
        };
        let all = load(settings(10_000, 100));
        assert_eq!(all, Load { users: 4, occupied: vec![(103, 2)], entered: Vec::new() });
        // More than seats: the API server takes no such numbers.
        let one_seat = Settings { room_users: 1, ..settings(3, 0) };
        assert_eq!(load(one_seat).users, 3);
        let one_seat = Settings { room_users: 1, ..settings(4, 0) };
        assert_eq!(load(one_seat).occupied, [(3, 1)]);
    }
}
