//! Who somebody is, in the eyes of the others.

use std::borrow::Borrow;
use std::fmt::{self, Write};
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

    /// As people see it: game clients may have any, so a blank is `\s`, `\` is `\\`, and what cannot be seen is `\u{…}`. No
    /// two names are shown by the same letters, and each can be typed.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut shown = String::with_capacity(self.0.len());
        for letter in self.0.chars() {
            match letter {
                ' ' => shown.push_str("\\s"),
                '\\' => shown.push_str("\\\\"),
                letter if letter.is_whitespace() || support::is_hidden(letter) => {
                    // Writing to a string does not fail.
                    let _ = write!(shown, "{}", letter.escape_unicode());
                }
                letter => shown.push(letter),
            }
        }
        shown
    }

    /// The name that is [shown](Self::shown) so; `None` if nobody can have it.
    #[must_use]
    pub fn read(shown: &str) -> Option<Self> {
        let (mut name, mut rest) = (String::new(), shown);
        while let Some((plain, behind)) = rest.split_once('\\') {
            name.push_str(plain);
            rest = if let Some(rest) = behind.strip_prefix('s') {
                name.push(' ');
                rest
            } else if let Some(rest) = behind.strip_prefix('\\') {
                name.push('\\');
                rest
            } else {
                let (number, rest) = behind.strip_prefix("u{")?.split_once('}')?;
                name.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
                rest
            };
        }
        name.push_str(rest);
        Self::new(name.as_bytes())
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

    #[test]
    fn every_name_can_be_shown_and_read_and_none_looks_like_another() {
        for (name, looks) in [
            ("ann", "ann"),
            ("two words", "two\\swords"),
            ("back\\slash", "back\\\\slash"),
            ("a\nb\0c", "a\\u{a}b\\u{0}c"),
            ("\\s", "\\\\s"),
            ("가나다", "가나다"),
            ("ann\u{3164}", "ann\\u{3164}"),
            ("\u{2800}", "\\u{2800}"),
        ] {
            let name = Name::new(name.as_bytes()).unwrap();
            assert_eq!(name.shown(), looks);
            assert_eq!(Name::read(looks), Some(name));
        }
        for wrong in ["", "\\", "\\x", "\\u{", "\\u{zz}", "\\u{110000}"] {
            assert_eq!(Name::read(wrong), None, "{wrong}");
        }
    }
}
