//! The stage between accept and session: its deadline, its caps, its end.

use std::time::Duration;

use netcore::memory::MemoryConnector;
use netcore::{Binary, CloseReason, Door, Proxy, Running, Server};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, advance};

use crate::common::{Ask, Hear, bye, packet, rest, round, session, settled};

async fn serve(set: impl FnOnce(Server<Ask, Hear>) -> Server<Ask, Hear>) -> (Running, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.proxy(Proxy::trusting(["10.0.0.0/8"]).unwrap()).close_notice(bye);
    (set(Server::new().door(door)).serve(session).await.unwrap(), connector)
}

fn notice(reason: CloseReason) -> Vec<u8> {
    packet(103, &reason.code().to_le_bytes())
}

const LINE: &[u8] = b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n";

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stands_still_ends_at_its_deadline_and_harms_nobody() {
    let (running, connector) = serve(|server| server).await;
    let mut healthy = connector.connect().unwrap();
    healthy.write_all(LINE).await.unwrap();
    round(&mut healthy, 1).await;
    let since = Instant::now();
    let mut halves = Vec::new();
    for len in [0, 1, 20, LINE.len() - 1] {
        let mut half = connector.connect().unwrap();
        half.write_all(&LINE[..len]).await.unwrap();
        halves.push(half);
    }
    settled().await;
    // A byte more does not begin it anew.
    advance(Duration::from_secs(9)).await;
    halves[0].write_all(b"P").await.unwrap();
    round(&mut healthy, 2).await;
    for half in &mut halves {
        assert_eq!(rest(half).await, b"");
    }
    assert_eq!(since.elapsed().as_secs(), 10);
    round(&mut healthy, 3).await;
    let stats = running.stats();
    assert_eq!((stats.handshakes_timed_out, stats.handshakes_failed), (4, 0));
    assert_eq!((stats.opened, stats.turned_away_for("handshake")), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn those_under_way_have_a_cap_and_one_more_hears_why() {
    let (running, connector) = serve(|server| server.max_handshakes(2)).await;
    let (mut one, two) = (connector.connect().unwrap(), connector.connect().unwrap());
    settled().await;
    let mut three = connector.connect().unwrap();
    assert_eq!(rest(&mut three).await, notice(CloseReason::Handshakes));
    one.write_all(LINE).await.unwrap();
    round(&mut one, 1).await;
    drop(two);
    settled().await;
    // The one has become a session, the other has gone: both places are free.
    for n in 0..2 {
        let mut next = connector.connect().unwrap();
        next.write_all(LINE).await.unwrap();
        round(&mut next, n).await;
    }
    let stats = running.stats();
    assert_eq!((stats.refused_handshakes, stats.turned_away_for("handshakes")), (1, 1));
    assert_eq!((stats.handshakes_failed, stats.turned_away_for("peer_closed")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn half_handshakes_count_among_the_sessions() {
    let (running, connector) = serve(|server| server.max_sessions(3)).await;
    let halves: Vec<_> = (0..3).map(|_| connector.connect().unwrap()).collect();
    settled().await;
    let mut more = connector.connect().unwrap();
    assert_eq!(rest(&mut more).await, notice(CloseReason::ServerFull));
    assert_eq!(running.stats().refused_full, 1);
    drop(halves);
    settled().await;
    let mut sessions = Vec::new();
    for n in 0..3 {
        let mut session = connector.connect().unwrap();
        session.write_all(LINE).await.unwrap();
        round(&mut session, n).await;
        sessions.push(session);
    }
    let mut more = connector.connect().unwrap();
    assert_eq!(rest(&mut more).await, notice(CloseReason::ServerFull));
}

#[tokio::test(start_paused = true)]
async fn the_cap_of_an_address_counts_the_proxied_one() {
    let (running, connector) = serve(|server| server.max_per_address(2)).await;
    let mut here = Vec::new();
    for n in 0..2 {
        let mut peer = connector.connect().unwrap();
        peer.write_all(LINE).await.unwrap();
        round(&mut peer, n).await;
        here.push(peer);
    }
    let mut third = connector.connect().unwrap();
    third.write_all(LINE).await.unwrap();
    assert_eq!(rest(&mut third).await, notice(CloseReason::AddressFull));
    let mut elsewhere = connector.connect().unwrap();
    elsewhere.write_all(b"PROXY TCP4 203.0.113.8 10.0.0.1 51234 11020\r\n").await.unwrap();
    round(&mut elsewhere, 9).await;
    drop(here.pop());
    settled().await;
    let mut again = connector.connect().unwrap();
    again.write_all(LINE).await.unwrap();
    round(&mut again, 10).await;
    let stats = running.stats();
    assert_eq!((stats.refused_address, stats.turned_away_for("address_full")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_handshakes() {
    let (running, connector) = serve(|server| server).await;
    let mut half = connector.connect().unwrap();
    half.write_all(&LINE[..20]).await.unwrap();
    settled().await;
    let report = running.shutdown().await;
    assert_eq!((report.sessions, report.cut, report.took), (0, 0, Duration::ZERO));
    assert_eq!(rest(&mut half).await, b"");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_dropped_ends_handshakes_too() {
    let (running, connector) = serve(|server| server).await;
    let mut half = connector.connect().unwrap();
    settled().await;
    let since = Instant::now();
    drop(running);
    assert_eq!(rest(&mut half).await, b"");
    assert_eq!(since.elapsed(), Duration::ZERO);
}
