//! A game that was made anew after a panic hears no end of sessions that never opened on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use netcore::{AfterPanic, Binary, CloseReason, Door, Host, Limits, Server};

use crate::common::{Ask, Ctx, Game, Hear, Log, Note, client, game, job, pass, server};

fn close_others(ctx: &mut Ctx, but: netcore::SessionId) {
    let others: Vec<_> = ctx.sessions().filter(|other| *other != but).collect();
    others.into_iter().for_each(|other| ctx.close(other, CloseReason::Ended));
}

/// What the second of two games hears of four sessions after `panics`, and of those who are left when all go; `change` makes
/// the second out of one that notes what it hears.
async fn anew(panics: fn(&mut Ctx), change: fn(Game, Log) -> Game) -> (Vec<String>, Vec<String>) {
    let log = Log::default();
    let logged = log.clone();
    let made = Arc::new(AtomicUsize::new(0));
    let make = move |_| {
        let closed = logged.clone();
        if made.fetch_add(1, Relaxed) == 0 {
            return game().closed(|_, _, _| panic!("over an end"));
        }
        let noting = game().closed(move |_, session, _| closed.add(format!("closed {}", session.index())));
        change(noting, logged.clone())
    };
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().host(Host::Task).door(door.limits(Limits::new().queue(8192)));
    let running = server.after_panic(AfterPanic::Rebuild).workers(1, make).await.unwrap();
    let clients: Vec<_> = (0..4).map(|_| client(&connector)).collect();
    pass(5).await;
    assert!(running.teller().tell(0, job(panics)).is_ok());
    pass(50).await;
    assert_eq!(running.stats().panics, 1);
    let heard = log.take();
    drop(clients);
    pass(5).await;
    assert_eq!(running.stats().open(), 0);
    (heard, log.take())
}

fn that_closes_the_others(noting: Game, log: Log) -> Game {
    noting.opened(move |ctx, session| {
        log.add(format!("opened {}", session.index()));
        close_others(ctx, session);
    })
}

fn one(heard: (Vec<String>, Vec<String>)) {
    assert_eq!(heard, (vec!["opened 0".to_owned()], vec!["closed 0".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn that_closes_them_before_they_open() {
    one(anew(|_| panic!("in a message"), that_closes_the_others).await);
}

#[tokio::test(start_paused = true)]
async fn after_a_panic_over_an_end() {
    let over_an_end = |ctx: &mut Ctx| {
        let last = ctx.sessions().last().unwrap();
        ctx.close(last, CloseReason::Ended);
    };
    one(anew(over_an_end, that_closes_the_others).await);
}

#[tokio::test(start_paused = true)]
async fn that_says_more_to_the_first_than_its_transport_takes_at_once() {
    let says_much = |noting: Game, log: Log| {
        noting.opened(move |ctx, session| {
            log.add(format!("opened {}", session.index()));
            close_others(ctx, session);
            for _ in 0..6 {
                ctx.send(session, &Hear::Long { text: "x".repeat(1000) });
            }
        })
    };
    one(anew(|_| panic!("in a message"), says_much).await);
}

#[tokio::test(start_paused = true)]
async fn that_moves_one_and_then_closes_it() {
    let moves = |noting: Game, log: Log| {
        let mut moved = None;
        noting.opened(move |ctx, session| {
            log.add(format!("opened {}", session.index()));
            if let Some(moved) = moved {
                ctx.close(moved, CloseReason::Ended);
            } else {
                moved = ctx.sessions().find(|other| *other != session);
                ctx.move_to(moved.unwrap(), 0, Note::N(0));
            }
        })
    };
    let (heard, left) = anew(|_| panic!("in a message"), moves).await;
    assert_eq!(heard, ["opened 0", "opened 2", "opened 3"]);
    assert_eq!(left, ["closed 0", "closed 2", "closed 3"]);
}

#[tokio::test(start_paused = true)]
async fn that_has_admitted_nobody() {
    let make = |_| {
        game().packet(|ctx, session, ask| {
            if let Ask::Say { n: 1 } = ask {
                ctx.admit(session);
            }
        })
    };
    let (door, connector) = Door::memory(Binary::new());
    let limits = Limits::new().login(Duration::from_secs(5)).admission(1000, 3);
    let server = Server::new().host(Host::Task).door(door.limits(limits)).after_panic(AfterPanic::Rebuild);
    let running = server.workers(1, make).await.unwrap();
    let [forgets, again, slow, never] = [(); 4].map(|()| client(&connector));
    for client in [&forgets, &again] {
        client.send(&Ask::Say { n: 1 }).unwrap();
    }
    for _ in 0..3 {
        slow.send(&Ask::Say { n: 0 }).unwrap();
    }
    pass(4000).await;
    assert!(running.teller().tell(0, job(|_| panic!("in a message"))).is_ok());
    pass(1).await;
    // It does not know, and says more than somebody may who was not let in.
    for n in 2..12 {
        forgets.send(&Ask::Say { n }).unwrap();
    }
    for client in [&again, &slow] {
        client.send(&Ask::Say { n: 1 }).unwrap();
    }
    pass(4900).await;
    assert_eq!((running.stats().open(), running.stats().panics), (4, 1));
    // A session counts as closed up to a second later: its peer does not close.
    pass(1200).await;
    let stats = running.stats();
    assert_eq!((stats.closed_for("login"), stats.open()), (2, 2));
    // Those who were let in again stay.
    pass(3_600_000).await;
    assert_eq!(running.stats().open(), 2);
    drop((forgets, again, slow, never));
}

#[tokio::test(start_paused = true)]
async fn that_hears_no_results_of_what_another_asked_for() {
    let (log, made) = (Log::default(), Arc::new(AtomicUsize::new(0)));
    let logged = log.clone();
    let make = move |_| {
        let (log, number) = (logged.clone(), made.fetch_add(1, Relaxed));
        game().message(move |_, n| log.add(format!("{number} hears {n}")))
    };
    let (server, _connector) = server();
    let server = server.max_messages(2).after_panic(AfterPanic::Rebuild);
    let running = server.workers(1, make).await.unwrap();
    let works = |n| {
        let log = log.clone();
        let work = job(move |ctx| {
            for millis in [0, 20] {
                let log = log.clone();
                let work = async move {
                    pass(millis).await;
                    log.add(format!("done in {millis}"));
                    Note::N(n)
                };
                ctx.spawn(work).unwrap();
            }
        });
        assert!(running.teller().tell(0, work).is_ok());
    };
    works(0);
    pass(10).await;
    assert_eq!(log.take(), ["done in 0", "0 hears 0"]);
    assert!(running.teller().tell(0, job(|_| panic!("in a message"))).is_ok());
    pass(1).await;
    assert!(running.teller().tell(0, Note::N(7)).is_ok());
    pass(30).await;
    assert_eq!(log.take(), ["1 hears 7", "done in 20"]);
    // What was dropped takes no room.
    works(1);
    pass(30).await;
    assert_eq!(log.take(), ["done in 0", "1 hears 1", "done in 20", "1 hears 1"]);
    assert_eq!(running.stats().panics, 1);
}
