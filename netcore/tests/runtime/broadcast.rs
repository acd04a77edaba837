//! One packet for many: all, all but one, all everywhere, and groups.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use netcore::memory::MemoryConnector;
use netcore::{Binary, Client, Door, Full, Host, Lines, Server, SessionId, Text, TextProtocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{
    Ask, Game, Hear, Log, Note, client, game, job, next, one, pass, rest, round, said, server,
};

const ALL: u32 = 0;
const BUT: u32 = 1;
const EVERYWHERE: u32 = 2;

fn crier() -> Game {
    game().packet(|ctx, session, ask| match ask {
        Ask::Say { n } => drop(ctx.send(session, &said(n))),
        Ask::Do { what: ALL, n } => ctx.broadcast(&said(n)),
        Ask::Do { what: BUT, n } => ctx.broadcast_but(session, &said(n)),
        Ask::Do { n, .. } => ctx.broadcast_everywhere(&said(n)).unwrap(),
    })
}

/// What each of them heard, when everything has come to rest.
async fn heard(clients: Vec<Client<Hear, Ask>>) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for mut client in clients {
        let packets = rest(&mut client).await;
        all.push(packets.iter().map(|packet| if let Hear::Said { n } = packet { *n } else { 0 }).collect());
    }
    all
}

async fn some(connector: &MemoryConnector, count: usize) -> Vec<Client<Hear, Ask>> {
    let clients = (0..count).map(|_| client(connector)).collect();
    pass(1).await;
    clients
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_reaches_all_sessions_of_the_worker_or_all_but_one() {
    let (running, connector) = one(crier()).await;
    let clients = some(&connector, 4).await;
    clients[1].send(&Ask::Do { what: ALL, n: 1 }).unwrap();
    pass(1).await;
    clients[2].send(&Ask::Do { what: BUT, n: 2 }).unwrap();
    pass(1).await;
    clients[3].send(&Ask::Do { what: EVERYWHERE, n: 3 }).unwrap();
    pass(1).await;
    let (heard, _) = tokio::join!(heard(clients), running.shutdown());
    assert_eq!(heard, [vec![1, 2, 3], vec![1, 2, 3], vec![1, 3], vec![1, 2, 3]]);
}

#[tokio::test(start_paused = true)]
async fn only_a_broadcast_everywhere_reaches_the_sessions_of_other_workers() {
    let (server, connector) = server();
    let running = server.workers(2, |_| crier()).await.unwrap();
    let clients = some(&connector, 4).await;
    for (what, n) in [(ALL, 1), (BUT, 2), (EVERYWHERE, 3)] {
        clients[0].send(&Ask::Do { what, n }).unwrap();
    }
    pass(1).await;
    let (heard, _) = tokio::join!(heard(clients), running.shutdown());
    assert_eq!(heard, [vec![1, 3], vec![3], vec![1, 2, 3], vec![3]]);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_and_broadcast_arrives_in_the_order_of_the_calls() {
    let long = Hear::Long { text: "x".repeat(3_000) };
    let shared = long.clone();
    let game = game().packet(move |ctx, session, _| {
        ctx.send(session, &said(1));
        ctx.broadcast(&said(2));
        ctx.broadcast(&long);
        ctx.send(session, &long);
        ctx.send(session, &said(3));
        ctx.broadcast_everywhere(&long).unwrap();
        ctx.broadcast(&said(4));
    });
    let (_running, connector) = one(game).await;
    let mut client = client(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    for expected in [said(1), said(2), shared.clone(), shared.clone(), said(3), shared.clone(), said(4)] {
        assert_eq!(next(&mut client).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_hears_what_is_sent_to_it_in_the_order_of_joining_until_it_ends() {
    let mut group = None;
    let mut joined: Vec<SessionId> = Vec::new();
    let game = game().packet(move |ctx, session, ask| {
        let Ask::Do { what, n } = ask else { return };
        let group = *group.get_or_insert_with(|| ctx.create_group());
        match what {
            0 => {
                assert!(ctx.join(group, session));
                assert!(!ctx.join(group, session), "once");
                joined.push(session);
                assert_eq!(ctx.members(group), joined);
            }
            1 => ctx.send_group(group, &said(n)),
            2 => ctx.send_group_but(group, session, &said(n)),
            3 => {
                assert!(ctx.leave(group, session));
                assert!(!ctx.leave(group, session));
                joined.retain(|other| *other != session);
                assert_eq!(ctx.members(group), joined);
            }
            4 => assert_eq!(ctx.members(group).len(), n as usize),
            _ => {
                ctx.remove_group(group);
                ctx.remove_group(group);
                assert!(ctx.members(group).is_empty() && !ctx.join(group, session));
                let other = ctx.create_group();
                assert!(ctx.members(other).is_empty());
                ctx.send_group(group, &said(n));
            }
        }
    });
    let (running, connector) = one(game).await;
    let mut clients = some(&connector, 5).await;
    let script = [(0, 0, 0), (3, 0, 0), (1, 0, 0), (2, 1, 1), (1, 2, 2), (0, 3, 0), (2, 1, 3)];
    for (who, what, n) in script {
        clients[who].send(&Ask::Do { what, n }).unwrap();
        pass(1).await;
    }
    // Who closes is out.
    drop(clients.remove(3));
    pass(5).await;
    for (what, n) in [(4, 1), (1, 4), (5, 5), (1, 6)] {
        clients[2].send(&Ask::Do { what, n }).unwrap();
    }
    pass(1).await;
    assert_eq!(running.stats().panics, 0);
    let (heard, _) = tokio::join!(heard(clients), running.shutdown());
    assert_eq!(heard, [vec![1, 2], vec![1, 3, 4], vec![], vec![]]);
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_speaks_each_doors_own_language() {
    #[derive(Clone)]
    struct Words;
    impl TextProtocol for Words {
        type In = Ask;
        type Out = Hear;

        fn parse(&mut self, line: &str) -> Result<Ask, String> {
            line.parse().map(|n| Ask::Do { what: ALL, n }).map_err(|_| "a number, please".to_owned())
        }

        fn print(&self, packet: &Hear, lines: &mut Lines<'_>) {
            // For the others it has no word.
            if let Hear::Said { n } = packet {
                lines.line(format_args!("{n} was said"));
            }
        }
    }
    let (text, typists) = Door::memory(Text::new(Words));
    let mut server = Server::new().host(Host::Task).door(text);
    // More doors than most servers have.
    let mut connectors = Vec::new();
    for _ in 0..5 {
        let (door, connector) = Door::memory(Binary::new());
        server = server.door(door);
        connectors.push(connector);
    }
    let game = crier().tick(|ctx, _| ctx.broadcast(&Hear::Note { who: 0, n: 0 }));
    let _running = server.tick(Duration::from_secs(1)).logic(game).await.unwrap();
    let mut clients: Vec<_> = connectors.iter().map(client).collect();
    let mut typist = typists.connect().unwrap();
    typist.write_all(b"12\nx\n").await.unwrap();
    pass(1_500).await;
    for client in &mut clients {
        assert_eq!(next(client).await, said(12));
        assert_eq!(next(client).await, Hear::Note { who: 0, n: 0 });
    }
    let mut lines = [0; 64];
    let len = typist.read(&mut lines).await.unwrap();
    assert_eq!(&lines[..len], b"12 was said\na number, please\n");
}

#[tokio::test(start_paused = true)]
async fn who_moves_between_workers_hears_what_goes_to_all_everywhere_once() {
    // It moves first, or the other worker speaks first: either way it is at neither when they come to it.
    for move_first in [true, false] {
        let (server, connector) = server();
        let ids = Arc::new(Mutex::new(Vec::new()));
        let opened = ids.clone();
        let making = move |_| {
            let opened = opened.clone();
            game().opened(move |_, session| opened.lock().unwrap().push(session))
        };
        let running = server.workers(2, making).await.unwrap();
        let (mut one, mut two) = (client(&connector), client(&connector));
        round(&mut one, 1).await;
        round(&mut two, 1).await;
        let moving = ids.lock().unwrap()[0];
        let teller = running.teller();
        let moves = || teller.tell(0, job(move |ctx| ctx.move_to(moving, 1, Note::N(0)))).is_ok();
        if move_first {
            assert!(moves());
        }
        assert!(teller.tell(1, job(|ctx| ctx.broadcast_everywhere(&said(77)).unwrap())).is_ok());
        if !move_first {
            assert!(moves());
        }
        pass(100).await;
        let (one, two, _) = tokio::join!(rest(&mut one), rest(&mut two), running.shutdown());
        assert_eq!((one, two), (vec![said(77)], vec![said(77)]), "{move_first}");
    }
}

#[tokio::test(start_paused = true)]
async fn until_the_callback_that_moves_it_returns_a_session_is_sent_to() {
    let (server, connector) = server();
    let making = |_| {
        let game = game().packet(|ctx, session, _| {
            ctx.move_to(session, 1, Note::N(0));
            ctx.send(session, &said(1));
            ctx.broadcast(&said(2));
            ctx.broadcast_everywhere(&said(3)).unwrap();
        });
        game.arrived(|ctx, session, _| {
            let _ = ctx.send(session, &said(4));
        })
    };
    let running = server.workers(2, making).await.unwrap();
    let mut client = client(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    pass(100).await;
    let (heard, _) = tokio::join!(rest(&mut client), running.shutdown());
    assert_eq!(heard, [said(1), said(2), said(3), said(4)]);
}

#[tokio::test(start_paused = true)]
async fn a_move_to_the_same_worker_misses_nothing() {
    let (server, connector) = server();
    let making = |_| {
        game().packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.broadcast_everywhere(&said(n))),
            Ask::Do { .. } => ctx.move_to(session, 0, Note::N(0)),
        })
    };
    let running = server.workers(1, making).await.unwrap();
    let (mut moving, other) = (client(&connector), client(&connector));
    moving.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    other.send(&Ask::Say { n: 77 }).unwrap();
    pass(100).await;
    let (heard, _) = tokio::join!(rest(&mut moving), running.shutdown());
    assert_eq!(heard, [said(77)]);
}

#[tokio::test(start_paused = true)]
async fn what_a_worker_had_no_room_for_nobody_hears_later_who_was_there() {
    let (server, connector) = server();
    let making = |_| {
        game().packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            // Its only place for a message is taken.
            Ask::Do { what: 0, n } => {
                assert!(ctx.tell(1, Note::N(0)).is_ok());
                assert_eq!(ctx.broadcast_everywhere(&said(n)), Err(Full(vec![1])));
            }
            Ask::Do { what: 1, n } => ctx.broadcast_everywhere(&said(n)).unwrap(),
            Ask::Do { .. } => ctx.move_to(session, 0, Note::N(0)),
        })
    };
    let running = server.max_messages(1).workers(2, making).await.unwrap();
    let (mut one, mut two) = (client(&connector), client(&connector));
    round(&mut one, 0).await;
    round(&mut two, 0).await;
    for what in [0, 1] {
        one.send(&Ask::Do { what, n: what }).unwrap();
        pass(10).await;
    }
    two.send(&Ask::Do { what: 2, n: 0 }).unwrap();
    pass(10).await;
    let (one, two, _) = tokio::join!(rest(&mut one), rest(&mut two), running.shutdown());
    assert_eq!((one, two), (vec![said(0), said(1)], vec![said(1)]));
}

/// Each worker gives its own first; 64 later one has forgotten the one, and the other the other.
#[tokio::test(start_paused = true)]
async fn who_moves_when_all_was_said_hears_nothing_again() {
    let (server, connector) = server();
    let running = server.workers(2, |_| game()).await.unwrap();
    let (_other, mut peer) = (client(&connector), client(&connector));
    pass(5).await;
    let teller = running.teller();
    let say = |worker, n| {
        let work = job(move |ctx| ctx.broadcast_everywhere(&said(n)).unwrap());
        assert!(teller.tell(worker, work).is_ok());
    };
    say(0, 1);
    say(1, 2);
    pass(5).await;
    for n in 3..=65 {
        say(0, n);
        pass(1).await;
    }
    for _ in 0..65 {
        assert!(matches!(next(&mut peer).await, Hear::Said { n: 1..=65 }));
    }
    let go = job(move |ctx| {
        let all: Vec<_> = ctx.sessions().collect();
        all.into_iter().for_each(|session| ctx.move_to(session, 0, Note::N(0)));
    });
    assert!(teller.tell(1, go).is_ok());
    pass(5).await;
    say(0, 99);
    assert_eq!(next(&mut peer).await, said(99));
}

/// It had no room for more of them than are remembered one by one.
#[tokio::test(start_paused = true)]
async fn who_moves_over_a_worker_that_was_full_for_long_hears_nothing_again() {
    const SPAWN: u32 = 1;
    const MOVE: u32 = 2;
    let (server, connector) = server();
    let make = |_| {
        game().packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { what: SPAWN, .. } => ctx.spawn(std::future::pending()).unwrap(),
            Ask::Do { what: MOVE, n } => ctx.move_to(session, n as usize, Note::N(0)),
            Ask::Do { n, .. } => drop(ctx.broadcast_everywhere(&said(n))),
        })
    };
    let _running = server.max_messages(1).workers(3, make).await.unwrap();
    // One on each worker, and the one that moves.
    let [zero, one, two, mut peer] = [(); 4].map(|()| client(&connector));
    pass(5).await;
    let asks = async |who: &Client<Hear, Ask>, what, n| {
        who.send(&Ask::Do { what, n }).unwrap();
        pass(5).await;
    };
    asks(&one, SPAWN, 0).await;
    asks(&peer, MOVE, 2).await;
    asks(&zero, EVERYWHERE + 1, 7).await;
    assert_eq!(next(&mut peer).await, said(7));
    asks(&zero, SPAWN, 0).await;
    asks(&peer, MOVE, 1).await;
    for n in 100..165 {
        asks(&two, EVERYWHERE + 1, n).await;
    }
    asks(&peer, MOVE, 0).await;
    peer.send(&Ask::Say { n: 99 }).unwrap();
    assert_eq!(next(&mut peer).await, said(99));
}

#[tokio::test(start_paused = true)]
async fn a_group_of_another_worker_has_nobody_in_it() {
    let log = Log::default();
    let logged = log.clone();
    let (server, connector) = server();
    let make = move |worker| {
        let log = logged.clone();
        game().opened(move |ctx, session| {
            let group = ctx.create_group();
            assert!(ctx.join(group, session));
            if worker == 1 {
                return;
            }
            let log = log.clone();
            let work = job(move |ctx| {
                let sessions: Vec<_> = ctx.sessions().collect();
                ctx.send_group(group, &said(7));
                let (joined, left) = (ctx.join(group, sessions[0]), ctx.leave(group, sessions[0]));
                log.add(format!("{:?} {joined} {left}", ctx.members(group)));
                ctx.remove_group(group);
            });
            let _ = ctx.after(Duration::from_millis(5), job(|ctx| drop(ctx.tell(1, work))));
        })
    };
    let _running = server.workers(2, make).await.unwrap();
    let (_first, mut second) = (client(&connector), client(&connector));
    pass(10).await;
    assert_eq!(log.take(), ["[] false false"]);
    // It has heard nothing.
    round(&mut second, 1).await;
}
