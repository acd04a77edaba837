//! Messages on their way out.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;

use super::frames::{BINARY, Head, unmask};

/// What is written, in messages of one frame each. One that was begun must be gone on with, by the same bytes.
pub(super) struct Messages {
    // A client masks what it sends.
    masks: Option<Masks>,
    // Where there is no writing in pieces, or it must be masked: what goes out, with its head, and for how many bytes
    // of payload it stands.
    assembled: BytesMut,
    standing: usize,
    // The frame that goes out: what is left of its head and of its payload.
    head: Option<(Head, usize)>,
    owed: usize,
}

impl Messages {
    pub(super) fn new(masked: bool) -> Self {
        let masks = masked.then(Masks::default);
        Self { masks, assembled: BytesMut::new(), standing: 0, head: None, owed: 0 }
    }

    /// Whether one is under way, which must end before anything else is said.
    pub(super) fn is_within(&self) -> bool {
        self.owed > 0 || self.head.is_some() || !self.assembled.is_empty()
    }

    /// The mask of the next frame, if it is to have one.
    pub(super) fn mask(&mut self) -> Option<[u8; 4]> {
        self.masks.as_mut().map(Masks::next)
    }

    /// Writes a message, or goes on with one; how many of `bufs`' bytes count as written.
    pub(super) fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.masks.is_some() || !io.is_write_vectored() {
            self.poll_assembled(io, cx, bufs)
        } else {
            self.poll_pieces(io, cx, bufs)
        }
    }

    /// Writes a message from the writer's own bytes.
    fn poll_pieces(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.owed == 0 && self.head.is_none() {
            self.owed = bufs.iter().map(|buf| buf.len()).sum::<usize>().min(MESSAGE);
            self.head = Some((Head::new(BINARY, self.owed, None), 0));
        }
        loop {
            let mut slices = [IoSlice::new(&[]); PIECES + 1];
            let mut count = 0;
            let head =
                self.head.as_ref().map_or(&[][..], |(head, at)| head.bytes().get(*at..).unwrap_or_default());
            let mut left = self.owed;
            let pieces = bufs.iter().map(|buf| {
                let len = buf.len().min(left);
                left -= len;
                buf.get(..len).unwrap_or_default()
            });
            for (slice, piece) in
                slices.iter_mut().zip(std::iter::once(head).chain(pieces).filter(|piece| !piece.is_empty()))
            {
                *slice = IoSlice::new(piece);
                count += 1;
            }
            let slices = slices.get(..count).unwrap_or_default();
            let mut written = ready!(Pin::new(&mut *io).poll_write_vectored(cx, slices))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some((head, at)) = &mut self.head {
                let of_head = written.min(head.bytes().len() - *at);
                written -= of_head;
                *at += of_head;
                if *at == head.bytes().len() {
                    self.head = None;
                }
            }
            self.owed = self.owed.saturating_sub(written);
            if written > 0 {
                return Poll::Ready(Ok(written));
            }
        }
    }

    /// Writes a message from a copy. Its bytes count as written when all of it was.
    fn poll_assembled(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.assembled.is_empty() {
            let total: usize = bufs.iter().map(|buf| buf.len()).sum();
            self.standing = total.min(MESSAGE);
            let mask = self.mask();
            let head = Head::new(BINARY, self.standing, mask);
            self.assembled.reserve(head.bytes().len() + self.standing);
            self.assembled.extend_from_slice(head.bytes());
            let start = self.assembled.len();
            let mut left = self.standing;
            for buf in bufs {
                let len = buf.len().min(left);
                self.assembled.extend_from_slice(buf.get(..len).unwrap_or_default());
                left -= len;
            }
            if let (Some(mut mask), Some(payload)) = (mask, self.assembled.get_mut(start..)) {
                unmask(payload, &mut mask);
            }
        }
        while !self.assembled.is_empty() {
            let written = ready!(Pin::new(&mut *io).poll_write(cx, &self.assembled))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.assembled.advance(written);
        }
        self.assembled = BytesMut::new();
        Poll::Ready(Ok(std::mem::take(&mut self.standing)))
    }
}

/// Draws masks that nobody can foresee (§10.3): the standard library's keyed hash of a count, its key drawn by the system.
#[derive(Debug, Default)]
struct Masks {
    key: std::hash::RandomState,
    count: u64,
}

impl Masks {
    fn next(&mut self) -> [u8; 4] {
        self.count += 1;
        let hash = std::hash::BuildHasher::hash_one(&self.key, self.count);
        hash.to_ne_bytes().first_chunk().copied().unwrap_or_default()
    }
}

/// As many pieces as a session's task writes at once.
const PIECES: usize = 64;
/// The most that goes out as one message: peers have bounds of theirs, and nothing else can be said before its end.
const MESSAGE: usize = 64 * 1024;
