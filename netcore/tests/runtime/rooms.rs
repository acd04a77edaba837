//! Numbered rooms with seats.

use netcore::{CloseReason, Context, EnterError, Host, Logic, Rooms, SessionId};

use crate::common::{Ask, Hear, Log, client, next, pass, rest, round, said, server};

/// `Do { what: room, n }` enters (n = 1), leaves (0), or speaks to the room (more).
struct Hotel {
    rooms: Rooms<Hotel, u32>,
    log: Log,
}

impl Hotel {
    fn new(log: &Log) -> Self {
        let rooms = Rooms::new(10..13, 2)
            .on_enter(|ctx, room, seat| {
                assert!(ctx.members(room.group()).contains(&seat.session()));
                ctx.send_group(room.group(), &Hear::Note { who: seat.id() as u32, n: 1 });
            })
            .on_leave(|ctx, room, seat| {
                assert!(!ctx.members(room.group()).contains(&seat.session()));
                ctx.send_group(room.group(), &Hear::Note { who: seat.id() as u32, n: 0 });
            });
        Self { rooms, log: log.clone() }
    }
}

impl Logic for Hotel {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
        match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { what, n: 1 } => {
                let entered = self.rooms.enter(ctx, what, session, what * 2);
                self.log.add(format!("{entered:?}"));
                if entered == Err(EnterError::InRoom(11)) {
                    ctx.close(session, CloseReason::Ended);
                    // It has not left yet, and yet nobody enters any more.
                    self.rooms.leave(ctx, session);
                    assert_eq!(self.rooms.enter(ctx, 12, session, 0), Err(EnterError::Closed));
                }
            }
            Ask::Do { n: 0, .. } => {
                let left =
                    self.rooms.leave(ctx, session).map(|(number, seat)| (number, seat.id(), seat.member));
                self.log.add(format!("left {left:?}"));
                assert!(self.rooms.seat_of(session).is_none() && self.rooms.room_of(session).is_none());
            }
            Ask::Do { n, .. } => {
                let room = self.rooms.room_of(session).expect("in a room");
                assert_eq!(self.rooms.seat_of(session).map(|seat| seat.member), Some(room.number() * 2));
                ctx.send_group(room.group(), &said(n));
            }
        }
    }

    fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, _: CloseReason) {
        self.rooms.leave(ctx, session);
        let open = self.rooms.rooms().map(|room| (room.number(), room.seats().len()));
        self.log.add(format!("{:?}", open.collect::<Vec<_>>()));
    }
}

#[tokio::test(start_paused = true)]
async fn rooms_have_seats_in_order_of_entering_whose_ids_are_never_used_again() {
    let log = Log::default();
    let (server, connector) = server();
    let running = server.host(Host::Task).logic(Hotel::new(&log)).await.unwrap();
    let mut clients: Vec<_> = (0..3).map(|_| client(&connector)).collect();
    pass(1).await;
    let enters = |who: usize, room| (who, room, 1);
    let leaves = |who: usize| (who, 0, 0);
    let script = [
        enters(0, 9),
        enters(0, 13),
        leaves(0),
        enters(0, 10),
        enters(0, 12),
        enters(1, 10),
        enters(2, 10),
        (1, 0, 50),
        leaves(0),
        enters(2, 10),
        leaves(1),
        leaves(2),
        enters(0, 10),
    ];
    for (who, what, n) in script {
        clients[who].send(&Ask::Do { what, n }).unwrap();
        pass(1).await;
    }
    let expected = [
        "Err(NoRoom(9))",
        "Err(NoRoom(13))",
        "left None",
        "Ok(1)",
        "Err(InRoom(10))",
        "Ok(2)",
        "Err(Full(10))",
        "left Some((10, 1, 20))",
        "Ok(3)",
        "left Some((10, 2, 20))",
        "left Some((10, 3, 20))",
        "Ok(4)",
    ];
    assert_eq!(log.take(), expected);
    let note = |who, n| Hear::Note { who, n };
    for (who, heard) in [
        (0, vec![note(1, 1), note(2, 1), said(50), note(4, 1)]),
        (1, vec![note(2, 1), said(50), note(1, 0), note(3, 1)]),
        (2, vec![note(3, 1), note(2, 0)]),
    ] {
        for expected in heard {
            assert_eq!(next(&mut clients[who]).await, expected, "client {who}");
        }
        round(&mut clients[who], 1).await;
    }
    assert_eq!(running.stats().panics, 0);
}

