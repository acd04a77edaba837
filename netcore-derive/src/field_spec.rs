//! A raw field's attributes.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Field, Ident, LitInt, Token, Type, ext::IdentExt, meta::ParseNestedMeta, spanned::Spanned};

use crate::attr::{Errors, literal, place};
use crate::names::plain;
use crate::types::{generic, is_byte, last_name};

/// How the end of text, bytes or a list is told.
#[derive(Clone)]
pub(crate) enum End {
    /// By the type itself.
    Own,
    Len(Ident),
    LenIn(Ident),
    Fixed(Expr),
    Count(Ident),
    CountIn(Ident),
    Rest,
}

/// Which zeros around a `fixed` value are padding.
#[derive(Clone, Copy)]
enum Trim {
    End,
    Both,
}

/// What `#[raw(…)]` says of a field.
#[derive(Clone)]
pub(crate) struct FieldSpec {
    pub(crate) end: End,
    max: Option<(Expr, Span)>,
    trim: Option<(Trim, Span)>,
    item: Option<Box<FieldSpec>>,
    /// Where the end is told, or, for an item, where `item` stands.
    pub(crate) span: Span,
}

const KNOWN: &str = "`len`, `len_in`, `fixed`, `rest`, `count`, `count_in`, `max`, `trim` or `item(…)`";
const LENGTHS: [&str; 6] = ["u8", "u16", "u32", "i8", "i16", "i32"];

impl FieldSpec {
    pub(crate) fn plain(span: Span) -> Self {
        Self { end: End::Own, max: None, trim: None, item: None, span }
    }

