//! Servers and clients that have compression on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use netcore::{
    Binary, Client, ClientEvent, CloseReason, Compress, Connection, Context, Door, Fault, Frame, Host,
    InflateError, Logic, Packet, PacketId, SendError, Server, SessionId, memory,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{frame, noise, on};

async fn echo(mut peer: Connection<Frame, Frame>) -> Result<(), SendError> {
    while let Some(frame) = peer.recv().await? {
        peer.send(&frame)?;
    }
    Ok(())
}

#[tokio::test]
async fn frames_of_every_kind_come_back_over_tcp() {
    let server = Server::new().door(Door::tcp_with("127.0.0.1:0", on())).serve(echo).await.unwrap();
    let mut client = Client::<Frame, Frame>::options().adapter(on()).connect(server.addr()).await.unwrap();
    let frames: Vec<Frame> = (0..300_usize)
        .map(|n| {
            let len = n * 37 % 3000;
            let body = if n % 3 == 0 { noise(len) } else { b"to the room ".repeat(len / 12) };
            frame(n as u16, (n as u8) & 0xfe, body)
        })
        .collect();
    for frame in &frames {
        client.send(frame).unwrap();
    }
    for frame in &frames {
        assert_eq!(client.recv().await.unwrap().as_ref(), Some(frame));
    }
    let bytes: usize = frames.iter().map(|frame| frame.body.len() + 5).sum();
    let stats = server.stats();
    assert!((stats.bytes_in as usize) < bytes * 2 / 3, "{} of {bytes}", stats.bytes_in);
    assert!((stats.bytes_out as usize) < bytes * 2 / 3, "{} of {bytes}", stats.bytes_out);
    client.close().await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_with_compression_at_a_door_without_it_is_not_inflated() {
    let server = Server::new().door(Door::tcp("127.0.0.1:0")).serve(echo).await.unwrap();
    let mut client = Client::<Frame, Frame>::options().adapter(on()).connect(server.addr()).await.unwrap();
    // The door passes the bit and the body on as they came, so that the client inflates its own.
    let sent = frame(7, 0, vec![9; 2000]);
    client.send(&sent).unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(sent));
    assert!(server.stats().bytes_in < 100);
    client.close().await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_whose_bodies_do_not_inflate_ends_the_connection_with_that_reason() {
    let (mut server, stream) = tokio::io::duplex(4096);
    let mut client = Client::<Frame, Frame>::options().adapter(on()).over(stream);
    server.write_all(b"\x05\0\x06\0\0\x09\0\x07\0\x01\xff\xff\xff\xff").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(frame(6, 0, "")));
    let error = InflateError::TooLarge { claimed: u32::MAX, max: 65_530 };
    assert_eq!(client.recv().await, Err(CloseReason::Inflate(PacketId(7), error)));
}

#[derive(Packet)]
enum Wire {
    #[packet(id = 1)]
    Go,
}

#[derive(Packet, Debug, PartialEq)]
enum Heard {
    #[packet(id = 2)]
    Text {
        #[raw(rest)]
        text: String,
    },
}

/// Says the same to all, once the last has come.
struct All {
    expected: usize,
}

impl Logic for All {
    type In = Wire;
    type Out = Heard;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, _: SessionId, Wire::Go: Wire) {
        self.expected -= 1;
        if self.expected == 0 {
            ctx.broadcast(&Heard::Text { text: "to all of you ".repeat(100) });
        }
    }
}

#[tokio::test]
async fn a_broadcast_is_compressed_once_for_all_who_hear_it_behind_one_door() {
    const LISTENERS: usize = 50;
    let encoded = Arc::new(AtomicUsize::new(0));
    let count = encoded.clone();
    let adapter = on().map(Ok::<Wire, Fault>, move |heard: &Heard, send: &mut dyn FnMut(Heard)| {
        count.fetch_add(1, Relaxed);
        let Heard::Text { text } = heard;
        send(Heard::Text { text: text.clone() });
    });
    let server = Server::new()
        .door(Door::tcp_with("127.0.0.1:0", adapter))
        .host(Host::Task)
        .logic(All { expected: LISTENERS })
        .await
        .unwrap();
    let mut clients = Vec::new();
    for _ in 0..LISTENERS {
        let client: Client<Heard, Wire> =
            Client::options().adapter(on()).connect(server.addr()).await.unwrap();
        client.send(&Wire::Go).unwrap();
        clients.push(client);
    }
    for client in &mut clients {
        assert_eq!(client.recv().await.unwrap(), Some(Heard::Text { text: "to all of you ".repeat(100) }));
    }
    assert_eq!(encoded.load(Relaxed), 1);
    assert!((server.stats().bytes_out as usize) < LISTENERS * 100, "{:?}", server.stats());
    server.shutdown().await;
}

