//! How many may come in, and what those hear who may not.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use netcore::{Binary, Client, CloseReason, Door, Host, Limits, Server, SessionId};

use crate::common::{
    Ask, Hear, Log, bytes_of, client, echo, game, pass, read_all, rest, round, said, stand_still, until,
    within,
};

fn bye(reason: CloseReason) -> Option<Hear> {
    Some(Hear::Bye { code: reason.code() })
}

#[tokio::test(start_paused = true)]
async fn one_session_too_many_is_refused_in_words_and_a_place_that_is_free_again_is_taken() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().host(Host::Task).door(door.close_notice(bye)).max_sessions(2);
    let log = Log::default();
    let ids = log.clone();
    let running = server.logic(game().opened(move |_, id: SessionId| ids.add(id))).await.unwrap();
    let (mut one, mut two) = (client(&connector), client(&connector));
    round(&mut one, 1).await;
    round(&mut two, 1).await;
    let mut three = client(&connector);
    three.send(&Ask::Say { n: 1 }).unwrap();
    assert_eq!(rest(&mut three).await, [Hear::Bye { code: CloseReason::ServerFull.code() }]);
    round(&mut one, 2).await;
    let stats = running.stats();
    assert_eq!((stats.opened, stats.open(), stats.refused_full, stats.refused_address), (2, 2, 1, 0));
    within(two.close()).await;
    pass(5).await;
    let mut four = client(&connector);
    round(&mut four, 4).await;
    assert_eq!(log.take(), ["0.0", "1.0", "1.1"], "an id is never used again");
}

