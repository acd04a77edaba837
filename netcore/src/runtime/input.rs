//! What a session has read and not handled yet, and the buffers that it has only while it reads.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, BytesMut};
use tokio::io::AsyncRead;

/// The bytes that were read and are no whole packet yet. Without memory while there are none.
///
/// ```text
///  nothing, or little  ──read──▶  a buffer of the thread's  ──put_away──▶  what is left, in memory of its own
///  more than OWN       ──read──▶  where it lies, a little larger
/// ```
#[derive(Default)]
pub(super) struct Input(BytesMut);

impl Input {
    /// Reads up to `chunk` bytes behind what is there.
    pub(super) fn read<T: AsyncRead + Unpin>(
        &mut self,
        transport: &mut T,
        cx: &mut Context<'_>,
        mut chunk: usize,
    ) -> Poll<io::Result<usize>> {
        // What is left is moved to a common buffer if it is little, and is read behind where it lies if it is not: a
        // large packet that drips in would else be copied at each drop.
        if self.0.len() > OWN {
            chunk = chunk.min(OWN_CHUNK);
            self.0.reserve(chunk);
        } else if self.0.capacity() == 0 || !self.0.try_reclaim(chunk) {
            let mut buffer = take(self.0.len() + chunk);
            buffer.extend_from_slice(&self.0);
            self.0 = buffer;
        }
        let mut limited = (&mut self.0).limit(chunk);
        tokio_util::io::poll_read_buf(Pin::new(transport), cx, &mut limited)
    }

    /// Whether packets may keep slices of it: of little, a slice would keep all of the read buffer. The last `fresh` bytes
    /// were read just now; 0: there are packets left of the read before.
    pub(super) fn is_much(&self, fresh: usize) -> bool {
        // A packet too large for the read buffer is on its way, and was not copied before either.
        let drips = fresh > 0 && self.0.len().saturating_sub(fresh) > OWN;
        drips || self.0.len() > self.0.capacity() / KEPT
    }

    /// Lets `decode` take packets from the front; from memory of its own, if they must not keep slices of this one.
    pub(super) fn decode<R>(&mut self, apart: bool, decode: impl FnOnce(&mut BytesMut) -> R) -> R {
        if !apart {
            return decode(&mut self.0);
        }
        let mut apart = BytesMut::from(&self.0[..]);
        let result = decode(&mut apart);
        self.0.clear();
        self.0.extend_from_slice(&apart);
        result
    }

    /// Keeps of the read buffer only what is needed, until there is something to read again.
    pub(super) fn put_away(&mut self) {
        if self.0.len() <= OWN && self.0.capacity() > self.0.len() {
            let rest = if self.0.is_empty() { BytesMut::new() } else { BytesMut::from(&self.0[..]) };
            give(std::mem::replace(&mut self.0, rest));
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Takes a buffer with room for `len` bytes.
fn take(len: usize) -> BytesMut {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    // Makes it anew when packets still share it, or it was made for smaller reads.
    buffer.reserve(len);
    buffer
}

/// Gives a buffer back, whose content is of no use any more.
fn give(mut buffer: BytesMut) {
    buffer.clear();
    BUFFERS.with_borrow_mut(|buffers| {
        if buffers.len() < BUFFERS_KEPT && buffer.capacity() <= LARGEST {
            buffers.push(buffer);
        }
    });
}

thread_local! {
    // A thread reads one socket at a time.
    static BUFFERS: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// Up to so many bytes, an unfinished packet is kept apart from the read buffer.
const OWN: usize = 2 * 1024;
/// Behind a larger one, so many bytes are read at a time: the session holds the memory until the rest has come.
const OWN_CHUNK: usize = 16 * 1024;
/// At least this part of the memory that a packet's slice keeps was read with it.
const KEPT: usize = 4;
const BUFFERS_KEPT: usize = 2;
const LARGEST: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use bytes::Bytes;

    use super::*;

    /// Reads once from memory, and takes `take` bytes off the front as a packet that shares them.
    async fn read(input: &mut Input, mut from: &[u8], take: usize) -> Bytes {
        let read = std::future::poll_fn(|cx| input.read(&mut from, cx, CHUNK));
        let fresh = pin!(read).await.unwrap();
        input.decode(!input.is_much(fresh), |bytes| bytes.split_to(take).freeze())
    }

    fn memory_of(packet: Bytes) -> usize {
        packet.try_into_mut().unwrap().capacity()
    }

    const CHUNK: usize = 64 * 1024;

    #[tokio::test]
    async fn a_small_packet_does_not_keep_the_read_buffer() {
        let mut input = Input::default();
        let packet = read(&mut input, b"0123456789rest", 10).await;
        assert_eq!((&packet[..], input.bytes()), (&b"0123456789"[..], &b"rest"[..]));
        assert!(memory_of(packet) < 100);

        let packet = read(&mut input, b" of it", 10).await;
        assert_eq!((&packet[..], input.bytes()), (&b"rest of it"[..], &b""[..]));
        input.put_away();
        assert_eq!(input.0.capacity(), 0);
    }

    #[tokio::test]
    async fn a_large_read_is_not_copied() {
        let mut input = Input::default();
        let packet = read(&mut input, &[7; CHUNK], CHUNK).await;
        assert_eq!(packet, vec![7; CHUNK]);
        drop(input);
        assert!(memory_of(packet) >= CHUNK);
    }

    #[tokio::test]
    async fn an_unfinished_large_packet_stays_where_it_is_while_it_drips_in() {
        let mut input = Input::default();
        drop(read(&mut input, &[7; 8 * 1024], 0).await);
        input.put_away();
        drop(read(&mut input, &[7; 8 * 1024], 0).await);
        let place = input.bytes().as_ptr();
        drop(read(&mut input, &[7], 0).await);
        assert_eq!((input.bytes().as_ptr(), input.bytes().len()), (place, 16 * 1024 + 1));
    }
}
