//! netcore's own client behind a WebSocket.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use netcore::{
    Client, ClientEvent, CloseReason, Connection, Door, Frame, Limits, SendError, Server, WebSocket, memory,
};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::common::{packet, within};

#[tokio::test]
async fn a_large_burst_comes_as_messages_of_a_size_that_clients_take() {
    async fn session(mut peer: Connection<Frame, Frame>) -> Result<(), SendError> {
        while peer.recv().await?.is_some() {
            (0..40).try_for_each(|n| peer.send(&Frame::new(2, vec![n; 60_000])))?;
        }
        Ok(())
    }
    let door = Door::tcp("127.0.0.1:0").websocket(WebSocket::new()).limits(Limits::new().queue(8 << 20));
    let server = Server::new().door(door).serve(session).await.unwrap();

    let options = Client::<Frame, Frame>::options().websocket(WebSocket::new().max_message(64 * 1024));
    let mut client = options.connect(server.addr()).await.unwrap();
    client.send(&Frame::new(1, "go")).unwrap();
    for n in 0..40 {
        assert_eq!(within(client.recv()).await.unwrap(), Some(Frame::new(2, vec![n; 60_000])));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn what_a_client_sends_behind_the_servers_close_is_told_as_unsent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = tokio_tungstenite::accept_async(stream).await.unwrap();
        let two = [packet(1, b""), packet(1, b"")].concat();
        stream.feed(Message::Binary(two.into())).await.unwrap();
        stream.close(None).await.unwrap();
        let mut came = 0;
        while let Some(Ok(message)) = stream.next().await {
            came += message.into_data().len() / packet(7, &[0; 20]).len();
        }
        came
    });
    let options =
        Client::<Frame, Frame>::options().websocket(WebSocket::new()).limits(Limits::new().inbox(1));
    let client = options.reconnect().tries(1).connect(address);
    assert!(matches!(within(client.next()).await, Some(ClientEvent::Connected)));
    // Not taken, the first packet keeps what is behind it from being heard. Mostly, the close has been read after this;
    // if not, the packets go out in front of it.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    (0..3).for_each(|n| client.send(&Frame::new(7, vec![n; 20])).unwrap());
    let unsent = loop {
        match within(client.next()).await.unwrap() {
            ClientEvent::Lost { unsent, .. } => break unsent,
            ClientEvent::Packet(_) => {}
            event => panic!("{event:?}"),
        }
    };
    // Sent when the end had been seen already, they waited for the next connection, which there is none.
    let waiting = loop {
        match within(client.next()).await {
            Some(ClientEvent::GaveUp { unsent, .. }) => break unsent.count(),
            Some(ClientEvent::Packet(_)) => {}
            event => panic!("{event:?}"),
        }
    };
    let left = client.close().await.count();
    assert_eq!(unsent.count() + waiting + left + server.await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_said_before_its_close_is_heard_by_who_takes_its_time() {
    const MANY: usize = 2_000;
    let (near, far) = memory::pair(64 * 1024);
    let server = tokio::spawn(async move {
        let mut stream = tokio_tungstenite::accept_async(far).await.unwrap();
        stream.feed(Message::Binary(packet(1, b"").repeat(MANY).into())).await.unwrap();
        stream.close(None).await.unwrap();
        while let Some(Ok(_)) = stream.next().await {}
    });
    let near = Mutex::new(Some(near));
    let dial = move || {
        let near = near.lock().unwrap().take();
        std::future::ready(near.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused)))
    };
    let limits = Limits::new().inbox(10).backpressure(true);
    let options = Client::<Frame, Frame>::options().websocket(WebSocket::new()).limits(limits);
    let client = options.reconnect().tries(1).dial(dial);
    assert!(matches!(within(client.next()).await, Some(ClientEvent::Connected)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.send(&Frame::new(7, "behind the close")).unwrap();
    // Longer than a peer may take nothing.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let mut came = 0;
    let (reason, unsent) = loop {
        match within(client.next()).await.unwrap() {
            ClientEvent::Lost { reason, unsent, .. } => break (reason, unsent.count()),
            ClientEvent::Packet(_) => came += 1,
            event => panic!("{event:?}"),
        }
    };
    assert_eq!((came, unsent, reason), (MANY, 1, CloseReason::PeerClosed));
    server.await.unwrap();
}
