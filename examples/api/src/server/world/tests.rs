use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::Rooms;

fn rules() -> Rules {
    let seconds = Duration::from_secs;
    Rules { lease: seconds(15), keep: seconds(60), group: 2, patience: seconds(120), queue: 5, servers: 3 }
}

/// A world and its clock.
struct Game {
    world: World,
    now: Millis,
    rules: Rules,
    matched: Vec<u64>,
}

impl Game {
    fn new() -> Self {
        Self { world: World::default(), now: 1_000, rules: rules(), matched: Vec::new() }
    }

    fn with(servers: &[(&str, u32)]) -> Self {
        let mut game = Self::new();
        for (id, capacity) in servers {
            game.register(id, *capacity, Some(ROOMS));
        }
        game
    }

    fn does(&mut self, op: &Op) -> Answer {
        self.matched.clear();
        let answer = self.world.apply(self.now, op, &self.rules, &mut self.matched);
        self.holds();
        answer
    }

    fn register(&mut self, id: &str, capacity: u32, rooms: Option<Rooms>) -> Answer {
        let mut server = Registration::new(capacity).door("raw", format!("{id}:1"));
        server.rooms = rooms;
        self.does(&Op::Register { id: id.to_owned(), server })
    }

    fn report(&mut self, id: &str, users: u32, occupied: &[(u32, u16)], entered: &[u64]) -> Answer {
        let load = Load { users, occupied: occupied.to_vec(), entered: entered.to_vec() };
        self.does(&Op::Report { id: id.to_owned(), load })
    }

    fn place(&mut self, user: u64) -> Answer {
        self.does(&Op::Place { user, avoid: Vec::new() })
    }

    /// Server and room.
    fn seat(&mut self, user: u64) -> (String, u32) {
        match self.place(user) {
            Answer::Seat(Kept { server, room: Some(room), .. }) => (server, room),
            other => panic!("{other:?}"),
        }
    }

    fn wait(&mut self, user: u64) -> Answer {
        self.wait_but(user, &[])
    }

    fn wait_but(&mut self, user: u64, avoid: &[&str]) -> Answer {
        let avoid = avoid.iter().map(|&id| id.to_owned()).collect();
        let user = User { id: user, name: format!("user{user}") };
        self.does(&Op::Wait { user, avoid, request: by(1, true) })
    }

