//! Many sessions whose queues together are over their bound.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use netcore::{Binary, CloseReason, Connection, Door, Host, Limits, SendError, Server, Slow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Ask, Game, Hear, bytes_of, client, game, job, next, pass, within};

/// A packet of so many bytes, and 7 more.
fn long(len: usize) -> Hear {
    Hear::Long { text: "x".repeat(len) }
}

/// Whoever asks is sent so many packets of so many bytes, besides their header; the reasons of all closes.
fn sends(closes: &Arc<Mutex<Vec<(u32, CloseReason)>>>) -> Game {
    let closes = closes.clone();
    let game = game().packet(|ctx, session, ask| {
        if let Ask::Do { what, n } = ask {
            for _ in 0..n {
                let _ = ctx.send(session, &long(what as usize));
            }
        }
    });
    game.closed(move |_, session, reason| closes.lock().unwrap().push((session.index(), reason)))
}

/// The peers of a door may be silent, and read nothing for an hour.
fn door() -> (Door<Ask, Hear>, netcore::memory::MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    (door.limits(Limits::new().first_packet(None).stall(Duration::from_secs(3_600))), connector)
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_makes_room_at_once_for_all_who_read() {
    let (door, connector) = door();
    let closes = Arc::default();
    let server = Server::new().host(Host::Task).door(door).max_queued_bytes(1 << 20);
    let running = server.logic(sends(&closes)).await.unwrap();
    // Ten take 900 KB of 1 MiB, all of it in their transports' hands.
    let mut deaf = Vec::new();
    for _ in 0..10 {
        let mut stream = connector.clone().with_capacity(1_000).connect().unwrap();
        stream.write_all(&bytes_of(&[Ask::Do { what: 4_083, n: 22 }])).await.unwrap();
        deaf.push(stream);
    }
    pass(10).await;
    let mut healthy: Vec<_> = (0..100).map(|_| client(&connector)).collect();
    pass(10).await;
    assert_eq!(running.stats().open(), 110);
    // Three times 440 KB.
    for _ in 0..3 {
        assert!(running.teller().tell(0, job(|ctx| ctx.broadcast(&long(4_393)))).is_ok());
        pass(10).await;
        for client in &mut healthy {
            assert_eq!(next(client).await, long(4_393));
        }
    }
    let closes = closes.lock().unwrap();
    assert!((1..=10).contains(&closes.len()), "{closes:?}");
    assert!(closes.iter().all(|(index, reason)| *index < 10 && *reason == CloseReason::ServerQueueFull));
    drop(deaf);
}

#[tokio::test(start_paused = true)]
async fn what_one_callback_stages_for_many_counts_for_each_of_them() {
    let (door, connector) = door();
    let closes = Arc::default();
    let server = Server::new().host(Host::Task).door(door).max_queued_bytes(100_000);
    let running = server.logic(sends(&closes)).await.unwrap();
    let _streams: Vec<_> = (0..20).map(|_| connector.connect().unwrap()).collect();
    pass(10).await;
    let much = job(|ctx| {
        let all: Vec<_> = ctx.sessions().collect();
        // The first two hear much in small packets, which are put together; the others little.
        for _ in 0..46 {
            all[..2].iter().for_each(|&session| {
                let _ = ctx.send(session, &long(993));
            });
        }
        for _ in 0..10 {
            all[2..].iter().for_each(|&session| {
                let _ = ctx.send(session, &long(93));
            });
        }
        all[2..].iter().for_each(|&session| {
            let _ = ctx.send(session, &long(1_993));
        });
    });
    assert!(running.teller().tell(0, much).is_ok());
    pass(10).await;
    let closed: Vec<_> = closes.lock().unwrap().iter().map(|(index, _)| *index).collect();
    assert!(closed == [0] || closed == [1], "{closed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_of_which_few_have_room_looks_at_all_sessions_a_few_times_and_not_for_each() {
    let (door, connector) = door();
    let (closes, most) = (Arc::default(), Arc::new(Mutex::new((0, 0))));
    let server = Server::new().host(Host::Task).max_sessions(5_000).max_per_address(5_000);
    let running = server.door(door).max_queued_bytes(100_000).logic(sends(&closes)).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..30 {
        streams.extend((0..100).map(|_| connector.connect().unwrap()));
        pass(1).await;
    }
    for size in [93, 1_993] {
        let seen = most.clone();
        let all = job(move |ctx| {
            let before: Vec<_> = ctx.sessions().collect();
            ctx.broadcast(&long(size));
            let queued: Vec<_> = before.iter().map(|session| ctx.queued(*session)).collect();
            *seen.lock().unwrap() = (queued.iter().sum(), queued.into_iter().max().unwrap());
        });
        assert!(running.teller().tell(0, all).is_ok());
        pass(10).await;
        let (all, most) = *most.lock().unwrap();
        assert!((90_000..=100_000).contains(&all), "{all} bytes of {size} each");
        assert!(most <= 2 * (size + 7), "nobody has more than another: {most}");
    }
    let stats = running.stats();
    assert!(stats.closed_for("server_queue_full") >= 1_500, "{stats:?}");
    assert!(stats.queues_full <= 200, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_task_sends_has_room_as_long_as_others_have_more_waiting() {
    let (door, connector) = door();
    let session = async |mut peer: Connection<Ask, Hear>| {
        while let Some(Ask::Do { what, n }) = peer.recv().await? {
            (0..n).try_for_each(|_| peer.send(&long(what as usize)))?;
        }
        Ok::<_, SendError>(())
    };
    let running = Server::new().door(door).max_queued_bytes(200_000).serve(session).await.unwrap();
    let mut deaf = Vec::new();
    for _ in 0..3 {
        let mut stream = connector.clone().with_capacity(64).connect().unwrap();
        stream.write_all(&bytes_of(&[Ask::Do { what: 5_993, n: 10 }])).await.unwrap();
        deaf.push(stream);
    }
    pass(10).await;
    let mut reader = connector.with_capacity(64).connect().unwrap();
    reader.write_all(&bytes_of(&[Ask::Do { what: 4_993, n: 10 }])).await.unwrap();
    let mut all = vec![0; 50_000];
    within(reader.read_exact(&mut all)).await.unwrap();
    assert_eq!(running.stats().closed_for("server_queue_full"), 1);
    drop(deaf);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_closed_for_the_bound_of_all_queues_while_packets_may_be_dropped() {
    let by_length = |hear: &Hear| match hear {
        Hear::Long { text } => Slow::Latest(text.len() as u64),
        _ => Slow::Disconnect,
    };
    let policies: [fn(&Hear) -> Slow; 3] = [|_| Slow::DropOldest, by_length, |_| Slow::DropNewest];
    for (at, slow) in policies.into_iter().enumerate() {
        let (door, connector) = door();
        let server = Server::new().host(Host::Task).door(door).tick_hz(50);
        let server = server.max_queued_bytes(100_000).slow(slow);
        // Of 200 lengths, 100 KB would wait for each.
        let game = game().tick(move |ctx, tick| ctx.broadcast(&long(400 + tick.number as usize % 200)));
        let running = server.logic(game).await.unwrap();
        let _deaf: Vec<_> =
            (0..4).map(|_| connector.clone().with_capacity(1_000).connect().unwrap()).collect();
        let mut other = client(&connector);
        for _ in 0..1_000 {
            pass(20).await;
            assert!(matches!(next(&mut other).await, Hear::Long { .. }));
        }
        let stats = running.stats();
        assert_eq!((stats.open(), stats.closed_for("server_queue_full")), (5, 0), "{at}");
        // Of 4,000 packets, some 200 wait or have gone out.
        assert!((3_750..=3_850).contains(&stats.dropped), "{at}: {stats:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_packet_that_may_be_dropped_closes_nobody_and_one_that_may_not_closes_those_with_the_most() {
    let (door, connector) = door();
    let closes = Arc::default();
    let server = Server::new().host(Host::Task).door(door).max_queued_bytes(100_000);
    let server = server.slow(|hear| match hear {
        Hear::Note { .. } => Slow::DropOldest,
        _ => Slow::Disconnect,
    });
    let running = server.logic(sends(&closes)).await.unwrap();
    let mut streams = Vec::new();
    for n in [40, 48] {
        let mut stream = connector.clone().with_capacity(64).connect().unwrap();
        stream.write_all(&bytes_of(&[Ask::Do { what: 993, n }])).await.unwrap();
        streams.push(stream);
    }
    pass(10).await;
    let mut other = client(&connector);
    pass(10).await;
    // 88,000 bytes are taken, and 93,750 are nearly all.
    let heard = Arc::new(Mutex::new(Vec::new()));
    let verdicts = heard.clone();
    let note = job(move |ctx| {
        let last = ctx.sessions().last().unwrap();
        let mut note = |n| ctx.send(last, &Hear::Note { who: 0, n });
        let verdicts = &mut *verdicts.lock().unwrap();
        verdicts.extend((0..1_000).map(&mut note));
        ctx.send(last, &long(5_993));
    });
    assert!(running.teller().tell(0, note).is_ok());
    pass(10).await;
    let mut notes = 0;
    while matches!(next(&mut other).await, Hear::Note { .. }) {
        notes += 1;
    }
    let queued = heard.lock().unwrap().iter().filter(|verdict| **verdict == netcore::Verdict::Queued).count();
    assert!(notes > 0 && notes <= queued && queued <= 1_000, "{notes} of {queued}");
    assert_eq!(*closes.lock().unwrap(), [(1, CloseReason::ServerQueueFull)], "the one with 48,000");
}
