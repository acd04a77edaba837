//! Sessions take turns, however much one of them has sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::io::AsyncWriteExt;

use netcore::memory::MemoryConnector;
use netcore::{CloseReason, Connection, Running};

use crate::common::{Ask, Hear, bytes_of, client, game, next, said, server, within};

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
