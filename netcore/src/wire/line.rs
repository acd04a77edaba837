//! Lines of text out of a byte stream, and back.

use std::io;

use bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// UTF-8 lines: `\n` ends one, a `\r` before it is dropped.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{LineCodec, LineError};
///
/// let mut codec = LineCodec::new().max_line(16);
/// let mut buf = BytesMut::from(&b"3+5\r\nthis line is far too long\n8\npart"[..]);
/// assert_eq!(codec.decode_line(&mut buf), Ok(Some("3+5".into())));
/// assert_eq!(codec.decode_line(&mut buf), Err(LineError::TooLong { max: 16 }));
/// assert_eq!(codec.decode_line(&mut buf), Ok(Some("8".into())));
/// assert_eq!(codec.decode_line(&mut buf), Ok(None));
/// ```
///
/// # Limits
/// `max_line`, 1,024 bytes by default, without the line's end. A longer line is reported once and thrown away as it
/// comes, so that the buffer holds no more than one line's limit and one read.
///
/// # Errors
/// Every error but the transport's own is about one line; the lines behind it are read as if it had not been. Under
/// [`Framed`](tokio_util::codec::Framed) an error ends the stream once (`None`); a caller who polls on gets the next line.
#[derive(Clone, Debug)]
pub struct LineCodec {
    max_line: usize,
    // How far `buf` was searched before, so that a line that comes byte by byte is not searched from its start each time.
    searched: usize,
    // Inside a line that was reported as too long: drop until its end.
    dropping: bool,
}

impl LineCodec {
    /// A codec for lines of up to 1,024 bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_line: 1024, searched: 0, dropping: false }
    }

    /// The longest line in either direction, in bytes, without its end.
    #[must_use]
    pub const fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// The next line of `buf`, which is removed from it together with its end; `None` while it is not whole.
    ///
    /// A codec is for one stream: it remembers how far it searched, so `buf` is the same each time, with what has come
    /// appended to it.
    ///
    /// # Errors
    /// [`LineError::TooLong`] as soon as that is certain, [`LineError::NotUtf8`] when the line is whole.
    pub fn decode_line(&mut self, buf: &mut BytesMut) -> Result<Option<String>, LineError> {
        loop {
            let fresh = buf.get(self.searched..).unwrap_or_default();
            let Some(end) = fresh.iter().position(|byte| *byte == b'\n').map(|at| self.searched + at) else {
                return self.unfinished(buf);
            };
            let line = buf.split_to(end);
            buf.advance(1);
            self.searched = 0;
            if std::mem::take(&mut self.dropping) {
                continue;
            }
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if line.len() > self.max_line {
                return Err(LineError::TooLong { max: self.max_line });
            }
            return match std::str::from_utf8(line) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(error) => Err(LineError::NotUtf8 { valid: error.valid_up_to() }),
            };
        }
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// [`LineError::EndInsideLine`] when `rest`, what is left after the last line, is not empty.
    pub fn finish(&mut self, rest: &[u8]) -> Result<(), LineError> {
        if rest.is_empty() { Ok(()) } else { Err(LineError::EndInsideLine { have: rest.len() }) }
    }

    /// Appends `line` and a `\n` to `dst`.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use netcore::{LineCodec, LineError};
    ///
    /// let (codec, mut wire) = (LineCodec::new(), BytesMut::new());
    /// codec.encode_line("3+5", &mut wire)?;
    /// assert_eq!(codec.encode_line("two\nlines", &mut wire), Err(LineError::Break));
    /// assert_eq!(&wire[..], b"3+5\n");
    /// # Ok::<_, LineError>(())
    /// ```
    ///
    /// # Errors
    /// [`LineError::TooLong`]; [`LineError::Break`] when it holds a `\n` or ends with a `\r`, which the reader would
    /// take for another line or drop. Nothing is written then.
    pub fn encode_line(&self, line: &str, dst: &mut BytesMut) -> Result<(), LineError> {
        if line.len() > self.max_line {
            return Err(LineError::TooLong { max: self.max_line });
        }
        if line.contains('\n') || line.ends_with('\r') {
            return Err(LineError::Break);
        }
        dst.reserve(line.len() + 1);
        dst.extend_from_slice(line.as_bytes());
        dst.extend_from_slice(b"\n");
        Ok(())
    }

    /// `buf` holds no `\n`: wait for one, or give the line up.
    fn unfinished(&mut self, buf: &mut BytesMut) -> Result<Option<String>, LineError> {
        if self.dropping {
            buf.clear();
            self.searched = 0;
            return Ok(None);
        }
        // One byte more than the limit may still be the `\r` of a legal line.
        let over = buf.len().saturating_sub(usize::from(buf.last() == Some(&b'\r'))) > self.max_line;
        if over {
            buf.clear();
            self.searched = 0;
            self.dropping = true;
            return Err(LineError::TooLong { max: self.max_line });
        }
        self.searched = buf.len();
        Ok(None)
    }
}

impl Default for LineCodec {
    fn default() -> Self {
        Self::new()
    }
}

/// A line that cannot be read or written.
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{LineCodec, LineError};
///
/// let mut codec = LineCodec::new();
/// let mut buf = BytesMut::from(&b"\xff\nthe next"[..]);
/// assert_eq!(codec.decode_line(&mut buf), Err(LineError::NotUtf8 { valid: 0 }));
/// assert_eq!(codec.decode_line(&mut buf), Ok(None));
/// assert_eq!(codec.finish(&buf), Err(LineError::EndInsideLine { have: 8 }));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The line is over the limit.
    #[error("the line is over the limit of {max} bytes (`max_line`)")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// The line is not UTF-8.
    #[error("the line is not UTF-8 after its first {valid} bytes")]
    NotUtf8 {
        /// How many bytes of it are.
        valid: usize,
    },
    /// The peer's stream ended inside a line.
    #[error("the stream ended inside a line, {have} bytes into it")]
    EndInsideLine {
        /// Bytes of it that had come.
        have: usize,
    },
    /// Our own side tried to send a line that would be read as another.
    #[error("a line to send holds a line break")]
    Break,
    /// The transport failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

// By hand, since an `io::Error` has no equality: two of them are equal when their kinds are.
impl PartialEq for LineError {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::TooLong { max: a }, Self::TooLong { max: b }) => a == b,
            (Self::NotUtf8 { valid: a }, Self::NotUtf8 { valid: b }) => a == b,
            (Self::EndInsideLine { have: a }, Self::EndInsideLine { have: b }) => a == b,
            (Self::Break, Self::Break) => true,
            (Self::Io(a), Self::Io(b)) => a.kind() == b.kind(),
            _ => false,
        }
    }
}

impl Decoder for LineCodec {
    type Item = String;
    type Error = LineError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<String>, LineError> {
        self.decode_line(src)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<String>, LineError> {
        match self.decode_line(src)? {
            Some(line) => Ok(Some(line)),
            None => {
                let end = self.finish(src);
                src.clear();
                end.map(|()| None)
            }
        }
    }
}

impl<T: AsRef<str>> Encoder<T> for LineCodec {
    type Error = LineError;

    fn encode(&mut self, line: T, dst: &mut BytesMut) -> Result<(), LineError> {
        self.encode_line(line.as_ref(), dst)
    }
}
