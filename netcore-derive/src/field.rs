//! The code that reads, writes and describes a raw field.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Type, spanned::Spanned};

use crate::attr::place;
use crate::field_spec::{End, FieldSpec};
use crate::names::plain;
use crate::types::{generic, is_number};

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
    check_max(cx, spec);
    if let (End::Count(_) | End::CountIn(_) | End::Rest, Some(item)) = (&spec.end, spec.list_item(ty)) {
        return list(cx, spec, item, held);
    }
    match &spec.end {
        // A count of what is no `Vec` was refused; there is no code for it.
        End::Own | End::Count(_) | End::CountIn(_) => own(cx, ty),
        _ => text(cx, spec, ty, held),
    }
}

/// Has the compiler judge whether a length may say its `max`, where that is more than a literal.
fn check_max(cx: &mut Context, spec: &FieldSpec) {
    if let End::Len(int) | End::Count(int) = &spec.end
        && let Some(condition) = spec.max_condition(int)
    {
        cx.check(&condition);
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
    if let End::Fixed(size) = &spec.end {
        // Inside an option or a list the packet's own least size does not say it.
        cx.check(&quote_spanned!(place(size.span())=> ::core::assert!(
            (#size) <= #nc::Header::MAX_BODY,
            "a `fixed` size is 65,530 bytes at most, since a body has no more: make it smaller"
        )));
    }
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
