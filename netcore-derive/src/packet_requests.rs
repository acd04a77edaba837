//! `#[derive(Packet)]`: the code for what answers a packet.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

use crate::attr::place;
use crate::packet::Packets;

/// The methods for what answers a packet, and for its request number.
pub(crate) fn requests(model: &Packets<'_>) -> TokenStream {
    let Packets { nc, packets, .. } = model;
    let option = quote!(::core::option::Option);
    let replies = packets.iter().filter_map(|packet| {
        let (variant, (reply, _)) = (&packet.variant.ident, packet.reply?);
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
    let checks = checks(model, &quote!(__In), &quote!(Self));
    let reply = (!replies.is_empty()).then(|| {
        quote! {
            #[inline]
            fn reply(&self) -> #option<#nc::PacketId> {
                match self { #replies _ => #option::None }
            }

            #[inline]
            fn check_replies<__In: #nc::Packet>() {
                #(const { #checks })*
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

/// Has the compiler judge the replies where the enum is, if it says whose packets they are.
pub(crate) fn answered(model: &Packets<'_>) -> TokenStream {
    let Some(answers) = &model.answered_by else { return TokenStream::new() };
    let checks = checks(model, answers, &model.input.ident);
    quote!(#(const _: () = #checks;)*)
}

/// For each reply, what has the compiler judge it: the error is at the reply.
fn checks(model: &Packets<'_>, answers: &impl ToTokens, asks: &impl ToTokens) -> Vec<TokenStream> {
    let replies = model.packets.iter().filter_map(|packet| Some((packet.id, packet.reply?.1)));
    replies
        .map(|(id, span)| {
            // The compiler shows all from the call's first token to its last: none may lie elsewhere.
            let nc: TokenStream = model.nc.clone().into_iter().map(|token| moved(token, span)).collect();
            quote_spanned!(place(span)=> #nc::derive::check_reply::<#answers, #asks>(#id))
        })
        .collect()
}

/// The token, which means the same, at another place.
fn moved(mut token: TokenTree, to: Span) -> TokenTree {
    token.set_span(token.span().located_at(to));
    token
}
