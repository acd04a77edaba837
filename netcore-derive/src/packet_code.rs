//! `#[derive(Packet)]`: the code of one variant, by its body's shape and format.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Field, Type, spanned::Spanned};

use crate::attr::{doc, place};
use crate::describe::serde_name;
use crate::field::{Context, binding, code};
use crate::field_spec::FieldSpec;
use crate::layout::{self, RawField};
use crate::names::{Case, plain};
use crate::packet::{Body, PacketVariant};
use crate::packet_format::{Format, FormatKind};
use crate::packet_number::REQUEST;

/// One packet's code.
pub(crate) struct Code {
    /// `Result<T, BodyError>`, from `__from`; of a raw packet an `Option<T>`, with the error in `*__refused`.
    pub(crate) read: TokenStream,
    /// A closure from that `T` to the packet. Apart from `read`, so that the packet is made once, where it is handed over.
    pub(crate) make: TokenStream,
    /// What `write` takes the packet apart with.
    pub(crate) pattern: TokenStream,
    /// `Result<(), BodyError>`, to `__to`.
    pub(crate) write: TokenStream,
    /// A `&'static Type`.
    pub(crate) ty: TokenStream,
    /// The format's name.
    pub(crate) format: TokenStream,
    pub(crate) shares: TokenStream,
    /// The fewest bytes of its body, where that is known.
    pub(crate) min: TokenStream,
    /// Of a raw packet: an `Option<usize>`, how many bytes its body takes where that is always as many.
    pub(crate) exact: Option<TokenStream>,
    /// Types that the code needs.
    pub(crate) items: TokenStream,
    /// An arm that writes header and body in one piece, where the layout is fixed.
    pub(crate) whole: Option<TokenStream>,
}

