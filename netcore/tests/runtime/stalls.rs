//! A callback that blocks keeps its own worker waiting, and nobody else.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use netcore::{Binary, Connection, Door, Host, Limits, SendError, Server};
use tokio::io::AsyncWriteExt;

use crate::common::{Ask, Hear, bytes_of, client, game, pass, read_all, round, said, server, within};

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

#[tokio::test(start_paused = true)]
async fn what_a_task_computes_for_long_is_not_held_against_its_peer() {
    for limits in [Limits::new(), Limits::new().idle(Duration::from_secs(45))] {
        let (door, connector) = Door::memory(Binary::new());
        let session = async |mut peer: Connection<Ask, Hear>| {
            while peer.recv().await?.is_some() {
                // Hashes a password, say: the runtime hears nothing of this task for as long.
                assert!(tokio::time::advance(Duration::from_millis(800)).now_or_never().is_none());
                for _ in 0..20 {
                    peer.send(&Hear::Long { text: "x".repeat(1000) })?;
                }
            }
            Ok::<_, SendError>(())
        };
        let door = door.limits(limits.stall(Duration::from_millis(500)));
        let running = Server::new().door(door).serve(session).await.unwrap();
        let mut stream = connector.with_capacity(4096).connect().unwrap();
        stream.write_all(&bytes_of(&[Ask::Say { n: 1 }])).await.unwrap();
        // Far away: what was written is taken 100 ms after it was.
        pass(900).await;
        stream.shutdown().await.unwrap();
        assert_eq!(read_all(&mut stream).await.len(), 20);
        assert_eq!(running.stats().closed_for("stalled"), 0);
    }
}
