//! What somebody else wrote, on a person's screen.

/// Whether a letter shows nothing, or turns the line around, so that a name with it looks like another.
///
/// ```
/// use support::is_hidden;
///
/// assert!(['\n', '\u{200b}', '\u{202e}', '\u{3164}', '\u{2800}', '\u{fe0f}'].into_iter().all(is_hidden));
/// assert!(!"ann 가나다 \u{1f600}".chars().any(is_hidden));
/// ```
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            // Unicode's `Default_Ignorable_Code_Point`, of which the Hangul fillers are what blank names are made of.
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
                // A blank of braille; and what is between annotations, or stands for nothing.
                | '\u{2800}'
                | '\u{fff0}'..='\u{fffb}'
        )
}

/// A text as people see it: what would move the cursor, turn the line around or change colours is `\u{fffd}`.
///
/// ```
/// assert_eq!(support::visible("\u{1b}[31mred\tand\r\n\u{202e}back"), "\u{fffd}[31mred\tand\u{fffd}\u{fffd}\u{fffd}back");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    text.replace(
        |letter: char| {
            letter.is_control() && letter != '\t'
                || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        },
        "\u{fffd}",
    )
}
