//! The client: connecting, receiving to the end, its halves, closing.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use netcore::{Client, ClientError, CloseReason, ConnectStage, Connection, Frame, Limits, SendError};

use crate::common::{Ask, Hear, bytes_of, client, echo, game, next, one, pass, rest, said, server, within};

#[tokio::test(start_paused = true)]
async fn connecting_to_nobody_fails_at_once_or_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let refused = Client::<Hear, Ask>::connect(nobody).await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Connect(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
    );

    // A queue of connections that is full, behind which nobody accepts.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let busy = listener.local_addr().unwrap();
    let time = Duration::from_millis(200);
    let mut waiting = Vec::new();
    let error = loop {
        match Client::<Hear, Ask>::options().connect_timeout(time).connect(busy).await {
            Ok(client) => waiting.push(client),
            Err(error) => break error,
        }
        assert!(waiting.len() < 100, "the system's queue has no bound here");
    };
    assert!(
        matches!(error, ClientError::Timeout(limit, ConnectStage::Connect) if limit == time),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn receiving_goes_on_to_the_end_and_says_it_each_time() {
    let (server, connector) = server();
    let _running = server
        .serve(async |peer: Connection<Ask, Hear>| {
            let _ = peer.send(&said(1));
            let _ = peer.send(&said(2));
        })
        .await
        .unwrap();
    let mut client = client(&connector);
    pass(5).await;
    // What came is received after the end, too.
    assert_eq!(rest(&mut client).await, [said(1), said(2)]);
    for _ in 0..3 {
        assert_eq!(client.recv().await, Ok(None));
    }
    pass(2_000).await;
    assert!(matches!(client.send(&Ask::Say { n: 0 }), Ok(()) | Err(SendError::Closed(_))));
    pass(5).await;
    assert!(matches!(client.send(&Ask::Say { n: 0 }), Err(SendError::Closed(_))));
    assert_eq!(client.recv().await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_client_with_a_doors_limits_needs_no_log_in() {
    let (mut far, near) = netcore::memory::pair(64 * 1024);
    let limits = Limits::new().login(Duration::from_secs(5)).admission(100, 2);
    let mut client = Client::<Ask, Hear>::options().limits(limits).over(near);
    for n in 0..100 {
        far.write_all(&bytes_of(&[Ask::Say { n }])).await.unwrap();
        assert_eq!(client.recv().await, Ok(Some(Ask::Say { n })));
    }
    pass(60_000).await;
    far.write_all(&bytes_of(&[Ask::Say { n: 100 }])).await.unwrap();
    assert_eq!(client.recv().await, Ok(Some(Ask::Say { n: 100 })));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_an_error_after_what_came_before() {
    let (mut far, near) = netcore::memory::pair(1000);
    let mut client = Client::<Ask, Hear>::options().over(near);
    far.write_all(&bytes_of(&[Ask::Say { n: 1 }, Ask::Say { n: 2 }])).await.unwrap();
    pass(1).await;
    far.faults().reset();
    pass(1).await;
    for n in 1..=2 {
        assert_eq!(client.recv().await, Ok(Some(Ask::Say { n })));
    }
    let reset = CloseReason::Broken(std::io::ErrorKind::ConnectionReset);
    for _ in 0..2 {
        assert_eq!(client.recv().await, Err(reset));
    }
    assert!(matches!(client.send(&said(1)), Err(SendError::Closed(reason)) if reason == reset));
    assert_eq!(within(client.close()).await, reset);
}

#[tokio::test(start_paused = true)]
async fn the_halves_work_apart_and_the_connection_closes_with_the_last() {
    let (server, connector) = server();
    let running = server.serve(echo).await.unwrap();
    let (sender, mut receiver) = client(&connector).split();
    let second = sender.clone();
    sender.send(&Ask::Say { n: 1 }).unwrap();
    drop(sender);
    assert_eq!(receiver.recv().await, Ok(Some(said(1))));
    second.send_wait(&Ask::Say { n: 2 }).await.unwrap();
    drop(second);
    assert_eq!(receiver.recv().await, Ok(Some(said(2))));
    pass(5).await;
    assert_eq!(running.stats().open(), 1);
    drop(receiver);
    pass(5).await;
    assert_eq!(running.stats().closed_for("peer_closed"), 1);
}

#[tokio::test(start_paused = true)]
async fn without_its_receiver_a_client_reads_on_and_throws_away() {
    const MANY: u32 = 5_000;
    for drop_late in [false, true] {
        let (server, connector) = server();
        let running = server
            .serve(async |peer: Connection<Ask, Hear>| {
                for n in 0..MANY {
                    peer.send_wait(&said(n)).await?;
                }
                Ok::<_, SendError>(())
            })
            .await
            .unwrap();
        let (_sender, receiver) = client(&connector.with_capacity(100)).split();
        let receiver = drop_late.then_some(receiver);
        pass(100).await;
        // By now the inbox is full, and the socket is not read.
        assert_eq!(running.stats().bytes_out < 9 * u64::from(MANY), drop_late);
        drop(receiver);
        // The server has said all, and waits a second for this side to close.
        pass(1_500).await;
        assert_eq!(running.stats().closed_for("ended"), 1, "{drop_late}");
    }
}

#[tokio::test(start_paused = true)]
async fn closing_sends_what_is_queued_and_says_why_the_connection_ended() {
    let (near, mut far) = netcore::memory::pair(10);
    let client = Client::<Hear, Ask>::options().over(near);
    for n in 0..100 {
        client.send(&Ask::Say { n }).unwrap();
    }
    let mut bytes = Vec::new();
    let read = async {
        far.read_to_end(&mut bytes).await.unwrap();
        drop(far);
    };
    let (reason, ()) = within(async { tokio::join!(client.close(), read) }).await;
    assert_eq!(reason, CloseReason::Ended);
    assert_eq!(bytes, bytes_of(&(0..100).map(|n| Ask::Say { n }).collect::<Vec<_>>()));

    let (_running, connector) =
        one(game().packet(|ctx, session, _| ctx.close(session, CloseReason::Ended))).await;
    let mut client = client_of(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    assert_eq!(client.recv().await, Ok(None));
    assert_eq!(within(client.close()).await, CloseReason::PeerClosed);
}

fn client_of(connector: &netcore::memory::MemoryConnector) -> Client<Hear, Ask> {
    client(connector)
}

#[tokio::test(start_paused = true)]
async fn what_the_client_does_not_know_is_a_fault_there_too() {
    let (near, mut far) = netcore::memory::pair(1000);
    let mut client = Client::<Ask, Hear>::options().over(near);
    far.write_all(b"\x05\x00\x63\x00\x00").await.unwrap();
    far.write_all(&bytes_of(&[Ask::Say { n: 1 }])).await.unwrap();
    let fault = client.recv_any().await.unwrap().unwrap().unwrap_err();
    assert!(matches!(fault.kind(), netcore::FaultKind::Unknown(frame) if *frame == Frame::new(99, "")));
    assert_eq!(client.recv_any().await.unwrap().unwrap().unwrap(), Ask::Say { n: 1 });
    far.write_all(b"\x05\x00\x63\x00\x00").await.unwrap();
    assert_eq!(within(client.recv()).await, Err(CloseReason::Unknown(99.into())));
    assert_eq!(within(client.close()).await, CloseReason::Unknown(99.into()));
}

#[tokio::test(start_paused = true)]
async fn receiving_is_cancel_safe() {
    let (server, connector) = server();
    let _running = server.serve(echo).await.unwrap();
    let mut client = client(&connector);
    for n in 0..50 {
        assert!(tokio::time::timeout(Duration::from_millis(1), client.recv()).await.is_err());
        client.send(&Ask::Say { n }).unwrap();
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => {}
            packet = client.recv() => assert_eq!(packet, Ok(Some(said(n)))),
        }
        assert_eq!(next(&mut client).await, said(n));
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_said_to_be_one() {
    let error = Client::<Hear, Ask>::connect("no-such-host.invalid:11020").await.unwrap_err();
    let why = "no address is known for that name, or the name server does not answer";
    assert_eq!(error.to_string(), format!("cannot connect: {why}"));
}
