//! Back-pressure: a game that does not read, and peers that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

use netcore::{Binary, CloseReason, Connection, Door, Host, Limits, Over, Rate, SendError, Server, Slow};

use crate::common::{
    Ask, Hear, Log, Note, bytes_of, client, game, job, next, pass, read_all, rest, round, said, within,
};

fn door(limits: Limits) -> (Server<Ask, Hear>, netcore::memory::MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    (Server::new().host(Host::Task).door(door.limits(limits)), connector)
}

#[tokio::test(start_paused = true)]
async fn a_game_that_does_not_read_stops_the_peer_and_its_clocks() {
    const MANY: u32 = 20_000;
    let limits = Limits::new()
        .inbox(10)
        .idle(Duration::from_secs(1))
        .unfinished(Duration::from_secs(1))
        .read_chunk(1024);
    let (server, connector) = door(limits);
    let go = Arc::new(Semaphore::new(0));
    let waits = go.clone();
    let running = server
        .serve(move |mut peer: Connection<Ask, Hear>| {
            let go = waits.clone();
            async move {
                go.acquire().await.unwrap().forget();
                let mut expected = 0;
                while let Some(packet) = peer.recv().await? {
                    assert_eq!(packet, Ask::Say { n: expected });
                    expected += 1;
                }
                let _ = peer.send(&said(expected));
                Ok::<_, CloseReason>(())
            }
        })
        .await
        .unwrap();
    let mut peer = connector.with_capacity(1000).connect().unwrap();
    let packets: Vec<_> = (0..MANY).map(|n| Ask::Say { n }).collect();
    let bytes = bytes_of(&packets);
    let writer = tokio::spawn(async move {
        peer.write_all(&bytes).await.unwrap();
        peer.shutdown().await.unwrap();
        peer
    });
    pass(30_000).await;
    let stats = running.stats();
    assert!(!writer.is_finished() && stats.open() == 1, "{stats:?}");
    // One read beyond the bound, and what the transport holds.
    assert!(stats.packets_in < 300, "{stats:?}");
    go.add_permits(1);
    let mut peer = within(writer).await.unwrap();
    assert_eq!(read_all(&mut peer).await, [said(MANY)]);
    pass(1).await;
    assert_eq!(running.stats().closed_for("peer_closed"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_half_a_packet_and_stops_is_closed_by_its_clock_all_the_same() {
    let (server, connector) = door(Limits::new().unfinished(Duration::from_secs(2)));
    let running = server.logic(game()).await.unwrap();
    let mut peer = connector.connect().unwrap();
    peer.write_all(&bytes_of(&[Ask::Say { n: 1 }, Ask::Say { n: 2 }])[..12]).await.unwrap();
    pass(1_900).await;
    assert_eq!(running.stats().open(), 1);
    assert_eq!(read_all(&mut peer).await, [said(1)]);
    drop(peer);
    pass(5).await;
    assert_eq!(running.stats().closed_for("unfinished"), 1);
}

#[tokio::test(start_paused = true)]
async fn packets_over_a_rate_are_dropped_and_counted() {
    let rate = Rate::per_second(1).burst(10).over(Over::Drop);
    let (server, connector) = door(Limits::new().packets(rate));
    let running = server.logic(game()).await.unwrap();
    let mut peer = connector.connect().unwrap();
    let packets: Vec<_> = (0..25).map(|n| Ask::Say { n }).collect();
    peer.write_all(&bytes_of(&packets)).await.unwrap();
    peer.shutdown().await.unwrap();
    assert_eq!(read_all(&mut peer).await, (0..10).map(said).collect::<Vec<_>>());
    pass(5).await;
    assert_eq!(running.stats().rate_dropped, 15);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_room_loses_nothing() {
    const MANY: u32 = 5_000;
    let (server, connector) = door(Limits::new().queue(1024));
    let _running = server
        .serve(async |peer: Connection<Ask, Hear>| {
            for n in 0..MANY {
                peer.send_wait(&said(n)).await?;
                assert!(peer.sender().queued() <= 1024);
            }
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    let stream = connector.with_capacity(100).connect().unwrap();
    stream.faults().cut(5, 60);
    let mut client = netcore::Client::<Hear, Ask>::options().over(stream);
    pass(3_000).await;
    assert_eq!(rest(&mut client).await, (0..MANY).map(said).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_room_waits_for_as_much_as_its_packet_needs() {
    const LENGTHS: [usize; 6] = [440, 600, 980, 10, 990, 500];
    let (server, connector) = door(Limits::new().queue(1000).stall(Duration::from_secs(60)));
    let running = server
        .serve(async |peer: Connection<Ask, Hear>| {
            // Two who wait at once.
            let other = peer.sender();
            let both = |text: String| {
                let (hear, other) = (Hear::Long { text }, &other);
                let peer = &peer;
                async move { tokio::try_join!(peer.send_wait(&hear), other.send_wait(&hear)) }
            };
            for len in LENGTHS {
                both("x".repeat(len)).await?;
                tokio::task::yield_now().await;
            }
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    let stream = connector.with_capacity(1).connect().unwrap();
    pass(100).await;
    let mut client = netcore::Client::<Hear, Ask>::options().over(stream);
    let lengths: Vec<_> = within(rest(&mut client))
        .await
        .iter()
        .map(|heard| if let Hear::Long { text } = heard { text.len() } else { 0 })
        .collect();
    assert_eq!(lengths, LENGTHS.iter().flat_map(|len| [*len, *len]).collect::<Vec<_>>());
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_never_reads_meets_its_queues_bound_or_its_clock() {
    let (server, connector) = door(Limits::new().queue(1000));
    let log = Log::default();
    let (verdicts, reasons) = (log.clone(), log.clone());
    let game = game()
        .packet(move |ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n)) == netcore::Verdict::Queued),
            Ask::Do { n, .. } => {
                for _ in 0..n {
                    let verdict = ctx.send(session, &said(1));
                    verdicts.add(format!("{verdict:?}"));
                }
            }
        })
        .closed(move |_, session, reason| reasons.add(format!("{} {reason:?}", session.index())));
    let running = server.logic(game).await.unwrap();
    let mut healthy = client(&connector);
    round(&mut healthy, 1).await;
    let mut flooded = connector.clone().with_capacity(20).connect().unwrap();
    flooded.write_all(&bytes_of(&[Ask::Do { what: 0, n: 200 }])).await.unwrap();
    pass(1).await;
    let events = log.take();
    assert_eq!(events.iter().filter(|event| *event == "Queued").count(), 111, "{events:?}");
    assert_eq!(events.iter().filter(|event| *event == "Closed").count(), 89);
    assert_eq!(events.last().unwrap(), "1 QueueFull(1000)");

    let mut stalled = connector.with_capacity(20).connect().unwrap();
    stalled.write_all(&bytes_of(&[Ask::Do { what: 0, n: 100 }])).await.unwrap();
    pass(4_900).await;
    assert_eq!(log.take().len(), 100);
    assert_eq!(running.stats().open(), 2);
    // One byte read is progress, and begins the time anew.
    stalled.read_u8().await.unwrap();
    pass(4_900).await;
    assert_eq!(running.stats().open(), 2);
    pass(200).await;
    assert_eq!(log.take(), ["1 Stalled(5s)"]);
    round(&mut healthy, 2).await;
    let stats = running.stats();
    assert_eq!((stats.closed_for("queue_full"), stats.closed_for("stalled"), stats.open()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_task_hears_that_its_peer_reads_too_slowly() {
    let (server, connector) = door(Limits::new().queue(1000));
    let log = Log::default();
    let logged = log.clone();
    let _running = server
        .serve(move |mut peer: Connection<Ask, Hear>| {
            let log = logged.clone();
            async move {
                let error = loop {
                    if let Err(error) = peer.send(&said(1)) {
                        break error;
                    }
                };
                log.add(error);
                log.add(format!("{:?}", peer.recv().await.err()));
                Ok::<_, CloseReason>(())
            }
        })
        .await
        .unwrap();
    let peer = connector.with_capacity(20).connect().unwrap();
    pass(10).await;
    let events = log.take();
    assert!(events[0].contains("over 1000 bytes"), "{events:?}");
    assert_eq!(events[1], "Some(QueueFull(1000))");
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn positions_are_dropped_for_slow_peers_and_speech_is_not() {
    let (server, connector) = door(Limits::new().queue(1000));
    let server = server.slow(|packet| match packet {
        Hear::Note { who, .. } => Slow::Latest(u64::from(*who)),
        _ => Slow::Disconnect,
    });
    let game = game().packet(|ctx, session, _| {
        ctx.send(session, &said(1));
        ctx.after(
            Duration::from_millis(1),
            job(move |ctx| {
                for n in 0..1000 {
                    ctx.broadcast(&Hear::Note { who: n % 2, n });
                }
                ctx.send(session, &said(2));
            }),
        );
    });
    let running = server.logic(game).await.unwrap();
    let stream = connector.with_capacity(4).connect().unwrap();
    let faults = stream.faults();
    faults.stall_reads(true);
    let mut client = netcore::Client::<Hear, Ask>::options().over(stream);
    client.send(&Ask::Say { n: 0 }).unwrap();
    pass(100).await;
    faults.stall_reads(false);
    let heard = [next(&mut client).await, next(&mut client).await, next(&mut client).await];
    assert_eq!(heard, [said(1), Hear::Note { who: 0, n: 998 }, Hear::Note { who: 1, n: 999 }]);
    assert_eq!(next(&mut client).await, said(2));
    drop(client);
    pass(5).await;
    assert_eq!(running.stats().dropped, 998);
}

#[tokio::test(start_paused = true)]
async fn over_the_bound_of_all_queues_those_with_the_most_go_and_the_healthy_stay() {
    let (server, connector) = door(Limits::new().queue(100_000));
    let game = game()
        .packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n)) == netcore::Verdict::Queued),
            Ask::Do { n, .. } => {
                for _ in 0..n {
                    ctx.send(session, &Hear::Long { text: "x".repeat(1000) });
                }
            }
        })
        .tick(|ctx, _| ctx.broadcast(&Hear::Long { text: "y".repeat(500) }));
    let server = server.max_queued_bytes(200_000).tick(Duration::from_millis(10));
    let running = server.logic(game).await.unwrap();
    // Each takes 30,000 bytes of the server's 200,000, and a little more with each tick.
    let mut stuck = Vec::new();
    for _ in 0..5 {
        let mut peer = connector.clone().with_capacity(20).connect().unwrap();
        peer.write_all(&bytes_of(&[Ask::Do { what: 0, n: 30 }])).await.unwrap();
        stuck.push(peer);
    }
    pass(1).await;
    // They come behind the others in every broadcast.
    let mut healthy: Vec<_> = (0..10).map(|_| client(&connector)).collect();
    for _ in 0..100 {
        pass(10).await;
        for client in &mut healthy {
            while !matches!(next(client).await, Hear::Long { .. }) {}
        }
    }
    let stats = running.stats();
    assert!(stats.closed_for("server_queue_full") >= 1, "{stats:?}");
    assert!(stats.closed_for("server_queue_full") <= 5, "{stats:?}");
    for client in &mut healthy {
        client.send(&Ask::Say { n: 7 }).unwrap();
        while next(client).await != said(7) {}
    }
}

#[tokio::test]
async fn over_tcp_no_reset_destroys_the_last_answer() {
    let server = Server::new().door(Door::tcp("127.0.0.1:0"));
    let running = server
        .serve(async |mut peer: Connection<Ask, Hear>| {
            peer.recv().await?;
            let _ = peer.send(&said(42));
            peer.close(CloseReason::Game(1000));
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    for _ in 0..20 {
        let (mut reads, mut writes) =
            tokio::net::TcpStream::connect(running.addr()).await.unwrap().into_split();
        let flood = bytes_of(&vec![Ask::Say { n: 1 }; 10_000]);
        // Much more than the server will ever read as packets.
        let flooding = tokio::spawn(async move {
            for _ in 0..5 {
                if writes.write_all(&flood).await.is_err() {
                    break;
                }
            }
            writes
        });
        let writes = within(flooding).await.unwrap();
        let mut answer = Vec::new();
        within(reads.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, [9, 0, 101, 0, 0, 42, 0, 0, 0]);
        drop(writes);
    }
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_counted_while_the_session_is_open() {
    let limits = Limits::new().queue(90).packets(Rate::per_second(10).burst(10).over(Over::Drop));
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().host(Host::Task).door(door.limits(limits)).slow(|_| Slow::DropNewest);
    let server = server.logic(game()).await.unwrap();
    // It never reads: ten bytes are on their way, and ten answers of nine bytes wait.
    let mut stream = connector.with_capacity(10).connect().unwrap();
    for second in 0..4 {
        // Five over the burst.
        let asks: Vec<_> = (0..15).map(|n| Ask::Say { n }).collect();
        stream.write_all(&bytes_of(&asks)).await.unwrap();
        pass(1_000).await;
        let stats = server.stats();
        assert_eq!((stats.open(), stats.rate_dropped), (1, 5 * (second + 1)), "{second}");
        // Of ten answers each second, at most eleven found a place ever.
        let dropped = (10 * (second + 1)).saturating_sub(11);
        assert!((dropped..=dropped + 2).contains(&stats.dropped), "{second}: {stats:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_bound_of_all_queues_what_may_be_dropped_is_and_nobody_is_closed_for_it() {
    let (server, connector) = door(Limits::new());
    let running = server
        .slow(|_| Slow::DropNewest)
        .max_queued_bytes(12)
        .logic(game().packet(|ctx, session, _| {
            for n in 1..=3 {
                ctx.send(session, &said(n));
            }
        }))
        .await
        .unwrap();
    let client = client(&connector);
    client.send(&Ask::Say { n: 1 }).unwrap();
    pass(100).await;
    let stats = running.stats();
    assert_eq!((stats.dropped, stats.open()), (2, 1), "of 27 bytes, 9 have room among 12");
}

#[tokio::test(start_paused = true)]
async fn at_the_bound_of_all_queues_what_a_task_may_lose_is_dropped_before_any_of_it_has_gone_out() {
    let (server, connector) = door(Limits::new());
    let running = server
        .slow(|_| Slow::DropNewest)
        .max_queued_bytes(12)
        .serve(|mut peer: Connection<Ask, Hear>| async move {
            while peer.recv().await?.is_some() {
                for n in 1..=2 {
                    peer.send(&said(n))?;
                }
            }
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    // It takes a part of the first packet at once.
    let mut stream = connector.with_capacity(4).connect().unwrap();
    let asks = bytes_of(&[Ask::Say { n: 1 }]);
    for asked in 1..=2 {
        stream.write_all(&asks).await.unwrap();
        pass(100).await;
        let stats = running.stats();
        assert_eq!((stats.dropped, stats.open()), (2 * asked, 1), "18 bytes have no room among 12");
    }
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn what_one_callback_sends_to_all_is_within_the_bound_of_all_queues() {
    let most = Arc::new(AtomicUsize::new(0));
    let (seen, asks) = (most.clone(), |_: &mut _, _, _: Ask| {});
    let (server, connector) = door(Limits::new());
    let game = game().packet(asks).message(move |ctx, _| {
        let all: Vec<_> = ctx.sessions().collect();
        for _ in 0..200 {
            ctx.broadcast(&Hear::Long { text: "x".repeat(900) });
            seen.fetch_max(all.iter().map(|session| ctx.queued(*session)).sum(), Relaxed);
        }
    });
    let running = server.max_queued_bytes(1_000_000).logic(game).await.unwrap();
    let _clients: Vec<_> = (0..50).map(|_| client(&connector)).collect();
    pass(10).await;
    assert!(running.teller().tell(0, Note::N(0)).is_ok());
    pass(10).await;
    let most = most.load(Relaxed);
    assert!((900_000..=1_000_000).contains(&most), "{most} bytes");
    assert!(running.stats().queues_full > 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_for_a_peer_that_is_gone_is_no_burden_while_its_game_reads_nothing() {
    let limits = Limits::new().inbox(10).read_chunk(1024).queue(400_000).stall(Duration::from_secs(60));
    let (server, connector) = door(limits);
    let session = async |mut peer: Connection<Ask, Hear>| {
        let Some(Ask::Do { what, n }) = peer.recv().await? else { return Ok(()) };
        (0..n).try_for_each(|_| peer.send(&Hear::Long { text: "x".repeat(10_000) }))?;
        if what == 1 {
            std::future::pending::<()>().await;
        }
        while peer.recv().await?.is_some() {}
        Ok::<_, SendError>(())
    };
    let running = server.max_queued_bytes(200_000).serve(session).await.unwrap();
    let mut dead = connector.clone().with_capacity(60_000).connect().unwrap();
    let mut asks = vec![Ask::Do { what: 1, n: 15 }];
    asks.extend((0..4_000).map(|n| Ask::Say { n }));
    dead.write_all(&bytes_of(&asks)).await.unwrap();
    pass(10).await;
    dead.faults().reset_after(0);
    pass(10_000).await;
    let mut alive = connector.with_capacity(64).connect().unwrap();
    alive.write_all(&bytes_of(&[Ask::Do { what: 0, n: 16 }])).await.unwrap();
    alive.shutdown().await.unwrap();
    assert_eq!(read_all(&mut alive).await.len(), 16, "{:?}", running.stats());
    drop(dead);
}
