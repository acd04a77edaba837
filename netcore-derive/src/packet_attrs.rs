//! The attributes of a packet and of an enum of packets, one by one. What they mean together is looked at in `packet`.

use proc_macro2::{Ident, Span};
use syn::{Attribute, Expr, LitStr, Path, Type, meta::ParseNestedMeta, spanned::Spanned};

use crate::attr::{Errors, literal, netcore_path};
use crate::field_spec::integer;

#[derive(Default)]
pub(crate) struct Attrs {
    pub(crate) krate: Option<Path>,
    pub(crate) answered_by: Option<Type>,
    pub(crate) id: Option<(i128, Span)>,
    /// There is an id, though it may be none that can be read.
    pub(crate) id_given: bool,
    pub(crate) format: Option<Type>,
    pub(crate) max: Option<Expr>,
    pub(crate) ignore_extra: bool,
    pub(crate) other: bool,
    pub(crate) reply: Option<(i128, Span)>,
    /// There is a reply, though it may be none that can be read.
    pub(crate) reply_given: bool,
    pub(crate) numbered: Option<Span>,
}

pub(crate) fn attrs(
    attrs: &[Attribute],
    errors: &mut Errors,
    take: impl Fn(&mut Attrs, &ParseNestedMeta<'_>) -> syn::Result<()>,
) -> Attrs {
    let mut found = Attrs::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("packet")) {
        errors.take(attr.parse_nested_meta(|meta| take(&mut found, &meta)));
    }
    found
}

pub(crate) fn container_attr(attrs: &mut Attrs, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.path.is_ident("crate") {
        attrs.krate = Some(netcore_path(meta)?);
        Ok(())
    } else if meta.path.is_ident("format") {
        set_format(attrs, meta)
    } else if meta.path.is_ident("answered_by") {
        if attrs.answered_by.is_some() {
            return Err(meta.error("all answers are packets of one enum: take this one away"));
        }
        attrs.answered_by = Some(meta.value()?.parse()?);
        Ok(())
    } else {
        Err(meta.error("unknown attribute; an enum of packets takes `format`, `answered_by` or `crate`"))
    }
}

pub(crate) fn variant_attr(attrs: &mut Attrs, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    let key = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
    match &*key {
        "id" if attrs.id_given => Err(meta.error("a packet has one id: take this one away")),
        "id" => {
            attrs.id_given = true;
            let message =
                "an id is an integer literal, 0 to 65535, so that two equal ones are found when compiling";
            attrs.id = Some(integer(meta).map_err(|error| syn::Error::new(error.span(), message))?);
            Ok(())
        }
        "format" => set_format(attrs, meta),
        "max" if attrs.max.is_some() => Err(meta.error("a packet has one `max`: take this one away")),
        "max" => {
            let max: Expr = meta.value()?.parse()?;
            if literal(&max).is_some_and(|max| max > MAX_BODY) {
                return Err(syn::Error::new_spanned(
                    max,
                    "a body has 65,530 bytes at most, since its packet's size is a u16: lower `max`, or take it away",
                ));
            }
            attrs.max = Some(max);
            Ok(())
        }
        "ignore_extra" => {
            attrs.ignore_extra = true;
            Ok(())
        }
        "other" => {
            attrs.other = true;
            Ok(())
        }
        "reply" if attrs.reply_given => {
            Err(meta.error("a packet has one reply: take this one away, and let the answer's body say what it is"))
        }
        "reply" => {
            attrs.reply_given = true;
            let message = "a reply is the id of the packet that answers, an integer literal, 0 to 65535";
            attrs.reply = Some(integer(meta).map_err(|error| syn::Error::new(error.span(), message))?);
            Ok(())
        }
        "numbered" => {
            attrs.numbered = Some(meta.path.span());
            Ok(())
        }
        _ => Err(meta.error(
            "unknown attribute; a packet takes `id`, `format`, `max`, `ignore_extra`, `reply`, `numbered` or `other`",
        )),
    }
}

/// netcore's `Header::MAX_BODY`.
const MAX_BODY: i128 = 65_530;

fn set_format(attrs: &mut Attrs, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if attrs.format.is_some() {
        return Err(meta.error(
            "a packet has one format: take this one away, or give the other format a packet of its own",
        ));
    }
    let value = meta.value()?;
    if value.peek(LitStr) {
        return Err(
            value.error("a format is a type, not text: write it without quotes, as in `format = MsgPack`")
        );
    }
    attrs.format = Some(value.parse()?);
    Ok(())
}
