//! `#[derive(Raw)]`: structs and tagged enums.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Data, DataEnum, DeriveInput, Ident, Path, Variant, spanned::Spanned};

use crate::attr::{Errors, doc, literal, netcore, netcore_path, refuse_generics, skip_value};
use crate::field::{Context, code};
use crate::field_spec::{FieldSpec, integer};
use crate::layout::{self, Layout};
use crate::names::plain;
use crate::raw_self::{refuse_recursion, without_self};

/// What `#[raw(…)]` says of the whole type.
#[derive(Default)]
struct Container {
    krate: Option<Path>,
    big_endian: bool,
    tag: Option<Ident>,
    /// There is a tag, though it may be a wrong one.
    tag_given: bool,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let input = &without_self(input);
    let container = container(input, &mut errors);
    refuse_generics(&input.generics, "a raw layout", &mut errors);
    refuse_recursion(input, &mut errors);
    refuse_packed(input, &mut errors);
    let nc = netcore(container.krate.as_ref());
    let endian = if container.big_endian { quote!(#nc::derive::BigEndian) } else { quote!(__E) };
    let concrete = quote!(__Layout::<#nc::derive::LittleEndian>);
    let layout = quote!(__Layout::<__E>);
    let mut cx = Context { nc, endian, consts: Vec::new(), checks: Vec::new(), layout, concrete };
    let expanded = match &input.data {
        Data::Struct(data) => {
            if let Some(tag) = &container.tag {
                errors.at(tag, "a struct has no tag: `tag` is for enums");
            }
            let fields = layout::parse(&data.fields, &mut errors);
            let ident = &input.ident;
            let layout = layout::expand(&mut cx, &fields, &quote!(#ident));
            structure(&mut cx, input, &layout)
        }
        Data::Enum(data) => match &container.tag {
            Some(tag) => enumeration(&mut cx, input, data, tag, &mut errors),
            None if container.tag_given => TokenStream::new(),
            None => {
                errors.at(
                    &input.ident,
                    "an enum needs a tag to tell its variants apart: add `#[raw(tag = u8)]`",
                );
                TokenStream::new()
            }
        },
        Data::Union(_) => {
            errors.at(&input.ident, "a union has no raw layout: use an enum with `#[raw(tag = u8)]`");
            TokenStream::new()
        }
    };
    errors.finish()?;
    Ok(expanded)
}

/// Fields are written by reference, which the compiler forbids where they are packed.
fn refuse_packed(input: &DeriveInput, errors: &mut Errors) {
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
        // The compiler itself reports what it cannot read.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("packed") {
                errors.push(meta.error(
                    "a raw layout has no padding, however the type lies in memory: take `packed` away",
                ));
            }
            skip_value(&meta)
        });
    }
}

fn container(input: &DeriveInput, errors: &mut Errors) -> Container {
    let mut container = Container::default();
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("raw")) {
        errors.take(attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                container.krate = Some(netcore_path(&meta)?);
            } else if meta.path.is_ident("big_endian") {
                container.big_endian = true;
            } else if meta.path.is_ident("tag") && container.tag_given {
                return Err(meta.error("an enum has one tag: take this one away"));
            } else if meta.path.is_ident("tag") {
                container.tag_given = true;
                let tag: Ident = meta.value()?.parse()?;
                if !["u8", "u16", "u32", "i8", "i16", "i32"].contains(&&*tag.to_string()) {
                    return Err(syn::Error::new(tag.span(), "a tag is u8, u16, u32, i8, i16 or i32"));
                }
                container.tag = Some(tag);
            } else {
                return Err(meta.error("unknown attribute; a raw type takes `big_endian`, `tag` or `crate`"));
            }
            Ok(())
        }));
    }
    container
}

