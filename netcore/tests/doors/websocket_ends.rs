//! How a WebSocket ends where its peer does as it must not; frames are written by hand, on a stopped clock.

use std::time::Duration;

use netcore::{
    Adapter, Binary, CloseReason, Connection, Decode, Door, EncodeError, Hello, Packet, Server, WebSocket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::common::{Ask, Hear, bye, packet, rest, said, say, session, settled};
use crate::websocket::{closed, heard, upgrade};

/// A short frame, under a mask that changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

/// For how long a server that has closed goes on reading from a peer that says this.
async fn read_on(behind: &[u8]) -> Duration {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new().upgraded());
    let one_answer = async |mut peer: Connection<Ask, Hear>| {
        if let Some(Ask::Say { n }) = peer.recv().await? {
            let _ = peer.send(&Hear::Said { n });
        }
        Ok::<_, CloseReason>(())
    };
    let running = Server::new().door(door).serve(one_answer).await.unwrap();
    let mut stream = connector.connect().unwrap();
    stream.write_all(&frame(BINARY, &say(1))).await.unwrap();
    let mut answer = [0; 11];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[2..], said(1));
    settled().await;
    let begun = Instant::now();
    stream.write_all(behind).await.unwrap();
    rest(&mut stream).await;
    drop(running);
    begun.elapsed()
}

/// A socket that is closed with unread bytes is reset, and the last answers are lost on their way.
#[tokio::test(start_paused = true)]
async fn what_is_wrong_behind_the_last_answer_is_discarded() {
    let close = frame(CLOSE, &NORMAL);
    for (what, wrong) in [
        ("data", frame(BINARY, &say(2))),
        ("text", frame(TEXT, b"text")),
        ("a flood", frame(PING, b"").repeat(200)),
    ] {
        let time = read_on(&wrong).await;
        assert!(time >= Duration::from_millis(990), "{what}: {time:?}");
    }
    for wrong in [frame(BINARY, &say(2)), frame(TEXT, b"text")] {
        let time = read_on(&[wrong, close.clone()].concat()).await;
        assert!(time < Duration::from_millis(10), "{time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_behind_a_hello_is_an_unfinished_packet() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new().upgraded()).hello(Hello::new::<Ask, Hear>());
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut stream = connector.connect().unwrap();
    let [sends, receives] = [Ask::SCHEMA, Hear::SCHEMA].map(|schema| schema.fingerprint().to_le_bytes());
    let hello = [&b"\x1a\0\x01\xff\0nchi\x01"[..], &sends, &receives].concat();
    // It says that there is more in it than the hello.
    let whole = frame(BINARY, &[&hello[..], &[0; 9]].concat());
    let begun = Instant::now();
    stream.write_all(&whole[..whole.len() - 9]).await.unwrap();
    rest(&mut stream).await;
    settled().await;
    assert_eq!((begun.elapsed().as_secs(), running.stats().closed_for("unfinished")), (11, 1));
}

/// Both have closed: the server's end of the connection goes at once.
#[tokio::test(start_paused = true)]
async fn a_close_frame_behind_what_is_wrong_is_one_however_the_stream_was_cut() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new().upgraded());
    let running = Server::new().door(door).serve(session).await.unwrap();
    for apart in [true, false] {
        let mut stream = connector.connect().unwrap();
        let begun = Instant::now();
        stream.write_all(&frame(TEXT, b"text")).await.unwrap();
        if apart {
            settled().await;
        }
        stream.write_all(&frame(CLOSE, &NORMAL)).await.unwrap();
        rest(&mut stream).await;
        assert!(begun.elapsed() < Duration::from_millis(10), "{apart}: {:?}", begun.elapsed());
    }
    settled().await;
    assert_eq!(running.stats().closed_for("websocket"), 2);
}

struct PanicsAtOnce;

impl Adapter<Ask, Hear> for PanicsAtOnce {
    fn open(&self) -> Box<dyn Decode<Ask>> {
        panic!("as it opens")
    }

    fn encode(&self, packet: &Hear, dst: &mut bytes::BytesMut) -> Result<(), EncodeError> {
        Adapter::<Ask, Hear>::encode(&Binary::new(), packet, dst)
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_panics_is_the_reason_in_the_close_frame() {
    let code = CloseReason::Panicked.code();
    for notice in [true, false] {
        let (door, connector) = Door::memory(PanicsAtOnce);
        let door = door.websocket(WebSocket::new());
        let door = if notice { door.close_notice(bye) } else { door };
        let _running = Server::new().door(door).serve(session).await.unwrap();
        let mut socket = upgrade(connector.connect().unwrap()).await;
        if notice {
            assert_eq!(heard(&mut socket, 7).await, packet(103, &code.to_le_bytes()));
        }
        assert_eq!(closed(&mut socket).await.0, 4000 + code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hello_that_does_not_come_in_time_is_the_reason_in_the_close_frame() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new()).hello(Hello::new::<Ask, Hear>());
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut socket = upgrade(connector.connect().unwrap()).await;
    let (code, words) = closed(&mut socket).await;
    assert_eq!(code, 4000 + CloseReason::Handshake(Duration::ZERO).code(), "{words}");
    assert_eq!(running.stats().handshakes_timed_out, 1);
}
