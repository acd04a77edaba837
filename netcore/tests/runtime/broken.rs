//! Connections that break: what came before is heard, and the close has one reason.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use netcore::{Binary, Client, CloseReason, Connection, Door, Limits, SendError, Server};

use crate::common::{Ask, Hear, bytes_of, next, pass, said, within};

/// The system still holds what came before a reset, also where a write fails before anybody has looked.
#[tokio::test]
async fn what_came_before_a_reset_is_received_although_a_write_fails_first() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Client::<Ask, Hear>::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut far, _) = listener.accept().unwrap();
    client.send(&said(1)).unwrap();
    far.set_nonblocking(true).unwrap();
    while far.peek(&mut [0]).is_err() {
        tokio::task::yield_now().await;
    }
    far.write_all(&bytes_of(&[Ask::Say { n: 7 }, Ask::Say { n: 8 }])).unwrap();
    // What it has not read makes of its end a reset.
    drop(far);
    client.send(&said(2)).unwrap();
    assert_eq!(within(client.recv()).await, Ok(Some(Ask::Say { n: 7 })));
    assert_eq!(within(client.recv()).await, Ok(Some(Ask::Say { n: 8 })));
    assert!(matches!(within(client.recv()).await, Err(CloseReason::Broken(_))));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ends_the_connection_itself_tells_who_sends_and_the_server() {
    for split in [false, true] {
        let (door, connector) = Door::memory(Binary::new());
        let hears = async |mut peer: Connection<Ask, Hear>| while let Ok(Some(_)) = peer.recv().await {};
        let running = Server::new().door(door).serve(hears).await.unwrap();
        let limits = Limits::new().idle(Duration::from_secs(2));
        let mut client = Client::<Hear, Ask>::options().limits(limits).over(connector.connect().unwrap());
        let idle = CloseReason::Idle(Duration::from_secs(2));
        if split {
            let (sender, receiver) = client.split();
            drop(receiver);
            pass(5_000).await;
            assert!(matches!(sender.send(&Ask::Say { n: 1 }), Err(SendError::Closed(why)) if why == idle));
            assert_eq!(running.stats().open(), 0);
            continue;
        }
        assert_eq!(client.recv().await, Err(idle));
        pass(2_000).await;
        assert!(matches!(client.send(&Ask::Say { n: 1 }), Err(SendError::Closed(why)) if why == idle));
        assert_eq!(running.stats().open(), 0);
        assert_eq!(client.close().await, idle);
        running.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_closed_and_does_not_take_the_answer_has_closed() {
    let (door, connector) = Door::memory(Binary::new());
    let session = async |mut peer: Connection<Ask, Hear>| {
        while let Ok(Some(Ask::Say { n })) = peer.recv().await {
            let _ = peer.send(&said(n));
        }
        // To nobody.
        let _ = peer.send(&said(99));
    };
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut client = Client::<Hear, Ask>::options().over(connector.connect().unwrap());
    client.send(&Ask::Say { n: 1 }).unwrap();
    assert_eq!(next(&mut client).await, said(1));
    drop(client);
    while running.stats().open() > 0 {
        pass(1).await;
    }
    assert_eq!(running.stats().closed_for("peer_closed"), 1);
    running.shutdown().await;
}
