//! What a field's type looks like, as an expression.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Type, spanned::Spanned};

use super::{FieldAttrs, Prost};
use crate::attr::Errors;
use crate::names::plain;
use crate::types::{bare, generic, last_name};

/// A field's type, as an expression for a `&'static Type`.
pub(super) fn field_type(
    nc: &TokenStream,
    ty: &Type,
    own: &str,
    attrs: &FieldAttrs,
    errors: &mut Errors,
) -> TokenStream {
    let constant = |value: TokenStream| constant(nc, &value);
    if attrs.opaque {
        return constant(opaque(nc));
    }
    if attrs.recursive || attrs.prost.as_ref().is_some_and(|prost| prost.boxed) {
        return recursive(nc, ty, own, attrs.prost.as_ref(), errors);
    }
    let Some(prost) = &attrs.prost else { return quote!(<#ty as #nc::Describe>::TYPE) };
    if prost.oneof {
        let inner = innermost(ty);
        return quote!(<#inner as #nc::Describe>::TYPE);
    }
    if let Some((key, value)) = &prost.map {
        let key = scalar(nc, key, ty, errors).map_or_else(|| constant(opaque(nc)), &constant);
        let value = scalar(nc, value, ty, errors).map_or_else(
            || {
                key_and_value(ty).map_or_else(
                    || constant(opaque(nc)),
                    |(_, inner)| quote!(<#inner as #nc::Describe>::TYPE),
                )
            },
            &constant,
        );
        return map(nc, &key, &value);
    }
    let one = scalar(nc, &prost.kind, ty, errors).map_or_else(
        || {
            let inner = innermost(ty);
            quote!(<#inner as #nc::Describe>::TYPE)
        },
        &constant,
    );
    if prost.repeated {
        return constant(quote!(#nc::derive::Type::List {
            item: #nc::derive::Shared::Static(#one),
            len: #nc::derive::Len::Own,
        }));
    }
    one
}

/// A type that contains itself: by its name, inside the lists, arrays, options and maps around it. Protobuf has no options.
fn recursive(
    nc: &TokenStream,
    ty: &Type,
    own: &str,
    prost: Option<&Prost>,
    errors: &mut Errors,
) -> TokenStream {
    if let Some(inner) = generic(ty, "Box") {
        return recursive(nc, inner, own, prost, errors);
    }
    if let Some(inner) = generic(ty, "Option") {
        let inner = recursive(nc, inner, own, prost, errors);
        if prost.is_some() {
            return inner;
        }
        return constant(nc, &quote!(#nc::derive::Type::Option(#nc::derive::Shared::Static(#inner))));
    }
    if let Some(item) = generic(ty, "Vec") {
        let item = recursive(nc, item, own, prost, errors);
        return constant(
            nc,
            &quote!(#nc::derive::Type::List {
                item: #nc::derive::Shared::Static(#item),
                len: #nc::derive::Len::Own,
            }),
        );
    }
    if let Type::Array(array) = bare(ty) {
        let (item, len) = (recursive(nc, &array.elem, own, prost, errors), &array.len);
        return constant(
            nc,
            &quote!(#nc::derive::Type::Array {
                item: #nc::derive::Shared::Static(#item),
                count: [(); #len].len() as ::core::primitive::u32,
            }),
        );
    }
    let is_map = last_name(ty).is_some_and(|last| last == "HashMap" || last == "BTreeMap");
    if let (true, Some((key, value))) = (is_map, key_and_value(ty)) {
        let key = match prost.and_then(|prost| prost.map.as_ref()) {
            Some((kind, _)) => constant(nc, &scalar(nc, kind, ty, errors).unwrap_or_else(|| opaque(nc))),
            None => quote!(<#key as #nc::Describe>::TYPE),
        };
        return map(nc, &key, &recursive(nc, value, own, prost, errors));
    }
    let name = match last_name(ty) {
        Some(name) if name == "Self" => own.to_owned(),
        Some(name) => plain(name),
        None => quote!(#ty).to_string(),
    };
    constant(nc, &quote!(#nc::derive::Type::Recursive(#nc::derive::Shared::Static(#name))))
}

fn map(nc: &TokenStream, key: &TokenStream, value: &TokenStream) -> TokenStream {
    constant(
        nc,
        &quote!(#nc::derive::Type::Map {
            key: #nc::derive::Shared::Static(#key),
            value: #nc::derive::Shared::Static(#value),
        }),
    )
}

/// A `&'static Type` of a constant value.
pub(super) fn constant(nc: &TokenStream, value: &TokenStream) -> TokenStream {
    quote!({ const TYPE: &'static #nc::derive::Type = &#value; TYPE })
}

pub(super) fn opaque(nc: &TokenStream) -> TokenStream {
    quote!(#nc::derive::Type::Opaque)
}

/// A protobuf scalar; `None` for a message, in a group or not.
fn scalar(nc: &TokenStream, kind: &str, ty: &Type, errors: &mut Errors) -> Option<TokenStream> {
    let int = |bytes: u8, signed: bool, form: &str| {
        let form = syn::Ident::new(form, ty.span());
        Some(quote!(#nc::derive::Type::Int(#nc::derive::Int {
            bytes: #bytes,
            signed: #signed,
            form: #nc::derive::Form::#form,
        })))
    };
    let float =
        |bytes: u8| Some(quote!(#nc::derive::Type::Float { bytes: #bytes, form: #nc::derive::Form::Little }));
    // `enumeration(Kind)` is how a map names an enumeration's values.
    match kind {
        "int32" => int(4, true, "Varint"),
        _ if kind.starts_with("enumeration") => int(4, true, "Varint"),
        "int64" => int(8, true, "Varint"),
        "uint32" => int(4, false, "Varint"),
        "uint64" => int(8, false, "Varint"),
        "sint32" => int(4, true, "ZigZag"),
        "sint64" => int(8, true, "ZigZag"),
        "fixed32" => int(4, false, "Little"),
        "fixed64" => int(8, false, "Little"),
        "sfixed32" => int(4, true, "Little"),
        "sfixed64" => int(8, true, "Little"),
        "float" => float(4),
        "double" => float(8),
        "bool" => Some(quote!(#nc::derive::Type::Bool)),
        "string" => Some(quote!(#nc::derive::Type::Text(#nc::derive::Len::Own))),
        "bytes" => Some(quote!(#nc::derive::Type::Bytes(#nc::derive::Len::Own))),
        "message" | "group" => None,
        other => {
            errors.at(
                ty,
                format!(
                    "`{other}` is no protobuf type that is known here: mark the field `#[describe(opaque)]`"
                ),
            );
            Some(opaque(nc))
        }
    }
}

/// The message type inside `Option`, `Vec` and `Box`.
fn innermost(ty: &Type) -> &Type {
    ["Option", "Vec", "Box"].iter().find_map(|wrapper| generic(ty, wrapper)).map_or(ty, innermost)
}

/// The `K` and `V` of a `…Map<K, V>`.
fn key_and_value(ty: &Type) -> Option<(&Type, &Type)> {
    let Type::Path(path) = bare(ty) else { return None };
    let syn::PathArguments::AngleBracketed(args) = &path.path.segments.last()?.arguments else { return None };
    let mut types = args.args.iter().filter_map(|arg| match arg {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((types.next()?, types.next()?))
}
