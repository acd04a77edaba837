//! Who somebody is, in the eyes of the others.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A user's id, or a person's nick: 1 to 16 bytes of UTF-8. Cheap to clone.
///
/// ```
/// use lobby::Name;
///
/// assert_eq!(Name::new(b"\0\0ann\0\0\0").unwrap().as_str(), "ann");
/// assert_eq!(Name::new(b"a\0b").unwrap().as_str(), "a\0b");
/// assert!(Name::new(b"\0\0").is_none() && Name::new(b"\xff").is_none() && Name::new(&[b'x'; 17]).is_none());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// The most bytes of a name.
    pub const MAX: usize = 16;

    /// Makes a name of what a peer sent: zeros at both ends are padding, those inside belong to it.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let from = bytes.iter().position(|byte| *byte != 0)?;
        let to = bytes.iter().rposition(|byte| *byte != 0)?;
        let bytes = bytes.get(from..=to)?;
        if bytes.len() > Self::MAX {
            return None;
        }
        std::str::from_utf8(bytes).ok().map(|text| Self(text.into()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_may_fill_all_sixteen_bytes_and_is_measured_without_its_padding() {
        assert_eq!(Name::new(b"0123456789abcdef").unwrap().as_str(), "0123456789abcdef");
        assert_eq!(
            Name::new(&[&[0; 10][..], b"0123456789abcdef", &[0; 10]].concat()).unwrap().as_str().len(),
            16
        );
        assert_eq!(Name::new("가나다라마".as_bytes()).unwrap().as_str(), "가나다라마");
        for wrong in [&b""[..], b"\0", b"0123456789abcdefg", b"ann\xff", &"가나다라마바".as_bytes()[..16]]
        {
            assert!(Name::new(wrong).is_none(), "{wrong:?}");
        }
    }
}
