//! What a packet costs above the socket: whole sessions over a stream that costs nearly nothing.

use std::hint::black_box;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt};
use netcore::testing::serve_one;
use netcore::{Batch, Binary, Connection, Frame, Packet, Relay};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_util::codec::Framed;

use crate::scenario::echo_server::{READ, length_delimited};

/// How the packets are sent back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// What was read is written, without framing.
    Bare,
    /// netcore, packets as frames.
    Frames,
    /// netcore, packets of an enum.
    Typed,
    /// netcore, packets passed on as they came.
    Relayed,
    /// `Framed` with `LengthDelimitedCodec`, its stream forwarded into its sink.
    Forwarded,
}

impl Way {
    /// All, the limit first.
    pub const ALL: [Self; 5] = [Self::Bare, Self::Frames, Self::Typed, Self::Relayed, Self::Forwarded];

    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare loop",
            Self::Frames => "netcore, frames",
            Self::Typed => "netcore, typed",
            Self::Relayed => "netcore, relayed",
            Self::Forwarded => "LengthDelimitedCodec, forwarded",
        }
    }
}

/// Brings a window of packets, again and again, and takes what comes back. Between two windows it lets the task wait, as
/// a socket would.
struct Windows {
    window: Bytes,
    left: usize,
    // How much of the window was brought; at its end the task waits once.
    at: usize,
    back: usize,
}

impl AsyncRead for Windows {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.at == self.window.len() {
            self.at = 0;
            self.left -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.left > 0 {
            let rest = self.window.get(self.at..).unwrap_or_default();
            let len = rest.len().min(buf.remaining());
            buf.put_slice(rest.get(..len).unwrap_or_default());
            self.at += len;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Windows {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.back += black_box(buf).len();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert_eq!(self.left, 0);
        Poll::Ready(Ok(()))
    }
}

/// Packets whose bodies are read field by field.
#[derive(Packet, Debug)]
enum Typed {
    #[packet(id = 1)]
    State { entity: u32, x: f32, y: f32, heading: f32, tick: u64, owner: u64 },
    #[packet(id = 2)]
    Data { owner: u64, at: [u64; 6], tick: u64 },
    #[packet(id = 3)]
    Leave,
}

/// Nanoseconds a packet for each way, at best of several runs: bodies of 32 or 64 bytes, `window` of them at a time. The
/// ways take turns, so that a busy machine disturbs all of them.
///
/// # Panics
/// When a runtime cannot be made.
#[must_use]
pub fn nanoseconds(window: usize, body: usize, runs: usize) -> [f64; Way::ALL.len()] {
    let wire = wire(window, body);
    let rounds = 200_000 / window;
    let mut best = [f64::INFINITY; Way::ALL.len()];
    for _ in 0..runs {
        for (way, best) in Way::ALL.into_iter().zip(&mut best) {
            let stream = Windows { window: wire.clone(), left: rounds, at: 0, back: 0 };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let Ok(runtime) = runtime else { panic!("no runtime") };
            let start = Instant::now();
            runtime.block_on(run(way, stream));
            *best = best.min(start.elapsed().as_nanos() as f64 / (rounds * window) as f64);
        }
    }
    best
}

/// Does it once, `rounds` windows of it, for who counts instructions.
///
/// # Panics
/// When a runtime cannot be made.
pub fn rounds(way: Way, window: usize, body: usize, rounds: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else { panic!("no runtime") };
    runtime.block_on(run(way, Windows { window: wire(window, body), left: rounds, at: 0, back: 0 }));
}

fn wire(window: usize, body: usize) -> Bytes {
    let mut wire = BytesMut::new();
    for _ in 0..window {
        let frame = Frame::new(if body == 32 { 1 } else { 2 }, vec![7; body]);
        netcore::FrameCodec::new().encode_frame(&frame, &mut wire).unwrap_or_default();
    }
    wire.freeze()
}

async fn run(way: Way, mut stream: Windows) {
    match way {
        Way::Bare => {
            let mut buffer = vec![0; READ];
            while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                let _ = stream.write_all(buffer.get(..len).unwrap_or_default()).await;
            }
        }
        Way::Frames => {
            serve_one(stream, Binary::new(), echo::<Frame>).await;
        }
        Way::Typed => {
            serve_one(stream, Binary::new(), echo::<Typed>).await;
        }
        Way::Relayed => {
            serve_one(stream, Relay::new(), echo::<Batch>).await;
        }
        Way::Forwarded => {
            let (sink, stream) = Framed::new(stream, length_delimited()).split();
            let _ = stream.map_ok(BytesMut::freeze).forward(sink).await;
        }
    }
}

async fn echo<P>(mut peer: Connection<P, P>) {
    while let Ok(Some(packet)) = peer.recv().await {
        if peer.send(&packet).is_err() {
            return;
        }
    }
}
