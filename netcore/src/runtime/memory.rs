//! A transport in memory, for tests and simulations: what a socket does and what goes wrong with one, without a socket.
//!
//! [`pair`] gives two connected streams that stand where a `TcpStream` would, [`listener`] gives what stands for a
//! `TcpListener`. Through [`Faults`] the bytes of either end come in small pieces, stand still, or end in a reset. Nothing
//! here reads a clock or draws a number but from a given seed: on a current-thread runtime a test runs the same each time.
//!
//! ```
//! use netcore::memory;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let (mut listener, connector) = memory::listener(16);
//! let mut client = connector.connect()?;
//! let mut server = listener.accept().await?;
//!
//! // The server reads one to three bytes at a time, however much there is.
//! server.faults().cut(7, 3);
//! client.write_all(b"hello").await?;
//! client.shutdown().await?;
//! assert!(server.read(&mut [0; 64]).await? <= 3);
//!
//! // The client has ended its half only. Four bytes of the answer arrive, then the connection breaks.
//! server.faults().reset_after(4);
//! assert!(server.write_all(b"welcome").await.is_err());
//! let mut answer = Vec::new();
//! assert!(client.read_to_end(&mut answer).await.is_err());
//! assert_eq!(answer, b"welc");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it differs from TCP
//! - A write to an end that was dropped fails at once; over TCP one or more succeed first.
//! - An end dropped with unread input ends its stream in order; over TCP that may be a reset. [`Faults::reset`] makes one.

mod faults;

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop;

pub use self::faults::Faults;
use super::backlog::{self, Arrivals, Entry, Refused};

/// Bytes that wait in each direction of a stream from [`MemoryConnector::connect`], unless set otherwise.
pub const DEFAULT_CAPACITY: usize = 64 * 1024;

/// Two connected streams: what one writes the other reads.
///
/// Up to `capacity` bytes (at least one) wait in each direction, as in a socket's buffers; then a write waits. Memory
/// follows what was written and not read.
#[must_use]
pub fn pair(capacity: usize) -> (MemoryStream, MemoryStream) {
    let (first, second) = Faults::of_pair(capacity.max(1));
    (MemoryStream(first), MemoryStream(second))
}

/// A listener and what connects to it; up to `backlog` connections (at least one) wait to be accepted.
#[must_use]
pub fn listener(backlog: usize) -> (MemoryListener, MemoryConnector) {
    let (queue, waiting) = backlog::channel(backlog);
    let connector = MemoryConnector { queue, capacity: DEFAULT_CAPACITY };
    (MemoryListener { waiting, connector: connector.clone() }, connector)
}

/// One end of a connection in memory.
///
/// Shutting down ends this end's half: the other end reads what is left, then the end of the stream, and may still write.
/// Dropping ends both halves: the other end reads what is left, and its writes fail with `BrokenPipe`.
#[derive(Debug)]
pub struct MemoryStream(Faults);

impl MemoryStream {
    /// The handle to this end's faults; it may be kept, cloned and used from other tasks.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.0.clone()
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // As sockets do: a task that always finds bytes lets the others run now and then.
        let coop = ready!(coop::poll_proceed(cx));
        let polled = self.0.with(|_, incoming, later| incoming.read(cx, buf, later));
        if polled.is_ready() {
            coop.made_progress();
        }
        polled
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let coop = ready!(coop::poll_proceed(cx));
        let polled = self.0.with(|outgoing, incoming, later| {
            let polled = outgoing.write(cx, bufs, later);
            outgoing.reset_if_due(incoming, later);
            polled
        });
        if polled.is_ready() {
            coop.made_progress();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    // Never waits and never fails, as with a socket: the end of the stream stands behind the bytes in the queue.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.with(|outgoing, _, later| {
            outgoing.writer.done = true;
            // The writer too: a write that waits in another task fails now.
            outgoing.wake_both(later);
        });
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        self.0.with(|outgoing, incoming, later| {
            outgoing.writer.done = true;
            incoming.reader.done = true;
            incoming.bytes = BytesMut::new();
            later.drop.extend(outgoing.writer.waker.take().into_iter().chain(incoming.reader.waker.take()));
            later.wake.extend(outgoing.reader.waker.take().into_iter().chain(incoming.writer.waker.take()));
        });
    }
}

/// Where connections in memory arrive.
#[derive(Debug)]
pub struct MemoryListener {
    waiting: Arrivals<MemoryStream>,
    connector: MemoryConnector,
}

impl MemoryListener {
    /// The server's end of the next connection, in the order in which they were made.
    ///
    /// Waits while there is none, also when no connector is left, as a socket does that nobody dials. Cancel-safe.
    ///
    /// # Errors
    /// None today; the result is there to stand where a socket's is.
    pub async fn accept(&mut self) -> io::Result<MemoryStream> {
        self.waiting.next().await.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// How many connections may wait to be accepted from now on.
    pub(super) fn set_backlog(&self, connections: usize) {
        self.waiting.set_most(connections);
    }

    /// Another connector to this listener, with the default capacity.
    #[must_use]
    pub fn connector(&self) -> MemoryConnector {
        self.connector.clone()
    }
}

/// Connects to a [`MemoryListener`].
#[derive(Clone, Debug)]
pub struct MemoryConnector {
    queue: Entry<MemoryStream>,
    capacity: usize,
}

impl MemoryConnector {
    /// How many bytes wait in each direction of the streams connected from here; [`DEFAULT_CAPACITY`] unless set.
    #[must_use]
    pub fn with_capacity(self, bytes: usize) -> Self {
        Self { capacity: bytes, ..self }
    }

