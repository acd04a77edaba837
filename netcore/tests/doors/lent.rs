//! Streams of somebody else's that hold back what is written to them until they are flushed.

use std::time::Duration;

use netcore::{Binary, Client, Connection, Door, Frame, Limits, SendError, Server, memory};
use tokio::io::{AsyncWriteExt, BufStream};
use tokio::time::timeout;

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

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_of_what_a_stream_holds_back_is_stalled() {
    let (door, incoming) = Door::incoming(Binary::new());
    let door = door.limits(Limits::new().stall(Duration::from_secs(3)));
    let server = Server::new().door(door).serve(session).await.unwrap();
    let (mut near, far) = memory::pair(1024);
    incoming.enter(BufStream::with_capacity(100, 64 * 1024, far), None).unwrap();
    near.write_all(b"\x07\0\x01\0\0go").await.unwrap();
    let closed = async {
        while server.stats().closed_for("stalled") == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    assert!(timeout(Duration::from_secs(10), closed).await.is_ok(), "{:?}", server.stats());
}

#[cfg(feature = "tls")]
#[tokio::test(start_paused = true)]
async fn a_burst_arrives_whole_over_tls_that_was_handed_in() {
    use tokio::io::AsyncReadExt;

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
