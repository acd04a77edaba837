//! A WebSocket as a stream of bytes.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::Named;
use super::close_code;
use super::frames::{CLOSE, Control, Found, Frames, Head, MAX_CONTROL, PONG, unmask};
use super::messages::Messages;
use crate::runtime::handshake::Slot;
use crate::runtime::time::now;
use crate::session::{Bucket, CloseReason, Outbox, Rate, WebSocketFault};

/// A WebSocket over any stream, after the upgrade, as a stream of bytes itself: what binary messages hold, one after the
/// other.
///
/// Reading takes payload out of frames in the reader's own buffer, so that an idle WebSocket holds no memory but this.
/// Each write becomes one message, of at most 64 KiB. A write that was begun must be gone on with, by the same bytes: its message has said
/// how long it is.
///
/// Pings are answered, the last one only. A peer that closes is the end of the stream; what is written afterwards is
/// thrown away, since the peer takes no messages any more; for a client that is to know what did not go out, it is an
/// error instead. Shutting down sends a close frame, and reading then ends when
/// the peer has answered it. What the peer must not do is an error of reading, behind all data that came before.
pub(crate) struct WebSocketStream<S> {
    io: S,
    frames: Frames,
    // Came together with the answer to the upgrade.
    early: Bytes,
    empty: Option<Bucket>,
    messages: Messages,
    // Control frames that go out, before anything else.
    control: BytesMut,
    // They were written, and the stream below may hold them back.
    held_back: bool,
    pong: Option<Box<Control>>,
    reading: Reading,
    // The peer has closed behind a fault that is not told yet.
    closed_behind: bool,
    close_sent: bool,
    // The stream below is shut down.
    shut: bool,
    slot: Slot,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reading {
    Open,
    /// The peer has closed, with that code if it said one.
    Closed(Option<u16>),
    /// It did what it must not; that is told by the next read.
    Fault(WebSocketFault),
    /// It was told. Frames are followed to the one that closes.
    Deaf,
    /// The bytes mean nothing, or nothing any more.
    Lost,
    /// The stream below is at its end.
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketStream<S> {
    /// The server's end. `rate`: how many frames without data.
    pub(super) fn server(io: S, early: Bytes, max_message: u64, rate: Option<Rate>) -> Self {
        Self::new(io, early, true, max_message, rate)
    }

    pub(super) fn client(io: S, early: Bytes, max_message: u64, rate: Option<Rate>) -> Self {
        Self::new(io, early, false, max_message, rate)
    }

    fn new(io: S, early: Bytes, server: bool, max_message: u64, rate: Option<Rate>) -> Self {
        Self {
            io,
            frames: Frames::new(server, max_message),
            // An empty one would keep the whole request.
            early: if early.is_empty() { Bytes::new() } else { early },
            empty: rate.map(|rate| Bucket::new(rate, now())),
            messages: Messages::new(!server),
            control: BytesMut::new(),
            held_back: false,
            pong: None,
            reading: Reading::Open,
            closed_behind: false,
            close_sent: false,
            shut: false,
            slot: Slot::default(),
        }
    }

    /// `slot` is where it looks for why its session closes.
    pub(crate) fn of(self, slot: Slot) -> Self {
        Self { slot, ..self }
    }

    /// Reads once. Whether there is something for the reader now: data, the end, an error.
    fn read_once(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let start = buf.filled().len();
        if self.early.is_empty() {
            let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(cx, buf) else {
                // What stands there may have come before there was a session.
                self.tell_partial();
                return Poll::Pending;
            };
            read?;
        } else {
            let len = self.early.len().min(buf.remaining());
            buf.put_slice(&self.early.split_to(len));
        }
        let Some(raw) = buf.filled_mut().get_mut(start..).filter(|raw| !raw.is_empty()) else {
            self.reading = Reading::Ended;
            return Poll::Ready(Ok(true));
        };
        if self.reading == Reading::Lost {
            // Only so that it is not left unread.
            return Poll::Ready(Ok(true));
        }
        let mut found = Found::default();
        let (len, mut result) = self.frames.decode(raw, &mut found);
        buf.set_filled(start + len);
        self.tell_partial();
        if let Some(bucket) = &mut self.empty
            && self.reading == Reading::Open
            && found.empty > 0
            && bucket.take(now(), found.empty) < found.empty
        {
            result = result.and(Err(WebSocketFault::Flood));
        }
        match (result, self.reading) {
            (Err(fault), Reading::Open) => self.reading = Reading::Fault(fault),
            (Err(_), _) => self.reading = Reading::Lost,
            (Ok(()), Reading::Open) => self.pong = found.ping.map(Box::new).or(self.pong.take()),
            (Ok(()), _) => {}
        }
        if let Some(code) = found.close {
            match self.reading {
                Reading::Fault(_) => self.closed_behind = true,
                _ => self.reading = Reading::Closed(code),
            }
        }
        Poll::Ready(Ok(len > 0 || !matches!(self.reading, Reading::Open | Reading::Deaf)))
    }

    /// Says whether the session has an unfinished frame.
    fn tell_partial(&self) {
        if let Some(outbox) = self.slot.get() {
            outbox.set_partial(self.frames.is_partial());
        }
    }

    /// Tells the end of the stream, or what is wrong with it.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.reading {
            Reading::Fault(fault) => {
                self.frames.ignore();
                let lost = self.closed_behind || fault == WebSocketFault::Broken;
                self.reading = if lost { Reading::Lost } else { Reading::Deaf };
                Poll::Ready(Err(Named::error(CloseReason::WebSocket(fault))))
            }
            // §5.5.1: the answer goes out "as soon as practical", and whoever holds the session may hold it for long. Then
            // both have closed: §7.1.1, "the server MUST close the TCP connection immediately".
            Reading::Closed(_) if !self.messages.is_within() => {
                if !self.close_sent {
                    self.say_close();
                }
                if let Poll::Ready(Ok(())) = self.poll_control(cx) {
                    let _ = self.poll_shut(cx);
                }
                Poll::Ready(Ok(()))
            }
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Writes control frames that wait, unless they must wait for a message's end.
    fn poll_control(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.messages.is_within() {
            return Poll::Ready(Ok(()));
        }
        loop {
            while !self.control.is_empty() {
                let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.control))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.control.advance(written);
                self.held_back = true;
            }
            // No memory while there is nothing to say.
            self.control = BytesMut::new();
            match self.pong.take().filter(|_| !self.close_sent) {
                Some(pong) => self.say(PONG, pong.bytes()),
                None => break,
            }
        }
        // Whoever reads may say nothing for long, and then nobody else would flush them.
        if self.held_back && Pin::new(&mut self.io).poll_flush(cx)?.is_ready() {
            self.held_back = false;
        }
        Poll::Ready(Ok(()))
    }

