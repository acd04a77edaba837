//! How often a bound has bitten.

use std::sync::{Arc, Mutex};

use netcore::{Binary, Door, Host, Limits, Server, Slow};

use crate::common::{Ask, Note, client, game, job, pass, said, server};

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_not_read_for_a_while_counts_once() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.limits(Limits::new().inbox(2));
    let running = Server::new().host(Host::Task).door(door).serve(async |mut peer| {
        pass(1_000).await;
        while let Ok(Some(Ask::Say { n })) = peer.recv().await {
            let _ = peer.send(&said(n));
        }
    });
    let running = running.await.unwrap();
    let client = client(&connector);
    for n in 0..300 {
        client.send(&Ask::Say { n }).unwrap();
        tokio::task::yield_now().await;
    }
    pass(500).await;
    assert_eq!(running.stats().inbox_full, 1);
    pass(1_000).await;
    let again = running.stats().inbox_full;
    client.send(&Ask::Say { n: 300 }).unwrap();
    pass(10).await;
    assert_eq!(running.stats().inbox_full, again, "the game keeps up");
}

#[tokio::test(start_paused = true)]
async fn messages_and_work_without_room_count() {
    let (server, _connector) = server();
    let running = server.max_messages(2).logic(game()).await.unwrap();
    let work = job(|ctx| {
        let pending = || std::future::pending::<Note>();
        assert!(ctx.spawn(pending()).is_ok() && ctx.spawn(pending()).is_ok());
        assert!(ctx.spawn(pending()).is_err());
        assert!(ctx.tell(0, Note::N(1)).is_err());
        // There is no such worker.
        assert!(ctx.tell(9, Note::N(1)).is_err());
    });
    assert!(running.teller().tell(0, work).is_ok());
    pass(1).await;
    assert_eq!(running.stats().messages_refused, 2);
    assert!(running.teller().tell(0, Note::N(1)).is_err());
    assert_eq!(running.stats().messages_refused, 3);
}

#[tokio::test(start_paused = true)]
async fn a_logic_sees_what_was_dropped_for_a_slow_reader() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.limits(Limits::new().queue(100));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let game = game().packet(move |ctx, session, _| {
        for n in 0..100_000 {
            ctx.send(session, &said(n));
        }
        told.lock().unwrap().push(ctx.dropped(session));
    });
    let server = Server::new().host(Host::Task).slow(|_| Slow::DropNewest).door(door);
    let running = server.logic(game).await.unwrap();
    let client = client(&connector);
    for n in 0..2 {
        client.send(&Ask::Say { n }).unwrap();
        pass(1).await;
    }
    let seen = seen.lock().unwrap().clone();
    assert!(seen[0] > 0 && seen[1] > seen[0], "{seen:?}");
    assert_eq!(running.stats().dropped, seen[1]);
}
