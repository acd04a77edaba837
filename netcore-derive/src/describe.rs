//! `#[derive(Describe)]`: what serde's and prost's own attributes make of a type.

mod field_type;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Expr, ExprLit, Fields, Ident, Lit, LitStr, Path, Token,
    meta::ParseNestedMeta,
};

use crate::attr::{Errors, doc, netcore, netcore_path, refuse_generics, skip_value};
use crate::names::{Case, plain, rename};
use field_type::{constant, field_type, opaque};

#[derive(Default)]
struct Container {
    krate: Option<Path>,
    rename_all: Option<String>,
    /// `rename_all` for the fields of all variants.
    rename_all_fields: Option<String>,
    /// Written as the one field that it has.
    transparent: bool,
    /// How the type is written is not what its fields say.
    opaque: bool,
}

/// What a field's attributes say.
#[derive(Default)]
struct FieldAttrs {
    opaque: bool,
    recursive: bool,
    skip: bool,
    /// At a variant: written without the name that the others have.
    untagged: bool,
    /// At a variant, for its fields.
    rename_all: Option<String>,
    prost: Option<Prost>,
}

/// What `#[prost(…)]` says.
#[derive(Default)]
struct Prost {
    kind: String,
    /// `map = "string, message"`.
    map: Option<(String, String)>,
    repeated: bool,
    boxed: bool,
    oneof: bool,
    tag: u32,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let container = container(&input.attrs, &mut errors);
    refuse_generics(&input.generics, "`Describe`", &mut errors);
    let nc = netcore(container.krate.as_ref());
    let (ident, name) = (&input.ident, plain(&input.ident));
    let ty = if container.opaque {
        constant(&nc, &opaque(&nc))
    } else {
        match &input.data {
            Data::Struct(data) => {
                let rule = container.rename_all.as_deref();
                structure(&nc, &name, &data.fields, rule, (&name, container.transparent), &mut errors)
            }
            Data::Enum(data) => enumeration(&nc, &name, data, &container, &mut errors),
            Data::Union(_) => {
                errors.at(ident, "a union has neither named nor numbered fields: use a struct or an enum");
                TokenStream::new()
            }
        }
    };
    errors.finish()?;
    Ok(quote! {
        #[allow(deprecated)]
        const _: () = {
            #[allow(unused_imports)]
            use #nc::derive::OpaqueBody as _;

            #[automatically_derived]
            impl #nc::Describe for #ident {
                const TYPE: &'static #nc::derive::Type = #ty;
            }
        };
    })
}

fn container(attrs: &[Attribute], errors: &mut Errors) -> Container {
    let mut container = Container::default();
    for attr in attrs {
        if attr.path().is_ident("describe") {
            errors.take(attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    container.krate = Some(netcore_path(&meta)?);
                } else if meta.path.is_ident("opaque") {
                    container.opaque = true;
                } else {
                    return Err(meta.error("unknown attribute; a described type takes `opaque` or `crate`"));
                }
                Ok(())
            }));
        } else if attr.path().is_ident("serde") {
            errors.take(attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename_all") {
                    container.rename_all = both_ways(&meta)?;
                } else if meta.path.is_ident("rename_all_fields") {
                    container.rename_all_fields = both_ways(&meta)?;
                } else if meta.path.is_ident("transparent") {
                    container.transparent = true;
                } else {
                    let other_shape = ["tag", "content", "untagged", "from", "try_from", "into", "remote"];
                    container.opaque |= other_shape.iter().any(|key| meta.path.is_ident(key));
                    skip_value(&meta)?;
                }
                Ok(())
            }));
        }
    }
    container
}

