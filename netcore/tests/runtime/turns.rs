//! Sessions take turns, however much one of them has sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::io::AsyncWriteExt;

use netcore::memory::MemoryConnector;
use netcore::{Binary, CloseReason, Connection, Door, Host, Limits, Over, Rate, Running, Server};

use crate::common::{Ask, Hear, bytes_of, client, echo, game, next, said, server, within};

const MANY: usize = 100_000;

/// While one peer's flood is handled, another's packet comes. How many of the flood were before it.
async fn flood_and_ask<M>(connector: MemoryConnector, _running: Running<M>) -> u32 {
    let mut flood = connector.clone().with_capacity(1024 * MANY).connect().unwrap();
    flood.write_all(&bytes_of(&vec![Ask::Do { what: 0, n: 0 }; MANY])).await.unwrap();
    let mut asks = client(&connector);
    asks.send(&Ask::Say { n: 1 }).unwrap();
    match within(next(&mut asks)).await {
        Hear::Said { n } => n,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_peer_has_sent_very_much_does_not_keep_the_thread() {
    let (server, connector) = server();
    let handled = Arc::new(AtomicU32::new(0));
    let running = server.serve(move |mut peer: Connection<Ask, Hear>| {
        let handled = handled.clone();
        async move {
            while let Some(ask) = peer.recv().await? {
                match ask {
                    Ask::Do { .. } => drop(handled.fetch_add(1, Relaxed)),
                    Ask::Say { .. } => drop(peer.send(&said(handled.load(Relaxed)))),
                }
            }
            Ok::<_, CloseReason>(())
        }
    });
    let before = flood_and_ask(connector, running.await.unwrap()).await;
    assert!(before <= 16 * 1024, "{before} packets of another session were handled first");
}

#[tokio::test(start_paused = true)]
async fn a_worker_hears_others_between_the_packets_of_one_that_has_sent_very_much() {
    let (server, connector) = server();
    let mut handled = 0;
    let game = game().packet(move |ctx, session, ask| match ask {
        Ask::Do { .. } => handled += 1,
        Ask::Say { .. } => drop(ctx.send(session, &said(handled))),
    });
    let running = server.logic(game).await.unwrap();
    let before = flood_and_ask(connector, running).await;
    assert!(before <= 16 * 1024, "{before} packets of another session were handled first");
}

/// How many packets of a flood that is dropped are handled while others wait for their turn.
async fn most_dropped<M>(connector: MemoryConnector, running: Running<M>) -> u64 {
    let mut flood = connector.with_capacity(1024 * MANY).connect().unwrap();
    flood.write_all(&bytes_of(&vec![Ask::Do { what: 0, n: 0 }; 10 * MANY])).await.unwrap();
    let (mut before, mut most) = (0, 0);
    while before < 9 * MANY as u64 {
        tokio::task::yield_now().await;
        let dropped = running.stats().rate_dropped;
        most = most.max(dropped - before);
        before = dropped;
    }
    most
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_a_rate_drops_keeps_no_thread_either() {
    let server = || {
        let limits = Limits::new().packets(Rate::per_second(1).over(Over::Drop));
        let (door, connector) = Door::memory(Binary::new());
        (Server::new().host(Host::Task).door(door.limits(limits)), connector)
    };
    let (tasks, connector) = server();
    let most = most_dropped(connector, tasks.serve(echo).await.unwrap()).await;
    assert!(most <= 16 * 1024, "{most} packets were dropped while others waited for a task");
    let (worker, connector) = server();
    let most = most_dropped(connector, worker.logic(game()).await.unwrap()).await;
    assert!(most <= 16 * 1024, "{most} packets were dropped while others waited for a worker");
}
