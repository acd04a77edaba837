//! Where two parts meet: answers and the inbox, an index and the next session, panics and half a packet, senders.

use std::fmt;
use std::sync::mpsc;
use std::time::Duration;

use netcore::{
    Binary, Client, CloseReason, Connection, Context, Door, Frame, Host, Logic, Packet, PlainText, SendError,
    Server, SessionId, Text,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Ask, Hear, Log, client, game, job, one, said, within};

#[derive(Packet)]
enum Question {
    #[packet(id = 1, reply = 2)]
    Double { n: u32 },
}

#[derive(Packet, Debug, PartialEq)]
enum Answer {
    #[packet(id = 2)]
    Is { n: u32 },
}

#[tokio::test]
async fn a_client_that_only_asks_is_answered_for_ever() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door).serve(async |mut peer: Connection<Question, Answer>| {
        while let Some(Question::Double { n }) = peer.recv().await? {
            peer.send(&Answer::Is { n: n * 2 })?;
        }
        Ok::<_, SendError>(())
    });
    let server = server.await.unwrap();
    let client = Client::<Answer, Question>::options().over(connector.connect().unwrap());
    // More answers than an inbox holds bytes.
    for n in 0..40_000 {
        assert_eq!(within(client.request(Question::Double { n })).await.unwrap(), Answer::Is { n: n * 2 });
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_body_that_is_kept_keeps_no_read_buffer() {
    let (door, connector) = Door::memory(Binary::new());
    let (kept, bodies) = mpsc::channel();
    let server = Server::<Frame, Frame>::new().door(door).serve(move |mut peer: Connection<Frame, Frame>| {
        let kept = kept.clone();
        async move {
            while let Some(frame) = peer.recv().await? {
                peer.send(&frame)?;
                kept.send(frame.body).unwrap();
            }
            Ok::<_, SendError>(())
        }
    });
    let server = server.await.unwrap();
    let mut client = Client::<Frame, Frame>::options().over(connector.connect().unwrap());
    for _ in 0..3 {
        client.send(&Frame::new(1, "ten bytes.")).unwrap();
        within(client.recv()).await.unwrap();
        let body = bodies.try_recv().unwrap().try_into_mut().unwrap();
        assert!(body.capacity() < 100, "{} bytes for ten", body.capacity());
    }
    drop(client);
    server.shutdown().await;
}

#[tokio::test]
async fn an_index_is_not_used_again_while_a_worker_still_has_the_old_session() {
    let (log, (inside, came), (open, gate)) = (Log::default(), mpsc::channel(), mpsc::channel::<()>());
    let (packets, closes) = (log.clone(), log.clone());
    let game = game()
        .packet(move |_, session, packet| {
            packets.add(format!("{session}: {packet:?}"));
            if packet == (Ask::Say { n: 1 }) {
                inside.send(()).unwrap();
                gate.recv().unwrap();
            }
        })
        .closed(move |_, session, _| closes.add(format!("{session} closed")));
    let door = Door::tcp("127.0.0.1:0");
    let server = Server::new().door(door).host(Host::Thread).logic(game).await.unwrap();
    let mut old = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    let say = |n: u8| [9, 0, 1, 0, 0, n, 0, 0, 0];
    old.write_all(&say(1)).await.unwrap();
    tokio::task::spawn_blocking(move || came.recv()).await.unwrap().unwrap();
    // The worker is in a callback: one more packet comes, then a reset, then the next session.
    old.write_all(&say(2)).await.unwrap();
    while server.stats().packets_in < 2 {
        tokio::task::yield_now().await;
    }
    socket2::SockRef::from(&old).set_linger(Some(Duration::ZERO)).unwrap();
    drop(old);
    while server.stats().closed < 1 {
        tokio::task::yield_now().await;
    }
    let new = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    while server.stats().opened < 2 {
        tokio::task::yield_now().await;
    }
    open.send(()).unwrap();
    drop(new);
    server.shutdown().await;
    let log = log.take();
    let of_old: Vec<_> = log.iter().filter(|line| line.starts_with("0.0")).collect();
    assert_eq!(of_old, ["0.0: Say { n: 1 }", "0.0: Say { n: 2 }", "0.0 closed"], "{log:?}");
    assert!(log.iter().any(|line| line == "1.0 closed"), "{log:?}");
}

/// Shown, it panics half-way if it is told to.
struct Half(bool);

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("part")?;
        assert!(!self.0, "amid a packet");
        f.write_str("-whole")
    }
}

struct Teller(Option<SessionId>);

impl Logic for Teller {
    type In = String;
    type Out = Half;
    type Message = bool;

    fn opened(&mut self, _: &mut Context<Self>, session: SessionId) {
        self.0 = Some(session);
    }

    fn packet(&mut self, ctx: &mut Context<Self>, _: SessionId, line: String) {
        ctx.after(Duration::ZERO, line == "panic");
    }

    fn message(&mut self, ctx: &mut Context<Self>, panics: bool) {
        if let Some(session) = self.0 {
            ctx.send(session, &Half(panics));
        }
    }
}

#[tokio::test]
async fn a_panic_amid_a_packet_leaves_no_half_of_it() {
    let (door, connector) = Door::memory(Text::new(PlainText::new()));
    let server = Server::new().door(door).host(Host::Task).logic(Teller(None)).await.unwrap();
    let mut peer = connector.connect().unwrap();
    peer.write_all(b"say\npanic\nsay\n").await.unwrap();
    let mut heard = [0; 22];
    within(peer.read_exact(&mut heard)).await.unwrap();
    assert_eq!(std::str::from_utf8(&heard).unwrap(), "part-whole\npart-whole\n");
    assert_eq!(server.stats().panics, 1);
    server.shutdown().await;
}

#[tokio::test]
async fn timers_that_are_due_at_once_leave_room_for_packets() {
    let game = game().opened(|ctx, _| again(ctx)).packet(|ctx, session, _| {
        ctx.send(session, &said(7));
    });
    fn again(ctx: &mut Context<crate::common::Game>) {
        ctx.after(Duration::ZERO, job(again));
    }
    let (running, connector) = one(game).await;
    let mut client = client(&connector);
    client.send(&Ask::Say { n: 1 }).unwrap();
    assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n: 7 })));
    running.shutdown().await;
}

#[tokio::test]
async fn several_senders_of_one_session_keep_the_order_between_them() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door).serve(async |peer: Connection<Ask, Hear>| {
        peer.send(&said(0))?;
        let other = peer.sender();
        peer.send(&said(1))?;
        std::thread::spawn(move || other.send(&said(2))).join().unwrap()?;
        peer.send(&said(3))
    });
    let server = server.await.unwrap();
    let mut client = client(&connector);
    for n in 0..4 {
        assert_eq!(within(client.recv()).await, Ok(Some(said(n))));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_game_may_close_all_of_very_many_sessions_at_once() {
    const MANY: u64 = 10_000;
    let log = Log::default();
    let heard = log.clone();
    let (running, connector) = one(game().closed(move |ctx, session, _| {
        // None of those that it will hear of is left to speak to.
        if session.index() == 0 {
            heard.add(format!("{}", ctx.sessions().count()));
        }
    }))
    .await;
    let mut streams = Vec::new();
    while running.stats().opened < MANY {
        streams.extend(connector.connect());
        tokio::task::yield_now().await;
    }
    let close_all = job(|ctx| {
        for session in ctx.sessions().collect::<Vec<_>>() {
            ctx.close(session, CloseReason::Game(1000));
        }
    });
    running.teller().tell(0, close_all).map_err(drop).unwrap();
    while running.stats().closed < MANY {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.take(), ["0"]);
}