#[tokio::test(start_paused = true)]
async fn who_closes_leaves_its_room_and_nobody_enters_while_closing() {
    let log = Log::default();
    let (server, connector) = server();
    let running = server.host(Host::Task).logic(Hotel::new(&log)).await.unwrap();
    let (mut stays, mut goes) = (client(&connector), client(&connector));
    for client in [&mut stays, &mut goes] {
        client.send(&Ask::Do { what: 11, n: 1 }).unwrap();
        pass(1).await;
    }
    goes.send(&Ask::Do { what: 11, n: 1 }).unwrap();
    rest(&mut goes).await;
    for (who, n) in [(1, 1), (2, 1), (2, 0)] {
        assert_eq!(next(&mut stays).await, Hear::Note { who, n });
    }
    drop(stays);
    pass(5).await;
    assert_eq!(log.take(), ["Ok(1)", "Ok(2)", "Err(InRoom(11))", "[(11, 1)]", "[]"]);
    assert_eq!(running.stats().panics, 0);
}

/// `Do { what: room, n: 1 }` enters, `n: 0` leaves, `n: 2` gets a new id, more is an id to enter with or to
/// get; the answer is the room's count and the ids.
#[derive(Default)]
struct Counting {
    rooms: Option<Rooms<Counting, (), u32>>,
}

impl Logic for Counting {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
        let rooms = self.rooms.get_or_insert_with(|| Rooms::new(0..10, 4));
        let Ask::Do { what, n } = ask else { return };
        match n {
            0 => drop(rooms.leave(ctx, session)),
            1 => drop(rooms.enter(ctx, what, session, ())),
            2 => assert_eq!(rooms.renew(session).is_some(), rooms.seat_of(session).is_some()),
            _ if rooms.renew_as(session, n.into()).is_some() => {}
            _ => assert_eq!(rooms.enter_as(ctx, what, session, n.into(), ()), Ok(())),
        }
        let Some(room) = rooms.room_mut(what) else { return };
        room.state += 1;
        let ids: Vec<u64> = room.seats().iter().map(|seat| seat.id()).collect();
        let text = format!("{} {ids:?}", room.state);
        assert_eq!(room.seat_of(session).is_some(), n != 0);
        ctx.send(session, &Hear::Long { text });
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_keeps_its_state_while_somebody_is_in_it_and_a_renewed_seat_its_place() {
    let (server, connector) = server();
    let running = server.host(Host::Task).logic(Counting::default()).await.unwrap();
    let (mut ann, mut bob) = (client(&connector), client(&connector));
    for (who, n, expected) in [
        (0, 1, "1 [1]"),
        (1, 1, "2 [1, 2]"),
        (0, 2, "3 [3, 2]"),
        (1, 0, "4 [3]"),
        (1, 1, "5 [3, 4]"),
        (0, 0, "6 [4]"),
        (1, 0, ""),
        (1, 2, ""),
        (1, 1, "1 [5]"),
    ] {
        let client = if who == 0 { &mut ann } else { &mut bob };
        client.send(&Ask::Do { what: 3, n }).unwrap();
        if expected.is_empty() {
            pass(1).await;
        } else {
            assert_eq!(next(client).await, Hear::Long { text: expected.into() });
        }
    }
    assert_eq!(running.stats().panics, 0);
}

#[tokio::test(start_paused = true)]
async fn a_seat_takes_an_id_from_elsewhere_and_the_rooms_own_go_on_behind_it() {
    let (server, connector) = server();
    let running = server.host(Host::Task).logic(Counting::default()).await.unwrap();
    let (mut ann, mut bob) = (client(&connector), client(&connector));
    for (who, n, expected) in [
        (0, 700, "1 [700]"),
        (1, 1, "2 [700, 701]"),
        (0, 900, "3 [900, 701]"),
        (1, 2, "4 [900, 901]"),
        (0, 2, "5 [902, 901]"),
    ] {
        let client = if who == 0 { &mut ann } else { &mut bob };
        client.send(&Ask::Do { what: 3, n }).unwrap();
        assert_eq!(next(client).await, Hear::Long { text: expected.into() });
    }
    assert_eq!(running.stats().panics, 0);
}

/// Enters its only room, says how often that was entered since it was made, and cannot bear to see anybody leave.
struct Clingy(Rooms<Clingy, (), u32>);

impl Logic for Clingy {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, _: Ask) {
        self.0.enter(ctx, 1, session, ()).unwrap();
        let room = self.0.room_mut(1).unwrap();
        room.state += 1;
        ctx.send(session, &said(room.state));
    }

    fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, _: CloseReason) {
        self.0.leave(ctx, session);
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_whose_hook_panics_as_the_last_one_leaves_is_dropped_all_the_same() {
    let (server, connector) = server();
    let rooms = Rooms::new(1..2, 4).on_leave(|_, _, _| panic!("do not go"));
    let running = server.host(Host::Task).logic(Clingy(rooms)).await.unwrap();
    for panics in 1..=3 {
        let mut client = client(&connector);
        round(&mut client, 1).await;
        client.close().await;
        pass(10).await;
        assert_eq!(running.stats().panics, panics);
    }
}

#[tokio::test(start_paused = true)]
async fn rooms_are_gone_through_in_the_order_of_their_numbers() {
    struct Lobby(Rooms<Lobby, ()>, Log);
    impl Logic for Lobby {
        type In = Ask;
        type Out = Hear;
        type Message = ();

        fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
            match ask {
                Ask::Do { what, .. } => assert!(self.0.enter(ctx, what, session, ()).is_ok()),
                Ask::Say { .. } => self.0.rooms().for_each(|room| self.1.add(room.number())),
            }
        }
    }
    let log = Log::default();
    let (server, connector) = server();
    let _running = server.logic(Lobby(Rooms::new(0..100, 2), log.clone())).await.unwrap();
    let clients: Vec<_> = (0..10).map(|_| client(&connector)).collect();
    let numbers = [17, 3, 99, 0, 42, 8, 64, 5, 23];
    for (client, what) in clients.iter().zip(numbers) {
        client.send(&Ask::Do { what, n: 0 }).unwrap();
    }
    pass(1).await;
    clients[9].send(&Ask::Say { n: 0 }).unwrap();
    pass(1).await;
    assert_eq!(log.take(), ["0", "3", "5", "8", "17", "23", "42", "64", "99"]);
}

/// `Do { what: room, n }` enters with so much money; `Say { n }` has everybody in the room pay so much, as far as they can.
struct Casino {
    rooms: Rooms<Casino, u32, u32>,
    log: Log,
}

impl Logic for Casino {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
        let Self { rooms, log } = self;
        match ask {
            Ask::Do { what, n } => assert!(rooms.enter(ctx, what, session, n).is_ok()),
            Ask::Say { n } => {
                let room = rooms.room_of_mut(session).unwrap();
                let (pot, seats) = room.split_mut();
                for seat in seats {
                    let paid = n.min(seat.member);
                    (*pot, seat.member) = (*pot + paid, seat.member - paid);
                }
                // Who asked has it for half.
                room.seat_of_mut(session).unwrap().member += n / 2;
                room.seats_mut()[0].member += 1000;
                rooms.rooms_mut().for_each(|room| room.state += 1);
                let open = rooms.rooms();
                open.for_each(|room| {
                    let left: Vec<_> = room.seats().iter().map(|seat| seat.member).collect();
                    log.add(format!("{} {} {left:?}", room.number(), room.state));
                });
                assert!(rooms.seat_of_mut(session).is_some());
            }
        }
    }

    fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, _: CloseReason) {
        self.rooms.leave(ctx, session);
        assert!(self.rooms.room_of_mut(session).is_none() && self.rooms.seat_of_mut(session).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_game_keeps_of_a_room_and_of_its_seats_is_changed_together() {
    let log = Log::default();
    let (server, connector) = server();
    let casino = Casino { rooms: Rooms::new(0..10, 3), log: log.clone() };
    let running = server.host(Host::Task).logic(casino).await.unwrap();
    let mut clients: Vec<_> = (0..3).map(|_| client(&connector)).collect();
    for (client, (what, n)) in clients.iter().zip([(3, 10), (3, 50), (2, 7)]) {
        client.send(&Ask::Do { what, n }).unwrap();
        pass(1).await;
    }
    clients[1].send(&Ask::Say { n: 20 }).unwrap();
    pass(1).await;
    drop(clients.drain(..));
    pass(10).await;
    assert_eq!(log.take(), ["2 1 [7]", "3 31 [1000, 40]"]);
    assert_eq!(running.stats().panics, 0);
}
