//! Panics of game code: the session at fault closes, the others go on, and all are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::BytesMut;
use netcore::memory::MemoryConnector;
use netcore::{
    Adapter, AfterPanic, Binary, CloseReason, Connection, Context, Decode, Door, EncodeError, Host, LateTick,
    Lines, Logic, Running, Server, SessionId, Text, TextProtocol,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{
    Ask, Game, Hear, Log, Note, client, echo, game, job, next, one, pass, rest, round, said, server, within,
};

/// Panics where it is told to.
fn fragile(log: &Log, opened_panics: bool) -> Game {
    let [opened, closed] = std::array::from_fn(|_| log.clone());
    game()
        .opened(move |_, session| {
            opened.add(format!("opened {}", session.index()));
            assert!(!opened_panics || session.index() != 1, "in opened");
        })
        .packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { what, .. } => {
                ctx.send(session, &said(what));
                match what {
                    0 => panic!("in packet"),
                    1 => drop(ctx.after(Duration::ZERO, Note::N(1))),
                    2 => {
                        let work = async { panic!("in the background") };
                        ctx.spawn(work).unwrap();
                    }
                    _ => ctx.broadcast(&said(what)),
                }
            }
        })
        .message(|_, _| panic!("in message"))
        .closed(move |_, session, reason| {
            closed.add(format!("closed {} {}", session.index(), reason.label()));
            assert_ne!(session.index(), 2, "in closed");
        })
}

async fn with(
    policy: AfterPanic,
    set: impl FnOnce(Server<Ask, Hear>) -> Server<Ask, Hear>,
    make: impl Fn(usize) -> Game + Send + Sync + 'static,
) -> (Running<Note>, MemoryConnector) {
    let (server, connector) = server();
    (set(server).after_panic(policy).workers(1, make).await.unwrap(), connector)
}

