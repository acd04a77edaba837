//! A worker that has more to do than it can.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;

use netcore::{Binary, CloseReason, Door, Host, LateTick, Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{
    Ask, Hear, Note, bytes_of, client, game, job, next, one, pass, round, said, server, within,
};

#[tokio::test(start_paused = true)]
async fn what_messages_send_goes_out_before_all_of_them_were_handled() {
    let id = Arc::new(Mutex::new(None));
    let opened = id.clone();
    let game = game().opened(move |_, session| *opened.lock().unwrap() = Some(session));
    let (running, connector) = one(game).await;
    let mut client = client(&connector);
    round(&mut client, 1).await;
    let session = id.lock().unwrap().unwrap();
    let most = Arc::new(AtomicUsize::new(0));
    for n in 0..10_000 {
        let most = most.clone();
        let work = job(move |ctx| {
            ctx.send(session, &said(n));
            most.fetch_max(ctx.queued(session), Relaxed);
        });
        assert!(running.teller().tell(0, work).is_ok());
    }
    for n in 0..10_000 {
        assert_eq!(next(&mut client).await, said(n));
    }
    let most = most.load(Relaxed);
    assert!(most <= 9 * 300, "{most} bytes waited: 256 callbacks send 2,304");
}

#[tokio::test(start_paused = true)]
async fn where_ticks_take_too_long_what_waits_has_as_much_time_as_they() {
    let (ticks, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (ticked, told) = (ticks.clone(), seen.clone());
    let (server, connector) = server();
    let game = game()
        .tick(move |ctx, tick| {
            ticked.fetch_add(1, Relaxed);
            // A tenth too long, in which nothing else runs.
            assert!(tokio::time::advance(Duration::from_millis(11)).now_or_never().is_none());
            ctx.broadcast(&said(u32::try_from(tick.number).unwrap()));
        })
        .message(move |_, n| told.lock().unwrap().push((n, ticks.load(Relaxed))));
    let running = server.tick(Duration::from_millis(10)).logic(game).await.unwrap();
    let mut client = client(&connector);
    pass(30).await;
    (0..100).for_each(|n| assert!(running.teller().tell(0, Note::N(n)).is_ok()));
    pass(200).await;
    let (order, ticks): (Vec<_>, Vec<_>) = seen.lock().unwrap().iter().copied().unzip();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
    assert!(ticks[99] - ticks[0] <= 1, "one message a tick: {ticks:?}");
    // And the ticks are heard.
    let (one, two) = (next(&mut client).await, next(&mut client).await);
    assert!(one != two);
}

#[tokio::test(start_paused = true)]
async fn what_few_say_at_once_closes_nobody_who_reads_all_the_time() {
    // Each packet goes to all: 400 KB and 480 KB for each, where 256 KiB may wait.
    for (senders, asks, size) in [(2, 200, 1_000), (1, 8, 60_000)] {
        let (door, connector) = Door::memory(Binary::new());
        let game = game().packet(move |ctx, _, _| ctx.broadcast(&Hear::Long { text: "x".repeat(size) }));
        let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
        let (mut readers, mut writers) = (tokio::task::JoinSet::new(), Vec::new());
        for _ in 0..4 {
            // Its transport takes a part of it at once.
            let (mut reads, writes) = tokio::io::split(connector.connect().unwrap());
            writers.push(writes);
            readers.spawn(async move {
                let mut all = vec![0; senders * asks * (size + 7)];
                within(reads.read_exact(&mut all)).await.map(drop)
            });
        }
        pass(10).await;
        let asks: Vec<_> = (0..asks).map(|_| Ask::Say { n: 1 }).collect();
        for sender in &mut writers[..senders] {
            sender.write_all(&bytes_of(&asks)).await.unwrap();
        }
        while let Some(heard) = readers.join_next().await {
            heard.unwrap().unwrap();
        }
        assert_eq!(running.stats().open(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_makes_nobody_wait() {
    let (door, connector) = Door::memory(Binary::new());
    let game = game().packet(|ctx, session, ask| match ask {
        Ask::Say { n } => drop(ctx.send(session, &said(n))),
        Ask::Do { .. } => ctx.broadcast(&Hear::Long { text: "x".repeat(1_000) }),
    });
    let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
    let deaf = connector.clone().with_capacity(64).connect().unwrap();
    let mut other = client(&connector);
    let start = tokio::time::Instant::now();
    for n in 0..200 {
        other.send(&Ask::Do { what: 0, n }).unwrap();
        assert!(matches!(next(&mut other).await, Hear::Long { .. }));
        round(&mut other, n).await;
    }
    // 200 KB wait for the one who is deaf, which is more than half of what may: it had its turn, once.
    assert!(start.elapsed() <= Duration::from_millis(5), "{:?}", start.elapsed());
    assert_eq!(running.stats().open(), 2);
    drop(deaf);
}

#[tokio::test(start_paused = true)]
async fn who_reads_in_gulps_costs_the_others_a_fifth_of_the_time_at_most() {
    let (door, connector) = Door::memory(Binary::new());
    let game = game().packet(|ctx, session, ask| match ask {
        Ask::Say { n } => drop(ctx.send(session, &said(n))),
        Ask::Do { n, .. } => {
            for _ in 0..n {
                ctx.send(session, &Hear::Long { text: "x".repeat(1_000) });
            }
        }
    });
    let limits = Limits::new().queue(64 * 1024);
    let server = Server::new().host(Host::Task).door(door.limits(limits));
    let _running = server.logic(game).await.unwrap();
    // Each asks for nearly all that may wait for it, as soon as it has taken the last of it.
    for _ in 0..10 {
        let mut stream = connector.clone().with_capacity(1_000).connect().unwrap();
        tokio::spawn(async move {
            let mut all = vec![0; 60 * 1_007];
            loop {
                stream.write_all(&bytes_of(&[Ask::Do { what: 0, n: 60 }])).await.unwrap();
                pass(5).await;
                stream.read_exact(&mut all).await.unwrap();
            }
        });
    }
    let mut other = client(&connector);
    let (begun, mut waited) = (tokio::time::Instant::now(), Duration::ZERO);
    for n in 0..1_000 {
        let start = tokio::time::Instant::now();
        round(&mut other, n).await;
        waited += start.elapsed();
        pass(1).await;
    }
    // And 50 ms at once.
    assert!(waited <= begun.elapsed() / 5 + Duration::from_millis(60), "{waited:?} of {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn ticks_that_are_made_up_for_close_nobody_who_reads_all_the_time() {
    let (door, connector) = Door::memory(Binary::new());
    // Each says 4,000 bytes: a hundred of them are more than may wait.
    let game = game()
        .tick(|ctx, _| ctx.broadcast(&Hear::Long { text: "x".repeat(4_000) }))
        .message(|_, _| assert!(tokio::time::advance(Duration::from_secs(1)).now_or_never().is_none()));
    let server = Server::new().host(Host::Task).door(door).tick(Duration::from_millis(10));
    let running = server.late_tick(LateTick::CatchUp(200)).logic(game).await.unwrap();
    let stream = connector.with_capacity(1 << 20).connect().unwrap();
    let (mut reads, _writes) = tokio::io::split(stream);
    let heard = tokio::spawn(async move {
        let mut all = vec![0; 100 * 4_007];
        reads.read_exact(&mut all).await.map(drop)
    });
    pass(5).await;
    assert!(running.teller().tell(0, Note::N(0)).is_ok());
    within(heard).await.unwrap().unwrap();
    assert_eq!((running.stats().open(), running.stats().ticks_skipped), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn who_closes_many_closes_nobody_who_reads_what_is_said_of_them() {
    const MANY: usize = 300;
    let (door, connector) = Door::memory(Binary::new());
    let game = game()
        .message(|ctx, _| {
            let all: Vec<_> = ctx.sessions().skip(1).collect();
            all.into_iter().for_each(|session| ctx.close(session, CloseReason::Ended));
        })
        .closed(|ctx, _, _| ctx.broadcast(&Hear::Long { text: "x".repeat(1_000) }));
    let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
    let stream = connector.clone().with_capacity(1 << 20).connect().unwrap();
    let (mut reads, _writes) = tokio::io::split(stream);
    let heard = tokio::spawn(async move {
        let mut all = vec![0; MANY * 1_007];
        reads.read_exact(&mut all).await.map(drop)
    });
    pass(5).await;
    let many: Vec<_> = (0..MANY).map(|_| connector.connect().unwrap()).collect();
    pass(5).await;
    assert!(running.teller().tell(0, Note::N(0)).is_ok());
    within(heard).await.unwrap().unwrap();
    drop(many);
    pass(5).await;
    assert_eq!(running.stats().open(), 1);
}
