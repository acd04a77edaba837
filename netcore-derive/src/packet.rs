//! `#[derive(Packet)]`: attributes and checks. The expansion is in `packet_expand`.

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Data, DataEnum, DeriveInput, Expr, Field, Fields, Member, Type, Variant};

use crate::attr::{Errors, doc, netcore, refuse, refuse_generics, skip_value};
use crate::field_spec::FieldSpec;
use crate::layout::{self, RawField};
use crate::names::{plain, screaming};
use crate::packet_attrs::{Attrs, attrs, container_attr, variant_attr};
use crate::packet_format::{Format, FormatKind, format};
use crate::{packet_expand, packet_number};

/// An enum of packets.
pub(crate) struct Packets<'a> {
    pub(crate) nc: TokenStream,
    pub(crate) input: &'a DeriveInput,
    pub(crate) packets: Vec<PacketVariant<'a>>,
    /// The catch-all variant.
    pub(crate) other: Option<(&'a Ident, &'a Type)>,
    /// The enum that has the answers.
    pub(crate) answered_by: Option<Type>,
}

/// A packet.
pub(crate) struct PacketVariant<'a> {
    pub(crate) variant: &'a Variant,
    pub(crate) id: u16,
    pub(crate) doc: String,
    pub(crate) format: Format,
    pub(crate) max: Option<Expr>,
    pub(crate) ignore_extra: bool,
    /// The id of the packet that answers it, and where that is said.
    pub(crate) reply: Option<(u16, Span)>,
    /// The field that holds its request number.
    pub(crate) number: Option<Member>,
    pub(crate) body: Body<'a>,
}

