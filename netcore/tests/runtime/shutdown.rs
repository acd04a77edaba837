//! How a server stops: in order, with a report; or at once, when it is dropped.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;

use netcore::{
    Adapter, Binary, Client, CloseReason, Connection, Decode, Door, EncodeError, Full, Host, Limits, Proxy,
    SendError, Server,
};

use crate::common::{
    Ask, Hear, Log, Note, bytes_of, client, echo, game, job, next, one, pass, read_all, rest, round, said,
    server, stand_still, within,
};

#[tokio::test(start_paused = true)]
async fn good_byes_arrive_behind_the_answers_to_what_was_received() {
    let log = Log::default();
    let closed = log.clone();
    let game = game()
        .stopping(|ctx| ctx.broadcast(&said(1000)))
        .closed(move |_, _, reason| closed.add(reason.label()));
    let (running, connector) = one(game).await;
    let (mut one, mut two) = (client(&connector), client(&connector));
    round(&mut two, 1).await;
    one.send(&Ask::Say { n: 7 }).unwrap();
    // The packet has been read, and the worker has not seen it yet.
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    let (one, two, report) = tokio::join!(rest(&mut one), rest(&mut two), running.shutdown());
    assert_eq!((one, two), (vec![said(7), said(1000)], vec![said(1000)]));
    assert_eq!(log.take(), ["stopping", "stopping"]);
    assert_eq!((report.sessions, report.cut, report.cut_bytes), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_full_inbox_is_answered_before_the_end() {
    const MANY: u32 = 1_000;
    let (server, connector) = server();
    let running = server
        .serve(async |mut peer: Connection<Ask, Hear>| {
            // Looks at nothing until the server stops.
            tokio::time::sleep(Duration::from_secs(1)).await;
            while let Some(packet) = peer.recv().await? {
                let Ask::Say { n } = packet else { continue };
                let _ = peer.send(&said(n));
            }
            let _ = peer.send(&said(MANY));
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    let mut client = client(&connector);
    for n in 0..MANY {
        client.send(&Ask::Say { n }).unwrap();
    }
    pass(10).await;
    let (heard, report) = tokio::join!(rest(&mut client), running.shutdown());
    assert_eq!(heard, (0..=MANY).map(said).collect::<Vec<_>>());
    assert_eq!(report.cut, 0);
    assert!(report.took >= Duration::from_millis(990), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_is_cut_at_the_deadline_and_what_it_owed_is_counted() {
    let (server, connector) = server();
    let running = server
        .drain(Duration::from_secs(3))
        .serve(async |peer: Connection<Ask, Hear>| {
            for _ in 0..3 {
                let _ = peer.send(&said(1));
            }
            std::future::pending::<Result<(), CloseReason>>().await
        })
        .await
        .unwrap();
    let stuck = connector.clone().with_capacity(4).connect().unwrap();
    let mut reads = client(&connector);
    pass(1).await;
    let alive = Handle::current().metrics().num_alive_tasks();
    let start = tokio::time::Instant::now();
    let report = running.shutdown().await;
    assert_eq!((report.sessions, report.cut, report.cut_bytes), (2, 2, 27 - 4));
    assert_eq!((report.took, start.elapsed()), (Duration::from_secs(3), Duration::from_secs(3)));
    assert_eq!(rest(&mut reads).await, [said(1), said(1), said(1)]);
    drop((stuck, reads));
    pass(5).await;
    assert!(alive > 3);
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_dropped_leaves_no_task() {
    for workers in [None, Some(1), Some(3)] {
        let (server, connector) = server();
        let server = server.tick(Duration::from_millis(10));
        let mut peers = Vec::new();
        let running = match workers {
            None => {
                let running = server.serve(echo).await.unwrap();
                (Some(running), None)
            }
            Some(count) => (None, Some(server.workers(count, |_| game()).await.unwrap())),
        };
        for n in 0..5_u32 {
            let mut peer = connector.connect().unwrap();
            peer.write_all(&bytes_of(&[Ask::Say { n }])[..9 - n as usize]).await.unwrap();
            peers.push(peer);
        }
        pass(25).await;
        assert!(Handle::current().metrics().num_alive_tasks() >= 7);
        drop(running);
        pass(1).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "{workers:?}");
        assert!(connector.connect().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn messages_for_a_worker_that_has_ended_are_handed_back_and_none_is_kept() {
    let (kept, gone) = (Arc::new(()), Arc::new(()));
    let (in_game, in_message) = (kept.clone(), gone.clone());
    let (running, connector) = one(game().message(move |_, _| drop(in_game.clone()))).await;
    let teller = running.teller();
    let peers: Vec<_> = (0..3).map(|_| connector.connect().unwrap()).collect();
    pass(1).await;
    drop(running);
    // It stands behind the word to end, so nobody will hear it.
    let _ = teller.tell(0, job(move |_| drop(in_message)));
    pass(1).await;
    assert!(matches!(teller.tell(0, Note::N(1)), Err(Full(Note::N(1)))));
    assert_eq!((Arc::strong_count(&kept), Arc::strong_count(&gone)), (1, 1));
    drop(peers);
}

#[tokio::test(start_paused = true)]
async fn who_comes_during_the_shutdown_is_refused() {
    let (server, connector) = server();
    let running = server
        .serve(async |mut peer: Connection<Ask, Hear>| {
            while peer.recv().await?.is_some() {}
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    let mut first = client(&connector);
    pass(1).await;
    let late = async {
        pass(500).await;
        assert!(connector.connect().is_err());
    };
    let (report, heard, ()) = tokio::join!(running.shutdown(), rest(&mut first), late);
    assert_eq!((report.cut, heard.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_game_or_a_handle_may_ask_the_server_to_stop() {
    for by_game in [true, false] {
        let game = game().packet(|ctx, _, _| ctx.stop()).stopping(|ctx| ctx.broadcast(&said(5)));
        let (running, connector) = one(game).await;
        let mut client = client(&connector);
        let stopper = running.stopper();
        pass(1).await;
        if by_game {
            client.send(&Ask::Say { n: 0 }).unwrap();
        } else {
            stopper.stop();
        }
        let (report, heard) = tokio::join!(running.run_until(std::future::pending()), rest(&mut client));
        assert_eq!((report.sessions, heard), (1, vec![said(5)]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_moves_as_the_server_stops_closes_once() {
    let log = Log::default();
    let logged = log.clone();
    let (server, connector) = server();
    let running = server
        .workers(2, move |worker| {
            let log = logged.clone();
            game()
                .stopping(|ctx| {
                    let sessions: Vec<_> = ctx.sessions().collect();
                    let other = 1 - ctx.worker();
                    sessions.into_iter().for_each(|session| ctx.move_to(session, other, Note::N(0)));
                })
                .arrived(|ctx, session, _| {
                    ctx.send(session, &said(3));
                })
                .closed(move |_, session, reason| log.add(format!("{worker} {session} {}", reason.label())))
        })
        .await
        .unwrap();
    let (mut one, mut two) = (client(&connector), client(&connector));
    round(&mut one, 1).await;
    round(&mut two, 1).await;
    let (one, two, report) = tokio::join!(rest(&mut one), rest(&mut two), running.shutdown());
    // The first to be told sends its session to the other, which sends both back.
    assert!(one.iter().chain(&two).all(|packet| *packet == said(3)), "{one:?} {two:?}");
    assert_eq!((log.take().len(), report.cut), (2, 0));
}

#[tokio::test]
async fn over_tcp_everything_that_was_queued_arrives_before_the_end() {
    let long = Hear::Long { text: "x".repeat(10_000) };
    let sent = long.clone();
    let game = game().stopping(move |ctx| {
        for _ in 0..20 {
            ctx.broadcast(&sent);
        }
    });
    let server = Server::new().door(Door::tcp("127.0.0.1:0")).host(Host::Thread);
    let running = server.logic(game).await.unwrap();
    let mut clients = Vec::new();
    for n in 0..5 {
        let mut client = Client::<Hear, Ask>::connect(running.addr()).await.unwrap();
        round(&mut client, n).await;
        // Not read any more: the server must not reset the connection over it.
        client.send(&Ask::Say { n }).unwrap();
        assert_eq!(next(&mut client).await, said(n));
        clients.push(client);
    }
    let hear = async {
        for client in &mut clients {
            let heard = rest(client).await;
            assert!(heard.len() == 20 && heard.iter().all(|packet| *packet == long));
        }
    };
    let ((), report) = within(async { tokio::join!(hear, running.shutdown()) }).await;
    assert_eq!((report.sessions, report.cut, report.cut_bytes), (5, 0, 0));
}

#[tokio::test]
async fn a_callback_that_does_not_return_does_not_hold_up_the_shutdown_for_ever() {
    let (server, connector) = server();
    let (started, began) = tokio::sync::oneshot::channel::<()>();
    let (end, until) = mpsc::channel::<()>();
    let mut started = Some(started);
    let game = game().packet(move |_, _, _| {
        drop(started.take());
        let _ = until.recv();
    });
    let running = server.host(Host::Thread).drain(Duration::from_millis(50)).logic(game).await.unwrap();
    let client = client(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    let _ = within(began).await;
    let report = within(running.shutdown()).await;
    assert_eq!((report.sessions, report.cut), (1, 1));
    drop(end);
}

/// A door that says when a session begins at it, and waits until it may.
struct Waits {
    begins: mpsc::Sender<()>,
    may: std::sync::Mutex<mpsc::Receiver<()>>,
}

impl Adapter<Ask, Hear> for Waits {
    fn open(&self) -> Box<dyn Decode<Ask>> {
        self.begins.send(()).unwrap();
        self.may.lock().unwrap().recv().unwrap();
        Adapter::<Ask, Hear>::open(&Binary::new())
    }

    fn encode(&self, packet: &Hear, dst: &mut BytesMut) -> Result<(), EncodeError> {
        Adapter::<Ask, Hear>::encode(&Binary::new(), packet, dst)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_session_that_begins_after_the_others_were_told_is_told_too_and_waited_for() {
    let ((begins, begun), (go, may)) = (mpsc::channel(), mpsc::channel());
    let (door, first) = Door::memory(Binary::new());
    let (late, second) = Door::memory(Waits { begins, may: may.into() });
    let (told, mut tells) = tokio::sync::mpsc::unbounded_channel();
    let running = Server::new()
        .door(door)
        .door(late.proxy(Proxy::danger_trusting_anyone()))
        .serve(move |peer: Connection<Ask, Hear>| {
            let told = told.clone();
            async move {
                let door = peer.door();
                let ended = echo(peer).await;
                told.send(door).unwrap();
                ended
            }
        })
        .await
        .unwrap();
    let mut client = client(&first);
    round(&mut client, 1).await;
    let mut stream = second.connect().unwrap();
    stream.write_all(b"PROXY UNKNOWN\r\n").await.unwrap();
    within(tokio::task::spawn_blocking(move || begun.recv())).await.unwrap().unwrap();
    let stopping = tokio::spawn(running.shutdown());
    assert_eq!(within(tells.recv()).await, Some(0));
    go.send(()).unwrap();
    // It does not take the drain time, after which it would be cut.
    let report = within(stopping).await.unwrap();
    assert_eq!((report.cut, tells.recv().await), (0, Some(1)));
    drop(stream);
}

#[tokio::test]
async fn workers_that_do_not_end_share_one_grace() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door).host(Host::Thread).drain(Duration::from_millis(50));
    let running = server.workers(4, |_| game()).await.unwrap();
    let _client = client(&connector);
    let go: Vec<_> = (0..4).map(|worker| stand_still(&running, worker)).collect();
    let report = running.shutdown().await;
    drop(go);
    // 50 ms, and at most a second each for those who were cut and for the workers.
    assert!(report.took < Duration::from_millis(2_900), "{report:?}");
}

#[tokio::test]
async fn a_worker_that_does_not_answer_leaves_the_others_sessions_their_time() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door).host(Host::Thread).drain(Duration::from_secs(1));
    let making = |_| game().stopping(|ctx| ctx.broadcast(&said(1000)));
    let running = server.workers(2, making).await.unwrap();
    let mut clients: Vec<_> = (0..10).map(|_| client(&connector)).collect();
    for client in &mut clients {
        round(client, 1).await;
    }
    let go = stand_still(&running, 0);
    let report = running.shutdown().await;
    assert_eq!((report.sessions, report.cut), (10, 5), "{report:?}");
    drop(go);
}

#[tokio::test(start_paused = true)]
async fn while_the_server_stops_who_has_the_most_queued_still_makes_room_for_the_others() {
    let (door, connector) = Door::memory(Binary::new());
    let limits = Limits::new().queue(2_000_000).stall(Duration::from_secs(20)).flush(Duration::from_secs(60));
    let server =
        Server::new().door(door.limits(limits)).max_queued_bytes(1_000_000).drain(Duration::from_secs(10));
    // A hog is sent 900 KB at once; the others, when the server stops, 300 KB in pieces.
    let session = async |mut peer: Connection<Ask, Hear>| {
        let long = Hear::Long { text: "x".repeat(10_000) };
        if let Some(Ask::Do { n, .. }) = peer.recv().await? {
            (0..n).try_for_each(|_| peer.send(&long))?;
            return std::future::pending().await;
        }
        while peer.recv().await?.is_some() {}
        for _ in 0..30 {
            peer.send(&long)?;
            pass(1).await;
        }
        Ok::<_, SendError>(())
    };
    let running = server.serve(session).await.unwrap();
    let mut hog = connector.clone().with_capacity(64).connect().unwrap();
    hog.write_all(&bytes_of(&[Ask::Do { what: 0, n: 90 }])).await.unwrap();
    let mut slow = connector.with_capacity(64).connect().unwrap();
    pass(10).await;
    let reading = async {
        // While it does not read, both are more than there is room for.
        pass(100).await;
        read_all(&mut slow).await.len()
    };
    let (heard, _) = tokio::join!(reading, running.shutdown());
    assert_eq!(heard, 30);
    drop(hog);
}
