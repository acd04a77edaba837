//! Streams of somebody else's that hold back what is written to them until they are flushed.

use std::time::Duration;

use netcore::{Binary, Client, Connection, Door, Frame, Limits, SendError, Server, memory};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};

use crate::common::within;

/// Each packet is answered by 40 of 1,000 bytes.
async fn session(mut peer: Connection<Frame, Frame>) -> Result<(), SendError> {
    while peer.recv().await?.is_some() {
        (0..40).try_for_each(|n| peer.send(&Frame::new(n, vec![7; 1000])))?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_goes_over_a_buffered_stream_is_heard() {
    let (door, incoming) = Door::incoming(Binary::new());
    let _server = Server::new().door(door).serve(session).await.unwrap();
    let (near, far) = memory::pair(8 * 1024);
    // Both sides hold back; of the server's, what its own task says in its turn and what it says later.
    incoming.enter(BufStream::with_capacity(100, 64 * 1024, far), None).unwrap();
    let mut client = Client::<Frame, Frame>::options().over(BufStream::new(near));
    for _ in 0..2 {
        client.send(&Frame::new(1, "go")).unwrap();
        for n in 0..40 {
            assert_eq!(within(client.recv()).await.unwrap(), Some(Frame::new(n, vec![7; 1000])));
        }
    }
}

/// How much one hears who takes 1 KiB at a time, and how often a session was stalled.
async fn taken_slowly(buffered: bool, pause: Duration, last_words: bool) -> (usize, u64) {
    let session = move |mut peer: Connection<Frame, Frame>| async move {
        while peer.recv().await?.is_some() {
            (0..20).try_for_each(|n| peer.send(&Frame::new(n, vec![7; 1000])))?;
            if last_words {
                break;
            }
        }
        Ok::<_, SendError>(())
    };
    let (door, incoming) = Door::incoming(Binary::new());
    let server = Server::new().door(door).serve(session).await.unwrap();
    let (mut near, far) = memory::pair(1024);
    if buffered {
        incoming.enter(BufStream::with_capacity(100, 64 * 1024, far), None).unwrap();
    } else {
        incoming.enter(far, None).unwrap();
    }
    near.write_all(b"\x07\0\x01\0\0go").await.unwrap();
    let (mut all, mut chunk) = (0, [0; 1024]);
    while all < 20 * 1005
        && let Ok(len @ 1..) = within(near.read(&mut chunk)).await
    {
        all += len;
        tokio::time::sleep(pause).await;
    }
    (all, server.stats().closed_for("stalled"))
}

#[tokio::test(start_paused = true)]
async fn over_a_buffered_stream_who_takes_slowly_has_as_much_time_as_over_any_other() {
    for buffered in [false, true] {
        let steady = taken_slowly(buffered, Duration::from_millis(500), false).await;
        let last = taken_slowly(buffered, Duration::from_millis(200), true).await;
        assert_eq!((steady, last), ((20 * 1005, 0), (20 * 1005, 0)), "{buffered}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_stalled_when_a_buffered_stream_is_full() {
    let (door, incoming) = Door::incoming(Binary::new());
    let door = door.limits(Limits::new().stall(Duration::from_secs(3)));
    let server = Server::new().door(door).serve(session).await.unwrap();
    let (mut near, far) = memory::pair(1024);
    incoming.enter(BufStream::with_capacity(100, 64 * 1024, far), None).unwrap();
    near.write_all(&b"\x07\0\x01\0\0go".repeat(2)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(server.stats().closed_for("stalled"), 1);
}

#[cfg(feature = "websocket")]
#[tokio::test(start_paused = true)]
async fn a_ping_over_a_buffered_stream_is_answered() {
    use futures::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    let (door, incoming) = Door::incoming(Binary::new());
    let door = door.websocket(netcore::WebSocket::new());
    let _server = Server::new().door(door).serve(session).await.unwrap();
    let (near, far) = memory::pair(8 * 1024);
    incoming.enter(BufStream::new(far), None).unwrap();
    let (mut stream, _) = within(tokio_tungstenite::client_async("ws://localhost/", near)).await.unwrap();
    stream.send(Message::Ping(vec![1].into())).await.unwrap();
    assert!(matches!(within(stream.next()).await, Some(Ok(Message::Pong(_)))));
}

#[cfg(feature = "tls")]
#[tokio::test(start_paused = true)]
async fn a_burst_arrives_whole_over_tls_that_was_handed_in() {
    let certificate = crate::certificates::Certificate::new();
    let (door, incoming) = Door::incoming(Binary::new());
    let _server = Server::new().door(door).serve(session).await.unwrap();
    let (near, far) = memory::pair(8 * 1024);
    let connecting = certificate.rustls().connect("localhost".try_into().unwrap(), near);
    let (far, near) = tokio::join!(certificate.rustls_server().accept(far), connecting);
    incoming.enter(far.unwrap(), None).unwrap();
    let mut near = near.unwrap();
    near.write_all(b"\x07\0\x01\0\0go").await.unwrap();
    near.flush().await.unwrap();
    let mut all = vec![0; 40 * 1005];
    within(near.read_exact(&mut all)).await.unwrap();
}
