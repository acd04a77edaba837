//! Names in other cases: serde's `rename_all`, and constants.

/// `RoomEnter` → `ROOM_ENTER`.
pub(crate) fn screaming(name: &str) -> String {
    words(name).join("_").to_uppercase()
}

/// A field's name by serde's `rename_all`; `None` for a rule that serde does not have.
pub(crate) fn rename(rule: &str, name: &str) -> Option<String> {
    let words = words(name);
    let capital = |word: &String| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    Some(match rule {
        "lowercase" => name.to_lowercase(),
        "UPPERCASE" => name.to_uppercase(),
        "PascalCase" => words.iter().map(capital).collect(),
        "camelCase" => words
            .iter()
            .enumerate()
            .map(|(at, word)| if at == 0 { word.clone() } else { capital(word) })
            .collect(),
        "snake_case" => words.join("_"),
        "SCREAMING_SNAKE_CASE" => words.join("_").to_uppercase(),
        "kebab-case" => words.join("-"),
        "SCREAMING-KEBAB-CASE" => words.join("-").to_uppercase(),
        _ => return None,
    })
}

/// The words of a name in lower case: split at `_` and in front of capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for letter in name.chars() {
        let new_word = letter == '_' || (letter.is_uppercase() && lower);
        if new_word && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (Some(word), false) = (words.last_mut(), letter == '_') {
            word.extend(letter.to_lowercase());
        }
        lower = letter.is_lowercase() || letter.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::{rename, screaming};

    #[test]
    fn names_change_their_case_as_serde_does_it() {
        assert_eq!(screaming("RoomEnter"), "ROOM_ENTER");
        assert_eq!(screaming("Ping2"), "PING2");
        assert_eq!(rename("PascalCase", "user_id").as_deref(), Some("UserId"));
        assert_eq!(rename("camelCase", "user_id").as_deref(), Some("userId"));
        assert_eq!(rename("kebab-case", "user_id").as_deref(), Some("user-id"));
        assert_eq!(rename("SCREAMING_SNAKE_CASE", "RoomEnter").as_deref(), Some("ROOM_ENTER"));
        assert_eq!(rename("Title Case", "user_id"), None);
    }
}
