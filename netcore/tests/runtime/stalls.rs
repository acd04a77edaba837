//! A callback that blocks keeps its own worker waiting, and nobody else.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use netcore::Host;

use crate::common::{Ask, client, game, round, said, server, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_blocks_one_second_leaves_the_other_workers_latency_alone() {
    let (server, connector) = server();
    let (started, mut blocks) = tokio::sync::mpsc::unbounded_channel();
    let running = server
        .host(Host::Thread)
        .workers(2, move |_| {
            let started = started.clone();
            game().packet(move |ctx, session, ask| match ask {
                Ask::Say { n } => drop(ctx.send(session, &said(n))),
                Ask::Do { .. } => {
                    let (end, until) = mpsc::channel::<()>();
                    started.send(end).unwrap();
                    // A second, or until the test has seen enough of it.
                    let _ = until.recv_timeout(Duration::from_secs(1));
                }
            })
        })
        .await
        .unwrap();
    let (mut blocking, mut healthy) = (client(&connector), client(&connector));
    round(&mut blocking, 0).await;
    round(&mut healthy, 0).await;
    blocking.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    let end = within(blocks.recv()).await.unwrap();
    let mut times = Vec::new();
    for n in 0..200 {
        let sent = Instant::now();
        round(&mut healthy, n).await;
        times.push(sent.elapsed());
    }
    times.sort_unstable();
    let p99 = times[197];
    assert!(p99 < Duration::from_millis(250), "p99 of the healthy session: {p99:?}");
    drop(end);
    round(&mut blocking, 1).await;
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_awaits_keeps_only_its_own_session_waiting() {
    let (server, connector) = server();
    let _running = server
        .serve(async |mut peer: netcore::Connection<Ask, crate::common::Hear>| {
            while let Some(packet) = peer.recv().await? {
                match packet {
                    Ask::Say { n } => peer.send(&said(n))?,
                    Ask::Do { .. } => std::future::pending().await,
                }
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
        .await
        .unwrap();
    let (blocked, mut healthy) = (client(&connector), client(&connector));
    blocked.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    for n in 0..100 {
        round(&mut healthy, n).await;
    }
}