/// What a packet holds.
pub(crate) enum Body<'a> {
    Unit,
    /// One body type, behind the request number where there is one.
    Tuple(&'a Type, Box<FieldSpec>),
    /// Raw fields, the request number among them.
    RawFields(Vec<RawField<'a>>),
    /// Fields of a MessagePack map or array, behind the request number where there is one.
    SerdeFields(Vec<&'a Field>),
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let attrs = attrs(&input.attrs, &mut errors, container_attr);
    refuse_generics(&input.generics, "a set of packets", &mut errors);
    refuse(&input.attrs, "raw", RAWS_OWN, RAW_ON_ENUM, &mut errors);
    let nc = netcore(attrs.krate.as_ref());
    let default = format(&nc, attrs.format.as_ref(), &mut errors);
    let answered_by = attrs.answered_by;
    let mut model = Packets { nc, input, packets: Vec::new(), other: None, answered_by };
    match &input.data {
        Data::Enum(data) => variants(&mut model, data, &default, &mut errors),
        _ => errors
            .at(&input.ident, "packets are the variants of an enum: `enum ToServer { #[packet(id = 1)] … }`"),
    }
    if model.packets.iter().any(|packet| matches!(packet.body, Body::SerdeFields(_))) {
        refuse_rename_all(&input.attrs, &mut errors);
    }
    errors.finish()?;
    Ok(packet_expand::expand(&model))
}

fn variants<'a>(model: &mut Packets<'a>, data: &'a DataEnum, default: &Format, errors: &mut Errors) {
    let mut ids: HashMap<u16, &Ident> = HashMap::new();
    let mut constants: HashMap<String, &Ident> = HashMap::new();
    for variant in &data.variants {
        let attrs = attrs(&variant.attrs, errors, variant_attr);
        refuse(&variant.attrs, "raw", RAWS_OWN, RAW_ON_VARIANT, errors);
        for field in &variant.fields {
            refuse(&field.attrs, "packet", &[], PACKET_ON_FIELD, errors);
        }
        if attrs.other {
            catch_all(model, variant, &attrs, errors);
            continue;
        }
        let Some((id, place)) = attrs.id else {
            if !attrs.id_given {
                errors.at(
                    &variant.ident,
                    format!("the packet `{}` has no id: add `#[packet(id = …)]`, 0 to 65535", variant.ident),
                );
            }
            continue;
        };
        let Ok(id) = u16::try_from(id) else {
            errors.push(syn::Error::new(place, format!("the id {id} is out of range: an id is 0 to 65535")));
            continue;
        };
        let constant = screaming(&plain(&variant.ident));
        if let Some(first) = constants.insert(constant.clone(), &variant.ident) {
            errors.at(
                &variant.ident,
                format!(
                    "`{constant}_ID` would be the constant of `{first}` too: give this packet another name"
                ),
            );
        }
        if let Some(first) = ids.insert(id, &variant.ident) {
            errors.push(syn::Error::new(
                place,
                format!("the id {id} is `{first}`'s already: give this packet another"),
            ));
        }
        let own_format = attrs.format.as_ref().map(|ty| format(&model.nc, Some(ty), errors));
        let format = own_format.unwrap_or_else(|| default.clone());
        let reply = attrs.reply.and_then(|(reply, place)| {
            let reply = u16::try_from(reply).map_err(|_| {
                syn::Error::new(place, format!("the reply {reply} is out of range: an id is 0 to 65535"))
            });
            errors.take(reply).map(|reply| (reply, place))
        });
        let (number, body) = if attrs.numbered.is_some() {
            let Some((number, body)) = packet_number::body(variant, &format, errors) else { continue };
            (Some(number), body)
        } else {
            let Some(body) = body(variant, &format, errors) else { continue };
            (None, body)
        };
        if matches!(body, Body::SerdeFields(_)) {
            refuse_rename_all(&variant.attrs, errors);
        }
        let doc = doc(&variant.attrs);
        let Attrs { max, ignore_extra, .. } = attrs;
        model.packets.push(PacketVariant {
            variant,
            id,
            doc,
            format,
            max,
            ignore_extra,
            reply,
            number,
            body,
        });
    }
}

fn catch_all<'a>(model: &mut Packets<'a>, variant: &'a Variant, attrs: &Attrs, errors: &mut Errors) {
    if attrs.reply_given || attrs.numbered.is_some() {
        let reply = attrs.reply.map(|(_, place)| place);
        errors.push(syn::Error::new(
            attrs.numbered.or(reply).unwrap_or_else(|| variant.ident.span()),
            "the `other` variant takes what no packet does, so that nothing is known of its answer or its body: take `reply` and `numbered` away, or declare the packet with an id of its own",
        ));
    }
    if attrs.id.is_some() || attrs.format.is_some() || attrs.max.is_some() || attrs.ignore_extra {
        errors.push(syn::Error::new(
            attrs.id.map_or_else(|| variant.ident.span(), |(_, place)| place),
            "the `other` variant takes what no packet does, as it is: take its other attributes away",
        ));
    }
    let mut fields = variant.fields.iter();
    let (Fields::Unnamed(_), Some(field), None) = (&variant.fields, fields.next(), fields.next()) else {
        errors.at(
            &variant.ident,
            format!("the `other` variant holds a frame: `{}(netcore::Frame)`", variant.ident),
        );
        return;
    };
    if let Some((first, _)) = model.other.replace((&variant.ident, &field.ty)) {
        errors.at(&variant.ident, format!("`{first}` is the `other` variant already: keep one of the two"));
    }
}

fn body<'a>(variant: &'a Variant, format: &Format, errors: &mut Errors) -> Option<Body<'a>> {
    match (&variant.fields, format.kind) {
        (Fields::Unit, _) => Some(Body::Unit),
        (Fields::Unnamed(fields), _) => {
            let mut fields = fields.unnamed.iter();
            let (Some(field), None) = (fields.next(), fields.next()) else {
                let ident = &variant.ident;
                if variant.fields.is_empty() {
                    errors.at(&variant.fields, format!("a packet without a body is written `{ident}` alone"));
                    return None;
                }
                errors.at(
                    &variant.fields,
                    format!("a tuple variant has one body type: name the fields, `{ident} {{ x: f32, y: f32 }}`, or make them a struct"),
                );
                return None;
            };
            Some(tuple(field, format, errors))
        }
        (Fields::Named(_), FormatKind::Raw) => Some(Body::RawFields(layout::parse(&variant.fields, errors))),
        (Fields::Named(fields), FormatKind::MsgPack | FormatKind::MsgPackArray) => {
            Some(serde_fields(fields.named.iter(), errors))
        }
        (Fields::Named(_), FormatKind::Protobuf) => {
            let ident = &variant.ident;
            errors.at(
                &variant.fields,
                format!("a protobuf packet carries one prost message: write `{ident}({ident}Message)`, with a message of your .proto files"),
            );
            None
        }
        (Fields::Named(_), FormatKind::Own) => {
            let ident = &variant.ident;
            errors.at(
                &variant.fields,
                format!("a format of your own carries one body type: move the fields into a struct and write `{ident}({ident}Body)`"),
            );
            None
        }
    }
}

