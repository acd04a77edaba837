//! Names in other cases: serde's `rename_all`, and constants.

use proc_macro2::Ident;
use syn::ext::IdentExt;

/// `RoomEnter` → `ROOM_ENTER`.
pub(crate) fn screaming(name: &str) -> String {
    words(name).join("_").to_uppercase()
}

/// What `rename_all` is about to rename: serde expects fields in snake case and variants in Pascal case.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Field,
    Variant,
}

/// A name by serde's `rename_all`, letter for letter as serde makes it; `None` for a rule that serde does not have.
pub(crate) fn rename(rule: &str, name: &str, case: Case) -> Option<String> {
    let snake = match case {
        Case::Field => name.to_owned(),
        Case::Variant => snake(name),
    };
    let pascal = match case {
        Case::Field => pascal(name),
        Case::Variant => name.to_owned(),
    };
    Some(match (rule, case) {
        ("lowercase", Case::Field) => snake,
        ("lowercase", Case::Variant) => name.to_ascii_lowercase(),
        ("UPPERCASE", _) => name.to_ascii_uppercase(),
        ("PascalCase", _) => pascal,
        ("camelCase", _) => first_lower(&pascal),
        ("snake_case", _) => snake,
        ("SCREAMING_SNAKE_CASE", _) => snake.to_ascii_uppercase(),
        ("kebab-case", _) => snake.replace('_', "-"),
        ("SCREAMING-KEBAB-CASE", _) => snake.to_ascii_uppercase().replace('_', "-"),
        _ => return None,
    })
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn pascal(name: &str) -> String {
    let parts = name.split('_').map(|part| {
        let mut letters = part.chars();
        letters.next().into_iter().map(|first| first.to_ascii_uppercase()).chain(letters).collect::<String>()
    });
    parts.collect()
}

fn first_lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().map(|first| first.to_ascii_lowercase()).chain(letters).collect()
}

/// The name as it reads: without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
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
    use super::{Case, rename, screaming};

    #[test]
    fn constants_are_named_by_the_words_of_a_variant() {
        assert_eq!(screaming("RoomEnter"), "ROOM_ENTER");
        assert_eq!(screaming("Ping2"), "PING2");
    }

    #[test]
    fn fields_change_their_case_as_serde_does_it() {
        let field = |rule| rename(rule, "user_id2", Case::Field);
        assert_eq!(field("PascalCase").as_deref(), Some("UserId2"));
        assert_eq!(field("camelCase").as_deref(), Some("userId2"));
        assert_eq!(field("kebab-case").as_deref(), Some("user-id2"));
        assert_eq!(field("snake_case").as_deref(), Some("user_id2"));
        assert_eq!(field("UPPERCASE").as_deref(), Some("USER_ID2"));
        assert_eq!(field("Title Case"), None);
    }

    #[test]
    fn variants_change_their_case_as_serde_does_it() {
        let variant = |rule| rename(rule, "XmlRoom", Case::Variant);
        assert_eq!(variant("SCREAMING_SNAKE_CASE").as_deref(), Some("XML_ROOM"));
        assert_eq!(variant("camelCase").as_deref(), Some("xmlRoom"));
        assert_eq!(variant("lowercase").as_deref(), Some("xmlroom"));
        assert_eq!(variant("PascalCase").as_deref(), Some("XmlRoom"));
        // serde parts a name at each capital.
        assert_eq!(rename("snake_case", "XMLRoom", Case::Variant).as_deref(), Some("x_m_l_room"));
    }
}
