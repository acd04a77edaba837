//! What comes in place of a packet reaches the game in its order; a stream that does not frame closes, after what was good.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use netcore::{
    Binary, CloseReason, Connection, Door, FaultKind, FrameError, Host, Limits, SendError, Server,
};

use crate::common::{Ask, Game, Hear, Log, bytes_of, echo, game, one, pass, read_all, said, server, until};

/// 1, 2, an id that nobody knows, a body that does not decode, 3.
fn with_faults() -> BytesMut {
    let mut bytes = bytes_of(&[Ask::Say { n: 1 }, Ask::Say { n: 2 }]);
    bytes.put_slice(b"\x07\x00\x39\x05\x00hi");
    bytes.put_slice(b"\x08\x00\x01\x00\x00abc");
    bytes.unsplit(bytes_of(&[Ask::Say { n: 3 }]));
    bytes
}

fn answer(kind: &FaultKind) -> Hear {
    match kind {
        FaultKind::Unknown(frame) => {
            assert_eq!((frame.id.0, &frame.body[..]), (0x539, &b"hi"[..]));
            Hear::Note { who: 0, n: 1 }
        }
        FaultKind::Malformed { id, body, .. } => {
            assert_eq!((id.0, &body[..]), (1, &b"abc"[..]));
            Hear::Note { who: 0, n: 2 }
        }
        other => panic!("{other:?}"),
    }
}

fn all_answers() -> Vec<Hear> {
    vec![said(1), said(2), Hear::Note { who: 0, n: 1 }, Hear::Note { who: 0, n: 2 }, said(3)]
}

/// A game that answers faults itself, and logs why sessions close.
fn patient(log: &Log) -> Game {
    let log = log.clone();
    game()
        .fault(|ctx, session, fault| {
            ctx.send(session, &answer(fault.kind()));
        })
        .closed(move |_, _, reason| log.add(format!("{reason:?}")))
}

/// The same as a task.
async fn patient_task(
    mut peer: Connection<Ask, Hear>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    while let Some(packet) = peer.recv_any().await? {
        let answered: Result<(), SendError> = match packet {
            Ok(Ask::Say { n }) => peer.send(&said(n)),
            Ok(_) => Ok(()),
            Err(fault) => peer.send(&answer(fault.kind())),
        };
        answered?;
    }
    Ok(())
}