    /// The client's end of a new connection. It may be written to before it is accepted.
    ///
    /// # Errors
    /// `ConnectionRefused` when the listener is gone, or when its backlog is full.
    pub fn connect(&self) -> io::Result<MemoryStream> {
        let refused = |why| Err(io::Error::new(ErrorKind::ConnectionRefused, why));
        let (near, far) = pair(self.capacity);
        match self.queue.enter(far) {
            Err(Refused::Full) => refused("the backlog is full"),
            Err(Refused::Gone) => refused("nobody listens"),
            Ok(()) => Ok(near),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::time::Duration;

    use futures::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    // On a paused clock this is up as soon as nothing else runs: what is pending then was never woken.
    pub(super) async fn in_time<T>(work: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(1), work).await.expect("woken")
    }

    #[tokio::test(start_paused = true)]
    async fn every_byte_arrives_in_order_however_the_stream_is_cut() {
        let sent: Vec<u8> = (0..2_000_u32).map(|i| (i % 251) as u8).collect();
        for (seed, max, capacity) in
            [(0, 1, 1), (1, 1, 64), (2, 7, 3), (3, 64, 50), (4, 5_000, 100), (5, 0, 0)]
        {
            let (mut client, mut server) = pair(capacity);
            client.faults().cut(seed, max);
            server.faults().cut(seed + 100, max);
            let expected = &sent;
            let there = async {
                client.write_all(expected).await.unwrap();
                client.shutdown().await.unwrap();
                let mut back = Vec::new();
                client.read_to_end(&mut back).await.unwrap();
                assert_eq!(&back, expected);
            };
            let back = async {
                let mut got = Vec::new();
                server.read_to_end(&mut got).await.unwrap();
                assert_eq!(&got, expected);
                server.write_all(&got).await.unwrap();
                server.shutdown().await.unwrap();
            };
            in_time(async { tokio::join!(there, back) }).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_to_a_full_queue_waits_until_the_other_end_reads() {
        let (mut client, mut server) = pair(4);
        assert_eq!(client.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cdef")]).await.unwrap(), 4);
        let writer = tokio::spawn(async move { client.write_all(b"ghij").await.map(|()| client) });
        tokio::task::yield_now().await;
        assert!(!writer.is_finished());
        let mut got = [0; 8];
        in_time(server.read_exact(&mut got)).await.unwrap();
        assert_eq!(&got, b"abcdghij");
        in_time(writer).await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_end_leaves_its_bytes_to_be_read_and_fails_writes() {
        let (mut client, mut server) = pair(4);
        client.write_all(b"unre").await.unwrap();
        let writer = tokio::spawn(async move { (client.write_all(b"ad").await.unwrap_err().kind(), client) });
        server.write_all(b"bye").await.unwrap();
        tokio::task::yield_now().await;
        drop(server);
        let (error, mut client) = in_time(writer).await.unwrap();
        assert_eq!(error, ErrorKind::BrokenPipe);
        let mut got = String::new();
        client.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "bye");
    }

    #[tokio::test(start_paused = true)]
    async fn one_half_ends_and_the_other_goes_on() {
        let (mut client, server) = pair(8);
        let (mut reads, mut writes) = tokio::io::split(server);
        let end = tokio::spawn(async move { reads.read(&mut [0; 8]).await });
        tokio::task::yield_now().await;
        client.shutdown().await.unwrap();
        assert_eq!(in_time(end).await.unwrap().unwrap(), 0);
        assert_eq!(client.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        writes.write_all(b"still").await.unwrap();
        let mut got = [0; 5];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"still");
    }

    #[tokio::test]
    async fn a_task_that_never_waits_lets_others_run() {
        let (mut client, mut server) = pair(8);
        let other = tokio::spawn(async {});
        for _ in 0..200 {
            client.write_all(b"x").await.unwrap();
            server.read_u8().await.unwrap();
        }
        assert!(other.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_accepts_in_order_and_refuses_when_full_or_gone() {
        let (mut listener, connector) = listener(2);
        assert!(listener.accept().now_or_never().is_none());
        let accepted = tokio::spawn(async move { (listener.accept().await, listener) });
        tokio::task::yield_now().await;
        let mut first = connector.clone().with_capacity(1).connect().unwrap();
        let (server, mut listener) = in_time(accepted).await.unwrap();
        let mut server = server.unwrap();
        assert_eq!(first.write(b"12").await.unwrap(), 1);
        assert_eq!(server.read(&mut [0; 4]).await.unwrap(), 1);

        let mut waiting = [connector.connect().unwrap(), listener.connector().connect().unwrap()];
        assert_eq!(connector.connect().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        waiting[0].write_all(b"!").await.unwrap();
        assert_eq!(listener.accept().await.unwrap().read_u8().await.unwrap(), b'!');

        drop(listener);
        assert_eq!(connector.connect().unwrap_err().to_string(), "nobody listens");
        // The one that was never accepted.
        assert_eq!(waiting[1].read(&mut [0; 4]).await.unwrap(), 0);
    }
}
