//! Random text that nobody guesses, and text that is compared without telling.

use std::fmt;

use rand::Rng;
use subtle::ConstantTimeEq;

/// 16 URL-safe characters: 96 random bits.
pub(crate) fn token() -> String {
    text(TOKEN)
}

/// 32 URL-safe characters: 192 random bits.
pub(crate) fn session() -> String {
    text(SESSION)
}

/// So many characters, 6 bits each, of a generator that is made for keys.
fn text(len: usize) -> String {
    let mut bytes = vec![0; len];
    rand::rng().fill_bytes(&mut bytes);
    // A remainder below 64 is always there.
    bytes
        .into_iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 64)))
        .copied()
        .map(char::from)
        .collect()
}

/// Whether it could be a token.
pub(crate) fn is_text(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// What game servers share with the API server.
pub(crate) struct Key(String);

impl Key {
    /// White space around it does not count.
    pub(crate) fn new(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty");
        }
        if !(16..=256).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a key has 16 to 256 visible ASCII characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// In a time that does not tell how much of it was right.
    pub(crate) fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

/// Never shown.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Characters of a token.
pub(crate) const TOKEN: usize = 16;
/// Characters of a session, behind the user's id.
pub(crate) const SESSION: usize = 32;
/// As many as 6 bits tell apart.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_token_has_16_url_safe_characters_and_is_new_each_time() {
        let tokens: HashSet<String> = (0..1000).map(|_| token()).collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| is_text(token, TOKEN)));
        let used: HashSet<char> = tokens.iter().flat_map(|token| token.chars()).collect();
        assert_eq!(used.len(), 64);
        for wrong in ["", "0123456789abcde", "0123456789abcdefg", "0123456789abcde+", "0123456789abcd\u{e9}"]
        {
            assert!(!is_text(wrong, TOKEN), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_compared_whole_and_never_shown() {
        let key = Key::new(" 0123456789abcdef\n").unwrap();
        assert!(key.is("0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0", " 0123456789abcdef"] {
            assert!(!key.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{key:?}"), "Key");
        for wrong in ["", " \n", "0123456789abcde", "0123456789 abcdef", "0123456789abcdé", &"x".repeat(257)]
        {
            assert!(Key::new(wrong).is_err(), "{wrong}");
        }
    }
}
