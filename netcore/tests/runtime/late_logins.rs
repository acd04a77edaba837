//! At the deadline for its log-in a peer is closed, whatever the game is busy with: a `linger` later where it says nothing.

use std::time::Duration;

use netcore::memory::MemoryConnector;
use netcore::{AfterPanic, Binary, CloseReason, Connection, Context, Door, Host, Limits, Server};
use tokio::io::AsyncWriteExt;

use crate::awaited::{ANSWER, ASK, all, asks, sends};
use crate::common::{Ask, Hear, Log, bytes_of, game, pass, read_all, said};

/// A door where a log-in may take ten seconds, and what its peers hear last.
fn logs_in() -> (Door<Ask, Hear>, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.close_notice(|reason| Some(Hear::Bye { code: reason.code() }));
    (door.limits(Limits::new().login(Duration::from_secs(10))), connector)
}

const LATE: Hear = Hear::Bye { code: 21 };

#[tokio::test(start_paused = true)]
async fn at_the_deadline_for_the_log_in_the_peer_is_closed_though_what_it_waits_for_hangs() {
    let log = Log::default();
    let (game, mut questions) = asks(&log);
    let (door, connector) = logs_in();
    let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
    let mut stream = sends(&connector, &bytes_of(&[Ask::Say { n: 1 }, ASK, Ask::Say { n: 2 }])).await;
    let question = questions.recv().await.unwrap();
    pass(9_990).await;
    assert_eq!(running.stats().open(), 1);
    // The time that the game has for its last words, and then its socket, by the time that input is discarded.
    pass(2_020).await;
    assert_eq!((running.stats().closed_for("login"), running.stats().open()), (1, 0));
    assert_eq!(read_all(&mut stream).await, [said(1), LATE]);
    // What the game hears is in order.
    assert!(log.take().is_empty());
    drop(question);
    pass(1).await;
    assert_eq!(log.take(), ["0 login"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_closed_before_is_not_kept_beyond_the_deadline_either_unless_admitted() {
    for admits in [false, true] {
        let log = Log::default();
        let (game, mut questions) = asks(&log);
        let (door, connector) = logs_in();
        let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
        let mut stream = sends(&connector, &bytes_of(&[ASK])).await;
        let question = questions.recv().await.unwrap();
        stream.shutdown().await.unwrap();
        pass(5_000).await;
        if admits {
            all(&running, 1, |ctx, session| ctx.admit(session)).await;
        }
        pass(6_010).await;
        let closed = u64::from(!admits);
        assert_eq!((running.stats().closed_for("peer_closed"), log.len()), (closed, 0), "{admits}");
        pass(5_000).await;
        drop(question);
        let answered = if admits { vec![ANSWER, Hear::Bye { code: 1 }] } else { vec![Hear::Bye { code: 1 }] };
        assert_eq!(read_all(&mut stream).await, answered);
        pass(1).await;
        assert_eq!(log.take(), ["0 peer_closed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_elsewhere_does_not_keep_its_peer_beyond_the_deadline() {
    let (door, connector) = logs_in();
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let session = move |mut peer: Connection<Ask, Hear>| {
        let ended = ended.clone();
        async move {
            let _ = peer.recv().await;
            pass(60_000).await;
            ended.send((peer.send(&said(1)).is_err(), peer.recv().await)).unwrap();
        }
    };
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut stream = sends(&connector, &bytes_of(&[ASK])).await;
    pass(11_010).await;
    stream.shutdown().await.unwrap();
    assert_eq!(read_all(&mut stream).await, [LATE]);
    assert_eq!(ends.recv().await, Some((true, Err(CloseReason::Login(Duration::from_secs(10))))));
    pass(1).await;
    assert_eq!(running.stats().closed_for("login"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_game_may_say_something_to_it_that_comes_before_the_notice() {
    let (door, connector) = logs_in();
    let session = |mut peer: Connection<Ask, Hear>| async move {
        assert!(matches!(peer.recv().await, Err(CloseReason::Login(_))));
        pass(900).await;
        peer.send(&said(1)).unwrap();
    };
    let _running = Server::new().door(door).serve(session).await.unwrap();
    let mut stream = connector.connect().unwrap();
    assert_eq!(read_all(&mut stream).await, [said(1), LATE]);
}

#[tokio::test(start_paused = true)]
async fn nor_is_who_has_gone_and_had_sent_more_than_the_game_has_room_for() {
    let log = Log::default();
    let (game, mut questions) = asks(&log);
    let (door, connector) = logs_in();
    let door = door.limits(Limits::new().login(Duration::from_secs(10)).inbox(4));
    let server = Server::new().host(Host::Task).tick(Duration::from_secs(1)).door(door);
    let running = server.logic(game.tick(|ctx, _| ctx.broadcast(&said(1)))).await.unwrap();
    let many: Vec<_> = std::iter::once(ASK).chain((0..20).map(|n| Ask::Say { n })).collect();
    let stream = sends(&connector, &bytes_of(&many)).await;
    let _question = questions.recv().await.unwrap();
    pass(10).await;
    // It is not read from: a write that fails says that it has gone.
    drop(stream);
    pass(12_010).await;
    assert_eq!((running.stats().open(), running.stats().closed_for("broken")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn nor_is_who_has_closed_before_the_game_was_made_anew() {
    for closes in [false, true] {
        let (door, connector) = logs_in();
        let made = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let make = move |_| {
            let first = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let hangs = |ctx: &mut Context<_>, session| {
                ctx.spawn_for(session, std::future::pending()).unwrap();
            };
            let game = game().packet(move |ctx, session, ask| match ask {
                Ask::Do { what: 7, .. } => {
                    ctx.admit(session);
                    hangs(ctx, session);
                }
                _ => panic!("made anew"),
            });
            game.opened(move |ctx, session| {
                if !first {
                    hangs(ctx, session)
                }
            })
        };
        let server = Server::new().host(Host::Task).after_panic(AfterPanic::Rebuild).door(door);
        let running = server.workers(1, make).await.unwrap();
        let mut stream = sends(&connector, &bytes_of(&[ASK])).await;
        if closes {
            stream.shutdown().await.unwrap();
        }
        pass(5_000).await;
        drop(sends(&connector, &bytes_of(&[Ask::Say { n: 1 }])).await);
        pass(100).await;
        // The new game looks into it for as long as anybody new.
        pass(9_800).await;
        assert_eq!(running.stats().open(), 1, "{closes}");
        pass(2_200).await;
        assert_eq!(running.stats().open(), 0, "{closes}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_shutdown_the_game_hears_why_it_had_closed() {
    let log = Log::default();
    let (game, mut questions) = asks(&log);
    let (door, connector) = logs_in();
    let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
    let _stream = sends(&connector, &bytes_of(&[ASK])).await;
    let _question = questions.recv().await.unwrap();
    pass(20_000).await;
    running.shutdown().await;
    assert_eq!(log.take(), ["0 login"]);
}
