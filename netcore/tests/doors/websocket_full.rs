//! A WebSocket for which there is no room.

use std::time::Duration;

use netcore::memory::{MemoryConnector, MemoryStream};
use netcore::{Binary, Client, ClientError, Door, Proxy, Running, Server, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::common::{Ask, Hear, bye, rest, session, settled, within};

type Set = fn(Server<Ask, Hear>) -> Server<Ask, Hear>;

fn door() -> (Door<Ask, Hear>, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    (door.websocket(WebSocket::new()).close_notice(bye), connector)
}

async fn serve(door: Door<Ask, Hear>, set: Set) -> Running {
    set(Server::new().door(door)).serve(session).await.unwrap()
}

/// Asks for a WebSocket.
async fn ask(stream: &mut MemoryStream) {
    let request = "GET / HTTP/1.1\r\nHost: game\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// A WebSocket for which there is room.
async fn admitted(connector: &MemoryConnector) -> MemoryStream {
    let mut stream = connector.connect().unwrap();
    ask(&mut stream).await;
    let mut answer = [0; 12];
    within(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    stream
}

async fn answer(stream: &mut MemoryStream) -> String {
    String::from_utf8(rest(stream).await).unwrap()
}

fn no_room(answer: &str, why: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert_eq!(body, format!("{why}\n"));
}

#[tokio::test(start_paused = true)]
async fn one_too_many_is_answered_in_http_with_the_reason() {
    let cases: [(Set, &str); 2] = [
        (|server| server.max_sessions(1), "the server is full (`max_sessions`)"),
        (|server| server.max_handshakes(1), "too many handshakes are under way (`max_handshakes`)"),
    ];
    for (set, why) in cases {
        let (door, connector) = door();
        let running = serve(door, set).await;
        let _first = connector.connect().unwrap();
        settled().await;
        // Whether it has asked by then or not.
        let mut silent = connector.connect().unwrap();
        no_room(&answer(&mut silent).await, why);
        let mut asks = connector.connect().unwrap();
        ask(&mut asks).await;
        no_room(&answer(&mut asks).await, why);
        let stats = running.stats();
        assert_eq!(stats.refused_full + stats.refused_handshakes, 2);
    }
}

#[tokio::test]
async fn over_tcp_no_reset_comes_before_the_answer() {
    let door = Door::<Ask, Hear>::tcp("127.0.0.1:0").websocket(WebSocket::new());
    let running = serve(door, |server| server.max_per_address(1)).await;
    let connect = || Client::<Hear, Ask>::options().websocket(WebSocket::new()).connect(running.addr());
    let _first = within(connect()).await.unwrap();
    for _ in 0..20 {
        let error = within(connect()).await.unwrap_err();
        let ClientError::Refused { status: 503, words } = &error else { panic!("{error}") };
        assert_eq!(words, "too many sessions from this address (`max_per_address`)");
    }
    assert_eq!(running.stats().refused_address, 20);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn one_too_many_behind_a_proxy_is_told_when_the_proxy_has_said_who_it_is() {
    let (door, connector) = door();
    let door = door.proxy(Proxy::trusting(["10.0.0.0/8"]).unwrap());
    let _running = serve(door, |server| server.max_per_address(1)).await;
    let line = b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n";
    let mut first = connector.connect().unwrap();
    first.write_all(line).await.unwrap();
    settled().await;
    let mut second = connector.connect().unwrap();
    second.write_all(line).await.unwrap();
    no_room(&answer(&mut second).await, "too many sessions from this address (`max_per_address`)");
    // What is no such header is not told anything.
    let mut stranger = connector.connect().unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\nHost: game\r\n\r\n").await.unwrap();
    assert_eq!(answer(&mut stranger).await, "");
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_is_not_waited_for_longer_than_others_and_no_more_of_them() {
    let (door, connector) = door();
    let _running = serve(door, |server| server.max_sessions(1)).await;
    let _first = admitted(&connector).await;
    let since = Instant::now();
    // None of these closes, or reads.
    let mut refused: Vec<_> = (0..300).map(|_| connector.connect().unwrap()).collect();
    settled().await;
    let mut told = 0;
    for stream in &mut refused {
        told += usize::from(!rest(stream).await.is_empty());
    }
    assert_eq!(told, 256);
    drop(refused);
    assert!(since.elapsed() <= Duration::from_secs(2), "{:?}", since.elapsed());
}
