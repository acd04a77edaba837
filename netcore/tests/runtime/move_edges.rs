//! Moves at the odd moments: in `opened`, in `arrived`, with a close, to the own worker, twice, with the peer gone.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use netcore::memory::MemoryConnector;
use netcore::{Binary, CloseReason, Door, GroupId, Host, Running, Server};

use crate::common::{
    Ask, Game, Hear, Log, Note, bytes_of, client, game, job, next, pass, rest, round, said, server,
    stand_still, until,
};

/// Logs what each worker hears.
fn logs(log: &Log, worker: usize) -> Game {
    let [opened, packet, arrived, closed] = std::array::from_fn(|_| log.clone());
    game()
        .opened(move |_, _| opened.add(format!("{worker} opened")))
        .packet(move |ctx, session, ask| {
            match ask {
                Ask::Say { n } => {
                    packet.add(format!("{worker} say {n}"));
                    ctx.send(session, &said(n));
                }
                Ask::Do { what, n } => {
                    packet.add(format!("{worker} do {n}"));
                    ctx.move_to(session, what as usize, Note::N(n));
                }
            };
        })
        .arrived(move |_, _, note| {
            let Note::N(n) = note else { unreachable!() };
            arrived.add(format!("{worker} arrived {n}"));
        })
        .closed(move |_, _, reason| closed.add(format!("{worker} closed {}", reason.label())))
}

async fn two(make: impl Fn(usize) -> Game + Send + Sync + 'static) -> (Running<Note>, MemoryConnector) {
    let (server, connector) = server();
    (server.workers(2, make).await.unwrap(), connector)
}

