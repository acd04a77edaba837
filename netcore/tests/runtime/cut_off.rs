//! Closes whose last words a peer does not take: the reason stays, and what was thrown away is told apart.

use std::time::Duration;

use netcore::memory::MemoryStream;
use netcore::{Binary, Client, CloseReason, Door, Host, Limits, Running, Server, memory};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Ask, Hear, Log, Note, bytes_of, game, pass, said};

/// A game that says much at a `Do`, and closes for a reason of its own where `what` is 1; and a peer who has sent one.
async fn much_is_said(limits: Limits, what: u32, log: &Log) -> (Running<Note>, MemoryStream) {
    let (door, connector) = Door::memory(Binary::new());
    let log = log.clone();
    let game = game()
        .packet(|ctx, session, ask| {
            for n in 0..100 {
                ctx.send(session, &said(n));
            }
            if let Ask::Do { what: 1, .. } = ask {
                ctx.close(session, CloseReason::Game(1000));
            }
        })
        .closed(move |_, _, reason| log.add(format!("{reason:?}")));
    let running = Server::new().host(Host::Task).door(door.limits(limits)).logic(game).await.unwrap();
    let mut stream = connector.with_capacity(20).connect().unwrap();
    stream.write_all(&bytes_of(&[Ask::Do { what, n: 0 }])).await.unwrap();
    pass(1).await;
    (running, stream)
}

/// How many closed for that reason, and how many closes were cut.
fn counted(running: &Running<Note>, label: &str) -> (u64, u64) {
    let stats = running.stats();
    assert_eq!(stats.closed_for("stalled") + stats.closed_for("unflushed"), u64::from(label == "stalled"));
    (stats.closed_for(label), stats.closes_cut)
}

#[tokio::test(start_paused = true)]
async fn the_games_own_reason_stays_where_its_peer_takes_nothing_after_the_close() {
    let log = Log::default();
    let (running, stream) = much_is_said(Limits::new(), 1, &log).await;
    assert_eq!(log.take(), ["Game(1000)"]);
    pass(5_000).await;
    assert_eq!(counted(&running, "game"), (1, 1));
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn it_stays_where_its_peer_takes_a_byte_now_and_then_until_the_flush_is_over() {
    let log = Log::default();
    let (running, mut stream) = much_is_said(Limits::new(), 1, &log).await;
    for _ in 0..9 {
        stream.read_u8().await.unwrap();
        pass(1_000).await;
    }
    assert_eq!(counted(&running, "game"), (0, 0));
    stream.read_u8().await.unwrap();
    pass(1_000).await;
    assert_eq!(counted(&running, "game"), (1, 1));
    assert_eq!(log.take(), ["Game(1000)"]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_that_does_not_read_either_is_closed_for_its_silence() {
    let log = Log::default();
    let (running, stream) = much_is_said(Limits::new().idle(Duration::from_secs(2)), 0, &log).await;
    pass(5_000).await;
    assert_eq!((log.take(), counted(&running, "idle")), (vec!["Idle(2s)".to_owned()], (1, 1)));
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn who_stalls_while_open_is_closed_for_that_and_nothing_is_cut() {
    let log = Log::default();
    let (running, stream) = much_is_said(Limits::new(), 0, &log).await;
    pass(5_000).await;
    assert_eq!((log.take(), counted(&running, "stalled")), (vec!["Stalled(5s)".to_owned()], (1, 0)));
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_hears_that_not_all_went_out_and_by_which_limit() {
    for (reads, expected) in [
        (0, CloseReason::Stalled(Duration::from_secs(5))),
        (20, CloseReason::Unflushed(Duration::from_secs(10))),
        (2_000, CloseReason::Ended),
    ] {
        let (mut server, stream) = memory::pair(20);
        let client = Client::<Hear, Ask>::options().over(stream);
        (0..100).for_each(|n| client.send(&Ask::Say { n }).unwrap());
        let reading = tokio::spawn(async move {
            for _ in 0..reads {
                if server.read_u8().await.is_err() {
                    break;
                }
                pass(if reads > 20 { 1 } else { 1_000 }).await;
            }
            pass(60_000).await;
        });
        assert_eq!(client.close().await, expected);
        reading.abort();
    }
}
