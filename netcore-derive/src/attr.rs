//! What all three macros read from attributes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, ExprLit, ExprUnary, Generics, Lit, LitStr, Meta, Path, Token, UnOp,
    meta::ParseNestedMeta,
};

/// Errors, gathered: a user sees all of them at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn at(&mut self, place: &impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(place, message));
    }

    /// The value, or what went wrong.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// The place of `span` for errors, and the names of the expansion: inside another macro the two are not the same.
pub(crate) fn place(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Where netcore is, as tokens: `::netcore` unless `crate = path` says otherwise.
pub(crate) fn netcore(path: Option<&Path>) -> TokenStream {
    path.map_or_else(|| quote!(::netcore), |path| quote!(#path))
}

/// The value of `crate`.
pub(crate) fn netcore_path(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    let value = meta.value()?;
    if value.peek(LitStr) {
        return Err(value
            .error("`crate` is a path, not text: write it without quotes, as in `crate = game::netcore`"));
    }
    value.parse()
}

/// The text of the doc comments.
pub(crate) fn doc(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Steps over an attribute of somebody else's.
pub(crate) fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let inner;
        syn::parenthesized!(inner in meta.input);
        inner.parse::<TokenStream>()?;
    }
    Ok(())
}

/// Refuses attributes of a macro's own where nothing reads them: else what they ask for would silently not be done. Those
/// named in `but` are another derive's there.
pub(crate) fn refuse(attrs: &[Attribute], name: &str, but: &[&str], words: &str, errors: &mut Errors) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        errors.take(attr.parse_nested_meta(|meta| {
            if but.iter().any(|key| meta.path.is_ident(key)) {
                skip_value(&meta)
            } else {
                Err(meta.error(words))
            }
        }));
    }
}

/// Says that a type with parameters has no one layout.
pub(crate) fn refuse_generics(generics: &Generics, what: &str, errors: &mut Errors) {
    if !generics.params.is_empty() {
        errors.at(
            &generics.params,
            format!("{what} takes no type, lifetime or const parameters: write out one type for each use"),
        );
    }
}

/// The number of an integer literal, with its sign.
pub(crate) fn literal(value: &Expr) -> Option<i128> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Group(group) => literal(&group.expr),
        Expr::Paren(paren) => literal(&paren.expr),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => literal(expr).map(|number| -number),
        _ => None,
    }
}