    /// Where, and the ids of the group.
    fn is_matched(&mut self, user: u64) -> (String, Option<u32>, Vec<u64>) {
        match self.wait(user) {
            Answer::Matched { seat, users } => {
                (seat.server, seat.room, users.iter().map(|user| user.id).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    fn members(&mut self) -> Vec<crate::Member> {
        match self.does(&Op::List) {
            Answer::List(listing) => listing.servers,
            other => panic!("{other:?}"),
        }
    }

    /// What must hold after everything.
    fn holds(&self) {
        let World { servers, waiting, places, matched, .. } = &self.world;
        let mut seated = BTreeSet::new();
        for server in servers.values() {
            assert!(server.held.keys().all(|user| seated.insert(*user)), "two seats for one user");
        }
        assert_eq!(waiting.len(), places.len());
        assert!(places.values().all(|place| waiting.contains_key(place)));
        assert!(places.keys().all(|user| !matched.contains_key(user)), "in the queue with a match");
        assert!(waiting.len() <= self.rules.queue + matched.len() + 100);
        let written = serde_json::to_string(&self.world).unwrap();
        assert_eq!(serde_json::from_str::<World>(&written).unwrap(), self.world);
    }

    /// What must hold where somebody has just been sent.
    fn has_room(&self, kept: &Kept) {
        let server = &self.world.servers[&kept.server];
        assert!(server.users as usize + server.held.len() <= server.capacity as usize, "over capacity");
        assert_eq!(kept.room.is_some(), server.rooms.is_some());
        let (Some(room), Some(rooms)) = (kept.room, server.rooms) else { return };
        assert!(place::is_in(rooms, room));
        let held = server.held.values().filter(|held| held.room == Some(room)).count();
        let users = server.occupied.get(&room).copied().unwrap_or_default();
        assert!(usize::from(users) + held <= usize::from(rooms.seats), "over the seats of a room");
    }
}

const ROOMS: Rooms = Rooms { first: 10, count: 3, seats: 2 };

#[test]
fn a_user_is_sent_to_the_least_loaded_server_in_proportion() {
    let mut game = Game::with(&[("a", 10), ("b", 100)]);
    game.report("a", 2, &[], &[]);
    game.report("b", 10, &[], &[]);
    assert_eq!(game.seat(1).0, "b");
    game.report("b", 50, &[], &[]);
    assert_eq!(game.seat(2).0, "a");
}

#[test]
fn a_user_joins_others_in_the_fullest_room_that_is_not_full_and_else_has_the_first_empty_one() {
    let mut game = Game::new();
    game.register("a", 100, Some(Rooms { first: 10, count: 5, seats: 3 }));
    assert_eq!(game.seat(1).1, 10);
    game.report("a", 7, &[(10, 1), (11, 3), (12, 2), (13, 1)], &[1]);
    assert_eq!(game.seat(2).1, 12);
    assert_eq!(game.seat(3).1, 10);
    assert_eq!(game.seat(4).1, 10);
    assert_eq!(game.seat(5).1, 13);
    assert_eq!(game.seat(6).1, 13);
    assert_eq!(game.seat(7).1, 14);
}

#[test]
fn two_users_never_have_the_last_seat() {
    let mut game = Game::with(&[("a", 10), ("b", 1)]);
    game.report("a", 5, &[(10, 2), (11, 2), (12, 1)], &[]);
    let seats = [game.seat(1), game.seat(2)];
    assert!(seats.contains(&("a".into(), 12)) && seats.contains(&("b".into(), 10)), "{seats:?}");
    assert_eq!(game.place(3), Answer::No(Denial::NoRoom));
    // Their own seat is no obstacle for those who ask again.
    assert_eq!([game.seat(1), game.seat(2)].map(|seat| seat.0).iter().collect::<BTreeSet<_>>().len(), 2);
    game.does(&Op::GiveBack { user: 2 });
    game.seat(3);
}

#[test]
fn a_seat_is_free_again_when_its_time_is_up_and_is_nobodys_when_its_user_has_come() {
    let mut game = Game::with(&[("a", 1)]);
    game.seat(1);
    for _ in 0..5 {
        game.now += 10_000;
        assert_eq!(game.place(2), Answer::No(Denial::NoRoom));
        game.report("a", 0, &[], &[]);
    }
    game.now += 10_000;
    game.seat(2);
    game.report("a", 1, &[(10, 1)], &[2]);
    assert_eq!(game.members()[0].reserved, 0);
    assert_eq!(game.place(3), Answer::No(Denial::NoRoom));
    game.report("a", 0, &[], &[]);
    game.seat(3);
}

#[test]
fn nobody_is_sent_to_a_server_that_stopped_reporting_or_that_they_avoid() {
    let mut game = Game::with(&[("a", 10), ("b", 10)]);
    let avoid = vec!["a".to_owned()];
    assert!(matches!(game.does(&Op::Place { user: 1, avoid }), Answer::Seat(kept) if kept.server == "b"));
    game.now += 10_000;
    game.report("b", 9, &[], &[1]);
    game.now += 5_000;
    assert_eq!(game.seat(2).0, "b");
    assert_eq!(game.members().len(), 1);
    assert_eq!(game.report("a", 0, &[], &[]), Answer::No(Denial::UnknownServer));
    assert_eq!(game.place(3), Answer::No(Denial::NoRoom));
}

#[test]
fn a_server_at_the_same_address_takes_the_place_of_its_ghost() {
    let mut game = Game::with(&[("old", 1)]);
    game.seat(1);
    let server = Registration::new(1).door("raw", "old:1");
    game.does(&Op::Register { id: "new".to_owned(), server });
    assert_eq!(game.members().iter().map(|member| &*member.server).collect::<Vec<_>>(), ["new"]);
    assert!(matches!(game.place(2), Answer::Seat(Kept { room: None, .. })));
}

#[test]
fn servers_and_queue_have_their_bounds() {
    let mut game = Game::with(&[("a", 1), ("b", 1), ("c", 1)]);
    assert_eq!(game.register("d", 1, None), Answer::No(Denial::TooManyServers));
    game.does(&Op::Remove { id: "a".to_owned() });
    assert_eq!(game.register("d", 1, None), Answer::Done);
    for user in 0..5 {
        assert!(matches!(game.wait(user), Answer::Waiting { .. }));
    }
    assert_eq!(game.wait(5), Answer::No(Denial::QueueFull));
    assert!(matches!(game.wait(4), Answer::Waiting { waiting: 5, .. }));
}

#[test]
fn a_group_is_made_of_those_who_came_first_and_has_an_empty_room_for_itself() {
    let mut game = Game::with(&[("a", 10)]);
    game.report("a", 1, &[(10, 1)], &[]);
    assert!(matches!(game.wait(1), Answer::Waiting { waiting: 1, .. }));
    assert!(matches!(game.wait(2), Answer::Matched { .. }));
    assert_eq!(game.matched, [1, 2]);
    assert_eq!(game.is_matched(1), ("a".into(), Some(11), vec![1, 2]));
    assert_eq!(game.is_matched(2), game.is_matched(1));
    // One goes away: no stranger takes that seat while it is kept for the group.
    game.does(&Op::Leave { user: 2 });
    assert_eq!([game.seat(3).1, game.seat(4).1], [10, 12]);
    game.report("a", 2, &[(10, 1), (11, 1)], &[1]);
    // Nobody of the group is on the way any more.
    assert_eq!(game.seat(5).1, 11);
}

#[test]
fn a_group_waits_until_a_server_has_room_for_all_of_it() {
    let mut game = Game::with(&[("a", 1)]);
    game.wait(1);
    assert!(matches!(game.wait(2), Answer::Waiting { waiting: 2, .. }));
    game.register("b", 2, Some(Rooms { first: 0, count: 1, seats: 1 }));
    assert!(game.matched.is_empty());
    game.register("c", 2, None);
    assert_eq!(game.matched, [1, 2]);
    assert_eq!(game.is_matched(1), ("c".into(), None, vec![1, 2]));
}

#[test]
fn who_gives_up_or_does_not_listen_is_not_put_into_a_group() {
    let mut game = Game::with(&[("a", 10)]);
    game.wait(1);
    game.does(&Op::Leave { user: 1 });
    game.wait(2);
    game.does(&Op::Absent { user: 2, request: 1 });
    assert!(matches!(game.wait(3), Answer::Waiting { waiting: 2, .. }));
    // Who is back in time has kept the place.
    assert_eq!(game.is_matched(2).2, [2, 3]);
    game.wait(4);
    game.now += 8_000;
    assert!(matches!(game.wait(5), Answer::Waiting { waiting: 2, .. }));
    game.now += 10_000;
    game.report("a", 0, &[], &[]);
    assert!(matches!(game.wait(6), Answer::Waiting { .. }));
    assert!(game.world.places.keys().all(|user| *user != 4));
}

#[test]
fn a_wait_ends_when_patience_does() {
    let mut game = Game::with(&[("a", 10)]);
    for _ in 0..24 {
        assert!(matches!(game.wait(1), Answer::Waiting { .. }));
        game.now += 5_000;
    }
    assert_eq!(game.wait(1), Answer::No(Denial::MatchTimeout));
    assert!(matches!(game.wait(1), Answer::Waiting { gives_up_in, .. } if gives_up_in == rules().patience));
}

#[test]
fn a_group_whose_server_dies_waits_at_the_head_of_the_queue_again() {
    let mut game = Game::with(&[("a", 2)]);
    game.wait(1);
    game.wait(2);
    game.wait(3);
    game.now += 4_000;
    game.wait(3);
    game.register("b", 2, Some(ROOMS));
    game.does(&Op::Remove { id: "a".to_owned() });
    assert!(game.matched.is_empty(), "they do not listen yet");
    assert_eq!(game.is_matched(2).2, [2, 3]);
    assert!(matches!(game.wait(1), Answer::Waiting { waiting: 1, .. }));
}

#[test]
fn who_cannot_reach_the_server_of_a_match_is_matched_elsewhere() {
    let mut game = Game::with(&[("a", 10)]);
    game.wait(1);
    assert_eq!(game.is_matched(2).0, "a");
    assert!(matches!(game.wait_but(1, &["a"]), Answer::Waiting { .. }));
    assert!(matches!(game.wait_but(2, &["a"]), Answer::Waiting { .. }));
    game.register("b", 10, Some(ROOMS));
    assert_eq!(game.is_matched(1), ("b".into(), Some(10), vec![1, 2]));
    // One whom no server suits does not hold up the others.
    game.wait_but(3, &["a", "b"]);
    game.wait(4);
    assert!(matches!(game.wait(5), Answer::Matched { users, .. } if users.iter().all(|user| user.id != 3)));
}

#[test]
fn a_match_ends_when_its_users_have_come_or_its_seats_are_over() {
    let mut game = Game::with(&[("a", 10)]);
    game.wait(1);
    game.is_matched(2);
    game.report("a", 2, &[(10, 2)], &[1, 2]);
    assert_eq!(game.members()[0].reserved, 0);
    assert!(matches!(game.wait(1), Answer::Waiting { .. }));
    assert_eq!(game.is_matched(2).2, [1, 2]);
    for _ in 0..6 {
        game.now += 10_000;
        game.report("a", 2, &[(10, 2)], &[]);
    }
    assert!(matches!(game.wait(1), Answer::Waiting { .. }));
    assert_eq!(game.members()[0].reserved, 0);
}

#[test]
fn who_has_left_does_not_wait_on_by_a_request_that_is_still_open() {
    let mut game = Game::with(&[("a", 10)]);
    game.wait(1);
    let on = |id| Op::Wait {
        user: User { id, name: format!("user{id}") },
        avoid: Vec::new(),
        request: by(1, false),
    };
    assert!(matches!(game.does(&on(1)), Answer::Waiting { .. }));
    game.does(&Op::Leave { user: 1 });
    assert_eq!(game.does(&on(1)), Answer::No(Denial::Left));
    game.wait(2);
    assert!(matches!(game.wait(1), Answer::Matched { .. }));
    assert!(matches!(game.does(&on(2)), Answer::Matched { .. }));
}

#[test]
fn an_older_request_of_a_user_speaks_for_them_only_where_the_newer_one_does_not() {
    let mut game = Game::with(&[("a", 10)]);
    let ann = |id, anew| {
        let user = User { id: 1, name: "user1".to_owned() };
        Op::Wait { user, avoid: Vec::new(), request: by(id, anew) }
    };
    game.does(&ann(1, true));
    game.does(&ann(2, true));
    // Its turn comes; then its connection breaks.
    game.does(&ann(1, false));
    game.does(&Op::Absent { user: 1, request: 1 });
    assert_eq!(game.is_matched(2).2, [1, 2]);

    game.does(&Op::Leave { user: 1 });
    game.does(&ann(1, true));
    game.does(&ann(2, true));
    game.does(&Op::Absent { user: 1, request: 2 });
    assert!(matches!(game.wait(3), Answer::Waiting { .. }));
    game.does(&ann(1, false));
    assert_eq!(game.is_matched(3).2, [1, 3]);
}

#[test]
fn a_room_outside_of_a_servers_rooms_does_not_count() {
    let mut game = Game::with(&[("a", 10)]);
    game.report("a", 9, &[(0, 2), (9, 1), (13, 1), (u32::MAX, 1), (12, 0), (11, 1)], &[]);
    assert_eq!(game.members()[0].occupied_rooms, 1);
    assert_eq!(game.seat(1).1, 11);
}

fn by(id: u64, anew: bool) -> Request {
    Request { id, hears: Duration::from_secs(5), anew }
}

fn some_op() -> impl Strategy<Value = (u64, Op)> {
    let id = || (0..4_u8).prop_map(|id| format!("s{id}"));
    let user = || 0..8_u64;
    let avoid = || prop::collection::vec((0..4_u8).prop_map(|id| format!("s{id}")), 0..2);
    let load =
        (0..12_u32, prop::collection::vec((0..6_u32, 0..4_u16), 0..4), prop::collection::vec(user(), 0..3));
    let load = load.prop_map(|(users, occupied, entered)| Load { users, occupied, entered });
    let rooms = prop::option::of((0..3_u32, 1..4_u32, 1..4_u16));
    let rooms = rooms.prop_map(|rooms| rooms.map(|(first, count, seats)| Rooms { first, count, seats }));
    let server = (1..12_u32, rooms, 0..5_u8).prop_map(|(capacity, rooms, at)| {
        let mut server = Registration::new(capacity).door("raw", format!("at:{at}"));
        server.rooms = rooms;
        server
    });
    let request = || 0..2_u64;
    let wait = (user(), avoid(), request(), 0..9_u64, any::<bool>());
    let wait = wait.prop_map(|(user, avoid, id, hears, anew)| {
        let user = User { id: user, name: format!("user{user}") };
        Op::Wait { user, avoid, request: Request { id, hears: Duration::from_secs(hears), anew } }
    });
    let op = prop_oneof![
        2 => (id(), server).prop_map(|(id, server)| Op::Register { id, server }),
        3 => (id(), load).prop_map(|(id, load)| Op::Report { id, load }),
        1 => id().prop_map(|id| Op::Remove { id }),
        6 => (user(), avoid()).prop_map(|(user, avoid)| Op::Place { user, avoid }),
        1 => user().prop_map(|user| Op::GiveBack { user }),
        6 => wait,
        1 => (user(), request()).prop_map(|(user, request)| Op::Absent { user, request }),
        1 => user().prop_map(|user| Op::Leave { user }),
        1 => Just(Op::List),
    ];
    (prop_oneof![4 => 0..500_u64, 1 => 0..20_000_u64], op)
}

proptest! {
    #[test]
    fn whatever_happens_nobody_is_sent_where_there_is_no_room(ops in prop::collection::vec(some_op(), 1..120)) {
        let mut game = Game::new();
        for (later, op) in ops {
            game.now += later;
            let before = game.world.clone();
            let answer = game.does(&op);
            if let Answer::Seat(kept) = &answer {
                game.has_room(kept);
                let Op::Place { avoid, .. } = &op else { panic!("{op:?}") };
                prop_assert!(!avoid.contains(&kept.server));
            }
            // Those who were matched just now: whole groups, each in one place that has room.
            let mut groups = BTreeSet::new();
            for user in game.matched.clone() {
                let Answer::Matched { seat, users } = game.world.clone().tell(game.now, user, &game.rules).unwrap()
                else { panic!() };
                game.has_room(&seat);
                prop_assert_eq!(users.len(), game.rules.group);
                prop_assert!(users.iter().any(|one| one.id == user));
                let ids: Vec<u64> = users.iter().map(|user| user.id).collect();
                groups.insert((seat.server, seat.room, ids));
            }
            prop_assert_eq!(groups.len() * game.rules.group, game.matched.len());
            if op.only_reads() {
                let mut again = before;
                again.forget(game.now);
                prop_assert_eq!(&again, &game.world);
            }
        }
    }
}
