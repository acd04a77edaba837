//! What is still to be done when a server stops: saves, and what one worker tells another.

use std::time::Duration;

use netcore::{CloseReason, Connection};

use crate::common::{Ask, Ctx, Hear, Log, Note, client, game, job, one, pass, round, server};

/// What a game saves as a session closes: it takes that long, and its message says that it is done.
fn save(ctx: &mut Ctx, takes: Duration, log: &Log, what: &str) {
    let (log, what) = (log.clone(), what.to_owned());
    let work = async move {
        tokio::time::sleep(takes).await;
        job(move |_| log.add(format!("saved {what}")))
    };
    assert!(ctx.spawn(work).is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_saved_as_sessions_close_is_saved_before_the_server_ends() {
    let log = Log::default();
    let saves = log.clone();
    let game = game().closed(move |ctx, session, _| {
        save(ctx, Duration::from_secs(2), &saves, &session.index().to_string());
    });
    let (running, connector) = one(game).await;
    let mut clients = [client(&connector), client(&connector), client(&connector)];
    for client in &mut clients {
        round(client, 1).await;
    }
    let report = running.shutdown().await;
    assert_eq!(log.take(), ["saved 0", "saved 1", "saved 2"]);
    assert_eq!((report.sessions, report.cut, report.cut_work), (3, 0, 0));
    assert!(report.took >= Duration::from_secs(2) && report.took < Duration::from_secs(3), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_drain_time_is_cut_and_counted() {
    let log = Log::default();
    let saves = log.clone();
    let game = game().closed(move |ctx, _, _| save(ctx, Duration::from_secs(60), &saves, "late"));
    let (server, connector) = server();
    let running = server.drain(Duration::from_secs(3)).logic(game).await.unwrap();
    let mut client = client(&connector);
    round(&mut client, 1).await;
    let report = running.shutdown().await;
    assert!(log.take().is_empty());
    assert_eq!((report.cut, report.cut_work), (0, 1));
    assert!(report.took >= Duration::from_secs(3) && report.took < Duration::from_secs(5), "{report:?}");
}

/// Each end is told to the other worker, which tells this one, which saves: with the session's end the first of all.
#[tokio::test(start_paused = true)]
async fn what_workers_tell_each_other_at_the_end_is_heard() {
    for ends_at in [0, 1] {
        let log = Log::default();
        let (server, connector) = server();
        let making = {
            let log = log.clone();
            move |_| {
                let log = log.clone();
                game().closed(move |ctx, _, _| {
                    let (here, log) = (ctx.worker(), log.clone());
                    let back = job(move |ctx| save(ctx, Duration::from_millis(1), &log, "there and back"));
                    let there = job(move |ctx| assert!(ctx.tell(here, back).is_ok()));
                    assert!(ctx.tell(1 - here, there).is_ok());
                })
            }
        };
        let running = server.workers(2, making).await.unwrap();
        let mut client = client(&connector);
        round(&mut client, 1).await;
        let moved = job(move |ctx| {
            let session = ctx.sessions().next();
            ctx.move_to(session.unwrap(), ends_at, Note::N(0));
        });
        assert!(running.teller().tell(0, moved).is_ok());
        pass(1).await;
        running.shutdown().await;
        assert_eq!(log.take(), ["saved there and back"], "{ends_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_goes_on_without_its_connection_is_cut_off_and_counted() {
    let (server, connector) = server();
    let saves = async |mut peer: Connection<Ask, Hear>| {
        while let Ok(Some(_)) = peer.recv().await {}
        peer.close(CloseReason::Ended);
        tokio::time::sleep(Duration::from_secs(60)).await;
    };
    let running = server.drain(Duration::from_secs(3)).serve(saves).await.unwrap();
    let client = client(&connector);
    pass(1).await;
    let report = running.shutdown().await;
    assert_eq!((report.sessions, report.cut, report.cut_bytes), (1, 1, 0));
    drop(client);
}
