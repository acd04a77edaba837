//! `#[packet(format = …)]`: which body format it names.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{PathArguments, Type};

use crate::attr::Errors;
use crate::names::plain;

/// A body format, as an attribute named it.
#[derive(Clone)]
pub(crate) struct Format {
    pub(crate) kind: FormatKind,
    /// The format as a type.
    pub(crate) ty: TokenStream,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatKind {
    Raw,
    MsgPack,
    MsgPackArray,
    Protobuf,
    Own,
}

/// netcore's own formats.
const BUILT_IN: [(&str, FormatKind); 4] = [
    ("Raw", FormatKind::Raw),
    ("MsgPack", FormatKind::MsgPack),
    ("MsgPackArray", FormatKind::MsgPackArray),
    ("Protobuf", FormatKind::Protobuf),
];

/// A bare `Raw`, `MsgPack`, `MsgPackArray` or `Protobuf` is netcore's, imported or not, and so is one behind netcore's
/// own path. Every other path is a format of the team's, but for a bare name that is almost one of those or no type's.
pub(crate) fn format(nc: &TokenStream, ty: Option<&Type>, errors: &mut Errors) -> Format {
    let Some(ty) = ty else { return Format { kind: FormatKind::Raw, ty: quote!(#nc::Raw) } };
    let own = Format { kind: FormatKind::Own, ty: quote!(#ty) };
    let Type::Path(path) = ty else { return own };
    let (Some(first), Some(last)) = (path.path.segments.first(), path.path.segments.last()) else {
        return own;
    };
    let name = plain(&last.ident);
    let bare = path.path.segments.len() == 1;
    let Some((_, kind)) = BUILT_IN.into_iter().find(|(built_in, _)| name == *built_in) else {
        if bare
            && matches!(last.arguments, PathArguments::None)
            && let Err((meant, words)) = own_name(&name)
        {
            errors.at(ty, words);
            // As what it was meant for, so that nothing else is said of its packets but what is wrong with them.
            return Format { kind: meant, ..own };
        }
        return own;
    };
    if bare {
        need_feature(kind, ty, errors);
        return Format { kind, ty: quote!(#nc::#ty) };
    }
    let at_home = nc.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(krate) => Some(krate),
        _ => None,
    });
    if at_home.is_some_and(|krate| krate == first.ident) { Format { kind, ..own } } else { own }
}

/// Says which feature a format needs that there is not.
fn need_feature(kind: FormatKind, ty: &Type, errors: &mut Errors) {
    let feature = match kind {
        FormatKind::MsgPack | FormatKind::MsgPackArray if cfg!(not(feature = "msgpack")) => "msgpack",
        FormatKind::Protobuf if cfg!(not(feature = "protobuf")) => "protobuf",
        _ => return,
    };
    errors.at(
        ty,
        format!(
            "this format needs netcore's feature `{feature}`: `netcore = {{ …, features = [\"{feature}\"] }}`"
        ),
    );
}

/// Whether a bare name may be a format of the team's own; else what it was meant for, and what to write.
fn own_name(name: &str) -> Result<(), (FormatKind, String)> {
    let meant = almost(name);
    // By convention a type begins with a capital.
    if meant.is_none() && !name.starts_with(char::is_lowercase) {
        return Ok(());
    }
    let (kind, write) = match meant {
        Some((built_in, kind)) => (kind, format!("`{built_in}`")),
        None => (FormatKind::Raw, "one of them".to_owned()),
    };
    let words = format!(
        "`{name}` is none of netcore's formats, `Raw`, `MsgPack`, `MsgPackArray` and `Protobuf`: write {write}, or, for a type of your own, its path, `self::{name}`"
    );
    Err((kind, words))
}

/// The built-in format that a name was probably meant for.
fn almost(name: &str) -> Option<(&'static str, FormatKind)> {
    let short = name.to_lowercase().replace('_', "").replace("message", "msg");
    let (distance, nearest) = BUILT_IN
        .into_iter()
        .map(|(built_in, kind)| (distance(&short, &built_in.to_lowercase()), (built_in, kind)))
        .min_by_key(|(distance, _)| *distance)?;
    // Of three letters two others make another word: `Ron` is no `Raw`.
    let most = if nearest.0.len() > 3 { 2 } else { 1 };
    (distance <= most).then_some(nearest)
}

/// How many letters are to be put in, taken out, replaced, or exchanged with the next, to make one name the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    // The distance of the first `i` letters to the first `j`.
    let mut table = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                let fewest = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                    fewest.min(table[i - 2][j - 2] + 1)
                } else {
                    fewest
                }
            };
        }
    }
    table[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::{almost, distance, own_name};

    #[test]
    fn the_distance_counts_letters() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "raw"), 3);
        assert_eq!(distance("raw", ""), 3);
        assert_eq!(distance("raw", "raw"), 0);
        assert_eq!(distance("rwa", "raw"), 1);
        assert_eq!(distance("msgpak", "msgpack"), 1);
        assert_eq!(distance("mgspcak", "msgpack"), 2);
        assert_eq!(distance("protobuff", "protobuf"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("msgpack", "msgpackarray"), 5);
    }

    #[test]
    fn a_misspelt_format_is_told_from_one_of_the_team_s_own() {
        let meant = |name| almost(name).map(|(built_in, _)| built_in);
        for name in ["msgpak", "msgpack", "MSGPACK", "MsgPak", "Msgpack", "MessagePack", "msg_pack", "MsgPck"]
        {
            assert_eq!(meant(name), Some("MsgPack"), "{name}");
        }
        for name in ["msgpackarray", "MsgPackArry", "msg_pack_array", "MessagePackArray"] {
            assert_eq!(meant(name), Some("MsgPackArray"), "{name}");
        }
        for name in ["protobuf", "ProtoBuf", "Protobuff", "Portobuf"] {
            assert_eq!(meant(name), Some("Protobuf"), "{name}");
        }
        for name in ["raw", "RAW", "Rwa", "Raww"] {
            assert_eq!(meant(name), Some("Raw"), "{name}");
        }
        for name in ["Own", "Json", "Ron", "Bson", "Cbor", "Shout", "Flipped", "Packed", "Proto", "Postcard"]
        {
            assert_eq!((meant(name), own_name(name).is_ok()), (None, true), "{name}");
        }
        for name in ["json", "proto", "u8", "öwn"] {
            assert_eq!((meant(name), own_name(name).is_ok()), (None, false), "{name}");
        }
    }
}