#[tokio::test(start_paused = true)]
async fn a_session_moved_as_it_opens_is_heard_by_the_other_worker_alone() {
    let log = Log::default();
    let logged = log.clone();
    let (_running, connector) = two(move |worker| {
        let log = logged.clone();
        logs(&log.clone(), worker).opened(move |ctx, session| {
            log.add(format!("{worker} opened"));
            ctx.move_to(session, 1, Note::N(0));
        })
    })
    .await;
    // The packets are there before the session opens.
    let mut peer = connector.connect().unwrap();
    peer.write_all(&bytes_of(&[Ask::Say { n: 1 }, Ask::Say { n: 2 }])).await.unwrap();
    peer.shutdown().await.unwrap();
    pass(5).await;
    let expected = ["0 opened", "1 arrived 0", "1 say 1", "1 say 2", "1 closed peer_closed"];
    assert_eq!(log.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_session_may_be_sent_straight_on_as_it_arrives() {
    let log = Log::default();
    let logged = log.clone();
    let (_running, connector) = two(move |worker| {
        let log = logged.clone();
        logs(&log.clone(), worker).arrived(move |ctx, session, note| {
            let Note::N(n) = note else { unreachable!() };
            log.add(format!("{worker} arrived {n}"));
            if n > 0 {
                ctx.move_to(session, 1 - worker, Note::N(n - 1));
            }
        })
    })
    .await;
    let mut peer = connector.connect().unwrap();
    peer.write_all(&bytes_of(&[Ask::Do { what: 1, n: 3 }, Ask::Say { n: 1 }, Ask::Say { n: 2 }]))
        .await
        .unwrap();
    pass(5).await;
    let expected = [
        "0 opened",
        "0 do 3",
        "1 arrived 3",
        "0 arrived 2",
        "1 arrived 1",
        "0 arrived 0",
        "0 say 1",
        "0 say 2",
    ];
    assert_eq!(log.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_session_may_move_to_the_worker_that_it_is_on_and_to_none_that_is_not_there() {
    let log = Log::default();
    let logged = log.clone();
    let (_running, connector) = two(move |worker| logs(&logged, worker)).await;
    let mut client = client(&connector);
    client.send(&Ask::Do { what: 0, n: 1 }).unwrap();
    client.send(&Ask::Do { what: 9, n: 2 }).unwrap();
    round(&mut client, 3).await;
    assert_eq!(log.take(), ["0 opened", "0 do 1", "0 arrived 1", "0 do 2", "0 say 3"]);
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_moves_in_one_callback_counts() {
    let log = Log::default();
    let logged = log.clone();
    let (_running, connector) = two(move |worker| {
        logs(&logged, worker).packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &Hear::Note { who: ctx.worker() as u32, n })),
            Ask::Do { .. } => {
                ctx.move_to(session, 1, Note::N(1));
                ctx.move_to(session, 0, Note::N(2));
            }
        })
    })
    .await;
    let mut client = client(&connector);
    client.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    client.send(&Ask::Say { n: 5 }).unwrap();
    assert_eq!(next(&mut client).await, Hear::Note { who: 1, n: 5 });
    assert_eq!(log.take(), ["0 opened", "1 arrived 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_moved_and_closed_at_once_is_closed() {
    let log = Log::default();
    let logged = log.clone();
    let (running, connector) = two(move |worker| {
        logs(&logged, worker).packet(|ctx, session, ask| {
            let Ask::Do { what, .. } = ask else { return };
            ctx.send(session, &said(what));
            if what == 0 {
                ctx.move_to(session, 1, Note::N(1));
                ctx.close(session, CloseReason::Game(1000));
            } else {
                ctx.close(session, CloseReason::Game(1000));
                ctx.move_to(session, 1, Note::N(1));
            }
        })
    })
    .await;
    for what in [0, 1] {
        let mut client = client(&connector);
        client.send(&Ask::Do { what, n: 0 }).unwrap();
        assert_eq!(rest(&mut client).await, [said(what)]);
        let events = log.take();
        assert_eq!(events[1..], [format!("{what} closed game")], "{events:?}");
    }
    pass(5).await;
    assert_eq!(running.stats().closed_for("game"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_after_the_move_still_closes_the_session() {
    let log = Log::default();
    let logged = log.clone();
    let (running, connector) = two(move |worker| {
        logs(&logged, worker).packet(|ctx, session, _| {
            ctx.move_to(session, 1, Note::N(1));
            panic!("after the move");
        })
    })
    .await;
    let mut client = client(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    assert_eq!(rest(&mut client).await, []);
    assert_eq!(log.take(), ["0 opened", "0 closed panicked"]);
    assert_eq!(running.stats().panics, 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_gone_closes_where_it_arrives() {
    let log = Log::default();
    let logged = log.clone();
    let (_running, connector) = two(move |worker| logs(&logged, worker)).await;
    let mut peer = connector.connect().unwrap();
    peer.write_all(&bytes_of(&[Ask::Do { what: 1, n: 7 }])).await.unwrap();
    drop(peer);
    pass(5).await;
    assert_eq!(log.take(), ["0 opened", "0 do 7", "1 arrived 7", "1 closed peer_closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_moves_a_session_amid_its_packets_loses_none() {
    // More packets than a worker handles before it looks at the clock; the timer is due when it does.
    const MANY: u32 = 900;
    let log = Log::default();
    let logged = log.clone();
    let (_running, connector) = two(move |worker| {
        let log = logged.clone();
        game().packet(move |ctx, session, ask| {
            let Ask::Say { n } = ask else { return };
            log.add(worker);
            ctx.send(session, &said(n));
            if n == 0 {
                ctx.after(Duration::ZERO, job(move |ctx| ctx.move_to(session, 1, Note::N(0))));
            }
        })
    })
    .await;
    let mut peer = connector.connect().unwrap();
    // The worker finds an inboxful: it stands in the queue behind one that lets them pile up.
    let packets: Vec<_> = (0..MANY).map(|n| Ask::Say { n }).collect();
    peer.write_all(&bytes_of(&packets)).await.unwrap();
    peer.shutdown().await.unwrap();
    let answers = crate::common::read_all(&mut peer).await;
    assert_eq!(answers, (0..MANY).map(said).collect::<Vec<_>>());
    let workers = log.take();
    assert!(workers.contains(&"0".to_owned()) && workers.contains(&"1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn groups_and_timers_end_with_the_move() {
    let log = Log::default();
    let logged = log.clone();
    let (running, connector) = two(move |worker| {
        let mut group: Option<GroupId> = None;
        let messages = logged.clone();
        logs(&logged, worker)
            .packet(move |ctx, session, ask| match ask {
                Ask::Say { n } => drop(ctx.send(session, &said(n))),
                Ask::Do { what, n } => {
                    let group = *group.get_or_insert_with(|| ctx.create_group());
                    assert!(ctx.join(group, session));
                    ctx.after_for(session, Duration::from_millis(10), Note::N(n)).unwrap();
                    ctx.after(Duration::from_millis(10), Note::N(n + 1));
                    ctx.after(
                        Duration::from_millis(20),
                        job(move |ctx| {
                            assert!(ctx.members(group).is_empty());
                            ctx.send_group(group, &said(999));
                        }),
                    );
                    ctx.move_to(session, what as usize, Note::N(n));
                    assert_eq!(ctx.after_for(session, Duration::ZERO, Note::N(n)), None, "it is leaving");
                    assert!(!ctx.has(session));
                }
            })
            .message(move |_, n| messages.add(format!("{worker} message {n}")))
    })
    .await;
    let mut client = client(&connector);
    client.send(&Ask::Do { what: 1, n: 4 }).unwrap();
    pass(100).await;
    round(&mut client, 1).await;
    assert_eq!(log.take(), ["0 opened", "1 arrived 4", "0 message 5"]);
    assert_eq!(running.stats().panics, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_moved_to_a_worker_that_has_ended_is_closed_where_they_were() {
    let log = Log::default();
    let logged = log.clone();
    // The game of worker 1 is dropped behind its end.
    let (held, ended) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(Some(held));
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().host(Host::Thread).door(door).drain(Duration::from_millis(10));
    let make = move |worker| {
        let [opened, packet, closed] = std::array::from_fn(|_| logged.clone());
        let held = if worker == 1 { held.lock().unwrap().take() } else { None };
        game()
            .opened(move |_, _| opened.add("opened"))
            .packet(move |ctx, session, _| {
                let _ = &held;
                packet.add("moved");
                ctx.move_to(session, 1, Note::N(0));
            })
            .closed(move |_, _, reason| closed.add(format!("{worker} closed {}", reason.label())))
    };
    let running = server.workers(2, make).await.unwrap();
    let mut peer = connector.connect().unwrap();
    until(|| log.len() == 1).await;
    let go = stand_still(&running, 0);
    peer.write_all(&bytes_of(&[Ask::Say { n: 1 }])).await.unwrap();
    until(|| running.stats().packets_in == 1).await;
    let stops = tokio::spawn(running.shutdown());
    tokio::task::spawn_blocking(move || ended.recv()).await.unwrap().unwrap_err();
    drop(go);
    stops.await.unwrap();
    assert_eq!(log.take(), ["opened", "moved", "0 closed stopping"]);
}
