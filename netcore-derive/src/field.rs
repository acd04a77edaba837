//! A raw field's attributes, and the code that reads, writes and describes it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Expr, Field, GenericArgument, Ident, LitInt, PathArguments, Token, Type, ext::IdentExt,
    meta::ParseNestedMeta, spanned::Spanned,
};

use crate::attr::{Errors, place};
use crate::names::plain;

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
        match &*key {
            "len" => self.set(meta, End::Len(length(meta)?)),
            "len_in" => self.set(meta, End::LenIn(meta.value()?.call(Ident::parse_any)?)),
            "fixed" => self.set(meta, End::Fixed(meta.value()?.parse()?)),
            "count" => self.set(meta, End::Count(length(meta)?)),
            "count_in" => self.set(meta, End::CountIn(meta.value()?.call(Ident::parse_any)?)),
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
            _ => Ok(()),
        }
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

    fn max(&self) -> TokenStream {
        self.max.as_ref().map_or_else(|| quote!(::core::primitive::usize::MAX), |(max, _)| quote!(#max))
    }

    fn max_in_schema(&self) -> TokenStream {
        self.max.as_ref().map_or_else(
            || quote!(::core::primitive::u32::MAX),
            |(max, _)| quote!((#max) as ::core::primitive::u32),
        )
    }

    fn trim(&self, nc: &TokenStream) -> TokenStream {
        let which = if matches!(self.trim, Some((Trim::Both, _))) { quote!(Both) } else { quote!(End) };
        quote!(#nc::derive::fields::Trim::#which)
    }

    fn item(&self, ty: &Type) -> Self {
        self.item.as_deref().cloned().unwrap_or_else(|| Self::plain(ty.span()))
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

/// Where code for fields is made: names of the surroundings, and constants that the schema needs.
pub(crate) struct Context {
    pub(crate) nc: TokenStream,
    /// The byte order, as a type.
    pub(crate) endian: TokenStream,
    /// Associated constants of `layout`, which may name its type parameter; plain items could not.
    pub(crate) consts: Vec<TokenStream>,
    /// Items that judge some of the constants when the type is compiled, not when it is first used.
    pub(crate) checks: Vec<TokenStream>,
    /// The type that the constants belong to.
    pub(crate) layout: TokenStream,
    /// The same type with any byte order.
    pub(crate) concrete: TokenStream,
}

impl Context {
    /// Adds a condition that must hold, whatever the byte order is.
    pub(crate) fn check(&mut self, condition: &TokenStream) {
        let (name, concrete) = (format_ident!("C{}", self.consts.len()), &self.concrete);
        self.checks.push(quote!(const _: () = #concrete::#name;));
        self.consts.push(quote!(const #name: () = #condition;));
    }

    /// Adds a constant and returns its path.
    pub(crate) fn constant(&mut self, ty: &TokenStream, value: &TokenStream) -> TokenStream {
        let name = format_ident!("C{}", self.consts.len());
        let layout = &self.layout;
        self.consts.push(quote!(const #name: #ty = #value;));
        quote!(#layout::#name)
    }

    pub(crate) fn type_constant(&mut self, value: &TokenStream) -> TokenStream {
        let nc = self.nc.clone();
        self.constant(&quote!(&'static #nc::derive::Type), &quote!(&#value))
    }
}

/// The raw code of one value: how it is read, written, described and measured.
pub(crate) struct Code {
    /// An expression: `Result<T, BodyError>`, from `__from`.
    pub(crate) read: TokenStream,
    /// The same as an `Option<T>`, with the error in `*__refused`: for arrays and structs, which a `Result` takes apart.
    /// Single numbers are better off in one.
    pub(crate) read_or: Option<TokenStream>,
    /// An expression: `Result<(), BodyError>`, of `__value: &T`, to `__to`.
    pub(crate) write: TokenStream,
    /// A `&'static Type`.
    pub(crate) ty: TokenStream,
    pub(crate) min: TokenStream,
    pub(crate) fixed: TokenStream,
    pub(crate) shares: TokenStream,
    /// Whether it takes all that is left.
    pub(crate) open: TokenStream,
}

impl Code {
    /// An `Option<T>` in any case.
    pub(crate) fn read_or(&self, cx: &Context) -> TokenStream {
        let (nc, read) = (&cx.nc, &self.read);
        self.read_or.clone().unwrap_or_else(|| quote!(#nc::derive::fields::or(#read, __refused)))
    }
}

/// The code of a value of type `ty`; `held` is the place of the field that its length is in.
pub(crate) fn code(cx: &mut Context, spec: &FieldSpec, ty: &Type, held: u32) -> Code {
    if let (false, Some(inner)) = (spec.is_own(), generic(ty, "Option")) {
        return option(cx, spec, inner, held);
    }
    if let (End::Count(_) | End::CountIn(_) | End::Rest, Some(item)) = (&spec.end, list_item(spec, ty)) {
        return list(cx, spec, item, held);
    }
    match &spec.end {
        // A count of what is no `Vec` was refused; there is no code for it.
        End::Own | End::Count(_) | End::CountIn(_) => own(cx, ty),
        _ => text(cx, spec, ty, held),
    }
}

fn own(cx: &Context, ty: &Type) -> Code {
    let (nc, endian) = (&cx.nc, &cx.endian);
    let body = quote_spanned!(place(ty.span())=> <#ty as #nc::derive::RawBody<#endian>>);
    Code {
        read: quote!(#body::read(__from)),
        read_or: (!is_number(ty)).then(|| quote!(#body::read_or(__from, __refused))),
        write: quote!(#body::write(__value, __to)),
        ty: quote!(#body::TYPE),
        min: quote!(#body::MIN),
        fixed: quote!(#body::FIXED),
        shares: quote!(#body::SHARES),
        open: quote!(#body::OPEN),
    }
}

fn option(cx: &mut Context, spec: &FieldSpec, inner: &Type, held: u32) -> Code {
    let nc = cx.nc.clone();
    let Code { read, write, ty, shares, open, .. } = code(cx, spec, inner, held);
    Code {
        read: quote!(#nc::derive::fields::read_option(__from, |__from| #read)),
        read_or: None,
        write: quote!(#nc::derive::fields::write_option(__value, __to, |__value, __to| #write)),
        ty: cx.type_constant(&quote!(#nc::derive::Type::Option(#nc::derive::Shared::Static(#ty)))),
        min: quote!(1),
        fixed: quote!(false),
        shares,
        open,
    }
}

fn list(cx: &mut Context, spec: &FieldSpec, item: &Type, held: u32) -> Code {
    let (nc, endian, max) = (cx.nc.clone(), cx.endian.clone(), spec.max());
    let code = code(cx, &spec.item(item), item, 0);
    let (read, fields) = (code.read_or(cx), quote!(#nc::derive::fields));
    let Code { write, ty, min, fixed, shares, open, .. } = code;
    cx.check(&quote_spanned!(place(item.span())=> ::core::assert!(
        #min > 0,
        "an item of this list may take no bytes, so that a count costs a sender nothing: send the count as a number, or give the item a field"
    )));
    cx.check(&quote_spanned!(place(item.span())=> ::core::assert!(
        !#open,
        "an item of this list takes all that is left of the body (`rest`), so that no other could follow: give its last field a length"
    )));
    let items = quote!(#fields::read_list(__from, __count, #min, #fixed, |__from, __refused| #read));
    let (read, write_len, own_min) = match &spec.end {
        End::Count(int) => {
            let int = quote!(::core::primitive::#int);
            (
                quote!(#fields::read_len::<#endian, #int>(__from, #max).and_then(|__count| #items)),
                quote!(#fields::write_len::<#endian, #int>(__value.len(), #max, __to)),
                quote!(<#int as #nc::derive::RawBody>::MIN),
            )
        }
        End::CountIn(holder) => {
            let holder = held_binding(holder);
            (
                quote!(#fields::check_len(#holder, #max).and_then(|__count| #items)),
                {
                    let says = quote_spanned!(holder.span()=> *#holder);
                    quote!(#fields::match_len(#says, __value.len(), #max))
                },
                quote!(0),
            )
        }
        _ => (
            quote!(#fields::read_list_rest(__from, #max, |__from, __refused| #read)),
            quote!(#fields::check_max(__value.len(), #max)),
            quote!(0),
        ),
    };
    let len = schema_len(cx, spec, held);
    let item_ty = ty;
    Code {
        read,
        read_or: None,
        write: quote!(#write_len.and_then(|()| if #fixed {
            #fields::write_list_fixed(__value, #min, __to, |__value, __to| #write)
        } else {
            #fields::write_list(__value, __to, |__value, __to| #write)
        })),
        ty: cx.type_constant(&quote!(#nc::derive::Type::List {
            item: #nc::derive::Shared::Static(#item_ty),
            len: #len,
        })),
        min: own_min,
        fixed: quote!(false),
        shares,
        open: takes_rest(spec),
    }
}

fn text(cx: &mut Context, spec: &FieldSpec, ty: &Type, held: u32) -> Code {
    let (nc, endian, max, trim) = (cx.nc.clone(), cx.endian.clone(), spec.max(), spec.trim(&cx.nc));
    let fields = quote!(#nc::derive::fields);
    let body = quote_spanned!(place(ty.span())=> <#ty as #fields::Text>);
    let len = schema_len(cx, spec, held);
    let put = quote!(#fields::write_text::<#ty>(__value, __to));
    let have = quote!(#body::as_slice(__value).len());
    let (read, write, min, fixed) = match &spec.end {
        End::Len(int) => {
            let int = quote!(::core::primitive::#int);
            (
                quote!(#fields::read_len::<#endian, #int>(__from, #max)
                    .and_then(|__len| #fields::read_text::<#ty>(__from, __len))),
                quote!(#fields::write_len::<#endian, #int>(#have, #max, __to).map(|()| #put)),
                quote!(<#int as #nc::derive::RawBody>::MIN),
                quote!(false),
            )
        }
        End::LenIn(holder) => {
            let holder = held_binding(holder);
            (
                quote!(#fields::check_len(#holder, #max).and_then(|__len| #fields::read_text::<#ty>(__from, __len))),
                {
                    let says = quote_spanned!(holder.span()=> *#holder);
                    quote!(#fields::match_len(#says, #have, #max).map(|()| #put))
                },
                quote!(0),
                quote!(false),
            )
        }
        End::Fixed(size) => (
            quote!(#fields::read_padded::<#ty, { #size }>(__from, #trim)),
            quote!(#fields::write_padded::<#ty, { #size }>(__value, #trim, __to)),
            quote!((#size)),
            quote!(true),
        ),
        _ => (
            quote!(#fields::read_rest::<#ty>(__from, #max)),
            quote!(#fields::check_max(#have, #max).map(|()| #put)),
            quote!(0),
            quote!(false),
        ),
    };
    Code {
        read,
        read_or: None,
        write,
        ty: cx.type_constant(&quote!(#fields::text_type::<#ty>(#len))),
        min,
        fixed,
        shares: quote!(#body::SHARES),
        open: takes_rest(spec),
    }
}

fn takes_rest(spec: &FieldSpec) -> TokenStream {
    let rest = matches!(spec.end, End::Rest);
    quote!(#rest)
}

/// The schema's word for how the end is told.
fn schema_len(cx: &Context, spec: &FieldSpec, held: u32) -> TokenStream {
    let (nc, endian, max) = (&cx.nc, &cx.endian, spec.max_in_schema());
    match &spec.end {
        End::Len(int) | End::Count(int) => {
            quote!(#nc::derive::fields::prefix::<#endian, ::core::primitive::#int>(#max))
        }
        End::LenIn(holder) | End::CountIn(holder) => {
            let holder = plain(holder);
            quote!(#nc::derive::fields::held(#holder, #held, #max))
        }
        End::Fixed(size) => quote!(#nc::derive::Len::Fixed((#size) as ::core::primitive::u32)),
        End::Rest | End::Own => quote!(#nc::derive::Len::Rest { max: #max }),
    }
}

/// The variable that holds a field's value, or a reference to it.
pub(crate) fn binding(field: &str) -> Ident {
    format_ident!("__field_{field}")
}

/// The same variable, at the place where an attribute names the field: what is wrong with its type is said there.
fn held_binding(holder: &Ident) -> Ident {
    let mut binding = binding(&plain(holder));
    binding.set_span(place(holder.span()));
    binding
}

/// The type that a `Vec` is a list of: `Vec<u8>` with `rest` is bytes, unless its items have attributes.
fn list_item<'t>(spec: &FieldSpec, ty: &'t Type) -> Option<&'t Type> {
    let item = generic(ty, "Vec")?;
    if matches!(spec.end, End::Rest) && is_byte(item) && spec.item.is_none() { None } else { Some(item) }
}

/// The type without what another macro's `$ty` puts around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

/// Whether it is one number or bool. Of another name for one no more is true than that it is read as a struct is.
fn is_number(ty: &Type) -> bool {
    let names = ["bool", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64"];
    matches!(bare(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name)))
}

/// Whether it is `u8`, by whatever path.
fn is_byte(ty: &Type) -> bool {
    matches!(bare(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "u8"))
}

/// The `T` of `…::name<T>`.
pub(crate) fn generic<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(args) = &last.arguments else { return None };
    args.args.iter().find_map(|arg| match arg {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
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