    pub(crate) fn parse(field: &Field, errors: &mut Errors) -> Self {
        let mut spec = Self::plain(field.span());
        for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("raw")) {
            errors.take(attr.parse_nested_meta(|meta| spec.take(&meta)));
        }
        if errors.take(spec.check()).is_some() {
            errors.take(spec.check_type(&field.ty));
        }
        spec
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let key = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
        let twice = match &*key {
            "max" => self.max.is_some(),
            "trim" => self.trim.is_some(),
            "item" => self.item.is_some(),
            _ => false,
        };
        if twice {
            return Err(meta.error(format!("the field has one `{key}`: take this one away")));
        }
        match &*key {
            "len" => self.set(meta, End::Len(length(meta)?)),
            "len_in" => self.set(meta, End::LenIn(holder(meta)?)),
            "fixed" => self.set(meta, End::Fixed(meta.value()?.parse()?)),
            "count" => self.set(meta, End::Count(length(meta)?)),
            "count_in" => self.set(meta, End::CountIn(holder(meta)?)),
            "rest" => self.set(meta, End::Rest),
            "max" => {
                self.max = Some((meta.value()?.parse()?, meta.path.span()));
                Ok(())
            }
            "trim" => {
                let which: Ident = meta.value()?.parse()?;
                self.trim = match &*which.to_string() {
                    "both" => Some((Trim::Both, meta.path.span())),
                    "end" => Some((Trim::End, meta.path.span())),
                    _ => {
                        return Err(syn::Error::new(which.span(), "`trim` is `end` (the default) or `both`"));
                    }
                };
                Ok(())
            }
            "item" => {
                let mut item = Self::plain(meta.path.span());
                meta.parse_nested_meta(|meta| item.take(&meta))?;
                item.span = meta.path.span();
                item.check()?;
                if matches!(item.end, End::LenIn(_) | End::CountIn(_) | End::Rest) {
                    return Err(meta.error("each item tells its own end: give it `len`, `fixed` or `count`"));
                }
                self.item = Some(Box::new(item));
                Ok(())
            }
            _ => Err(meta.error(format!("unknown attribute; a raw field takes {KNOWN}"))),
        }
    }

    fn set(&mut self, meta: &ParseNestedMeta<'_>, end: End) -> syn::Result<()> {
        if !matches!(self.end, End::Own) {
            return Err(meta.error("the field says twice how its end is told: keep one of `len`, `len_in`, `fixed`, `rest`, `count` and `count_in`"));
        }
        self.end = end;
        self.span = meta.path.span();
        Ok(())
    }

    fn check(&self) -> syn::Result<()> {
        let refuse = |place: Span, what: &str| Err(syn::Error::new(place, what));
        if let (Some((_, place)), false) = (self.trim, matches!(self.end, End::Fixed(_))) {
            return refuse(
                place,
                "`trim` is for text and bytes of a `fixed` size: add `fixed = 16`, or take `trim` away",
            );
        }
        let max = self.max.as_ref().map(|(_, place)| *place);
        let item = self.item.as_ref().map(|item| item.span);
        match (&self.end, max, item) {
            (End::Own, Some(place), _) => {
                refuse(place, "`max` bounds a length: add `len`, `len_in`, `rest`, `count` or `count_in`")
            }
            (End::Own, _, Some(place)) => {
                refuse(place, "`item(…)` is for lists: add `count`, `count_in` or `rest`")
            }
            (End::Len(_) | End::LenIn(_) | End::Fixed(_), _, Some(place)) => refuse(
                place,
                "`item(…)` is for lists, and text and bytes have no items: use `count` or `count_in`, or take it away",
            ),
            (End::Fixed(_), Some(place), _) => {
                refuse(place, "a `fixed` size is its own bound: take `max` away")
            }
            (End::Len(int) | End::Count(int), ..) => self.check_max(int),
            _ => Ok(()),
        }
    }

    /// Whether the type of the field in front, `holder`, may say `max`. Of another name for an integer nothing is known.
    pub(crate) fn check_held(&self, holder: &Type) -> syn::Result<()> {
        last_name(holder).map_or(Ok(()), |int| self.check_max(int))
    }

    fn check_max(&self, int: &Ident) -> syn::Result<()> {
        let Some((max, _)) = &self.max else { return Ok(()) };
        match (literal(max), most(int)) {
            (Some(number), Some(most)) if number > most => {
                Err(syn::Error::new_spanned(max, self.over(int, most, Some(number))))
            }
            _ => Ok(()),
        }
    }

    /// A condition: whether a `max` that is no literal fits what tells the length, `int`.
    pub(crate) fn max_condition(&self, int: &Ident) -> Option<TokenStream> {
        let (max, _) = self.max.as_ref().filter(|(max, _)| literal(max).is_none())?;
        let most = most(int)?;
        let words = self.over(int, most, None);
        Some(quote_spanned! {place(max.span())=> {
            let __max: ::core::primitive::usize = #max;
            ::core::assert!(__max as ::core::primitive::u128 <= #most as ::core::primitive::u128, #words)
        }})
    }

    /// Says that `max`, of which `number` may be known, is more than `int` says, and what to write instead.
    fn over(&self, int: &Ident, most: i128, number: Option<i128>) -> String {
        let fits = |length: &&str| number.map_or(most_of(length) > most, |number| number <= most_of(length));
        let larger = LENGTHS.into_iter().find(fits).unwrap_or_default();
        let (who, fix) = match &self.end {
            End::LenIn(holder) | End::CountIn(holder) => {
                let holder = plain(holder);
                (format!("`{holder}`, of {int},"), format!("make `{holder}` {larger}"))
            }
            End::Count(_) => (format!("a count of {int}"), format!("write `count = {larger}`")),
            _ => (format!("a length of {int}"), format!("write `len = {larger}`")),
        };
        let fix = if larger.is_empty() { String::new() } else { format!("{fix}, or ") };
        let max = number.map_or_else(|| "this `max`".to_owned(), |number| format!("`max = {number}`"));
        format!("{who} says {most} at most, and {max} is more: {fix}lower `max` to {most}")
    }

    /// Whether what is for lists is at a list. Text and bytes are known by a trait, and so judged by the compiler.
    fn check_type(&self, ty: &Type) -> syn::Result<()> {
        let inner = generic(ty, "Option").filter(|_| !self.is_own()).unwrap_or(ty);
        let item = generic(inner, "Vec");
        if item.is_none() && matches!(self.end, End::Count(_) | End::CountIn(_)) {
            return Err(syn::Error::new(
                self.span,
                "`count` and `count_in` are for a list that is written as `Vec<T>`: text and bytes take `len`, `len_in`, `fixed` or `rest`",
            ));
        }
        let bytes = item.is_some_and(is_byte);
        if item.is_some() && !bytes && matches!(self.end, End::Len(_) | End::LenIn(_) | End::Fixed(_)) {
            return Err(syn::Error::new(
                self.span,
                "`len`, `len_in` and `fixed` count bytes, of `String`, `Vec<u8>` or `Bytes`: a list takes `count`, `count_in` or `rest`",
            ));
        }
        match (&self.item, item) {
            (Some(spec), Some(item)) => spec.check_type(item),
            (Some(spec), None) => Err(syn::Error::new(
                spec.span,
                "`item(…)` is for the items of a list, and this is no `Vec<T>`: take it away",
            )),
            (None, _) => Ok(()),
        }
    }

    /// The other field that this one's length is in.
    pub(crate) fn held_in(&self) -> Option<&Ident> {
        match &self.end {
            End::LenIn(name) | End::CountIn(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        matches!(self.end, End::Own)
    }

    pub(crate) fn max(&self) -> TokenStream {
        self.max.as_ref().map_or_else(|| quote!(::core::primitive::usize::MAX), |(max, _)| quote!(#max))
    }

    pub(crate) fn max_in_schema(&self) -> TokenStream {
        self.max.as_ref().map_or_else(
            || quote!(::core::primitive::u32::MAX),
            |(max, _)| quote!((#max) as ::core::primitive::u32),
        )
    }

    pub(crate) fn trim(&self, nc: &TokenStream) -> TokenStream {
        let which = if matches!(self.trim, Some((Trim::Both, _))) { quote!(Both) } else { quote!(End) };
        quote!(#nc::derive::fields::Trim::#which)
    }

    /// The type that a `Vec` is a list of: `Vec<u8>` with `rest` is bytes, unless its items have attributes.
    pub(crate) fn list_item<'t>(&self, ty: &'t Type) -> Option<&'t Type> {
        let item = generic(ty, "Vec")?;
        let bytes = matches!(self.end, End::Rest) && is_byte(item) && self.item.is_none();
        (!bytes).then_some(item)
    }

    pub(crate) fn item(&self, ty: &Type) -> Self {
        self.item.as_deref().cloned().unwrap_or_else(|| Self::plain(ty.span()))
    }
}

/// The most that a length of this type says; `None` for a type that is no length.
fn most(int: &Ident) -> Option<i128> {
    LENGTHS.into_iter().find(|length| int == length).map(most_of)
}

fn most_of(int: &str) -> i128 {
    match int {
        "u8" => u8::MAX.into(),
        "u16" => u16::MAX.into(),
        "i8" => i8::MAX.into(),
        "i16" => i16::MAX.into(),
        "i32" => i32::MAX.into(),
        _ => u32::MAX.into(),
    }
}

fn length(meta: &ParseNestedMeta<'_>) -> syn::Result<Ident> {
    let kind = meta.value()?.parse::<Ident>();
    match kind {
        Ok(kind) if LENGTHS.contains(&&*kind.to_string()) => Ok(kind),
        Ok(kind) => Err(syn::Error::new(
            kind.span(),
            "a length is u8, u16, u32, i8, i16 or i32; to take it from another field, say `len_in = field` or `count_in = field`",
        )),
        Err(error) => Err(syn::Error::new(error.span(), "a length is u8, u16, u32, i8, i16 or i32")),
    }
}

/// The name of another field.
fn holder(meta: &ParseNestedMeta<'_>) -> syn::Result<Ident> {
    let name = meta.value()?.call(Ident::parse_any);
    name.map_err(|error| {
        syn::Error::new(
            error.span(),
            "this is the name of a field in front, which holds the length, as in `len_in = size`: a tuple has no names",
        )
    })
}

/// `key = 17`: an integer literal, with its sign.
pub(crate) fn integer(meta: &ParseNestedMeta<'_>) -> syn::Result<(i128, Span)> {
    let value = meta.value()?;
    let minus = value.parse::<Option<Token![-]>>()?.is_some();
    let literal: LitInt =
        value.parse().map_err(|error| syn::Error::new(error.span(), "this must be an integer literal"))?;
    let number: i128 = literal.base10_parse()?;
    Ok((if minus { -number } else { number }, literal.span()))
}
