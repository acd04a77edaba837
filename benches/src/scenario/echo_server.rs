//! Servers that send back what comes: netcore's, and what a team would write without it.

use std::error::Error;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt, TryStreamExt};
use message_io::network::{NetEvent, Transport};
use message_io::node;
use netcore::{
    Connection, Context, Door, Frame, Host, Limits, Logic, Packet, Relay, Running, SendError, Server,
    ServerError, SessionId,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::process;
use crate::hand::{self, Hand, Malformed, Out};

/// A kind of server.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Reads into a buffer and writes what was read: the limit of what the runtime can do.
    Bare,
    /// Reads, decodes, encodes and writes packets by hand, and knows nothing else of sessions.
    Hand,
    /// netcore, a task a session, packets as frames.
    Task,
    /// netcore, a task a session, packets of an enum.
    Typed,
    /// netcore, a task a session, packets passed on as they came.
    Relay,
    /// netcore, one worker on a thread of its own.
    Worker,
    /// The same with packets of an enum.
    WorkerTyped,
    /// netcore, one worker as a task of the runtime.
    WorkerTask,
    /// The same with packets of an enum.
    WorkerTaskTyped,
    /// netcore, two workers on threads of their own.
    TwoWorkers,
    /// `Framed` with `LengthDelimitedCodec`, its stream forwarded into its sink.
    Forwarded,
    /// The same with a `send` for each packet.
    Sent,
    /// message-io's framed TCP.
    MessageIo,
}

impl Kind {
    /// All, the limit first.
    pub const ALL: [Self; 13] = [
        Self::Bare,
        Self::Hand,
        Self::Task,
        Self::Typed,
        Self::Relay,
        Self::Worker,
        Self::WorkerTyped,
        Self::WorkerTask,
        Self::WorkerTaskTyped,
        Self::TwoWorkers,
        Self::Forwarded,
        Self::Sent,
        Self::MessageIo,
    ];

    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare loop",
            Self::Hand => "loop by hand, typed",
            Self::Task => "netcore task a session",
            Self::Typed => "netcore task, typed",
            Self::Relay => "netcore task, relayed",
            Self::Worker => "netcore 1 worker, thread",
            Self::WorkerTyped => "netcore 1 worker, thread, typed",
            Self::WorkerTask => "netcore 1 worker, task",
            Self::WorkerTaskTyped => "netcore 1 worker, task, typed",
            Self::TwoWorkers => "netcore 2 workers, threads",
            Self::Forwarded => "LengthDelimited forward",
            Self::Sent => "LengthDelimited send",
            Self::MessageIo => "message-io framed TCP",
        }
    }

    /// Whether it speaks message-io's framing instead of netcore's.
    #[must_use]
    pub const fn varint(self) -> bool {
        matches!(self, Self::MessageIo)
    }
}

/// Serves until the process is not needed any more.
///
/// # Errors
/// When it cannot listen.
pub fn run(kind: Kind) -> Result<(), Box<dyn Error>> {
    if kind == Kind::MessageIo {
        return message_io();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut running = None;
        let address = match kind {
            Kind::Bare => each(bare).await?,
            Kind::Hand => each(by_hand).await?,
            Kind::Forwarded => each(forwarded).await?,
            Kind::Sent => each(sent).await?,
            _ => running.insert(netcore(kind).await?).addr(),
        };
        process::serve_until_done(address).await
    })
}

async fn netcore(kind: Kind) -> Result<Running, ServerError> {
    match kind {
        Kind::Typed => server::<Typed>().serve(echo).await,
        Kind::Relay => bounds(Door::tcp_with("127.0.0.1:0", Relay::new())).serve(echo).await,
        Kind::Worker => server().logic(Echo::<Frame>::default()).await,
        Kind::WorkerTyped => server().logic(Echo::<Typed>::default()).await,
        Kind::WorkerTask => server().host(Host::Task).logic(Echo::<Frame>::default()).await,
        Kind::WorkerTaskTyped => server().host(Host::Task).logic(Echo::<Typed>::default()).await,
        Kind::TwoWorkers => server().workers(2, |_| Echo::<Frame>::default()).await,
        _ => server::<Frame>().serve(echo).await,
    }
}

/// A session's task that sends back what comes.
pub(super) async fn echo<P>(mut peer: Connection<P, P>) -> Result<(), SendError> {
    while let Some(packet) = peer.recv().await? {
        peer.send(&packet)?;
    }
    Ok(())
}

fn server<P: Packet + Send + Sync + 'static>() -> Server<P, P> {
    bounds(Door::tcp("127.0.0.1:0"))
}

/// The defaults, but for the bounds that the load itself would meet: it comes from one address, and a window of 512 large
/// packets needs half a megabyte. A peer that does not read is not read from: so it is with the loops beside them.
fn bounds<P: Send + Sync + 'static>(door: Door<P, P>) -> Server<P, P> {
    let limits = Limits::new().queue(1024 * 1024).backpressure(true);
    Server::new().max_per_address(usize::MAX).door(door.limits(limits))
}

