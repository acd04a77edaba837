//! Raw fields one behind the other: of a struct, of an enum's variant, of a packet.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Fields, Index, Member, Type, spanned::Spanned};

use crate::attr::{Errors, doc, place};
use crate::field::{Code, Context, binding, code};
use crate::field_spec::{End, FieldSpec};
use crate::names::plain;
use crate::types::last_name;

/// One raw field.
pub(crate) struct RawField<'a> {
    pub(crate) member: Member,
    pub(crate) name: String,
    pub(crate) binding: Ident,
    pub(crate) ty: &'a Type,
    pub(crate) spec: FieldSpec,
    doc: String,
}

/// The fields' attributes, checked against each other.
pub(crate) fn parse<'a>(fields: &'a Fields, errors: &mut Errors) -> Vec<RawField<'a>> {
    let mut parsed: Vec<RawField<'a>> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let spec = FieldSpec::parse(field, errors);
        if let Some(holder) = spec.held_in() {
            match parsed.iter().find(|earlier| earlier.name == plain(holder)) {
                Some(earlier) => drop(errors.take(spec.check_held(earlier.ty))),
                None => errors.at(
                    holder,
                    format!("no field `{holder}` stands before this one, and the length must be read first: put an integer field of that name in front"),
                ),
            }
        }
        let name = field.ident.as_ref().map_or_else(|| at.to_string(), plain);
        parsed.push(RawField {
            member: field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(at)), Member::Named),
            binding: binding(&name),
            name,
            ty: &field.ty,
            spec,
            doc: doc(&field.attrs),
        });
    }
    for field in parsed.iter().rev().skip(1) {
        if matches!(field.spec.end, End::Rest) {
            errors.push(syn::Error::new(
                field.spec.span,
                "`rest` takes all that is left, so it must be the last field: move it to the end, or give it a length",
            ));
        }
    }
    parsed
}

/// The code of fields in a row.
pub(crate) struct Layout {
    /// Statements that read all of them from `__from`, each into its binding, in a function that returns an `Option` and
    /// leaves in `*__refused` why there is nothing.
    pub(crate) read: TokenStream,
    /// Statements that write all of them to `__to` and end in `Ok(())`; the pattern binds them.
    pub(crate) write: TokenStream,
    /// `path { a: __field_a, … }`, for values and for patterns.
    pub(crate) pattern: TokenStream,
    /// `(__field_a, …)`.
    pub(crate) tuple: TokenStream,
    pub(crate) min: TokenStream,
    pub(crate) fixed: TokenStream,
    pub(crate) shares: TokenStream,
    /// Whether the last field takes all that is left.
    pub(crate) open: TokenStream,
    /// A `&'static [Field]`.
    pub(crate) fields: TokenStream,
}

/// Expands `fields` for the constructor `path`.
pub(crate) fn expand(cx: &mut Context, fields: &[RawField<'_>], path: &TokenStream) -> Layout {
    let nc = cx.nc.clone();
    let mut read = TokenStream::new();
    let mut write = TokenStream::new();
    let (mut min, mut fixed, mut shares) = (quote!(0), quote!(true), quote!(false));
    let mut described = Vec::new();
    let mut open = quote!(false);
    for (at, field) in fields.iter().enumerate() {
        let RawField { binding, name, ty, spec, doc, .. } = field;
        let held =
            spec.held_in().and_then(|holder| fields.iter().position(|other| plain(holder) == other.name));
        let int = held.and_then(|held| fields.get(held)).and_then(|holder| last_name(holder.ty));
        if let Some(condition) = int.and_then(|int| spec.max_condition(int)) {
            cx.check(&condition);
        }
        let code = code(cx, spec, ty, u32::try_from(held.unwrap_or(0)).unwrap_or(0));
        let Code { read: read_one, read_or, write: write_one, ty, .. } = &code;
        // The body behind a request number has no name: the packet's stands for it.
        let named =
            (!name.is_empty()).then(|| quote!(.map_err(|__error| #nc::BodyError::within(__error, #name))));
        read.extend(match read_or {
            Some(read_or) => quote! {
                let ::core::option::Option::Some(#binding) = #read_or else {
                    return #nc::derive::fields::refused_within(__refused, #name);
                };
            },
            None => quote! {
                let #binding = match #read_one {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(__error) => {
                        return #nc::derive::fields::refuse(__refused, __error, #name);
                    }
                };
            },
        });
        write.extend(quote!({ let __value = #binding; #write_one } #named?;));
        let (one_min, one_fixed, one_shares) = (&code.min, &code.fixed, &code.shares);
        min.extend(quote!(+ #one_min));
        fixed.extend(quote!(&& #one_fixed));
        shares.extend(quote!(|| #one_shares));
        open = code.open.clone();
        if at + 1 < fields.len() {
            cx.check(&quote_spanned!(place(field.ty.span())=> ::core::assert!(
                !#open,
                "this type takes all that is left of the body (`rest`), so it must be the last field: move it to the end, or give its last field a length"
            )));
        }
        described.push(quote!(#nc::derive::Field::new(#name, #doc, 0, #ty)));
    }
    let pattern = pattern(fields, path);
    let bindings = fields.iter().map(|field| &field.binding);
    let tuple = quote!((#(#bindings,)*));
    let fields = cx.constant(&quote!(&'static [#nc::derive::Field]), &quote!(&[#(#described),*]));
    Layout {
        read,
        write: quote!(#write ::core::result::Result::Ok(())),
        pattern,
        tuple,
        min,
        fixed,
        shares,
        open,
        fields,
    }
}

fn pattern(fields: &[RawField<'_>], path: &TokenStream) -> TokenStream {
    let members = fields.iter().map(|field| &field.member);
    let bindings = fields.iter().map(|field| &field.binding);
    quote!(#path { #(#members: #bindings),* })
}

/// Reads and writes a fixed layout in one piece: one check of the length in place of one a field.
///
/// Both are the bodies of functions: the reader's of one that returns `whole` in an `Option`, the writer's of one that
/// returns a `Result`. `min` and `fixed` are constants' paths.
pub(crate) fn in_one_piece(
    nc: &TokenStream,
    min: &TokenStream,
    fixed: &TokenStream,
    layout: &Layout,
    whole: &TokenStream,
) -> (TokenStream, TokenStream) {
    let Layout { read, write, .. } = layout;
    let read = quote! {
        let mut __piece;
        let __from = if #fixed {
            match #nc::derive::Reader::fixed::<{ #min }>(__from) {
                ::core::result::Result::Ok(__whole) => __piece = __whole,
                ::core::result::Result::Err(__error) => {
                    return #nc::derive::fields::refuse(__refused, __error, "");
                }
            }
            &mut __piece
        } else {
            __from
        };
        #read
        ::core::option::Option::Some(#whole)
    };
    let write = quote! {
        if #fixed && #min <= #nc::derive::ONE_PIECE && !<__S as #nc::derive::Sink>::ROOMY {
            return #nc::derive::fields::write_fixed::<{ #min }, _>(__to, |__to| { #write });
        }
        #write
    };
    (read, write)
}
