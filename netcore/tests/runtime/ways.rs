//! The three ways to run, and both hosts: the same bytes come back, however they were cut.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use netcore::memory::MemoryConnector;
use netcore::{
    Binary, CloseReason, Connection, Context, Door, Frame, FrameCodec, Host, Logic, PacketType, Running,
    Server, SessionId,
};

use crate::common::within;

struct Echo;

impl Logic for Echo {
    type In = Frame;
    type Out = Frame;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, frame: Frame) {
        ctx.send(session, &frame);
    }
}

#[derive(Clone, Copy)]
enum Way {
    Task,
    Logic,
    Workers(usize),
}

async fn start(way: Way, host: Host) -> (Running, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().host(host).door(door);
    let running = match way {
        Way::Task => {
            server
                .serve(async |mut peer: Connection<Frame, Frame>| {
                    while let Some(frame) = peer.recv().await? {
                        let _ = peer.send(&frame);
                    }
                    Ok::<_, CloseReason>(())
                })
                .await
        }
        Way::Logic => server.logic(Echo).await,
        Way::Workers(count) => server.workers(count, |_| Echo).await,
    };
    (running.unwrap(), connector)
}

/// 300 packets of all kinds of sizes, type bytes and ids.
fn packets() -> BytesMut {
    let (codec, mut bytes) = (FrameCodec::new(), BytesMut::new());
    for n in 0..300_u16 {
        let body = vec![n as u8; usize::from(n) * usize::from(n) % 700];
        let frame = Frame { id: (n * 31).into(), kind: PacketType(n as u8), body: body.into() };
        codec.encode_frame(&frame, &mut bytes).unwrap();
    }
    bytes
}

/// Sends everything in one write a piece, pieces of that many bytes, while reading what comes back.
async fn comes_back(connector: &MemoryConnector, pieces: usize, cut: Option<u64>) {
    let sent = packets();
    let stream = connector.connect().unwrap();
    if let Some(seed) = cut {
        stream.faults().cut(seed, 1);
    }
    let (mut reads, mut writes) = tokio::io::split(stream);
    let send = async {
        for piece in sent.chunks(pieces) {
            writes.write_all(piece).await.unwrap();
        }
        writes.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let (read, ()) = within(async { tokio::join!(reads.read_to_end(&mut got), send) }).await;
    read.unwrap();
    assert!(got == sent, "{} of {} bytes came back", got.len(), sent.len());
}

async fn comes_back_in_all_shapes(way: Way, host: Host) {
    let (running, connector) = start(way, host).await;
    comes_back(&connector, 64, None).await;
    comes_back(&connector, 1, Some(7)).await;
    comes_back(&connector, usize::MAX, None).await;
    assert_eq!(running.stats().packets_in, 900);
    let report = running.shutdown().await;
    assert_eq!((report.sessions, report.cut), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn every_byte_comes_back_with_a_task_a_session() {
    comes_back_in_all_shapes(Way::Task, Host::Task).await;
}

#[tokio::test(start_paused = true)]
async fn every_byte_comes_back_from_workers_that_are_tasks() {
    for way in [Way::Logic, Way::Workers(1), Way::Workers(3)] {
        comes_back_in_all_shapes(way, Host::Task).await;
    }
}

#[tokio::test]
async fn every_byte_comes_back_from_workers_with_threads_of_their_own() {
    for way in [Way::Logic, Way::Workers(3)] {
        comes_back_in_all_shapes(way, Host::Thread).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_at_once_each_hear_their_own_bytes() {
    for way in [Way::Task, Way::Workers(2)] {
        let (running, connector) = start(way, Host::Thread).await;
        let sessions: Vec<_> = (0..20)
            .map(|seed| {
                let connector = connector.clone();
                tokio::spawn(
                    async move { comes_back(&connector, 1000, (seed % 4 == 0).then_some(seed)).await },
                )
            })
            .collect();
        for session in sessions {
            session.await.unwrap();
        }
        running.shutdown().await;
    }
}

#[tokio::test]
async fn every_byte_comes_back_over_tcp() {
    let server = Server::new().door(Door::tcp("127.0.0.1:0")).door(Door::tcp("127.0.0.1:0").name("second"));
    let running = server.logic(Echo).await.unwrap();
    assert_eq!(running.addrs().len(), 2);
    for (_, address) in running.addrs() {
        let sent = packets();
        let (mut reads, mut writes) = tokio::net::TcpStream::connect(address).await.unwrap().into_split();
        let send = async {
            writes.write_all(&sent).await.unwrap();
            writes.shutdown().await.unwrap();
        };
        let mut got = Vec::new();
        let (read, ()) = within(async { tokio::join!(reads.read_to_end(&mut got), send) }).await;
        read.unwrap();
        assert!(got == sent);
    }
    let stats = running.stats();
    assert_eq!((stats.packets_in, stats.bytes_in), (600, 2 * packets().len() as u64));
    assert_eq!(stats.bytes_in, stats.bytes_out);
    let report = running.shutdown().await;
    assert!(report.took < Duration::from_secs(1), "{report:?}");
}
