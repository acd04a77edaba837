//! Read buffers that sessions have only while they read.

use std::cell::RefCell;

use bytes::BytesMut;

/// Takes a buffer with room for `chunk` bytes.
pub(super) fn take(chunk: usize) -> BytesMut {
    let mut buffer = POOL.with_borrow_mut(Vec::pop).unwrap_or_default();
    // Makes it anew when packets still share it, or it was made for smaller reads.
    buffer.reserve(chunk);
    buffer
}

/// Gives a buffer back, whose content is of no use any more.
pub(super) fn give(mut buffer: BytesMut) {
    buffer.clear();
    POOL.with_borrow_mut(|pool| {
        if pool.len() < KEEP && buffer.capacity() <= LARGEST {
            pool.push(buffer);
        }
    });
}

thread_local! {
    // A thread reads one socket at a time.
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

const KEEP: usize = 2;
const LARGEST: usize = 256 * 1024;