/// `own` is the name of the type that is derived for, which an enum's variant has not.
fn structure(
    nc: &TokenStream,
    name: &str,
    fields: &Fields,
    rule: Option<&str>,
    (own, transparent): (&str, bool),
    errors: &mut Errors,
) -> TokenStream {
    let mut described = Vec::new();
    let mut numbered = false;
    let mut newtype = None;
    let mut flat = false;
    for (at, field) in fields.iter().enumerate() {
        let attrs = field_attrs(field.attrs.iter(), &mut flat, errors);
        if attrs.skip {
            continue;
        }
        numbered |= attrs.prost.is_some();
        let number = attrs.prost.as_ref().map_or(0, |prost| prost.tag);
        let key = field
            .ident
            .as_ref()
            .map_or_else(|| at.to_string(), |ident| serde_name(ident, &field.attrs, rule, Case::Field));
        let (ty, docs) = (field_type(nc, &field.ty, own, &attrs, errors), doc(&field.attrs));
        newtype = Some(ty.clone());
        described.push(quote!(#nc::derive::Field::new(#key, #docs, #number, #ty)));
    }
    if flat {
        return constant(nc, &opaque(nc));
    }
    // A newtype is written as what it holds.
    let alone = transparent || matches!(fields, Fields::Unnamed(_));
    // serde counts those that are skipped too, but where it writes the one that is left in the place of all.
    let count = if transparent { described.len() } else { fields.len() };
    if let (true, 1, Some(ty)) = (alone, count, newtype) {
        return ty;
    }
    let by = match fields {
        _ if numbered => quote!(Number),
        Fields::Named(_) => quote!(Name),
        _ => quote!(Position),
    };
    constant(
        nc,
        &quote!(#nc::derive::Type::Struct(#nc::derive::Struct::new(
            #name,
            #nc::derive::By::#by,
            { const FIELDS: &'static [#nc::derive::Field] = &[#(#described),*]; FIELDS },
        ))),
    )
}

fn enumeration(
    nc: &TokenStream,
    name: &str,
    data: &DataEnum,
    container: &Container,
    errors: &mut Errors,
) -> TokenStream {
    let rule = container.rename_all.as_deref();
    let mut variants = Vec::new();
    let mut numbered = false;
    let mut untagged = false;
    for (at, variant) in data.variants.iter().enumerate() {
        let mut flat = false;
        let inner = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
            _ => None,
        };
        let inner_attrs = inner.map_or(&[][..], |field| &field.attrs);
        let attrs = field_attrs(variant.attrs.iter().chain(inner_attrs), &mut flat, errors);
        if attrs.skip {
            continue;
        }
        untagged |= attrs.untagged;
        numbered |= attrs.prost.is_some();
        let key = serde_name(&variant.ident, &variant.attrs, rule, Case::Variant);
        let docs = doc(&variant.attrs);
        let tag = attrs.prost.as_ref().map_or(i64::try_from(at).unwrap_or(0), |prost| i64::from(prost.tag));
        let body = if let Some(inner) = inner {
            field_type(nc, &inner.ty, name, &attrs, errors)
        } else if matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.is_empty()) {
            // Written with an empty list behind its name, and `J` without the parentheses as its name alone.
            let item = constant(nc, &opaque(nc));
            constant(
                nc,
                &quote!(#nc::derive::Type::Array { item: #nc::derive::Shared::Static(#item), count: 0 }),
            )
        } else {
            let rule = attrs.rename_all.as_deref().or(container.rename_all_fields.as_deref());
            structure(nc, &plain(&variant.ident), &variant.fields, rule, (name, false), errors)
        };
        variants.push(quote!(#nc::derive::Variant::new(#key, #docs, #tag, #body)));
    }
    if untagged {
        return constant(nc, &opaque(nc));
    }
    let by = if numbered { quote!(Number) } else { quote!(Name) };
    constant(
        nc,
        &quote!(#nc::derive::Type::Enum(#nc::derive::Enum::new(
            #name,
            ::core::option::Option::None,
            #nc::derive::By::#by,
            { const VARIANTS: &'static [#nc::derive::Variant] = &[#(#variants),*]; VARIANTS },
        ))),
    )
}

fn field_attrs<'a>(
    all: impl Iterator<Item = &'a Attribute>,
    flat: &mut bool,
    errors: &mut Errors,
) -> FieldAttrs {
    let mut attrs = FieldAttrs::default();
    for attr in all {
        if attr.path().is_ident("describe") {
            errors.take(attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("opaque") {
                    attrs.opaque = true;
                } else if meta.path.is_ident("recursive") {
                    attrs.recursive = true;
                } else {
                    return Err(
                        meta.error("unknown attribute; a described field takes `opaque` or `recursive`")
                    );
                }
                Ok(())
            }));
        } else if attr.path().is_ident("serde") {
            errors.take(attr.parse_nested_meta(|meta| {
                let is = |key| meta.path.is_ident(key);
                attrs.skip |= is("skip") || is("skip_serializing");
                attrs.opaque |= is("with") || is("serialize_with");
                attrs.untagged |= is("untagged");
                *flat |= is("flatten");
                if is("rename_all") {
                    attrs.rename_all = both_ways(&meta)?;
                    return Ok(());
                }
                skip_value(&meta)
            }));
        } else if attr.path().is_ident("prost") {
            let mut prost = Prost::default();
            errors.take(attr.parse_nested_meta(|meta| prost.take(&meta)));
            attrs.prost = Some(prost);
        }
    }
    attrs
}

impl Prost {
    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let value = if meta.input.peek(Token![=]) { Some(meta.value()?.parse::<Expr>()?) } else { None };
        let text = match &value {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => text.value(),
            Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => number.base10_digits().to_owned(),
            _ => String::new(),
        };
        match &*key {
            "tag" => self.tag = text.parse().unwrap_or(0),
            "enumeration" => self.kind = "int32".into(),
            "tags" | "default" | "optional" | "required" | "packed" => {}
            "repeated" => self.repeated = true,
            "boxed" => self.boxed = true,
            "oneof" => self.oneof = true,
            "map" | "btree_map" | "hash_map" => {
                self.map = text.split_once(',').map(|(key, value)| (key.trim().into(), value.trim().into()));
            }
            _ => self.kind = key,
        }
        Ok(())
    }
}

/// The field's key on the wire.
pub(crate) fn serde_name(ident: &Ident, attrs: &[Attribute], rule: Option<&str>, case: Case) -> String {
    let own = plain(ident);
    let mut name = rule.and_then(|rule| rename(rule, &own, case)).unwrap_or(own);
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // serde itself reports what it cannot read.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                if let Some(renamed) = both_ways(&meta)? {
                    name = renamed;
                }
                Ok(())
            } else {
                skip_value(&meta)
            }
        });
    }
    name
}

/// `rename = "x"`, or `rename(serialize = "x", deserialize = "y")`, of which the first is what is written.
fn both_ways(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    if meta.input.peek(Token![=]) {
        return Ok(Some(meta.value()?.parse::<LitStr>()?.value()));
    }
    let mut written = None;
    meta.parse_nested_meta(|meta| {
        let value = meta.value()?.parse::<LitStr>()?.value();
        if meta.path.is_ident("serialize") {
            written = Some(value);
        }
        Ok(())
    })?;
    Ok(written)
}
