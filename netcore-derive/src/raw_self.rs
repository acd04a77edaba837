//! A raw type that names itself in its fields: for a constant it may, as a value of itself it cannot.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Data, DeriveInput, Ident};

use crate::attr::Errors;

/// The same with the type's name in place of `Self` in its fields' types: where the code stands `Self` is another type.
pub(crate) fn without_self(input: &DeriveInput) -> DeriveInput {
    let mut input = input.clone();
    let fields: Vec<_> = match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().collect(),
        Data::Enum(data) => data.variants.iter_mut().flat_map(|variant| &mut variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    for field in fields {
        if let Ok(ty) = syn::parse2(named(field.ty.to_token_stream(), &input.ident)) {
            field.ty = ty;
        }
    }
    input
}

fn named(tokens: TokenStream, ident: &Ident) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(own) if own == "Self" => {
            let mut name = ident.clone();
            name.set_span(ident.span().located_at(own.span()));
            name.into()
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), named(group.stream(), ident));
            inner.set_span(group.span());
            inner.into()
        }
        other => other,
    });
    tokens.collect()
}

/// A field that names the type it is in. Longer circles are left to the compiler, which finds the schema to be endless.
pub(crate) fn refuse_recursion(input: &DeriveInput, errors: &mut Errors) {
    let fields: Vec<_> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => return,
    };
    for field in fields {
        if names(field.ty.to_token_stream(), &input.ident) {
            errors.at(
                &field.ty,
                "a raw layout cannot contain itself, since the sender would choose how deep a reader goes: send a flat list, whose items name each other by index",
            );
        }
    }
}

/// Whether `ident` stands among the tokens, other than as part of a longer path: of an array only in front of its
/// length, where constants of the type's own have their place.
fn names(tokens: TokenStream, ident: &Ident) -> bool {
    let (mut behind_colon, mut in_length) = (false, false);
    let mut tokens = tokens.into_iter().peekable();
    std::iter::from_fn(|| {
        let token = tokens.next()?;
        let found = match &token {
            TokenTree::Ident(own) => {
                // In front of `::` it is where a constant or another type is, not the type itself.
                let path = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                !in_length && !behind_colon && !path && own == ident
            }
            TokenTree::Group(group) => !in_length && names(group.stream(), ident),
            _ => false,
        };
        behind_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        in_length |= matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
        Some(found)
    })
    .any(|found| found)
}
