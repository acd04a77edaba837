//! The derive macros of netcore. Depend on netcore, which re-exports them and documents their attributes.
//!
//! Each macro goes attributes → model → checks → expansion, and reports all that it finds at once, each error at its
//! own place with the fix in its words.

mod attr;
mod describe;
mod field;
mod field_spec;
mod layout;
mod names;
mod packet;
mod packet_attrs;
mod packet_code;
mod packet_expand;
mod packet_format;
mod packet_number;
mod packet_requests;
mod raw;
mod raw_self;
mod types;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes an enum one direction's closed set of packets.
#[proc_macro_derive(Packet, attributes(packet, raw, serde))]
pub fn derive_packet(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    packet::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Gives a struct or an enum a raw layout.
#[proc_macro_derive(Raw, attributes(raw))]
pub fn derive_raw(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    raw::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Lets a body of serde's or prost's say what it looks like.
#[proc_macro_derive(Describe, attributes(describe))]
pub fn derive_describe(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    describe::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
