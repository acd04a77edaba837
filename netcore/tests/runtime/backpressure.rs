//! A peer that sends and does not read: what waits is bounded in bytes, and where a door says so it is not read from.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use netcore::{
    Binary, CloseReason, Connection, Context, Door, Frame, FrameCodec, Host, Limits, Logic, Running, Server,
    SessionId, memory,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

const FRAME: usize = 65_535;

fn wire() -> Bytes {
    let mut wire = BytesMut::new();
    FrameCodec::new().encode_frame(&Frame::new(7, vec![0x5a; FRAME - 5]), &mut wire).unwrap();
    wire.freeze()
}

/// Answers each packet with itself, and tells how each session ended.
struct Echo(mpsc::UnboundedSender<CloseReason>);

impl Logic for Echo {
    type In = Frame;
    type Out = Frame;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: Frame) {
        ctx.send(session, &packet);
    }

    fn closed(&mut self, _: &mut Context<Self>, _: SessionId, reason: CloseReason) {
        let _ = self.0.send(reason);
    }
}

async fn echo(limits: Limits) -> (Running, memory::MemoryConnector, mpsc::UnboundedReceiver<CloseReason>) {
    let (say, ended) = mpsc::unbounded_channel();
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door.limits(limits)).host(Host::Task).logic(Echo(say));
    (server.await.unwrap(), connector, ended)
}

/// Writes whole packets until the other side has taken nothing for a second, or has closed; how many bytes it took.
async fn fill(stream: &mut memory::MemoryStream, wire: &[u8]) -> usize {
    let mut taken = 0;
    while let Ok(Ok(written)) =
        timeout(Duration::from_secs(1), stream.write(&wire[taken % wire.len()..])).await
    {
        taken += written;
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_game_is_bounded_in_bytes() {
    let (door, connector) = Door::memory(Binary::new());
    let limits = Limits::new().inbox_bytes(128 * 1024).unfinished(None);
    // A game that does not receive.
    let server =
        Server::<Frame, Frame>::new().door(door.limits(limits)).serve(async |peer: Connection<_, _>| {
            std::future::pending::<()>().await;
            drop(peer);
        });
    let server = server.await.unwrap();
    let mut stream = connector.connect().unwrap();
    let taken = fill(&mut stream, &wire()).await;
    // The bound, one packet over it, one read, and what the transport itself holds.
    let most = 128 * 1024 + FRAME + 16 * 1024 + memory::DEFAULT_CAPACITY;
    assert!((128 * 1024..=most).contains(&taken), "{taken}");
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_logic_that_answers_closes_who_sends_far_ahead_unless_the_door_holds_back() {
    let (server, connector, mut ended) = echo(Limits::new()).await;
    let mut stream = connector.connect().unwrap();
    fill(&mut stream, &wire()).await;
    assert_eq!(ended.recv().await, Some(CloseReason::QueueFull(256 * 1024)));
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn with_backpressure_who_does_not_read_is_not_read_from_and_gets_everything_once_they_do() {
    let limits = Limits::new().queue(1024 * 1024).inbox_bytes(64 * 1024).backpressure(true);
    let (server, connector, mut ended) = echo(limits).await;
    let mut stream = connector.connect().unwrap();
    let wire = wire();
    let taken = fill(&mut stream, &wire).await;
    assert!((512 * 1024..2 * 1024 * 1024).contains(&taken), "{taken}");

    // The last packet is unfinished, and that was not the peer's fault.
    let missing = wire.slice(taken % wire.len()..);
    let total = taken + missing.len();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let writing = tokio::spawn(async move {
        writer.write_all(&missing).await.unwrap();
        writer.shutdown().await.unwrap();
        writer
    });
    let mut answers = Vec::new();
    reader.read_to_end(&mut answers).await.unwrap();
    assert_eq!(answers.len(), total);
    assert!(answers.chunks(wire.len()).all(|chunk| chunk == &wire[..]));
    assert_eq!(ended.recv().await, Some(CloseReason::PeerClosed));
    drop((writing.await, server));
}

#[tokio::test(start_paused = true)]
async fn with_backpressure_a_peer_far_ahead_that_reads_gets_all_its_answers() {
    let limits = Limits::new().queue(1024 * 1024).inbox_bytes(64 * 1024).backpressure(true);
    let (server, connector, mut ended) = echo(limits).await;
    let (mut reader, mut writer) = tokio::io::split(connector.connect().unwrap());
    let wire = wire();
    let all = 200 * wire.len();
    let writing = {
        let wire = wire.clone();
        tokio::spawn(async move {
            for _ in 0..200 {
                writer.write_all(&wire).await.unwrap();
            }
            writer.shutdown().await.unwrap();
            writer
        })
    };
    // Slowly: each read a while after the one before.
    let (mut answers, mut chunk) = (0, vec![0; 48 * 1024]);
    loop {
        tokio::time::advance(Duration::from_millis(100)).await;
        match reader.read(&mut chunk).await.unwrap() {
            0 => break,
            read => answers += read,
        }
    }
    assert_eq!(answers, all);
    assert_eq!(ended.recv().await, Some(CloseReason::PeerClosed));
    drop((writing.await, server));
}

#[tokio::test(start_paused = true)]
async fn with_backpressure_a_stall_still_closes() {
    let limits = Limits::new().queue(1024 * 1024).inbox_bytes(64 * 1024).backpressure(true);
    let (server, connector, mut ended) = echo(limits).await;
    let mut stream = connector.connect().unwrap();
    let start = Instant::now();
    fill(&mut stream, &wire()).await;
    assert_eq!(ended.recv().await, Some(CloseReason::Stalled(Duration::from_secs(5))));
    assert_eq!(start.elapsed().as_secs(), 5);
    drop(server);
}