/// One body type.
pub(crate) fn tuple<'a>(field: &'a Field, format: &Format, errors: &mut Errors) -> Body<'a> {
    let spec = FieldSpec::parse(field, errors);
    if format.kind != FormatKind::Raw && !spec.is_own() {
        errors.push(syn::Error::new(spec.span, NOT_RAW));
    }
    if let Some(holder) = spec.held_in() {
        errors.at(holder, "this packet has no field in front that could hold the length: name its fields, or use `len` or `count`");
    }
    Body::Tuple(&field.ty, Box::new(spec))
}

/// The fields of a MessagePack map or array.
pub(crate) fn serde_fields<'a>(fields: impl Iterator<Item = &'a Field>, errors: &mut Errors) -> Body<'a> {
    let fields: Vec<_> = fields.collect();
    let attrs = || fields.iter().flat_map(|field| &field.attrs);
    for attr in attrs().filter(|attr| attr.path().is_ident("raw")) {
        errors.at(attr, NOT_RAW);
    }
    serde_attrs(attrs(), errors);
    Body::SerdeFields(fields)
}

/// Refuses what would name the fields of a MessagePack packet otherwise, were it serde that writes the enum. All else of
/// serde's at the enum, its variants and raw fields is for a `Serialize` beside: no macro sees whether there is one.
fn refuse_rename_all(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        errors.take(attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename_all") || meta.path.is_ident("rename_all_fields") {
                return Err(meta.error(SERDE_OUTSIDE));
            }
            skip_value(&meta)
        }));
    }
}

/// Of an enum that is a part of packets, too: it derives `Raw` beside.
const RAWS_OWN: &[&str] = &["tag", "crate"];
const RAW_ON_ENUM: &str = "`#[raw(…)]` has no meaning at an enum of packets: `big_endian` belongs at a struct that derives `Raw`, with its packet written `Move(Point)`; what tells a length belongs at the field";
const RAW_ON_VARIANT: &str = "`#[raw(…)]` belongs at a field, inside the parentheses or braces, as in `Relay(#[raw(rest)] Bytes)`; `big_endian` belongs at a struct that derives `Raw`, with its packet written `Move(Point)`";
const SERDE_OUTSIDE: &str = "this does not reach the keys of a MessagePack packet that names its fields: write `#[serde(rename = \"…\")]` at each field, or move the fields into a struct of their own and put this there";
const PACKET_ON_FIELD: &str = "`#[packet(…)]` belongs at the variant or the enum: move it in front of the variant; a field's own length is bounded by `#[raw(…, max = 16)]`";
const NOT_RAW: &str = "`#[raw(…)]` is for raw packets, and this one has another format: take it away";

/// The fields of a variant are written by reference, which serde's own functions for single fields cannot take.
fn serde_attrs<'a>(attrs: impl Iterator<Item = &'a Attribute>, errors: &mut Errors) {
    for attr in attrs.filter(|attr| attr.path().is_ident("serde")) {
        errors.take(attr.parse_nested_meta(|meta| {
            let known = ["rename", "default", "alias", "deserialize_with"];
            if !known.iter().any(|known| meta.path.is_ident(known)) {
                return Err(meta.error(
                    "in a variant serde takes `rename`, `default`, `alias` and `deserialize_with`: for more, move the fields into a struct of their own",
                ));
            }
            skip_value(&meta)
        }));
    }
}