    fn say(&mut self, opcode: u8, payload: &[u8]) {
        let mask = self.messages.mask();
        self.control.extend_from_slice(Head::new(opcode, payload.len(), mask).bytes());
        let start = self.control.len();
        self.control.extend_from_slice(payload);
        if let (Some(mut mask), Some(payload)) = (mask, self.control.get_mut(start..)) {
            unmask(payload, &mut mask);
        }
    }

    /// Says why: the code of the session's close, or the peer's own when it closed first.
    fn say_close(&mut self) {
        let reason = self.slot.get().and_then(|outbox| outbox.closed());
        let mut body = [0; MAX_CONTROL];
        let mut len = 0;
        let mut put = |bytes: &[u8]| {
            if let Some(place) = body.get_mut(len..len + bytes.len()) {
                place.copy_from_slice(bytes);
                len += bytes.len();
            }
        };
        match (self.reading, reason) {
            // §5.5.1: "the endpoint typically echos the status code it received".
            (Reading::Closed(None), _) => {}
            (Reading::Closed(Some(code)), _) => put(&code.to_be_bytes()),
            (_, None) => put(&NORMAL.to_be_bytes()),
            (_, Some(reason)) => {
                put(&close_code(reason).to_be_bytes());
                // §5.5: "All control frames MUST have a payload length of 125 bytes or less". The end of long words is
                // left out.
                let words = reason.to_string();
                let fits = (0..=MAX_CONTROL - 2).rev().find_map(|len| words.get(..len));
                put(fits.unwrap_or_default().as_bytes());
            }
        }
        let body = body.get(..len).unwrap_or_default();
        self.say(CLOSE, body);
        self.close_sent = true;
    }

    fn poll_shut(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.shut {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            self.shut = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocketStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // A pong that could not go out. What is wrong with writing is told to who writes.
        let _ = this.poll_control(cx);
        for _ in 0..TURNS {
            if buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if !matches!(this.reading, Reading::Open | Reading::Deaf | Reading::Lost) {
                return this.poll_end(cx);
            }
            let before = buf.filled().len();
            let any = ready!(this.read_once(cx, buf))?;
            let _ = this.poll_control(cx);
            // Data first, then what is wrong behind it.
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            if any && this.reading == Reading::Ended {
                return Poll::Ready(Ok(()));
            }
        }
        // Frames without data, and more to come: the others have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocketStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_control(cx))?;
        let total = bufs.iter().map(|buf| buf.len()).sum();
        let closed = matches!(this.reading, Reading::Closed(_));
        if total > 0 && closed && !this.messages.is_within() && this.slot.get().is_some_and(Outbox::keeps) {
            return Poll::Ready(Err(Named::error(CloseReason::PeerClosed)));
        }
        if total == 0 || ((this.close_sent || closed) && !this.messages.is_within()) {
            return Poll::Ready(Ok(total));
        }
        this.messages.poll_write(&mut this.io, cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_control(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Says that it closes. The stream below is shut down when the peer has said so too, or cannot any more.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Within a message nothing else can be said: its length was announced.
        if !this.messages.is_within() {
            if !this.close_sent {
                this.say_close();
            }
            ready!(this.poll_control(cx))?;
            if matches!(this.reading, Reading::Open | Reading::Deaf | Reading::Fault(_)) {
                return Pin::new(&mut this.io).poll_flush(cx);
            }
        }
        this.poll_shut(cx)
    }
}

impl<S> fmt::Debug for WebSocketStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketStream").field("reading", &self.reading).finish_non_exhaustive()
    }
}

/// "1000 indicates a normal closure".
const NORMAL: u16 = 1000;
/// So many reads without data are made in one turn.
const TURNS: usize = 16;

#[cfg(test)]
mod tests;