#[tokio::test]
async fn over_tcp_the_refused_hear_why_even_if_they_have_spoken_already() {
    let door = Door::tcp("127.0.0.1:0").close_notice(bye);
    let running = Server::new().door(door).max_per_address(1).serve(echo).await.unwrap();
    let mut one = Client::<Hear, Ask>::connect(running.addr()).await.unwrap();
    round(&mut one, 1).await;
    let code = CloseReason::AddressFull.code();
    for n in 1..=20 {
        let mut silent = TcpStream::connect(running.addr()).await.unwrap();
        let mut bytes = Vec::new();
        within(silent.read_to_end(&mut bytes)).await.unwrap();
        assert_eq!(bytes, [7, 0, 103, 0, 0, code as u8, 0]);

        let mut client = Client::<Hear, Ask>::connect(running.addr()).await.unwrap();
        let _ = client.send(&Ask::Say { n });
        assert_eq!(rest(&mut client).await, [Hear::Bye { code }]);
    }
    round(&mut one, 2).await;
    assert_eq!(running.stats().refused_address, 40);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_notice_stands_behind_everything_that_was_sent() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().host(Host::Task).door(door.close_notice(bye));
    let game = game().packet(|ctx, session, ask| {
        let Ask::Do { what, n } = ask else { panic!("of the game's own") };
        for n in 0..n {
            ctx.send(session, &said(n));
        }
        ctx.close(session, CloseReason::Game(what as u16));
        ctx.send(session, &said(99));
    });
    let running = server.logic(game).await.unwrap();
    let ends = |code| vec![said(0), said(1), Hear::Bye { code }];
    let mut closed = client(&connector);
    closed.send(&Ask::Do { what: 1234, n: 2 }).unwrap();
    assert_eq!(rest(&mut closed).await, ends(1234));

    let mut panics = client(&connector);
    panics.send(&Ask::Say { n: 0 }).unwrap();
    assert_eq!(rest(&mut panics).await, [Hear::Bye { code: CloseReason::Panicked.code() }]);

    drop((closed, panics));
    let mut stays = client(&connector);
    pass(5).await;
    let (heard, report) = tokio::join!(rest(&mut stays), running.shutdown());
    assert_eq!(heard, [Hear::Bye { code: CloseReason::Stopping.code() }]);
    assert_eq!((report.sessions, report.cut, report.cut_bytes), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn tasks_close_with_a_notice_too() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door.close_notice(bye));
    let _running = server
        .serve(async |mut peer: netcore::Connection<Ask, Hear>| {
            match peer.recv().await? {
                Some(Ask::Do { what, .. }) => {
                    let _ = peer.send(&said(1));
                    peer.close(CloseReason::Game(what as u16));
                }
                Some(Ask::Say { n }) => drop(peer.send(&said(n))),
                None => {}
            }
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    for (ask, code) in [(Ask::Do { what: 777, n: 0 }, 777), (Ask::Say { n: 1 }, CloseReason::Ended.code())] {
        let mut client = client(&connector);
        client.send(&ask).unwrap();
        assert_eq!(rest(&mut client).await, [said(1), Hear::Bye { code }]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_resets_while_a_worker_is_behind_has_a_place_until_the_worker_has_heard_of_it() {
    let opened = Log::default();
    let told = opened.clone();
    let server = Server::new().door(Door::tcp("127.0.0.1:0")).max_sessions(8).max_per_address(4);
    let running = server.logic(game().opened(move |_, _| told.add("opened"))).await.unwrap();
    // It stands still for as long as the test likes.
    let go = stand_still(&running, 0);
    let count = |stats: &netcore::Snapshot| stats.opened + stats.refused_address;
    for n in 1..=20 {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(&bytes_of(&[Ask::Say { n: 1 }])).await.unwrap();
        until(|| count(&running.stats()) == n).await;
        // Closed with linger 0, it is reset.
        socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(stream);
        until(|| running.stats().open() == 0).await;
    }
    let stats = running.stats();
    assert_eq!((stats.opened, stats.refused_address), (4, 16));
    drop(go);
    until(|| opened.len() == 4).await;
    // They are gone now, and their places free.
    let answer = async {
        loop {
            let mut client = Client::<Hear, Ask>::connect(running.addr()).await.unwrap();
            client.send(&Ask::Say { n: 5 }).unwrap();
            // Until then it is refused without a word.
            if let Ok(Some(answer)) = client.recv().await {
                return answer;
            }
        }
    };
    assert_eq!(within(answer).await, said(5));
}

#[tokio::test(start_paused = true)]
async fn so_many_who_are_refused_are_told_at_a_time_and_the_others_are_counted() {
    for (most, told) in [(None, 5), (Some(2), 2), (Some(0), 0)] {
        let (door, connector) = Door::memory(Binary::new());
        let server = Server::new().door(door.close_notice(bye)).max_sessions(0);
        let server = if let Some(most) = most { server.max_refusals(most) } else { server };
        let running = server.serve(echo).await.unwrap();
        let streams: Vec<_> = (0..5).map(|_| connector.connect().unwrap()).collect();
        pass(5).await;
        let mut heard = 0;
        for mut stream in streams {
            heard += read_all(&mut stream).await.len();
        }
        let stats = running.stats();
        assert_eq!((heard, stats.refusals_untold, stats.refused_full), (told, 5 - told as u64, 5));
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_connections_wait_to_be_accepted_as_the_door_says() {
    for (backlog, most) in [(None, 1024), (Some(3), 3), (Some(0), 1)] {
        let set = |door: Door<Ask, Hear>| if let Some(most) = backlog { door.backlog(most) } else { door };
        let (door, connector) = Door::memory(Binary::new());
        let door = set(door);
        let waiting: Vec<_> = std::iter::from_fn(|| connector.connect().ok()).take(2_000).collect();
        assert_eq!(waiting.len(), most);
        let (lent, incoming) = Door::incoming(Binary::new());
        let lent = set(lent);
        let enter = || {
            let (near, far) = netcore::memory::pair(100);
            incoming.enter(far, None).ok().map(|()| near)
        };
        let handed_in: Vec<_> = std::iter::from_fn(enter).take(2_000).collect();
        assert_eq!(handed_in.len(), most);

        let running = Server::new().door(door).door(lent).serve(echo).await.unwrap();
        pass(5).await;
        assert_eq!(running.stats().opened, 2 * most as u64);
        assert!(connector.connect().is_ok() && enter().is_some(), "there is room again");
    }
}

#[tokio::test(start_paused = true)]
async fn the_place_of_one_whose_log_in_hangs_is_shown_as_held() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.limits(Limits::new().login(Duration::from_secs(10)));
    let hangs = game().packet(|ctx, session, _| {
        ctx.spawn_for(session, std::future::pending()).unwrap();
    });
    let running = Server::new().host(Host::Task).max_sessions(1).door(door).logic(hangs).await.unwrap();
    assert_eq!(running.stats().held, 0);
    let mut stream = connector.connect().unwrap();
    stream.write_all(&bytes_of(&[Ask::Say { n: 1 }])).await.unwrap();
    pass(20_000).await;
    let _other = connector.connect().unwrap();
    pass(10).await;
    let stats = running.stats();
    assert_eq!((stats.open(), stats.held, stats.refused_full), (0, 1, 1));
}