/// Sends the bytes in two pieces, at each place where they can be cut.
async fn at_each_cut(bytes: &[u8], connector: &netcore::memory::MemoryConnector, expected: &[Hear]) {
    for cut in 0..=bytes.len() {
        let mut peer = connector.connect().unwrap();
        for piece in [&bytes[..cut], &bytes[cut..]] {
            // The server may have closed over the first piece.
            let _ = peer.write_all(piece).await;
            pass(1).await;
        }
        let _ = peer.shutdown().await;
        assert_eq!(read_all(&mut peer).await, expected, "cut at {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_and_malformed_packets_reach_a_worker_in_order_with_the_rest() {
    let log = Log::default();
    let (_running, connector) = one(patient(&log)).await;
    at_each_cut(&with_faults(), &connector, &all_answers()).await;
    pass(5).await;
    assert!(log.take().iter().all(|reason| reason == "PeerClosed"));
}

#[tokio::test(start_paused = true)]
async fn unknown_and_malformed_packets_reach_a_task_in_order_with_the_rest() {
    let (server, connector) = server();
    let running = server.serve(patient_task).await.unwrap();
    at_each_cut(&with_faults(), &connector, &all_answers()).await;
    pass(5).await;
    assert_eq!(running.stats().closed_for("peer_closed"), with_faults().len() as u64 + 1);
}

#[tokio::test(start_paused = true)]
async fn by_default_the_first_of_them_closes_after_the_answers_to_what_came_before() {
    let log = Log::default();
    let reasons = log.clone();
    let game = game().closed(move |_, _, reason| reasons.add(format!("{reason:?}")));
    let (_running, connector) = one(game).await;
    at_each_cut(&with_faults(), &connector, &[said(1), said(2)]).await;
    pass(5).await;
    let reasons = log.take();
    assert!(reasons.len() > with_faults().len(), "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason == "Unknown(PacketId(1337))"), "{reasons:?}");

    let (server, connector) = server();
    let running = server.serve(echo).await.unwrap();
    at_each_cut(&with_faults(), &connector, &[said(1), said(2)]).await;
    pass(5).await;
    assert_eq!(running.stats().closed_for("unknown"), with_faults().len() as u64 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_frame_closes_after_the_good_packets_were_answered() {
    let mut bytes = with_faults();
    bytes.put_slice(b"\x03\x00\x01\x00\x00");
    bytes.unsplit(bytes_of(&[Ask::Say { n: 4 }]));
    let log = Log::default();
    let (_running, connector) = one(patient(&log)).await;
    at_each_cut(&bytes, &connector, &all_answers()).await;
    pass(5).await;
    let reason = format!("{:?}", CloseReason::Frame(FrameError::SizeBelowHeader { size: 3 }));
    assert!(log.take().iter().all(|other| *other == reason));

    let (server, connector) = server();
    let running = server.serve(patient_task).await.unwrap();
    at_each_cut(&bytes, &connector, &all_answers()).await;
    pass(5).await;
    assert_eq!(running.stats().closed_for("frame"), bytes.len() as u64 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_inside_a_packet_is_a_framing_error_too() {
    let log = Log::default();
    let (_running, connector) = one(patient(&log)).await;
    let bytes = bytes_of(&[Ask::Say { n: 1 }, Ask::Say { n: 2 }]);
    for len in [10, 17] {
        let mut peer = connector.connect().unwrap();
        peer.write_all(&bytes[..len]).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(read_all(&mut peer).await, [said(1)]);
        pass(5).await;
        let reasons = log.take();
        assert!(reasons[0].starts_with("Frame(EndInsidePacket"), "{reasons:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_had_come_is_handled_also_where_the_answers_find_nobody() {
    let handled = Log::default();
    let counted = handled.clone();
    let (server, connector) = server();
    // An inbox has room for a part of it; the game takes a millisecond for each.
    let session = move |mut peer: Connection<Ask, Hear>| {
        let counted = counted.clone();
        async move {
            while let Some(Ask::Say { n }) = peer.recv().await? {
                counted.add(n);
                let _ = peer.send(&said(n));
                pass(1).await;
            }
            Ok::<_, CloseReason>(())
        }
    };
    let running = server.serve(session).await.unwrap();
    let mut peer = connector.connect().unwrap();
    let asks: Vec<_> = (0..4_000).map(|n| Ask::Say { n }).collect();
    peer.write_all(&bytes_of(&asks)).await.unwrap();
    pass(5).await;
    drop(peer);
    pass(10_000).await;
    assert_eq!(handled.take(), (0..4_000).map(|n| n.to_string()).collect::<Vec<_>>());
    let stats = running.stats();
    assert_eq!((stats.open(), stats.closed_for("broken")), (0, 1), "{stats:?}");
}

/// Brings a packet with each of so many reads, then the end; takes nothing.
struct OneWay(BytesMut, usize);

impl AsyncRead for OneWay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(left) = self.1.checked_sub(1) {
            self.1 = left;
            buf.put_slice(&self.0);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for OneWay {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn who_takes_nothing_and_sends_for_ever_is_read_no_longer_than_a_peer_that_closed() {
    // The game does not mind that nobody hears it; or it does; or its inbox is full each time that somebody looks.
    for (closes, inbox) in [(false, 1024), (true, 1024), (false, 1)] {
        let (door, incoming) = Door::incoming(Binary::new());
        let door = door.limits(Limits::new().linger(Duration::from_millis(100)).inbox(inbox));
        let session = move |mut peer: Connection<Ask, Hear>| async move {
            while peer.recv().await?.is_some() {
                let sent = peer.send(&said(1));
                if closes {
                    sent?;
                }
            }
            Ok::<_, SendError>(())
        };
        let running = Server::new().door(door).serve(session).await.unwrap();
        incoming.enter(OneWay(bytes_of(&[Ask::Say { n: 1 }]), usize::MAX), None).unwrap();
        until(|| running.stats().closed > 0).await;
        assert_eq!(running.stats().closed_for("broken"), 1, "{closes} {inbox}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_had_come_is_read_to_its_end_however_the_game_on_its_thread_takes_it() {
    // Each packet fills the inbox, and the worker may take it at the very moment at which the socket's task sees that.
    let (door, incoming) = Door::incoming(Binary::new());
    let door = door.limits(Limits::new().linger(Duration::from_secs(60)).inbox(1));
    let mut first = true;
    let game = game().packet(move |ctx, session, _| {
        if std::mem::take(&mut first) {
            ctx.send(session, &said(1));
        }
    });
    let running = Server::new().host(Host::Thread).door(door).logic(game).await.unwrap();
    for closed in 1..=4 {
        incoming.enter(OneWay(bytes_of(&[Ask::Say { n: 1 }]), 20_000), None).unwrap();
        until(|| running.stats().closed == closed).await;
    }
    assert_eq!(running.stats().packets_in, 80_000);
}
