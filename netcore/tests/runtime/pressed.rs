//! What a worker does while the transport of somebody to whom much was sent is to have its turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, timeout};

use netcore::memory::MemoryConnector;
use netcore::{AfterPanic, Binary, Client, CloseReason, Door, Host, Limits, Server};

use crate::common::{Ask, Ctx, Hear, Log, Note, client, game, job, next, pass, said, until};

/// With queues of 4 KiB: who has half of it waiting is to have a turn.
fn server() -> (Server<Ask, Hear>, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    (Server::new().host(Host::Task).door(door.limits(Limits::new().queue(4096))), connector)
}

/// So many thousand bytes for everybody.
fn say_much(ctx: &mut Ctx, thousands: u32) {
    for _ in 0..thousands {
        ctx.broadcast(&Hear::Long { text: "x".repeat(1000) });
    }
}

/// By a timer, behind which nothing comes that would move the worker on.
fn by_a_timer(work: impl FnOnce(&mut Ctx) + Send + 'static) -> Note {
    job(move |ctx| {
        ctx.after(Duration::from_millis(10), job(work));
    })
}

/// Reads all the time.
fn reads(mut client: Client<Hear, Ask>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { while let Ok(Some(_)) = client.recv().await {} })
}

#[tokio::test(start_paused = true)]
async fn what_is_told_after_a_wait_for_a_slow_transport_is_told_at_its_time() {
    let behind = Log::default();
    let measured = behind.clone();
    let (door, connector) = Door::memory(Binary::new());
    let game = game()
        .packet(|ctx, asking, _| {
            let others: Vec<_> = ctx.sessions().filter(|session| session.index() > asking.index()).collect();
            others.into_iter().for_each(|session| ctx.close(session, CloseReason::Ended));
        })
        .closed(move |ctx, _, _| {
            measured.add((Instant::now().into_std() - ctx.now()).as_millis());
            ctx.broadcast(&Hear::Long { text: "x".repeat(1000) });
        });
    let server = Server::new().host(Host::Task).door(door.limits(Limits::new().queue(4096)));
    let running = server.logic(game).await.unwrap();
    let mut slow = connector.clone().with_capacity(512).connect().unwrap();
    let asking = client(&connector);
    let others: Vec<_> = (0..200).map(|_| connector.connect().unwrap()).collect();
    pass(1).await;
    asking.send(&Ask::Say { n: 1 }).unwrap();
    let reading = async {
        let mut some = [0; 2048];
        while slow.read(&mut some).await.is_ok_and(|len| len > 0) {
            pass(4).await;
        }
    };
    tokio::select! {
        () = reading => {}
        () = pass(5_000) => {}
    }
    drop((running, others));
    let behind = behind.take();
    assert!(behind.len() >= 200 && behind.iter().all(|millis| millis == "0"), "{behind:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_who_was_closed_then_goes_out_by_itself() {
    let (server, connector) = server();
    let game = game().closed(|ctx, _, _| ctx.broadcast(&said(7)));
    let running = server.logic(game).await.unwrap();
    let leaves = client(&connector);
    pass(1).await;
    let mut stays = client(&connector);
    pass(1).await;
    let work = by_a_timer(|ctx| {
        let [leaves, stays] = ctx.sessions().collect::<Vec<_>>()[..] else { unreachable!() };
        for _ in 0..3 {
            ctx.send(stays, &Hear::Long { text: "x".repeat(1000) });
        }
        ctx.close(leaves, CloseReason::Ended);
    });
    assert!(running.teller().tell(0, work).is_ok());
    for _ in 0..3 {
        assert!(matches!(next(&mut stays).await, Hear::Long { .. }));
    }
    // Not only when the next clock runs out.
    let heard = timeout(Duration::from_secs(1), next(&mut stays)).await;
    assert_eq!(heard, Ok(said(7)));
    drop(leaves);
}

#[tokio::test(start_paused = true)]
async fn who_is_moved_in_the_closing_of_another_arrives_by_themselves() {
    let (server, connector) = server();
    let log = Log::default();
    let logged = log.clone();
    let make = move |worker| {
        let arrived = logged.clone();
        game()
            .opened(|ctx, session| {
                if ctx.worker() == 1 {
                    ctx.move_to(session, 0, Note::N(0));
                }
            })
            .arrived(move |_, _, _| arrived.add(worker))
            .closed(|ctx, _, _| {
                let others: Vec<_> = ctx.sessions().collect();
                for other in others {
                    ctx.move_to(other, 1, Note::N(1));
                }
            })
    };
    let running = server.workers(2, make).await.unwrap();
    let leaves = client(&connector);
    pass(1).await;
    let stays = client(&connector);
    pass(1).await;
    log.take();
    let work = by_a_timer(|ctx| {
        say_much(ctx, 3);
        let first = ctx.sessions().next().unwrap();
        ctx.close(first, CloseReason::Ended);
    });
    assert!(running.teller().tell(0, work).is_ok());
    pass(100).await;
    assert_eq!(log.take(), ["1"]);
    drop((leaves, stays));
}

#[tokio::test(start_paused = true)]
async fn each_of_a_chain_that_close_the_next_and_say_much_is_told() {
    let (server, connector) = server();
    let log = Log::default();
    let closed = log.clone();
    let game = game().closed(move |ctx, session, _| {
        closed.add(session.index());
        say_much(ctx, 3);
        let next = ctx.sessions().find(|one| one.index() > 0);
        if let Some(next) = next {
            ctx.close(next, CloseReason::Ended);
        }
    });
    let running = server.logic(game).await.unwrap();
    let first = reads(client(&connector));
    pass(1).await;
    let others: Vec<_> = (0..7).map(|_| client(&connector)).collect();
    pass(1).await;
    let work = by_a_timer(|ctx| {
        say_much(ctx, 3);
        let second = ctx.sessions().nth(1).unwrap();
        ctx.close(second, CloseReason::Ended);
    });
    assert!(running.teller().tell(0, work).is_ok());
    pass(500).await;
    assert_eq!(log.take(), ["1", "2", "3", "4", "5", "6", "7"]);
    first.abort();
    drop(others);
}

#[tokio::test(start_paused = true)]
async fn timers_do_not_wait_for_all_events_that_say_much() {
    let (server, connector) = server();
    let log = Log::default();
    let messages = log.clone();
    let running = server.logic(game().message(move |_, n| messages.add(n))).await.unwrap();
    let reading = reads(client(&connector));
    pass(1).await;
    let (teller, events) = (running.teller(), log.clone());
    for n in 0..100 {
        let log = events.clone();
        let work = job(move |ctx| {
            if n == 0 {
                ctx.after(Duration::ZERO, Note::N(100));
            }
            log.add(n);
            say_much(ctx, 3);
        });
        assert!(teller.tell(0, work).is_ok());
    }
    pass(100).await;
    let heard = log.take();
    let at = heard.iter().position(|heard| heard == "100").unwrap();
    assert_eq!((at, heard.len()), (1, 101));
    assert_eq!(running.stats().open(), 1);
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_timer_and_a_tick_of_one_moment_are_no_one_burst() {
    let (server, connector) = server();
    let game = game().tick(|ctx, _| say_much(ctx, 2));
    let running = server.tick(Duration::from_millis(100)).logic(game).await.unwrap();
    let reading = reads(client(&connector.with_capacity(1 << 20)));
    pass(5).await;
    // Due with the first tick.
    let work = job(|ctx| {
        ctx.after(Duration::from_millis(95), job(|ctx| say_much(ctx, 3)));
    });
    assert!(running.teller().tell(0, work).is_ok());
    pass(1_000).await;
    let stats = running.stats();
    assert_eq!((stats.open(), stats.closed), (1, 0), "{stats:?}");
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn ticks_come_between_timers_that_always_say_much() {
    fn again(ctx: &mut Ctx, stop: &Arc<AtomicBool>) {
        say_much(ctx, 3);
        let stop = stop.clone();
        if !stop.load(Relaxed) {
            ctx.after(Duration::ZERO, job(move |ctx| again(ctx, &stop)));
        }
    }
    let (server, connector) = server();
    let ticks = Log::default();
    let ticked = ticks.clone();
    let game = game().tick(move |_, tick| ticked.add(tick.number));
    let running = server.tick(Duration::from_millis(20)).logic(game).await.unwrap();
    let reading = reads(client(&connector.with_capacity(1 << 20)));
    pass(5).await;
    let stop = Arc::new(AtomicBool::new(false));
    let stops = stop.clone();
    assert!(running.teller().tell(0, job(move |ctx| again(ctx, &stop))).is_ok());
    for _ in 0..10 {
        // The worker is never idle, so that the clock does not go on by itself.
        advance(Duration::from_millis(20)).await;
        for _ in 0..100 {
            yield_now().await;
        }
    }
    stops.store(true, Relaxed);
    let stats = running.stats();
    assert_eq!((ticks.len(), stats.ticks_skipped, stats.open()), (10, 0, 1), "{stats:?}");
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_game_that_is_made_anew_and_greets_everybody_closes_nobody() {
    let (server, connector) = server();
    let log = Log::default();
    let opened = log.clone();
    let make = move |_| {
        let [opened, heard] = std::array::from_fn(|_| opened.clone());
        game()
            .opened(move |ctx, session| {
                opened.add(session.index());
                say_much(ctx, 1);
            })
            .packet(move |_, session, _| heard.add(format!("packet of {}", session.index())))
            .message(|_, _| panic!("in message"))
    };
    let running = server.after_panic(AfterPanic::Rebuild).workers(1, make).await.unwrap();
    let mut reading = Vec::new();
    let mut senders = Vec::new();
    for _ in 0..8 {
        let (sender, mut receiver) = client(&connector.clone().with_capacity(1 << 20)).split();
        reading.push(tokio::spawn(async move { while let Ok(Some(_)) = receiver.recv().await {} }));
        senders.push(sender);
        pass(1).await;
    }
    log.take();
    assert!(running.teller().tell(0, Note::N(1)).is_ok());
    // It comes to the queue behind the panic, and to the game behind its session's opening.
    assert!(running.teller().tell(0, job(|_| {})).is_ok());
    for sender in &senders {
        sender.send(&Ask::Say { n: 1 }).unwrap();
    }
    pass(500).await;
    assert_eq!(running.stats().open(), 8);
    let expected = (0..8).map(|n| n.to_string()).chain((0..8).map(|n| format!("packet of {n}")));
    assert_eq!(log.take(), expected.collect::<Vec<_>>());
    reading.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn others_have_their_turn_also_where_all_to_whom_much_was_said_are_gone() {
    let (server, connector) = server();
    let log = Log::default();
    let closed = log.clone();
    let game = game().closed(move |_, session, _| closed.add(session.index()));
    let running = server.logic(game).await.unwrap();
    let clients: Vec<_> = (0..100).map(|_| client(&connector)).collect();
    pass(1).await;
    let turns = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let work = job(|ctx| {
            let first = ctx.sessions().next().unwrap();
            for _ in 0..3 {
                ctx.send(first, &Hear::Long { text: "x".repeat(1000) });
            }
            ctx.close(first, CloseReason::Ended);
        });
        assert!(running.teller().tell(0, work).is_ok());
    }
    let counted = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Relaxed);
            yield_now().await;
        }
    });
    until(|| log.len() == 100).await;
    assert!(turns.load(Relaxed) >= 100, "{turns:?}");
    other.abort();
    drop(clients);
}
