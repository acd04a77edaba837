//! `#[derive(Packet)]`: the code.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Field, Type, spanned::Spanned};

use crate::attr::{doc, place};
use crate::describe::serde_name;
use crate::field::{Context, FieldSpec, binding, code};
use crate::layout::{self, RawField};
use crate::names::{Case, plain, screaming};
use crate::packet::{Body, Format, FormatKind, PacketVariant, Packets};
use crate::packet_number::REQUEST;

/// One packet's code.
struct Code {
    /// `Result<T, BodyError>`, from `__from`; of a raw packet an `Option<T>`, with the error in `*__refused`.
    read: TokenStream,
    /// A closure from that `T` to the packet. Apart from `read`, so that the packet is made once, where it is returned.
    make: TokenStream,
    /// What `write` takes the packet apart with.
    pattern: TokenStream,
    /// `Result<(), BodyError>`, to `__to`.
    write: TokenStream,
    /// A `&'static Type`.
    ty: TokenStream,
    /// The format's name.
    format: TokenStream,
    shares: TokenStream,
    /// The fewest bytes of its body, where that is known.
    min: TokenStream,
    /// Of a raw packet: an `Option<usize>`, how many bytes its body takes where that is always as many.
    exact: Option<TokenStream>,
    /// Types that the code needs.
    items: TokenStream,
    /// An arm that writes header and body in one piece, where the layout is fixed.
    whole: TokenStream,
}