fn structure(cx: &mut Context, input: &DeriveInput, layout: &Layout) -> TokenStream {
    let (nc, ident, name) = (cx.nc.clone(), &input.ident, plain(&input.ident));
    let Layout { pattern, min, fixed, shares, open, fields, .. } = layout;
    let own_min = quote!({ <#ident as #nc::derive::RawBody>::MIN });
    let own_fixed = quote!(<#ident as #nc::derive::RawBody>::FIXED);
    let (read, write) = layout::in_one_piece(&nc, &own_min, &own_fixed, layout, pattern);
    let ty = quote!(&#nc::derive::Type::Struct(#nc::derive::Struct::new(#name, #nc::derive::By::Position, #fields)));
    implement(
        cx,
        ident,
        [min, fixed, shares, open, &ty],
        &read,
        &quote! {
            let #pattern = self;
            #write
        },
    )
}

fn implement(
    cx: &Context,
    ident: &Ident,
    [min, fixed, shares, open, ty]: [&TokenStream; 5],
    read: &TokenStream,
    write: &TokenStream,
) -> TokenStream {
    let Context { nc, consts, checks, .. } = cx;
    quote! {
        #[allow(deprecated)]
        const _: () = {
            // The constants of a layout may depend on the byte order, which only associated ones can.
            struct __Layout<__E>(::core::marker::PhantomData<__E>);

            #[allow(dead_code)]
            impl<__E: #nc::derive::Endian> __Layout<__E> {
                #(#consts)*
            }

            #(#checks)*

            #[automatically_derived]
            #[allow(clippy::all, unused_variables, unreachable_code)]
            impl<__E: #nc::derive::Endian> #nc::derive::RawBody<__E> for #ident {
                const MIN: ::core::primitive::usize = #min;
                const FIXED: ::core::primitive::bool = #fixed;
                const SHARES: ::core::primitive::bool = #shares;
                const OPEN: ::core::primitive::bool = #open;
                const TYPE: &'static #nc::derive::Type = #ty;

                #[inline]
                fn read(__from: &mut #nc::derive::Reader<'_>) -> ::core::result::Result<Self, #nc::BodyError> {
                    let mut __refused = ::core::option::Option::None;
                    match <Self as #nc::derive::RawBody<__E>>::read_or(__from, &mut __refused) {
                        ::core::option::Option::Some(__value) => ::core::result::Result::Ok(__value),
                        ::core::option::Option::None => {
                            ::core::result::Result::Err(#nc::derive::fields::reason(__refused))
                        }
                    }
                }

                #[inline]
                fn read_or(
                    __from: &mut #nc::derive::Reader<'_>,
                    __refused: &mut ::core::option::Option<#nc::BodyError>,
                ) -> ::core::option::Option<Self> {
                    #read
                }

                #[inline]
                fn write<__S: #nc::derive::Sink>(&self, __to: &mut __S) -> ::core::result::Result<(), #nc::BodyError> {
                    #write
                }
            }
        };
    }
}

fn enumeration(
    cx: &mut Context,
    input: &DeriveInput,
    data: &DataEnum,
    tag: &Ident,
    errors: &mut Errors,
) -> TokenStream {
    let (nc, ident, name) = (cx.nc.clone(), &input.ident, plain(&input.ident));
    if data.variants.is_empty() {
        errors.at(ident, "an enum without variants has no value to read");
    }
    let tags = tags(data, tag, errors);
    let tag_ty: syn::Type = syn::parse_quote!(::core::primitive::#tag);
    let tag_code = code(cx, &FieldSpec::plain(tag.span()), &tag_ty, 0);
    let (mut readers, mut writers, mut described) = (Vec::new(), Vec::new(), Vec::new());
    let (mut mins, mut fixeds, mut shares, mut open) = (Vec::new(), Vec::new(), quote!(false), quote!(false));
    for (variant, value) in data.variants.iter().zip(&tags) {
        let fields = layout::parse(&variant.fields, errors);
        let (variant_ident, variant_name, variant_doc) =
            (&variant.ident, plain(&variant.ident), doc(&variant.attrs));
        let layout = layout::expand(cx, &fields, &quote!(#ident::#variant_ident));
        let literal = proc_macro2::Literal::i64_unsuffixed(i64::try_from(*value).unwrap_or(0));
        let Layout { read, write, pattern, tuple: _, min, fixed, shares: shares_one, open: open_one, fields } =
            layout;
        readers.push(quote! {
            #literal => match (|| -> ::core::option::Option<Self> { #read ::core::option::Option::Some(#pattern) })() {
                ::core::option::Option::Some(__value) => ::core::option::Option::Some(__value),
                ::core::option::Option::None => #nc::derive::fields::refused_within(__refused, #variant_name),
            },
        });
        let write_tag = &tag_code.write;
        writers.push(quote! {
            #pattern => {
                { let __value = &(#literal as #tag_ty); #write_tag }?;
                #write
            }
        });
        let body = cx.type_constant(&quote!(#nc::derive::Type::Struct(#nc::derive::Struct::new(
            #variant_name,
            #nc::derive::By::Position,
            #fields,
        ))));
        described.push(quote!(#nc::derive::Variant::new(#variant_name, #variant_doc, #literal, #body)));
        mins.push(min);
        fixeds.push(fixed);
        shares.extend(quote!(|| #shares_one));
        open.extend(quote!(|| #open_one));
    }
    let variants = cx.constant(&quote!(&'static [#nc::derive::Variant]), &quote!(&[#(#described),*]));
    let sizes = cx.constant(
        &quote!(&'static [(::core::primitive::usize, ::core::primitive::bool)]),
        &quote!(&[#((#mins, #fixeds)),*]),
    );
    let endian = &cx.endian;
    let ty = quote!(&#nc::derive::Type::Enum(#nc::derive::Enum::new(
        #name,
        ::core::option::Option::Some(#nc::derive::fields::int::<#endian, #tag_ty>()),
        #nc::derive::By::Position,
        #variants,
    )));
    let (tag_min, tag_read) = (&tag_code.min, tag_code.read_or(cx));
    let tag_read = quote! {
        match #tag_read {
            ::core::option::Option::Some(__tag) => __tag,
            ::core::option::Option::None => return ::core::option::Option::None,
        }
    };
    let min = quote!(#tag_min + #nc::derive::fields::fewest(#sizes));
    let fixed = quote!(#nc::derive::fields::all_fixed(#sizes));
    implement(
        cx,
        ident,
        [&min, &fixed, &shares, &open, &ty],
        &quote! {
            match #tag_read {
                #(#readers)*
                __other => {
                    let __error = #nc::BodyError::new(
                        #nc::derive::BodyErrorKind::Tag(__other as ::core::primitive::i128),
                    );
                    #nc::derive::fields::refuse(__refused, __error, "")
                }
            }
        },
        &quote!(match self { #(#writers)* }),
    )
}

/// Each variant's tag: its own attribute, its discriminant, or one more than the last.
fn tags(data: &DataEnum, tag: &Ident, errors: &mut Errors) -> Vec<i128> {
    let (low, high): (i128, i128) = match &*tag.to_string() {
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        _ => (i32::MIN.into(), i32::MAX.into()),
    };
    let mut tags: Vec<i128> = Vec::new();
    let mut next = 0;
    for variant in &data.variants {
        let (value, place) = own_tag(variant, errors).unwrap_or((next, variant.ident.span()));
        if !(low..=high).contains(&value) {
            errors
                .push(syn::Error::new(place, format!("the tag {value} does not fit {tag}, {low} to {high}: give the variant another, or the enum a larger `tag`")));
        }
        if let Some(first) = tags.iter().position(|earlier| *earlier == value) {
            let first =
                data.variants.iter().nth(first).map(|variant| plain(&variant.ident)).unwrap_or_default();
            errors.push(syn::Error::new(
                place,
                format!("the tag {value} is `{first}`'s already: give this variant another"),
            ));
        }
        tags.push(value);
        next = value.saturating_add(1);
    }
    tags
}

fn own_tag(variant: &Variant, errors: &mut Errors) -> Option<(i128, Span)> {
    let mut own = None;
    for attr in variant.attrs.iter().filter(|attr| attr.path().is_ident("raw")) {
        errors.take(attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("tag") {
                return Err(meta.error("unknown attribute; a variant takes `tag = 1`"));
            }
            if own.is_some() {
                return Err(meta.error("a variant has one tag: take this one away"));
            }
            own = Some(integer(&meta)?);
            Ok(())
        }));
    }
    let discriminant = variant.discriminant.as_ref().filter(|_| own.is_none());
    if let Some((_, value)) = discriminant {
        own = literal(value).map(|number| (number, value.span()));
        if own.is_none() {
            errors.at(value, "a tag must be an integer literal here: write the number, or `#[raw(tag = 1)]`");
        }
    }
    own
}