/// What reads, makes, writes and describes the packet of one variant.
pub(crate) fn code_of(cx: &mut Context, packet: &PacketVariant<'_>, ident: &syn::Ident) -> Code {
    let nc = cx.nc.clone();
    let variant = &packet.variant.ident;
    match &packet.body {
        Body::Unit => {
            let (name, pattern) = (plain(variant), quote!(Self::#variant));
            let write = quote!(::core::result::Result::Ok(()));
            // Beside packets of other formats, one call more for each of them would cost more than it saves.
            let whole = (packet.format.kind == FormatKind::Raw)
                .then(|| whole(&nc, packet, &pattern, &quote!(0), &quote!(true), &write));
            Code {
                read: quote!(::core::option::Option::Some(())),
                make: quote!(|()| #ident::#variant),
                pattern,
                write,
                ty: cx.type_constant(&quote!(#nc::derive::Type::Struct(
                    #nc::derive::Struct::new(#name, #nc::derive::By::Position, &[])
                ))),
                // No body, no format: an empty packet stays the same when the enum's format changes.
                format: quote!("raw"),
                shares: quote!(false),
                min: quote!(0),
                exact: Some(quote!(::core::option::Option::Some(0))),
                items: TokenStream::new(),
                whole,
            }
        }
        Body::Tuple(ty, spec) if packet.format.kind == FormatKind::Raw => {
            raw_tuple(cx, packet, ident, ty, spec)
        }
        Body::Tuple(ty, _) => {
            let code = tuple(cx, packet, ident, ty);
            behind_number(cx, packet, code)
        }
        Body::RawFields(fields) => raw_fields(cx, packet, ident, fields),
        Body::SerdeFields(fields) => {
            let code = serde_fields(cx, packet, ident, fields);
            behind_number(cx, packet, code)
        }
    }
}

/// The code with the request number in front of the body, where the packet has one; `make` and `pattern` know of it
/// already. Raw packets have it among their fields.
fn behind_number(cx: &mut Context, packet: &PacketVariant<'_>, code: Code) -> Code {
    if packet.number.is_none() {
        return code;
    }
    let (nc, name) = (cx.nc.clone(), plain(&packet.variant.ident));
    let number_doc = packet.variant.fields.iter().next().map(|field| doc(&field.attrs));
    let Code { read, write, ty, .. } = &code;
    let number_ty = quote!(<::core::primitive::u32 as #nc::derive::RawBody>::TYPE);
    let fields = cx.constant(
        &quote!(&'static [#nc::derive::Field]),
        &quote!(&[
            #nc::derive::Field::new(#REQUEST, #number_doc, 0, #number_ty),
            #nc::derive::Field::new("", "", 0, #ty),
        ]),
    );
    let ty = cx.type_constant(&quote!(#nc::derive::Type::Struct(
        #nc::derive::Struct::new(#name, #nc::derive::By::Position, #fields)
    )));
    Code {
        read: quote! {
            let __request = #nc::derive::read_request(__from)?;
            #read.map(|__body| (__request, __body))
        },
        write: quote! {
            #nc::derive::write_request(*__request, __to);
            #write
        },
        ty,
        min: quote!(4),
        exact: None,
        ..code
    }
}

fn raw_tuple(
    cx: &mut Context,
    packet: &PacketVariant<'_>,
    ident: &syn::Ident,
    ty: &Type,
    spec: &FieldSpec,
) -> Code {
    let variant = &packet.variant.ident;
    let code = code(cx, spec, ty, 0);
    let read = code.read_or(cx);
    let crate::field::Code { write, ty, min, fixed, shares, .. } = code;
    let min = cx.constant(&quote!(::core::primitive::usize), &min);
    let fixed = cx.constant(&quote!(::core::primitive::bool), &fixed);
    let pattern = quote!(Self::#variant(__value));
    let whole = whole(&cx.nc, packet, &pattern, &min, &fixed, &write);
    Code {
        read,
        make: quote!(#ident::#variant),
        pattern,
        write,
        ty,
        format: quote!("raw"),
        shares,
        exact: Some(exact(&min, &fixed)),
        min,
        items: TokenStream::new(),
        whole: Some(whole),
    }
}

fn exact(min: &TokenStream, fixed: &TokenStream) -> TokenStream {
    quote!(if #fixed { ::core::option::Option::Some(#min) } else { ::core::option::Option::None })
}

/// An arm of `encode` for a packet whose layout is fixed.
fn whole(
    nc: &TokenStream,
    packet: &PacketVariant<'_>,
    pattern: &TokenStream,
    min: &TokenStream,
    fixed: &TokenStream,
    write: &TokenStream,
) -> TokenStream {
    let (id, name) = (packet.id, plain(&packet.variant.ident));
    quote! {
        #pattern if #fixed && #min <= #nc::derive::ONE_PIECE => {
            #nc::derive::encode_fixed::<Self, { #nc::Header::LEN + #min }>(
                self, #nc::PacketId(#id), #name, __to, __max_out, |__to| { #write },
            )
        }
    }
}

/// A body type of any other format.
fn tuple(cx: &Context, packet: &PacketVariant<'_>, ident: &syn::Ident, ty: &Type) -> Code {
    let (nc, variant, Format { ty: format, .. }) = (&cx.nc, &packet.variant.ident, &packet.format);
    let format = format.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(ty.span()));
        token
    });
    let format: TokenStream = format.collect();
    let at = place(ty.span());
    let own = quote_spanned!(at=> <#format as #nc::derive::Format<#ty>>);
    // Whole paths at the type: that is where the compiler then says that it is no body.
    let [decode, encode, name, shares] = ["decode", "encode", "NAME", "SHARES"].map(|item| {
        let item = syn::Ident::new(item, at);
        quote_spanned!(at=> #own::#item)
    });
    let (make, pattern) = if packet.number.is_some() {
        (
            quote!(|(__request, __body)| #ident::#variant(__request, __body)),
            quote!(Self::#variant(__request, __value)),
        )
    } else {
        (quote!(#ident::#variant), quote!(Self::#variant(__value)))
    };
    Code {
        read: quote!(#decode(__from)),
        make,
        pattern,
        write: quote!(#encode(__value, __to)),
        ty: quote!(#nc::derive::Probe::<#ty>::TYPE),
        format: name,
        shares: quote!((#shares && #nc::derive::Probe::<#ty>::TYPE.may_share())),
        min: quote!(0),
        exact: None,
        items: TokenStream::new(),
        whole: None,
    }
}

fn raw_fields(
    cx: &mut Context,
    packet: &PacketVariant<'_>,
    ident: &syn::Ident,
    fields: &[RawField<'_>],
) -> Code {
    let (nc, variant) = (cx.nc.clone(), &packet.variant.ident);
    let name = plain(variant);
    let mut layout = layout::expand(cx, fields, &quote!(#ident::#variant));
    let min = cx.constant(&quote!(::core::primitive::usize), &layout.min);
    let fixed = cx.constant(&quote!(::core::primitive::bool), &layout.fixed);
    let described = std::mem::take(&mut layout.fields);
    let ty = cx.type_constant(&quote!(#nc::derive::Type::Struct(
        #nc::derive::Struct::new(#name, #nc::derive::By::Position, #described)
    )));
    let (read, write) = layout::in_one_piece(&nc, &min, &fixed, &layout, &layout.tuple);
    let pattern = &layout.pattern;
    let whole = whole(&nc, packet, pattern, &min, &fixed, &layout.write);
    let tuple = &layout.tuple;
    Code {
        read,
        make: quote!(|#tuple| #pattern),
        pattern: pattern.clone(),
        write: quote!(type __S = #nc::derive::BytesMut; #write),
        ty,
        format: quote!("raw"),
        shares: {
            let shares = &layout.shares;
            quote!((#shares))
        },
        exact: Some(exact(&min, &fixed)),
        min,
        items: TokenStream::new(),
        whole: Some(whole),
    }
}

/// A struct variant in MessagePack: a struct to read it into, one of references to write it from.
fn serde_fields(cx: &mut Context, packet: &PacketVariant<'_>, ident: &syn::Ident, fields: &[&Field]) -> Code {
    let (nc, variant, Format { ty: format, .. }) = (cx.nc.clone(), &packet.variant.ident, &packet.format);
    let name = plain(variant);
    let (owned, borrowed) = (format_ident!("__Netcore{variant}"), format_ident!("__Netcore{variant}Ref"));
    let serde = quote!(#nc::derive::serde);
    let serde_path = serde.to_string();
    let idents: Vec<_> = fields.iter().filter_map(|field| field.ident.as_ref()).collect();
    let bindings: Vec<_> = idents.iter().map(|ident| binding(&plain(ident))).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let attrs: Vec<Vec<_>> = fields
        .iter()
        .map(|field| field.attrs.iter().filter(|attr| attr.path().is_ident("serde")).collect())
        .collect();
    // Only what changes the key matters to the writer.
    let renames: Vec<_> = fields
        .iter()
        .zip(&idents)
        .map(|(field, ident)| serde_name(ident, &field.attrs, None, Case::Field))
        .collect();
    let docs: Vec<_> = fields.iter().map(|field| doc(&field.attrs)).collect();
    let described = cx.constant(
        &quote!(&'static [#nc::derive::Field]),
        &quote!(&[#(#nc::derive::Field::new(#renames, #docs, 0, #nc::derive::Probe::<#types>::TYPE)),*]),
    );
    let ty = cx.type_constant(&quote!(#nc::derive::Type::Struct(
        #nc::derive::Struct::new(#name, #nc::derive::By::Name, #described)
    )));
    let own = quote!(<#format as #nc::derive::Format<#owned>>);
    let taken_apart = quote!(#owned { #(#idents: #bindings),* });
    let (taken_apart, number) = match &packet.number {
        Some(member) => (quote!((__request, #taken_apart)), Some(quote!(#member: __request,))),
        None => (taken_apart, None),
    };
    // A struct without fields may not have a lifetime that none of them has.
    let lifetime = (!idents.is_empty()).then(|| quote!(<'__a>));
    Code {
        read: quote!(#own::decode(__from)),
        make: quote!(|#taken_apart| #ident::#variant { #number #(#idents: #bindings),* }),
        pattern: quote!(Self::#variant { #number #(#idents: #bindings),* }),
        write: quote!(<#format>::write(&#borrowed { #(#idents: #bindings),* }, __to)),
        ty,
        format: quote!(#own::NAME),
        shares: quote!(false),
        min: quote!(0),
        exact: None,
        items: quote! {
            #[derive(#serde::Serialize, #serde::Deserialize)]
            #[serde(crate = #serde_path)]
            struct #owned { #(#(#attrs)* #idents: #types),* }

            #[derive(#serde::Serialize)]
            #[serde(crate = #serde_path)]
            struct #borrowed #lifetime { #(#[serde(rename = #renames)] #idents: &'__a #types),* }
        },
        whole: None,
    }
}
