//! `#[packet(numbered)]`: the request number in front of a body.

use syn::{Field, Fields, Member, Type, Variant};

use crate::attr::Errors;
use crate::layout;
use crate::names::plain;
use crate::packet::{self, Body};
use crate::packet_format::{Format, FormatKind};
use crate::types::last_name;

/// The name of the number, as a field and in the schema.
pub(crate) const REQUEST: &str = "request";

/// The field that holds the request number, and what the packet holds.
pub(crate) fn body<'a>(
    variant: &'a Variant,
    format: &Format,
    errors: &mut Errors,
) -> Option<(Member, Body<'a>)> {
    let ident = &variant.ident;
    let mut fields = variant.fields.iter();
    let Some(first) = fields.next() else {
        errors.at(
            ident,
            format!(
                "a numbered packet holds its request number: write `{ident}(u32)`, or take `numbered` away"
            ),
        );
        return None;
    };
    check_number(variant, first, errors);
    let number = first.ident.clone().map_or_else(|| Member::from(0), Member::Named);
    let rest: Vec<_> = fields.collect();
    let body = match (&variant.fields, format.kind, &*rest) {
        // Nothing but the number: no body is left that could have a format.
        (_, _, []) => raw(variant, errors),
        (Fields::Named(_), FormatKind::Raw, _) => raw(variant, errors),
        (Fields::Named(_), FormatKind::MsgPack | FormatKind::MsgPackArray, _) => {
            for attr in first.attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
                errors.at(
                    attr,
                    "the request number stands in front of the MessagePack value, not in it: take this attribute away",
                );
            }
            packet::serde_fields(rest.into_iter(), errors)
        }
        (Fields::Named(_), FormatKind::Protobuf, _) => {
            errors.at(
                &variant.fields,
                format!("a protobuf packet carries one prost message: write `{ident}(u32, {ident}Message)`, with a message of your .proto files"),
            );
            return None;
        }
        (Fields::Named(_), FormatKind::Own, _) => {
            errors.at(
                &variant.fields,
                format!("a format of your own carries one body type: move the fields behind the request number into a struct and write `{ident}(u32, {ident}Body)`"),
            );
            return None;
        }
        (_, FormatKind::Raw, [_]) => raw(variant, errors),
        (_, _, [field]) => packet::tuple(field, format, errors),
        _ => {
            errors.at(
                &variant.fields,
                format!("a numbered tuple variant has its request number and one body type: name the fields, `{ident} {{ request: u32, x: f32 }}`, or make those behind the number a struct"),
            );
            return None;
        }
    };
    Some((number, body))
}

fn check_number(variant: &Variant, first: &Field, errors: &mut Errors) {
    let ident = &variant.ident;
    if let Some(name) = first.ident.as_ref().filter(|name| plain(name) != REQUEST) {
        errors.at(
            name,
            format!("the first field of a numbered packet is its request number: put `request: u32` in front of `{name}`"),
        );
        return;
    }
    if !is_u32(&first.ty) {
        let fix = match (&first.ident, variant.fields.len()) {
            (Some(_), _) => "write `request: u32`".to_owned(),
            (None, 1) => format!("write `{ident}(u32, …)`, with the body behind it"),
            (None, _) => format!("write `{ident}(u32, …)`"),
        };
        errors.at(
            &first.ty,
            format!("the first field of a numbered packet is its request number, a u32: {fix}"),
        );
    }
    for attr in first.attrs.iter().filter(|attr| attr.path().is_ident("raw")) {
        errors.at(attr, "a request number is four bytes, little-endian, always: take this attribute away");
    }
}

/// The number as a raw field in front of those behind it: a fixed layout stays one.
fn raw<'a>(variant: &'a Variant, errors: &mut Errors) -> Body<'a> {
    let mut fields = layout::parse(&variant.fields, errors);
    for holder in fields.iter().filter_map(|field| field.spec.held_in()).filter(|name| plain(name) == REQUEST)
    {
        errors.at(
            holder,
            "a request number is no length: put an integer field behind it, and name that one here",
        );
    }
    if matches!(variant.fields, Fields::Unnamed(_)) {
        for (field, name) in fields.iter_mut().zip([REQUEST, ""]) {
            name.clone_into(&mut field.name);
        }
    }
    Body::RawFields(fields)
}

/// Whether it is `u32`, by whatever path.
fn is_u32(ty: &Type) -> bool {
    last_name(ty).is_some_and(|last| last == "u32")
}
