//! TLS whose writes count when they are on their way.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsStream, rustls};

/// A stream under TLS. A write that the stream below does not take whole is not done: rustls would keep its records, and
/// nobody would come to write them, or see that the peer takes nothing. It must be gone on with, by the same bytes.
#[derive(Debug)]
pub(crate) struct Records<S> {
    stream: TlsStream<S>,
    // So many of the writer's bytes are in records that are not on their way yet.
    taken: usize,
    // Told when what came before it has been read.
    failed: Option<io::Error>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Records<S> {
    pub(crate) fn new(stream: impl Into<TlsStream<S>>) -> Self {
        Self { stream: stream.into(), taken: 0, failed: None }
    }

    fn poll_taken(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.stream.get_ref().1.wants_write() {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        }
        Poll::Ready(Ok(std::mem::take(&mut self.taken)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Records<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let failed = match self.failed.take() {
            Some(failed) => failed,
            None => match ready!(Pin::new(&mut self.stream).poll_read(cx, buf)) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) => error,
            },
        };
        // The records in front of one that is none are whole, and rustls hands them out when it is asked again.
        let before = buf.filled().len();
        if failed.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
            && matches!(Pin::new(&mut self.stream).poll_read(cx, buf), Poll::Ready(Ok(())))
            && buf.filled().len() > before
        {
            self.failed = Some(failed);
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(Err(failed))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.taken == 0 {
            self.taken = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        }
        self.poll_taken(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.taken == 0 {
            self.taken = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        }
        self.poll_taken(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says close_notify, then shuts the stream below down.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
