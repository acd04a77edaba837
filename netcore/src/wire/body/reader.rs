//! The one place where a body is read from: every access is checked.

use bytes::Bytes;

use super::{BodyError, BodyErrorKind};

/// A cursor over a body, or a part of one.
///
/// ```
/// use netcore::body::Reader;
///
/// let mut body = Reader::new(&[7, 0, b'h', b'i']);
/// assert_eq!(u16::from_le_bytes(*body.array().unwrap()), 7);
/// assert_eq!(body.take(2).unwrap(), b"hi");
/// assert_eq!(body.take(1).unwrap_err().to_string(), "1 bytes are needed, 0 are left");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    // What `rest` is a part of, where that is shared: `take_bytes` then needs no copy.
    owner: Option<&'a Bytes>,
}

impl<'a> Reader<'a> {
    /// Reads borrowed bytes; [`take_bytes`](Self::take_bytes) copies.
    #[inline]
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, owner: None }
    }

    /// Reads shared bytes; [`take_bytes`](Self::take_bytes) shares them.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use netcore::body::Reader;
    ///
    /// let body = Bytes::from_static(b"\x02hi!");
    /// let mut reader = Reader::shared(&body);
    /// let [len] = *reader.array()?;
    /// let text = reader.take_bytes(usize::from(len))?;
    /// assert_eq!(text, "hi");
    /// assert_eq!(text.as_ptr(), body[1..].as_ptr()); // no copy
    /// assert_eq!(reader.finish().unwrap_err().to_string(), "1 bytes are left over");
    /// assert_eq!(reader.take_rest(), b"!");
    /// reader.finish()?;
    /// # Ok::<_, netcore::BodyError>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn shared(body: &'a Bytes) -> Self {
        Self { rest: body, owner: Some(body) }
    }

    /// Reads `part`, which lies inside `owner`.
    #[inline]
    pub(crate) const fn part(part: &'a [u8], owner: &'a Bytes) -> Self {
        Self { rest: part, owner: Some(owner) }
    }

    /// Whether [`take_bytes`](Self::take_bytes) shares rather than copies.
    #[inline]
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.owner.is_some()
    }

    /// How many bytes are left.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// What is left, without taking it.
    #[inline]
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes `len` bytes.
    ///
    /// # Errors
    /// [`BodyErrorKind::Short`]; nothing is taken then.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], BodyError> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.short(len)),
        }
    }

    /// Takes `N` bytes.
    ///
    /// # Errors
    /// [`BodyErrorKind::Short`]; nothing is taken then.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], BodyError> {
        match self.rest.split_first_chunk() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.short(N)),
        }
    }

    /// Takes `N` bytes as a reader of their own. What is read from it needs no further checks: its length is known
    /// when the program is compiled.
    ///
    /// # Errors
    /// [`BodyErrorKind::Short`]; nothing is taken then.
    #[inline]
    pub fn fixed<const N: usize>(&mut self) -> Result<Reader<'a>, BodyError> {
        Ok(Self { rest: self.array::<N>()?, owner: self.owner })
    }

    /// Reads `piece`, which was taken from this reader.
    #[inline]
    pub(crate) const fn piece(&self, piece: &'a [u8]) -> Self {
        Self { rest: piece, owner: self.owner }
    }

    /// Takes `len` bytes; they share the read buffer where there is one.
    ///
    /// # Errors
    /// [`BodyErrorKind::Short`]; nothing is taken then.
    #[inline]
    pub fn take_bytes(&mut self, len: usize) -> Result<Bytes, BodyError> {
        self.take(len).map(|taken| self.to_bytes(taken))
    }

    /// Makes `part`, which was taken from this reader, outlive it.
    #[inline]
    #[must_use]
    pub fn to_bytes(&self, part: &'a [u8]) -> Bytes {
        match self.owner {
            Some(owner) => owner.slice_ref(part),
            None => Bytes::copy_from_slice(part),
        }
    }

    /// Takes all that is left.
    #[inline]
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Says whether everything was read.
    ///
    /// # Errors
    /// [`BodyErrorKind::Trailing`].
    #[inline]
    pub fn finish(&self) -> Result<(), BodyError> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(BodyError::new(BodyErrorKind::Trailing { extra })),
        }
    }

    #[cold]
    fn short(&self, need: usize) -> BodyError {
        BodyError::new(BodyErrorKind::Short { need, have: self.rest.len() })
    }
}
