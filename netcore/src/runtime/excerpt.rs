//! What a peer said, as it may be printed.

/// The first `most` letters of a text, on one line and without what a terminal would obey.
pub(super) fn excerpt(text: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let words = text.split(|letter: char| letter.is_whitespace() || is_unseen(letter));
    let mut line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Control characters, and those that change the direction of others or have no width.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(excerpt(b"  bad\r\n\tgate\x1b[31mway\0\x7f ", 100), "bad gate [31mway");
        assert_eq!(excerpt("ab\u{202e}cd \u{9b}1m".as_bytes(), 100), "ab cd 1m");
        assert_eq!(excerpt(b"\xff\xfe ok", 100), "\u{fffd}\u{fffd} ok");
        assert_eq!(excerpt("äöü".as_bytes(), 3), "äöü");
        assert_eq!(excerpt("äöüß".as_bytes(), 3), "äöü…");
    }
}