pub(crate) fn expand(model: &Packets<'_>) -> TokenStream {
    let Packets { nc, input, packets, other } = model;
    let (ident, name, docs) = (&input.ident, plain(&input.ident), doc(&input.attrs));
    let endian = quote!(#nc::derive::LittleEndian);
    let (layout, concrete) = (quote!(__Layout), quote!(__Layout));
    let mut cx = Context { nc: nc.clone(), endian, consts: Vec::new(), checks: Vec::new(), layout, concrete };
    let (mut ids, mut names, mut reads, mut writes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut schema, mut checks, mut items, mut wholes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut shares = quote!(false);
    for packet in packets {
        let Code {
            read,
            make,
            pattern,
            write,
            ty,
            format,
            shares: shares_one,
            min,
            exact,
            items: own,
            whole,
        } = code_of(&mut cx, packet, ident);
        wholes.push(whole);
        let (variant, packet_doc, extra) = (&packet.variant.ident, &packet.doc, packet.ignore_extra);
        let variant_name = plain(variant);
        let id = Literal::u16_unsuffixed(packet.id);
        let max = packet.max.as_ref().map_or_else(|| quote!(#nc::Header::MAX_BODY), |max| quote!((#max)));
        ids.push(quote!(Self::#variant { .. } => #nc::PacketId(#id),));
        names.push(quote!(Self::#variant { .. } => #variant_name,));
        reads.push(match exact {
            Some(exact) => quote! {
                #id => #nc::derive::decoded_raw(
                    __header, #variant_name, #max, #extra, #exact, __body, __refused, |__from, __refused| { #read }, #make,
                ),
            },
            None => quote! {
                #id => #nc::derive::decoded(__header, #variant_name, #max, #extra, __body, __refused, |__from| { #read }, #make),
            },
        });
        writes.push(if packet.max.is_some() {
            quote!(#pattern => #nc::derive::encoded_within(#variant_name, #max, __to, |__to| { #write }),)
        } else {
            quote!(#pattern => #nc::derive::encoded(#variant_name, __to, |__to| { #write }),)
        });
        let answered = packet.reply.map(|reply| quote!(.answered_by(#reply)));
        let numbered = packet.number.as_ref().map(|_| quote!(.numbered()));
        schema.push(quote!(#nc::derive::PacketSchema::new(
            #id, #variant_name, #packet_doc, #format, #ty, #max as ::core::primitive::u32, #extra
        ) #answered #numbered));
        checks.push(quote_spanned! {place(variant.span())=>
            const _: () = {
                ::core::assert!(#min <= #nc::Header::MAX_BODY, "this packet's layout is over the 65,530 bytes that a body may have: make it smaller, or send it in parts");
                ::core::assert!(#min <= #max, "this packet's layout is over its own `max`, so that no value of it could be sent: raise `max`, or make it smaller");
                ::core::assert!(#max <= #nc::Header::MAX_BODY, "`max` is over the 65,530 bytes that a body may have: take it away, or lower it");
            };
        });
        shares.extend(quote!(|| #shares_one));
        items.push(own);
    }
    let unknown = match other {
        Some((other, ty)) => {
            let other_name = plain(other);
            let checked = checked_frame(nc, ty);
            ids.push(quote!(Self::#other(__frame) => { #checked __frame.id }));
            names.push(quote!(Self::#other(_) => #other_name,));
            writes.push(quote! {
                Self::#other(__frame) => {
                    #checked
                    #nc::derive::BytesMut::extend_from_slice(__to, &__frame.body);
                    ::core::result::Result::Ok(())
                }
            });
            let frame = quote_spanned!(place(ty.span())=> __frame);
            quote! {
                _ => {
                    let __frame = #nc::derive::frame(__header, __body);
                    ::core::option::Option::Some(Self::#other(#frame))
                }
            }
        }
        None => quote!(_ => #nc::derive::refuse(__refused, #nc::derive::unknown(__header)),),
    };
    let kind = other.map(|(other, ty)| {
        let checked = checked_frame(nc, ty);
        quote! {
            #[inline]
            fn kind(&self) -> #nc::PacketType {
                match self {
                    Self::#other(__frame) => { #checked __frame.kind }
                    _ => #nc::PacketType::NORMAL,
                }
            }
        }
    });
    let requests = requests(model);
    let constants = constants(model);
    let (layout_consts, layout_checks, never) =
        (&cx.consts, &cx.checks, packets.is_empty() && other.is_none());
    let me = if never { quote!(*self) } else { quote!(self) };
    quote! {
        #constants

        #[allow(deprecated)]
        const _: () = {
            #[allow(unused_imports)]
            use #nc::derive::OpaqueBody as _;

            struct __Layout;

            #[allow(dead_code)]
            impl __Layout {
                #(#layout_consts)*
                const PACKETS: &'static [#nc::derive::PacketSchema] = &[#(#schema),*];
            }

            #(#items)*
            #(#checks)*
            #(#layout_checks)*

            #[automatically_derived]
            #[allow(clippy::all, unused_variables, unreachable_code, unreachable_patterns)]
            impl #nc::Packet for #ident {
                const SCHEMA: &'static #nc::Schema = &#nc::Schema::new(#name, #docs, __Layout::PACKETS);
                const SHARES: ::core::primitive::bool = #shares;

                #[inline]
                fn id(&self) -> #nc::PacketId {
                    match #me { #(#ids)* }
                }

                #[inline]
                fn name(&self) -> &'static ::core::primitive::str {
                    match #me { #(#names)* }
                }

                #kind

                #requests

                #[inline(always)]
                fn decode(
                    __header: #nc::Header,
                    __body: #nc::derive::Reader<'_>,
                ) -> ::core::result::Result<Self, #nc::PacketError> {
                    let mut __refused = ::core::option::Option::None;
                    match <Self as #nc::Packet>::decode_or(__header, __body, &mut __refused) {
                        ::core::option::Option::Some(__packet) => ::core::result::Result::Ok(__packet),
                        ::core::option::Option::None => {
                            ::core::result::Result::Err(#nc::derive::refusal(__refused, __header))
                        }
                    }
                }

                #[inline(always)]
                fn decode_or(
                    __header: #nc::Header,
                    __body: #nc::derive::Reader<'_>,
                    __refused: &mut ::core::option::Option<#nc::PacketError>,
                ) -> ::core::option::Option<Self> {
                    match __header.id.0 {
                        #(#reads)*
                        #unknown
                    }
                }

                #[inline]
                fn encode(
                    &self,
                    __to: &mut #nc::derive::BytesMut,
                    __max_out: ::core::primitive::u16,
                ) -> ::core::result::Result<(), #nc::EncodeError> {
                    match #me {
                        #(#wholes)*
                        _ => #nc::derive::encode(self, __to, __max_out),
                    }
                }

                #[inline]
                fn encode_body(
                    &self,
                    __to: &mut #nc::derive::BytesMut,
                ) -> ::core::result::Result<(), #nc::BodyError> {
                    match #me { #(#writes)* }
                }
            }
        };
    }
}

/// Has the compiler judge, at the field, whether the catch-all variant holds a frame.
fn checked_frame(nc: &TokenStream, ty: &Type) -> TokenStream {
    let frame = quote_spanned!(place(ty.span())=> __frame);
    quote!(let __frame: &#nc::Frame = #frame;)
}

/// The methods for what answers a packet, and for its request number.
fn requests(model: &Packets<'_>) -> TokenStream {
    let Packets { nc, packets, .. } = model;
    let option = quote!(::core::option::Option);
    let replies = packets.iter().filter_map(|packet| {
        let (variant, reply) = (&packet.variant.ident, packet.reply?);
        Some(quote!(Self::#variant { .. } => #option::Some(#nc::PacketId(#reply)),))
    });
    let numbers: Vec<_> = packets
        .iter()
        .filter_map(|packet| {
            let (variant, number) = (&packet.variant.ident, packet.number.as_ref()?);
            Some(quote!(Self::#variant { #number: __request, .. }))
        })
        .collect();
    let replies: TokenStream = replies.collect();
    let reply = (!replies.is_empty()).then(|| {
        quote! {
            #[inline]
            fn reply(&self) -> #option<#nc::PacketId> {
                match self { #replies _ => #option::None }
            }
        }
    });
    let number = (!numbers.is_empty()).then(|| {
        quote! {
            #[inline]
            fn request_number(&self) -> #option<::core::primitive::u32> {
                match self {
                    #(#numbers)|* => #option::Some(*__request),
                    _ => #option::None,
                }
            }

            #[inline]
            fn set_request_number(&mut self, __number: ::core::primitive::u32) {
                match self {
                    #(#numbers)|* => *__request = __number,
                    _ => {}
                }
            }
        }
    });
    quote!(#reply #number)
}

/// `SAY_ID` and `SAY_NAME` for the variant `Say`.
fn constants(model: &Packets<'_>) -> TokenStream {
    let Packets { nc, input, packets, .. } = model;
    let (ident, vis) = (&input.ident, &input.vis);
    let constants = packets.iter().map(|packet| {
        let variant = plain(&packet.variant.ident);
        let upper = screaming(&variant);
        let (id_name, name_name) = (format_ident!("{upper}_ID"), format_ident!("{upper}_NAME"));
        let id = Literal::u16_unsuffixed(packet.id);
        let id_doc = format!("The id of `{variant}`: {}.", packet.id);
        let name_doc = format!("The name of `{variant}`.");
        quote! {
            #[doc = #id_doc]
            #vis const #id_name: #nc::PacketId = #nc::PacketId(#id);
            #[doc = #name_doc]
            #vis const #name_name: &'static ::core::primitive::str = #variant;
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(dead_code, deprecated)]
        impl #ident {
            #(#constants)*
        }
    }
}

fn code_of(cx: &mut Context, packet: &PacketVariant<'_>, ident: &syn::Ident) -> Code {
    let nc = cx.nc.clone();
    let variant = &packet.variant.ident;
    match &packet.body {
        Body::Unit => {
            let name = plain(variant);
            Code {
                read: quote!(::core::option::Option::Some(())),
                make: quote!(|()| #ident::#variant),
                pattern: quote!(Self::#variant),
                write: quote!(::core::result::Result::Ok(())),
                ty: cx.type_constant(&quote!(#nc::derive::Type::Struct(
                    #nc::derive::Struct::new(#name, #nc::derive::By::Position, &[])
                ))),
                // No body, no format: an empty packet stays the same when the enum's format changes.
                format: quote!("raw"),
                shares: quote!(false),
                min: quote!(0),
                exact: Some(quote!(::core::option::Option::Some(0))),
                items: TokenStream::new(),
                whole: TokenStream::new(),
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
        whole,
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
            return #nc::derive::encode_fixed::<{ #nc::Header::LEN + #min }>(
                #nc::PacketId(#id), #name, __max_out, __to, |__to| { #write },
            );
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
        whole: TokenStream::new(),
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
        whole,
    }
}

/// A struct variant in MessagePack: a struct to read it into, one of references to write it from.
fn serde_fields(cx: &mut Context, packet: &PacketVariant<'_>, ident: &syn::Ident, fields: &[&Field]) -> Code {
    let (nc, variant, Format { ty: format, kind }) = (cx.nc.clone(), &packet.variant.ident, &packet.format);
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
    let write = if *kind == FormatKind::MsgPackArray { quote!(write_array) } else { quote!(write) };
    let own = quote!(<#format as #nc::derive::Format<#owned>>);
    let taken_apart = quote!(#owned { #(#idents: #bindings),* });
    let (taken_apart, number) = match &packet.number {
        Some(member) => (quote!((__request, #taken_apart)), Some(quote!(#member: __request,))),
        None => (taken_apart, None),
    };
    Code {
        read: quote!(#own::decode(__from)),
        make: quote!(|#taken_apart| #ident::#variant { #number #(#idents: #bindings),* }),
        pattern: quote!(Self::#variant { #number #(#idents: #bindings),* }),
        write: quote!(#nc::derive::msgpack::#write(&#borrowed { #(#idents: #bindings),* }, __to)),
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
            struct #borrowed<'__a> { #(#[serde(rename = #renames)] #idents: &'__a #types),* }
        },
        whole: TokenStream::new(),
    }
}