#[tokio::test(start_paused = true)]
async fn a_panic_over_a_packet_closes_that_session_alone() {
    let log = Log::default();
    let logged = log.clone();
    let (running, connector) =
        with(AfterPanic::GoOn, |server| server, move |_| fragile(&logged, false)).await;
    let (mut healthy, mut guilty) = (client(&connector), client(&connector));
    round(&mut healthy, 1).await;
    guilty.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    guilty.send(&Ask::Say { n: 5 }).unwrap();
    assert_eq!(
        rest(&mut guilty).await,
        [said(0)],
        "what was sent before the panic arrives, and nothing behind it"
    );
    round(&mut healthy, 2).await;
    assert_eq!(log.take(), ["opened 0", "opened 1", "closed 1 panicked"]);
    drop(guilty);
    pass(5).await;
    let stats = running.stats();
    assert_eq!((stats.panics, stats.closed_for("panicked"), stats.open()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn panics_in_opened_closed_message_and_the_background_harm_nobody_else() {
    let log = Log::default();
    let logged = log.clone();
    let (running, connector) = with(AfterPanic::GoOn, |server| server, move |_| fragile(&logged, true)).await;
    let mut healthy = client(&connector);
    round(&mut healthy, 1).await;
    let (mut unlucky, leaves) = (client(&connector), client(&connector));
    assert_eq!(rest(&mut unlucky).await, []);
    pass(5).await;
    within(leaves.close()).await;
    for what in [1, 2] {
        healthy.send(&Ask::Do { what, n: 0 }).unwrap();
        assert_eq!(next(&mut healthy).await, said(what));
    }
    pass(5).await;
    round(&mut healthy, 2).await;
    assert_eq!(log.take(), ["opened 0", "opened 1", "closed 1 panicked", "opened 2", "closed 2 peer_closed"]);
    assert_eq!(running.stats().panics, 4, "opened, closed, message, and the background");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_tick_closes_nobody() {
    let make = |_| game().tick(|_, tick| assert_ne!(tick.number, 2, "in tick"));
    let set = |server: Server<_, _>| server.tick(Duration::from_millis(10)).late_tick(LateTick::Skip);
    let (running, connector) = with(AfterPanic::GoOn, set, make).await;
    let mut client = client(&connector);
    round(&mut client, 0).await;
    pass(100).await;
    round(&mut client, 1).await;
    assert_eq!(running.stats().panics, 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_rebuild_all_other_sessions_open_again() {
    let log = Log::default();
    let logged = log.clone();
    let (running, connector) =
        with(AfterPanic::Rebuild, |server| server, move |_| fragile(&logged, false)).await;
    let (mut one, mut two) = (client(&connector), client(&connector));
    round(&mut one, 1).await;
    round(&mut two, 1).await;
    log.take();
    two.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    assert_eq!(rest(&mut two).await, [said(0)]);
    round(&mut one, 2).await;
    assert_eq!(log.take(), ["opened 0"], "the new state never knew the session that is gone");
    assert_eq!(running.stats().panics, 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_reopening_panics_closes_and_the_others_open_once_on_the_last_state() {
    let log = Log::default();
    let made = std::sync::atomic::AtomicU32::new(0);
    let logged = log.clone();
    let make = move |_| {
        let made = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = logged.clone();
        fragile(&logged, false).opened(move |_, session| {
            log.add(format!("{made} opened {}", session.index()));
            assert!(made == 0 || session.index() == 0 || session.index() == 3, "not again");
        })
    };
    let (running, connector) = with(AfterPanic::Rebuild, |server| server, make).await;
    let mut clients: Vec<_> = (0..5).map(|_| client(&connector)).collect();
    for client in &mut clients {
        round(client, 1).await;
    }
    log.take();
    clients[4].send(&Ask::Do { what: 0, n: 0 }).unwrap();
    pass(5).await;
    round(&mut clients[0], 2).await;
    round(&mut clients[3], 2).await;
    assert_eq!(
        log.take(),
        ["1 opened 0", "1 opened 1", "2 opened 0", "2 opened 2", "3 opened 0", "3 opened 3"]
    );
    let stats = running.stats();
    assert_eq!(stats.panics, 3);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_sessions_that_panic_as_they_reopen_do_not_overflow_the_stack() {
    let made = std::sync::atomic::AtomicU32::new(0);
    let make = move |_| {
        let made = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        game().opened(move |_, _| assert_eq!(made, 0, "not again")).packet(|_, _, _| panic!("in packet"))
    };
    let (running, connector) = with(AfterPanic::Rebuild, |server| server, make).await;
    let peers: Vec<_> = (0..300).map(|_| connector.connect().unwrap()).collect();
    let guilty = client(&connector);
    guilty.send(&Ask::Say { n: 0 }).unwrap();
    pass(5).await;
    assert_eq!(running.stats().panics, 301);
    drop(peers);
}

#[tokio::test(start_paused = true)]
async fn a_panic_can_stop_the_server() {
    let log = Log::default();
    let (running, connector) = with(
        AfterPanic::Stop,
        |server| server,
        move |_| fragile(&log, false).stopping(|ctx| ctx.broadcast(&said(77))),
    )
    .await;
    let (mut one, mut two) = (client(&connector), client(&connector));
    round(&mut two, 1).await;
    one.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    let (heard, report) = tokio::join!(rest(&mut two), running.run_until(std::future::pending()));
    assert_eq!(heard, [said(77)]);
    assert_eq!(report.cut, 0);
    assert_eq!(rest(&mut one).await, [said(0)]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_closes_its_own_session() {
    let (server, connector) = server();
    let running = server
        .serve(|peer: Connection<Ask, Hear>| {
            // Once before there is a task, once inside of it.
            assert_ne!(peer.id().index(), 2, "before the task");
            async move {
                if peer.id().index() == 1 {
                    peer.send(&said(1)).unwrap();
                    panic!("in the task");
                }
                echo(peer).await
            }
        })
        .await
        .unwrap();
    let mut clients: Vec<_> = (0..3).map(|_| client(&connector)).collect();
    assert_eq!(rest(&mut clients[1]).await, [said(1)]);
    assert_eq!(rest(&mut clients[2]).await, []);
    round(&mut clients[0], 1).await;
    clients.truncate(1);
    pass(5).await;
    let stats = running.stats();
    assert_eq!((stats.panics, stats.closed_for("panicked"), stats.open()), (2, 2, 1));
}

/// Speaks with nobody.
struct PanicsAtOnce;

impl Adapter<Ask, Hear> for PanicsAtOnce {
    fn open(&self) -> Box<dyn Decode<Ask>> {
        panic!("as it opens")
    }

    fn encode(&self, packet: &Hear, dst: &mut BytesMut) -> Result<(), EncodeError> {
        Adapter::<Ask, Hear>::encode(&Binary::new(), packet, dst)
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_panics_as_a_session_begins_is_no_server_that_is_full() {
    let (bad, knocks) = Door::memory(PanicsAtOnce);
    let (good, connector) = Door::memory(Binary::new());
    let server = Server::new().door(bad).door(good).max_sessions(1);
    let running = server.serve(echo).await.unwrap();
    for _ in 0..3 {
        let mut refused = knocks.connect().unwrap();
        assert_eq!(within(refused.read(&mut [0])).await.unwrap(), 0);
    }
    let stats = running.stats();
    assert_eq!((stats.refused_full, stats.handshakes_failed, stats.opened), (0, 0, 0));
    assert_eq!((stats.panics, stats.turned_away_for("panicked")), (3, 3));
    // Nor is a place taken.
    round(&mut client(&connector), 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_close_notice_or_a_protocol_that_panics_harms_its_session_alone() {
    #[derive(Clone)]
    struct Picky;
    impl netcore::TextProtocol for Picky {
        type In = Ask;
        type Out = Hear;

        fn parse(&mut self, line: &str) -> Result<Ask, String> {
            assert_ne!(line, "panic");
            line.parse().map(|n| Ask::Say { n }).map_err(|_| "a number, please".to_owned())
        }

        fn print(&self, _: &Hear, lines: &mut netcore::Lines<'_>) {
            lines.line("ok");
        }
    }
    let (text, lines) = netcore::Door::memory(netcore::Text::new(Picky));
    let (frames, connector) = netcore::Door::memory(netcore::Binary::new());
    let frames = frames.close_notice(|_| panic!("in the notice"));
    let server = Server::new().host(netcore::Host::Task).door(text).door(frames);
    let log = Log::default();
    let running = server.logic(fragile(&log, false)).await.unwrap();
    let mut healthy = client(&connector);
    round(&mut healthy, 0).await;

    let mut typist = lines.connect().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut typist, b"1\npanic\n2\n").await.unwrap();
    pass(5).await;
    assert_eq!(running.stats().closed_for("panicked"), 1);
    round(&mut healthy, 1).await;

    let guilty = client(&connector);
    pass(5).await;
    drop(guilty);
    pass(5).await;
    round(&mut healthy, 2).await;
    let stats = running.stats();
    assert_eq!((stats.panics, stats.open()), (2, 1));
}

/// What must be handled: dropped, it panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a message was not handled");
    }
}

/// Starts a timer with a bomb in it for who asks for one.
struct Strict;

impl Logic for Strict {
    type In = Ask;
    type Out = Hear;
    type Message = Option<Bomb>;

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
        match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { .. } => drop(ctx.after_for(session, Duration::from_secs(60), Some(Bomb))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_of_the_games_that_panics_as_it_is_dropped_is_counted_and_ends_nothing_else() {
    for after in [AfterPanic::GoOn, AfterPanic::Stop] {
        let (server, connector) = server();
        let running = server.after_panic(after).logic(Strict).await.unwrap();
        let (mut healthy, guilty) = (client(&connector), client(&connector));
        round(&mut healthy, 1).await;
        // Two of them: the second is dropped after the first has panicked.
        (0..2).for_each(|_| guilty.send(&Ask::Do { what: 0, n: 0 }).unwrap());
        pass(10).await;
        drop(guilty);
        round(&mut healthy, 2).await;
        pass(10).await;
        assert_eq!((running.stats().panics, running.stats().open()), (2, 1));
        round(&mut client(&connector), 3).await;
        let stopped = tokio::time::timeout(Duration::from_secs(1), running.stopped()).await.is_ok();
        assert_eq!(stopped, after == AfterPanic::Stop);
        // One that is left to the end of the worker.
        healthy.send(&Ask::Do { what: 0, n: 0 }).unwrap();
        round(&mut healthy, 4).await;
        assert_eq!(running.shutdown().await.cut, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_rebuild_the_timers_of_a_session_that_was_being_moved_are_not_those_of_the_new_state() {
    let (server, connector) = server();
    let (made, log) = (Arc::new(AtomicUsize::new(0)), Log::default());
    let told = log.clone();
    let making = move |_| {
        let (anew, told) = (made.fetch_add(1, Relaxed) > 0, told.clone());
        game()
            .opened(move |ctx, _| {
                if anew {
                    ctx.after(Duration::from_secs(1), Note::N(7));
                }
            })
            .packet(|ctx, session, ask| match ask {
                Ask::Say { n } => drop(ctx.send(session, &said(n))),
                Ask::Do { .. } => {
                    let first = ctx.sessions().next().unwrap();
                    ctx.after_for(first, Duration::from_secs(1), Note::N(1));
                    ctx.move_to(first, 0, Note::N(0));
                    panic!("on purpose");
                }
            })
            .message(move |_, n| told.add(n))
    };
    let _running = server.after_panic(AfterPanic::Rebuild).workers(1, making).await.unwrap();
    let [mut moved, mut guilty, mut other] = [(); 3].map(|()| client(&connector));
    for one in [&mut moved, &mut guilty, &mut other] {
        round(one, 1).await;
    }
    guilty.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    pass(5_000).await;
    assert_eq!(log.take(), ["7"], "of the one that opened on the new state");
}

/// Lets each packet wait for work that has no end, and closes the session when it is told to.
struct Careless;

#[derive(Clone)]
struct Bombs;

impl TextProtocol for Bombs {
    type In = Bomb;
    type Out = u32;

    fn parse(&mut self, _: &str) -> Result<Bomb, String> {
        Ok(Bomb)
    }

    fn print(&self, number: &u32, lines: &mut Lines<'_>) {
        lines.line(format_args!("{number}"));
    }
}

impl Logic for Careless {
    type In = Bomb;
    type Out = u32;
    type Message = ();

    fn opened(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        ctx.spawn_for(session, std::future::pending()).unwrap();
    }

    fn packet(&mut self, _: &mut Context<Self>, _: SessionId, packet: Bomb) {
        std::mem::forget(packet);
    }

    fn message(&mut self, ctx: &mut Context<Self>, (): ()) {
        let all: Vec<_> = ctx.sessions().collect();
        all.into_iter().for_each(|session| ctx.close(session, CloseReason::Ended));
    }

    fn closed(&mut self, ctx: &mut Context<Self>, _: SessionId, _: CloseReason) {
        ctx.stop();
    }
}

#[tokio::test(start_paused = true)]
async fn packets_that_panic_as_they_are_dropped_at_a_close_leave_no_ghost() {
    let (door, connector) = Door::memory(Text::new(Bombs));
    let server = Server::new().host(Host::Task).door(door);
    let running = server.logic(Careless).await.unwrap();
    let mut peer = connector.connect().unwrap();
    peer.write_all(b"one\ntwo\n").await.unwrap();
    pass(10).await;
    assert!(running.teller().tell(0, ()).is_ok());
    within(running.stopped()).await;
    assert_eq!(within(peer.read(&mut [0])).await.unwrap(), 0);
    drop(peer);
    pass(10).await;
    assert_eq!((running.stats().panics, running.stats().open()), (2, 0));
    assert_eq!(running.shutdown().await.cut, 0);
}

#[tokio::test(start_paused = true)]
async fn who_is_closed_where_they_were_moved_closes_whatever_their_baggage_does() {
    let log = Log::default();
    let closed = log.clone();
    let game = game()
        .packet(|ctx, session, _| {
            let bomb = Bomb;
            ctx.move_to(session, 0, job(move |_| std::mem::forget(bomb)));
            ctx.close(session, CloseReason::Ended);
        })
        .closed(move |_, _, reason| closed.add(reason.label()));
    let (running, connector) = one(game).await;
    let peer = client(&connector);
    peer.send(&Ask::Say { n: 1 }).unwrap();
    pass(5).await;
    assert_eq!((log.take(), running.stats().panics), (vec!["ended".to_owned()], 1));
    drop(peer);
    pass(5).await;
    assert_eq!(running.stats().open(), 0);
}

#[tokio::test(start_paused = true)]
async fn whom_a_game_moves_that_was_made_anew_by_the_clock_arrives_by_themselves() {
    let log = Log::default();
    let logged = log.clone();
    let made = Arc::new(AtomicUsize::new(0));
    let make = move |worker| {
        let moves = made.fetch_add(1, Relaxed) >= 2;
        let arrived = logged.clone();
        game()
            .opened(move |ctx, session| match ctx.worker() {
                0 if moves => ctx.move_to(session, 1, Note::N(0)),
                1 => ctx.move_to(session, 0, Note::N(0)),
                _ => {}
            })
            .arrived(move |_, _, _| arrived.add(worker))
    };
    let (server, connector) = server();
    let running = server.after_panic(AfterPanic::Rebuild).workers(2, make).await.unwrap();
    let clients = [client(&connector), client(&connector)];
    pass(5).await;
    log.take();
    // What slips is seen behind the callback, and the game is made anew behind the last move.
    let work = job(|ctx| {
        let by_the_clock = job(|ctx| {
            let leaves = ctx.sessions().next().unwrap();
            let bomb = Bomb;
            ctx.after_for(leaves, Duration::from_secs(60), job(move |_| std::mem::forget(bomb)));
            ctx.close(leaves, CloseReason::Ended);
        });
        ctx.after(Duration::from_millis(10), by_the_clock);
    });
    assert!(running.teller().tell(0, work).is_ok());
    pass(100).await;
    assert_eq!((log.take(), running.stats().panics), (vec!["1".to_owned()], 1));
    drop(clients);
}
