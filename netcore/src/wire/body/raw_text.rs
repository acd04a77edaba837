//! Text and bytes as raw fields.

use bytes::Bytes;

use super::{BodyError, BodyErrorKind, Reader};

/// Text or bytes: what `len`, `len_in`, `fixed` and `rest` apply to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither text nor bytes",
    label = "`len`, `len_in` and `fixed` are for `String`, `Vec<u8>` and `Bytes`",
    note = "a list takes `#[raw(count = u16)]`, `#[raw(count_in = field)]` or `#[raw(rest)]`"
)]
pub trait Text: Sized {
    /// Whether it is UTF-8.
    const UTF8: bool;
    /// Whether a decoded value may keep a slice of the read buffer.
    const SHARES: bool;

    /// Makes a value of `bytes`, which were taken from `from`.
    fn from_slice<'a>(bytes: &'a [u8], from: &Reader<'a>) -> Result<Self, BodyError>;

    /// The bytes to write.
    fn as_slice(&self) -> &[u8];
}

impl Text for String {
    const UTF8: bool = true;
    const SHARES: bool = false;

    #[inline]
    fn from_slice<'a>(bytes: &'a [u8], _: &Reader<'a>) -> Result<Self, BodyError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(BodyError::new(BodyErrorKind::NotUtf8 { valid: error.valid_up_to() })),
        }
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Text for Vec<u8> {
    const UTF8: bool = false;
    const SHARES: bool = false;

    #[inline]
    fn from_slice<'a>(bytes: &'a [u8], _: &Reader<'a>) -> Result<Self, BodyError> {
        Ok(bytes.to_vec())
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl Text for Bytes {
    const UTF8: bool = false;
    const SHARES: bool = true;

    #[inline]
    fn from_slice<'a>(bytes: &'a [u8], from: &Reader<'a>) -> Result<Self, BodyError> {
        Ok(from.to_bytes(bytes))
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        self
    }
}