#[tokio::test]
async fn a_door_and_a_client_may_have_different_settings() {
    let eager = Binary::new().compress(Compress::new().threshold(0));
    let server = Server::new().door(Door::tcp_with("127.0.0.1:0", eager)).serve(echo).await.unwrap();
    let never = Binary::new().compress(Compress::new().threshold(u16::MAX));
    let mut client = Client::<Frame, Frame>::options().adapter(never).connect(server.addr()).await.unwrap();
    client.send(&frame(1, 0, vec![5; 60])).unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(frame(1, 0, vec![5; 60])));
    let stats = server.stats();
    assert_eq!((stats.bytes_in, stats.bytes_out < 40), (65, true), "{stats:?}");
    client.close().await;
    server.shutdown().await;
}

/// Two hundred packets, 12 MB inflated, 50 KB on the wire: for whoever asks.
async fn snapshot(mut peer: Connection<Frame, Frame>) -> Result<(), SendError> {
    while peer.recv().await?.is_some() {
        for n in 0..200 {
            peer.send(&frame(n, 0, vec![7; 60_000]))?;
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_client_takes_a_burst_that_inflates_to_more_than_a_door_would_unless_its_rate_is_set() {
    let passes = || on().map(Ok::<Frame, Fault>, |it: &Frame, send: &mut dyn FnMut(_)| send(it.clone()));
    let rate = Compress::new().inflated_rate(4 << 20, 8 << 20);
    let options = Client::<Frame, Frame>::options;
    for (options, all) in [
        (options().adapter(on()), true),
        (options().adapter(passes()), true),
        (options().adapter(Binary::new().compress(rate)), false),
    ] {
        let (door, connector) = Door::memory(on());
        let _server = Server::new().door(door).serve(snapshot).await.unwrap();
        let mut client = options.over(connector.connect().unwrap());
        client.send(&frame(1, 0, "go")).unwrap();
        let mut taken = 0;
        let end = loop {
            match client.recv().await {
                Ok(Some(_)) => taken += 1,
                end => break end,
            }
            if taken == 200 {
                break Ok(None);
            }
        };
        // 8 MiB at once; the clock stands still.
        let expected = if all { (200, Ok(None)) } else { (139, Err(CloseReason::InflateRate)) };
        assert_eq!((taken, end), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_connection_did_not_take_is_handed_back_as_it_was_before_it_was_compressed() {
    let (mut listener, connector) = memory::listener(1);
    let connector = connector.with_capacity(10);
    let options = Client::<Frame, Frame>::options().adapter(on());
    let client = options.reconnect().dial(move || std::future::ready(connector.connect()));
    let mut far = listener.accept().await.unwrap();
    assert!(matches!(client.next().await, Some(ClientEvent::Connected)));
    let frames: Vec<Frame> = (0..4).map(|id| frame(id, 0, vec![b'a'; 1000])).collect();
    for frame in &frames {
        client.send(frame).unwrap();
    }
    // What fits is under way: a part of the first one.
    far.read_exact(&mut [0; 3]).await.unwrap();
    far.faults().reset();
    let lost = client.next().await;
    let Some(ClientEvent::Lost { unsent, .. }) = lost else { panic!("{lost:?}") };
    let whole: Vec<&Frame> = unsent.uncertain().iter().chain(unsent.packets()).collect();
    assert_eq!(whole, frames.iter().collect::<Vec<_>>());
    assert!(unsent.bytes() < 400, "{} bytes: counted as they were to go out", unsent.bytes());
}
