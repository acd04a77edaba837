//! `#[derive(Packet)]`: the code.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use crate::attr::{doc, place};
use crate::field::Context;
use crate::names::{plain, screaming};
use crate::packet::Packets;
use crate::packet_code::{Code, code_of};
use crate::packet_requests::{answered, requests};

pub(crate) fn expand(model: &Packets<'_>) -> TokenStream {
    let Packets { nc, input, packets, other, .. } = model;
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
        wholes.extend(whole);
        let (variant, packet_doc, extra) = (&packet.variant.ident, &packet.doc, packet.ignore_extra);
        let variant_name = plain(variant);
        let id = Literal::u16_unsuffixed(packet.id);
        let max = packet.max.as_ref().map_or_else(|| quote!(#nc::Header::MAX_BODY), |max| quote!((#max)));
        ids.push(quote!(Self::#variant { .. } => #nc::PacketId(#id),));
        names.push(quote!(Self::#variant { .. } => #variant_name,));
        let take = quote!(|__read| __take((#make)(__read)));
        reads.push(match exact {
            Some(exact) => quote! {
                #id => #nc::derive::decoded_raw(
                    __header, #variant_name, #max, #extra, #exact, __body, __refused, |__from, __refused| { #read }, #take,
                ),
            },
            None => quote! {
                #id => #nc::derive::decoded(__header, #variant_name, #max, #extra, __body, __refused, |__from| { #read }, #take),
            },
        });
        writes.push(if packet.max.is_some() {
            quote!(#pattern => #nc::derive::encoded_within(#variant_name, #max, __to, |__to| { #write }),)
        } else {
            quote!(#pattern => #nc::derive::encoded(#variant_name, __to, |__to| { #write }),)
        });
        let answered = packet.reply.map(|(reply, _)| quote!(.answered_by(#reply)));
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
                    ::core::option::Option::Some(__take(Self::#other(#frame)))
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
    let closed = other.is_none();
    let (requests, answered) = (requests(model), answered(model));
    let constants = constants(model);
    let (layout_consts, layout_checks, never) =
        (&cx.consts, &cx.checks, packets.is_empty() && other.is_none());
    let me = if never { quote!(*self) } else { quote!(self) };
    let encode = if wholes.is_empty() {
        quote!(#nc::derive::encode(self, __to, __max_out))
    } else {
        quote! {
            match self {
                #(#wholes)*
                _ => #nc::derive::encode_any(self, __to, __max_out),
            }
        }
    };
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
            #answered
            #(#layout_checks)*

            #[automatically_derived]
            #[allow(clippy::all, unused_variables, unreachable_code, unreachable_patterns)]
            impl #nc::Packet for #ident {
                const SCHEMA: &'static #nc::Schema = &#nc::Schema::new(#name, #docs, __Layout::PACKETS);
                const SHARES: ::core::primitive::bool = #shares;
                const CLOSED_SET: ::core::primitive::bool = #closed;

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
                    match <Self as #nc::Packet>::decode_to(__header, __body, &mut __refused, |__packet| __packet) {
                        ::core::option::Option::Some(__packet) => ::core::result::Result::Ok(__packet),
                        ::core::option::Option::None => {
                            ::core::result::Result::Err(#nc::derive::refusal(__refused, __header))
                        }
                    }
                }

                #[inline(always)]
                fn decode_to<__R>(
                    __header: #nc::Header,
                    __body: #nc::derive::Reader<'_>,
                    __refused: &mut ::core::option::Option<#nc::PacketError>,
                    __take: impl ::core::ops::FnOnce(Self) -> __R,
                ) -> ::core::option::Option<__R> {
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
                    #encode
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