/// Packets with a body of 32 bytes that is read field by field, and any others.
#[derive(Packet, Debug)]
enum Typed {
    #[packet(id = 1)]
    State { entity: u32, x: f32, y: f32, heading: f32, tick: u64, owner: u64 },
    #[packet(id = 2)]
    Data(#[raw(rest)] Bytes),
}

/// A worker that does.
pub(super) struct Echo<P>(PhantomData<fn() -> P>);

impl<P> Default for Echo<P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<P: Packet + Send + Sync + 'static> Logic for Echo<P> {
    type In = P;
    type Out = P;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: P) {
        ctx.send(session, &packet);
    }
}

/// A task for each connection.
pub(super) async fn each<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> io::Result<SocketAddr>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if stream.set_nodelay(true).is_ok() {
                tokio::spawn(serve(stream));
            }
        }
    });
    Ok(address)
}

/// As much as one read of netcore takes: no loop beside it gets less.
pub(crate) const READ: usize = 64 * 1024;

async fn bare(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; READ];
    loop {
        let len = stream.read(&mut buffer).await?;
        let read = buffer.get(..len).filter(|read| !read.is_empty());
        let Some(read) = read else { return Ok(()) };
        stream.write_all(read).await?;
    }
}

/// The least that serves typed packets at all: no deadlines, no queue, no limits, nobody else who may send.
async fn by_hand(mut stream: TcpStream) -> io::Result<()> {
    let (mut buffer, mut kept, mut out) = (vec![0; READ], 0, Vec::with_capacity(READ));
    loop {
        let len = stream.read(buffer.get_mut(kept..).unwrap_or_default()).await?;
        if len == 0 {
            return Ok(());
        }
        let read = kept + len;
        let wire = buffer.get(..read).unwrap_or_default();
        out.clear();
        let walked = hand::walk(wire, |packet: Typed| packet.write(&mut out))
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        stream.write_all(&out).await?;
        buffer.copy_within(walked..read, 0);
        kept = read - walked;
    }
}

impl Hand for Typed {
    #[inline]
    fn read(id: u16, body: &[u8]) -> Result<Self, Malformed> {
        match (id, body.as_chunks::<4>()) {
            (1, ([entity, x, y, heading, t0, t1, o0, o1], [])) => {
                let eight = |low: &[u8; 4], high: &[u8; 4]| {
                    u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << 32
                };
                Ok(Self::State {
                    entity: u32::from_le_bytes(*entity),
                    x: f32::from_le_bytes(*x),
                    y: f32::from_le_bytes(*y),
                    heading: f32::from_le_bytes(*heading),
                    tick: eight(t0, t1),
                    owner: eight(o0, o1),
                })
            }
            (2, _) => Ok(Self::Data(Bytes::copy_from_slice(body))),
            _ => Err(Malformed),
        }
    }

    #[inline]
    fn write(&self, to: &mut impl Out) {
        match self {
            Self::State { entity, x, y, heading, tick, owner } => to.put(&hand::whole::<37>(1, |body| {
                let (fours, eights) = body.split_at_mut(16);
                hand::fours([*entity, x.to_bits(), y.to_bits(), heading.to_bits()], fours);
                hand::eights([*tick, *owner], eights);
            })),
            Self::Data(bytes) => {
                to.put(&hand::head(2, bytes.len()));
                to.put(bytes);
            }
        }
    }

    fn sum(&self) -> u64 {
        match self {
            Self::State { entity, tick, owner, .. } => u64::from(*entity) + tick + owner,
            Self::Data(bytes) => bytes.len() as u64,
        }
    }
}

pub(super) async fn forwarded(stream: TcpStream) -> io::Result<()> {
    let (sink, stream) = Framed::new(stream, length_delimited()).split();
    stream.map_ok(BytesMut::freeze).forward(sink).await
}

async fn sent(stream: TcpStream) -> io::Result<()> {
    let mut framed = Framed::new(stream, length_delimited());
    while let Some(frame) = framed.next().await {
        framed.send(frame?.freeze()).await?;
    }
    Ok(())
}

/// The same size field as netcore's: it counts itself. Of id and type byte nothing is known here.
pub(crate) fn length_delimited() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .little_endian()
        .length_field_type::<u16>()
        .length_adjustment(-2)
        .max_frame_length(65_535)
        .new_codec()
}

fn message_io() -> Result<(), Box<dyn Error>> {
    let (handler, listener) = node::split::<()>();
    let (_, address) = handler.network().listen(Transport::FramedTcp, "127.0.0.1:0")?;
    let _running = listener.for_each_async(move |event| {
        if let NetEvent::Message(from, data) = event.network() {
            handler.network().send(from, data);
        }
    });
    process::serve(address)
}
