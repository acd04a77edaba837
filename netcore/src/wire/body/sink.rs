//! Where raw values are written to.

use bytes::BytesMut;

/// Where a raw value is written to: the send buffer, or a piece of it whose size is known.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::body::Sink;
///
/// fn write(numbers: [u16; 2], to: &mut impl Sink) {
///     to.put(b"!");
///     to.fill(4, |room| {
///         for (two, number) in room.chunks_exact_mut(2).zip(numbers) {
///             two.copy_from_slice(&number.to_le_bytes());
///         }
///     });
/// }
///
/// let mut wire = BytesMut::new();
/// write([1, 2], &mut wire);
/// assert_eq!(&wire[..], b"!\x01\0\x02\0");
/// ```
pub trait Sink {
    /// Whether room was made for all that will be written, so that single fields need not gather first.
    const ROOMY: bool;

    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);

    /// Appends `len` bytes that `write` fills in.
    fn fill(&mut self, len: usize, write: impl FnOnce(&mut [u8]));
}

impl Sink for BytesMut {
    const ROOMY: bool = false;

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn fill(&mut self, len: usize, write: impl FnOnce(&mut [u8])) {
        let start = self.len();
        self.resize(start + len, 0);
        if let Some(room) = self.get_mut(start..) {
            write(room);
        }
    }
}

/// An array that a fixed layout fills, to go to the send buffer in one piece: one check for room in place of one a field.
#[derive(Debug)]
#[doc(hidden)]
pub struct FixedSink<'a> {
    room: &'a mut [u8],
}

impl<'a> FixedSink<'a> {
    #[inline]
    pub fn new(room: &'a mut [u8]) -> Self {
        Self { room }
    }
}

impl Sink for FixedSink<'_> {
    const ROOMY: bool = true;

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.fill(bytes.len(), |room| room.copy_from_slice(bytes));
    }

    #[inline]
    fn fill(&mut self, len: usize, write: impl FnOnce(&mut [u8])) {
        // The array has the layout's own size, so that this never falls short.
        if let Some((here, rest)) = std::mem::take(&mut self.room).split_at_mut_checked(len) {
            write(here);
            self.room = rest;
        }
    }
}
