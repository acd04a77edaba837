//! What a game says to itself: timers, background work, and messages between workers.

use std::time::Duration;

use netcore::{CloseReason, Full};
use tokio::io::AsyncWriteExt;

use crate::common::{
    Ask, Log, Note, bytes_of, client, game, job, next, one, pass, round, said, server, within,
};

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn timers_bring_their_messages_in_the_order_in_which_they_are_due() {
    let log = Log::default();
    let messages = log.clone();
    let game = game()
        .opened(|ctx, _| {
            for (time, n) in [(30, 3), (10, 1), (20, 2), (10, 11)] {
                ctx.after(MS * time, Note::N(n));
            }
            let never = ctx.after(MS * 15, Note::N(99));
            assert!(matches!(ctx.cancel(never), Some(Note::N(99))));
            assert!(ctx.cancel(never).is_none());
        })
        .message(move |ctx, n| {
            messages.add(n);
            if n == 3 {
                ctx.after(MS, Note::N(4));
            }
        });
    let (_running, connector) = one(game).await;
    let _client = client(&connector);
    pass(25).await;
    assert_eq!(log.take(), ["1", "11", "2"]);
    pass(10).await;
    assert_eq!(log.take(), ["3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_sessions_timers_end_with_it() {
    let log = Log::default();
    let messages = log.clone();
    let game = game()
        .packet(|ctx, session, _| {
            let timer = ctx.after_for(session, MS * 5, Note::N(1));
            ctx.after_for(session, MS * 50, Note::N(2));
            ctx.after(MS * 50, Note::N(3));
            assert!(timer.is_some());
        })
        .closed(|ctx, session, _| assert!(ctx.after_for(session, MS, Note::N(9)).is_none()))
        .message(move |_, n| messages.add(n));
    let (running, connector) = one(game).await;
    let client = client(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    pass(20).await;
    drop(client);
    pass(100).await;
    assert_eq!(log.take(), ["1", "3"]);
    assert_eq!(running.stats().panics, 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_has_its_share_of_timers_and_takes_none_from_others() {
    let log = Log::default();
    let (verdicts, messages) = (log.clone(), log.clone());
    // `Do` starts a timer for the session that is due in `what` ms, `Say` one for nobody.
    let game = game()
        .packet(move |ctx, session, ask| match ask {
            Ask::Do { what, n } if ctx.after_for(session, MS * what, Note::N(n)).is_none() => {
                verdicts.add(format!("none {n}"));
            }
            Ask::Do { .. } => {}
            Ask::Say { n } => {
                let timer = ctx.after(MS * 40, Note::N(n));
                if timer.is_refused() {
                    assert!(ctx.cancel(timer).is_none());
                    verdicts.add(format!("refused {n}"));
                }
            }
        })
        .message(move |_, n| messages.add(n));
    let (server, connector) = server();
    let running = server.max_timers(18).logic(game).await.unwrap();
    let (greedy, other) = (client(&connector), client(&connector));
    // Of 18 it has 16, of which one is over first.
    for n in 0..18 {
        greedy.send(&Ask::Do { what: if n == 0 { 10 } else { 20 }, n }).unwrap();
    }
    pass(1).await;
    assert_eq!(log.take(), ["none 16", "none 17"]);
    other.send(&Ask::Do { what: 20, n: 100 }).unwrap();
    other.send(&Ask::Say { n: 101 }).unwrap();
    other.send(&Ask::Do { what: 20, n: 102 }).unwrap();
    other.send(&Ask::Say { n: 103 }).unwrap();
    pass(1).await;
    assert_eq!(log.take(), ["none 102", "refused 103"]);
    assert_eq!(running.stats().timers_refused, 4);
    pass(10).await;
    assert_eq!(log.take(), ["0"]);
    // There is room again: for one.
    greedy.send(&Ask::Do { what: 50, n: 200 }).unwrap();
    greedy.send(&Ask::Do { what: 50, n: 201 }).unwrap();
    pass(1).await;
    assert_eq!(log.take(), ["none 201"]);
    // Nor do those of a session that closed count any more, or come.
    drop(greedy);
    pass(1).await;
    for n in 0..16 {
        other.send(&Ask::Say { n }).unwrap();
    }
    other.send(&Ask::Say { n: 16 }).unwrap();
    pass(1).await;
    assert_eq!(log.take(), ["refused 16"]);
    pass(100).await;
    let mut expected = vec!["100".to_owned(), "101".into()];
    expected.extend((0..16).map(|n| n.to_string()));
    assert_eq!(log.take(), expected);
    assert_eq!((running.stats().timers_refused, running.stats().panics), (6, 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_timer_costs_does_not_grow_with_the_number_of_its_sessions() {
    const COUNT: u32 = 100_000;
    let log = Log::default();
    let (ready, mut left) = (log.clone(), COUNT);
    // Half of them are cancelled, the others fire all at once; each time it is the one that was started last.
    let game = game()
        .packet(move |ctx, session, _| {
            let timers: Vec<_> = (0..2 * COUNT)
                .map(|n| ctx.after_for(session, MS * (2 * COUNT - n), Note::N(n)).unwrap())
                .collect();
            let last = timers.into_iter().rev().take(COUNT as usize);
            last.for_each(|timer| assert!(ctx.cancel(timer).is_some()));
        })
        .message(move |_, _| {
            left -= 1;
            if left == 0 {
                ready.add("all");
            }
        });
    let (server, connector) = server();
    let _running = server.max_timers(200 * COUNT as usize).logic(game).await.unwrap();
    let client = client(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    let begun = std::time::Instant::now();
    pass(1).await;
    tokio::time::advance(MS * (3 * COUNT)).await;
    pass(1).await;
    assert_eq!(log.take(), ["all"]);
    // A second or so; each looked for among all of the session's, it took minutes.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn background_work_brings_its_result_as_a_message() {
    let game = game().packet(|ctx, session, ask| {
        let Ask::Say { n } = ask else { return };
        let work = async move {
            tokio::time::sleep(MS * 100).await;
            job(move |ctx| {
                ctx.send(session, &said(n * 2));
            })
        };
        ctx.spawn(work).unwrap();
    });
    let (_running, connector) = one(game).await;
    let mut client = client(&connector);
    for n in [1, 2] {
        client.send(&Ask::Say { n }).unwrap();
    }
    assert_eq!((next(&mut client).await, next(&mut client).await), (said(2), said(4)));
}

#[tokio::test(start_paused = true)]
async fn a_full_worker_answers_the_sender_and_background_work_counts() {
    let log = Log::default();
    let logged = log.clone();
    let (server, connector) = server();
    let running = server
        .max_messages(3)
        .workers(2, move |worker| {
            let (log, messages) = (logged.clone(), logged.clone());
            game()
                .packet(move |ctx, session, ask| {
                    if let Ask::Do { what, n } = ask {
                        let answers = (0..5).map(|i| match ctx.tell(what as usize, Note::N(n + i)) {
                            Ok(()) => 'o',
                            Err(Full(Note::N(_))) => 'f',
                            Err(_) => '?',
                        });
                        log.add(answers.collect::<String>());
                        return;
                    }
                    // Two that are under way leave room for one.
                    for _ in 0..2 {
                        ctx.spawn(async {
                            tokio::time::sleep(MS * 10).await;
                            Note::N(7)
                        })
                        .unwrap();
                    }
                    let me = ctx.worker();
                    assert!(ctx.tell(me, Note::N(8)).is_ok());
                    assert!(ctx.tell(me, Note::N(8)).is_err());
                    assert_eq!(ctx.spawn(async { Note::N(9) }), Err(Full(())));
                    ctx.send(session, &said(0));
                })
                .message(move |_, n| messages.add(format!("{worker}: {n}")))
        })
        .await
        .unwrap();
    let mut client = client(&connector);
    client.send(&Ask::Do { what: 1, n: 10 }).unwrap();
    client.send(&Ask::Do { what: 2, n: 20 }).unwrap();
    pass(1).await;
    assert_eq!(
        log.take(),
        ["ooof".to_owned() + "f", "fffff".to_owned(), "1: 10".into(), "1: 11".into(), "1: 12".into()]
    );
    // There is room again.
    client.send(&Ask::Do { what: 1, n: 30 }).unwrap();
    pass(1).await;
    assert_eq!(log.take().len(), 4);
    client.send(&Ask::Say { n: 0 }).unwrap();
    assert_eq!(next(&mut client).await, said(0));
    pass(20).await;
    assert_eq!(log.take(), ["0: 8", "0: 7", "0: 7"]);

    let teller = running.teller();
    for n in 0..3 {
        assert!(teller.tell(1, Note::N(n)).is_ok());
    }
    assert!(matches!(teller.tell(1, Note::N(3)), Err(Full(Note::N(3)))));
    assert!(matches!(teller.tell(2, Note::N(4)), Err(Full(Note::N(4)))));
    pass(1).await;
    assert_eq!(log.take(), ["1: 0", "1: 1", "1: 2"]);
}

#[tokio::test(start_paused = true)]
async fn background_work_that_panics_gives_its_room_back() {
    let (server, connector) = server();
    let game = game().packet(|ctx, session, ask| match ask {
        Ask::Say { n } => drop(ctx.send(session, &said(n))),
        Ask::Do { .. } => ctx.spawn(async { panic!("in the background") }).unwrap(),
    });
    let _running = server.max_messages(1).logic(game).await.unwrap();
    let mut client = client(&connector);
    for n in 0..3 {
        client.send(&Ask::Do { what: 0, n }).unwrap();
        round(&mut client, n).await;
        pass(1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn background_work_and_its_runtime_end_with_the_server() {
    let (work, mut ended) = tokio::sync::mpsc::channel::<()>(1);
    let game = game().packet(move |ctx, session, ask| {
        let work = work.clone();
        ctx.spawn(async move {
            let _work = work;
            std::future::pending().await
        })
        .unwrap();
        let Ask::Say { n } = ask else { return };
        ctx.send(session, &said(n));
    });
    let (running, connector) = one(game).await;
    let mut client = client(&connector);
    round(&mut client, 1).await;
    drop(running);
    assert_eq!(within(ended.recv()).await, None);
}

#[tokio::test(start_paused = true)]
async fn messages_for_a_session_that_is_gone_find_nobody() {
    let log = Log::default();
    let verdicts = log.clone();
    let game = game().closed(move |ctx, session, reason| {
        assert_eq!(reason, CloseReason::PeerClosed);
        let verdicts = verdicts.clone();
        ctx.after(
            MS,
            job(move |ctx| {
                verdicts.add(format!("{:?}", ctx.send(session, &said(1))));
                ctx.close(session, CloseReason::Ended);
                ctx.move_to(session, 0, Note::N(0));
                let group = ctx.create_group();
                assert!(!ctx.join(group, session));
                assert!(!ctx.has(session) && ctx.sessions().all(|other| other != session));
            }),
        );
    });
    let (running, connector) = one(game).await;
    let first = client(&connector);
    pass(1).await;
    within(first.close()).await;
    // The next session has the same place, and another id.
    let mut second = client(&connector);
    pass(10).await;
    round(&mut second, 5).await;
    assert_eq!(log.take(), ["Closed"]);
    assert_eq!(running.stats().panics, 0);
}

#[tokio::test]
async fn a_timer_that_is_started_late_in_a_long_batch_is_not_early() {
    let (tell, told) = std::sync::mpsc::channel();
    let game = game().packet(move |ctx, _, ask| {
        let Ask::Say { n } = ask else { return };
        let _ = ctx.now();
        // Work, of a millisecond.
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(1) {}
        if n == 99 {
            let (tell, started) = (tell.clone(), std::time::Instant::now());
            ctx.after(Duration::from_millis(50), job(move |_| tell.send(started.elapsed()).unwrap()));
        }
    });
    let (_running, connector) = one(game).await;
    let mut peer = connector.connect().unwrap();
    let all: Vec<_> = (0..100).map(|n| Ask::Say { n }).collect();
    peer.write_all(&bytes_of(&all)).await.unwrap();
    let waited = tokio::task::spawn_blocking(move || told.recv().unwrap()).await.unwrap();
    assert!(waited >= Duration::from_millis(49), "{waited:?}");
}
