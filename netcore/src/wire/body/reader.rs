//! The one place where a body is read from: every access is checked.

use std::sync::OnceLock;

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
    owner: Owner<'a>,
}

/// What a body is a part of.
#[derive(Clone, Copy, Debug)]
enum Owner<'a> {
    /// Unknown: bytes that are kept are copied.
    None,
    /// Shared bytes: what is kept is a slice of them.
    Shared(&'a Bytes),
    /// The `whole` of what was read, which is not to be kept. `copy` is made with the first small slice, for all that
    /// follow; one that is most of what there is has a copy of its own.
    Copied { whole: &'a [u8], copy: &'a OnceLock<Bytes> },
}

impl<'a> Reader<'a> {
    /// Reads borrowed bytes; [`take_bytes`](Self::take_bytes) copies.
    #[inline]
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, owner: Owner::None }
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
        Self { rest: body, owner: Owner::Shared(body) }
    }

    /// Reads `part`, which lies inside `owner`.
    #[inline]
    pub(crate) const fn part(part: &'a [u8], owner: &'a Bytes) -> Self {
        Self { rest: part, owner: Owner::Shared(owner) }
    }

    /// Reads `part` of `whole`. What is kept is copied: with all that follows it, so that others need no copy of their
    /// own, unless it is most of that.
    #[inline]
    pub(crate) const fn copied(part: &'a [u8], whole: &'a [u8], copy: &'a OnceLock<Bytes>) -> Self {
        Self { rest: part, owner: Owner::Copied { whole, copy } }
    }

    /// Whether [`take_bytes`](Self::take_bytes) shares rather than copies.
    #[inline]
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.owner, Owner::Shared(_))
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

    /// Takes `len` bytes. They share the read buffer where there is one, or, of a read that brought little, a copy.
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
            Owner::Shared(owner) => owner.slice_ref(part),
            Owner::Copied { whole, copy } => kept(part, whole, copy),
            Owner::None => Bytes::copy_from_slice(part),
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

/// `part` of the `copy` of what follows it in `whole`.
fn kept(part: &[u8], whole: &[u8], copy: &OnceLock<Bytes>) -> Bytes {
    if let Some(copy) = copy.get()
        && let Some(start) = again(part, whole, copy.len())
    {
        return copy.slice(start..start + part.len());
    }
    first_kept(part, whole, copy)
}

/// Where `part` is in a copy of so many bytes: that begins where the first part did, and ends where `whole` does.
#[inline]
fn again(part: &[u8], whole: &[u8], copied: usize) -> Option<usize> {
    let follows = whole.len().checked_sub(offset(part, whole))?;
    copied.checked_sub(follows).filter(|_| part.len() <= follows)
}

/// The same where there is no copy yet, or none that has it: once a read, mostly.
#[cold]
fn first_kept(part: &[u8], whole: &[u8], copy: &OnceLock<Bytes>) -> Bytes {
    let follows = whole.get(offset(part, whole)..).unwrap_or_default();
    if part.is_empty() || copy.get().is_some() || part.len() >= follows.len() / 2 {
        return Bytes::copy_from_slice(part);
    }
    let all = copy.get_or_init(|| Bytes::copy_from_slice(follows));
    all.slice(..part.len())
}

fn offset(part: &[u8], whole: &[u8]) -> usize {
    part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory_of(kept: Bytes) -> usize {
        kept.try_into_mut().unwrap().capacity()
    }

    #[test]
    fn what_is_kept_of_little_is_copied_once_for_all() {
        let (whole, copy) = (b"0123456789", OnceLock::new());
        let mut reader = Reader::copied(&whole[1..], whole, &copy);
        assert!(reader.take_bytes(0).unwrap().is_empty() && copy.get().is_none());
        let [first, second] = [2, 3].map(|len| reader.take_bytes(len).unwrap());
        assert_eq!((&first[..], &second[..], copy.get().unwrap().len()), (&b"12"[..], &b"345"[..], 9));
        assert_eq!(second.as_ptr().addr() - first.as_ptr().addr(), 2);
        // What lies before it, and elsewhere.
        assert_eq!((reader.to_bytes(&whole[..3]), reader.to_bytes(b"45")), ("012".into(), "45".into()));
    }

    #[test]
    fn most_of_what_there_is_needs_no_copy_of_the_rest() {
        let (whole, copy) = (b"0123456789", OnceLock::new());
        let kept = Reader::copied(&whole[4..], whole, &copy).take_bytes(5).unwrap();
        assert_eq!((&kept[..], copy.get()), (&b"45678"[..], None));
        assert_eq!(memory_of(kept), 5);
    }
}
