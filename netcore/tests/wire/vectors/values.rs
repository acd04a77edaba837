//! Bytes and values as the vectors write them.

use std::{fs, path::Path};

use netcore::body::BodyErrorKind;
use netcore::schema::{By, Form, Int, Len, Schema, Type};
use serde_json::{Map, Value, json};

/// The vectors of one file.
pub(crate) fn file(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/vectors").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The members of a list, which must not be empty: a test of no vector proves nothing.
pub(crate) fn list<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    let list = of[key].as_array().unwrap_or_else(|| panic!("no list `{key}`"));
    assert!(!list.is_empty(), "`{key}` is empty");
    list
}

pub(crate) fn text<'v>(of: &'v Value, key: &str) -> &'v str {
    of[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {of}"))
}

pub(crate) fn number(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_else(|| panic!("no number `{key}` in {of}"))
}

/// A hex string, `{"repeat": hex, "times": n}`, or a list of these.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(hex) => from_hex(hex).unwrap_or_else(|| panic!("{hex} is not hex")),
        Value::Array(parts) => parts.iter().flat_map(bytes).collect(),
        Value::Object(_) => bytes(&value["repeat"]).repeat(number(value, "times") as usize),
        other => panic!("{other} is not bytes"),
    }
}

pub(crate) fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        hex.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The largest integer that every JSON reader keeps exact.
const EXACT: u64 = (1 << 53) - 1;

/// `value` with the integers that not every JSON reader keeps exact as decimal strings.
pub(crate) fn exact(value: Value) -> Value {
    match value {
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(large), _) if large > EXACT => Value::String(number.to_string()),
            (_, Some(small)) if small < -(EXACT as i64) => Value::String(number.to_string()),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(exact).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, exact(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// What `exact` made of `value`, undone.
pub(crate) fn inexact(value: Value) -> Value {
    match value {
        Value::String(text) => match (text.parse::<u64>(), text.parse::<i64>()) {
            (Ok(large), _) if large > EXACT => large.into(),
            (_, Ok(small)) if small < -(EXACT as i64) => small.into(),
            _ => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(inexact).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, inexact(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

pub(crate) fn error_name(kind: BodyErrorKind) -> &'static str {
    match kind {
        BodyErrorKind::Short { .. } => "short",
        BodyErrorKind::Trailing { .. } => "trailing",
        BodyErrorKind::TooLong { .. } => "too_long",
        BodyErrorKind::NegativeLength => "negative_length",
        BodyErrorKind::NotUtf8 { .. } => "not_utf8",
        BodyErrorKind::Bool(_) => "bool",
        BodyErrorKind::Tag(_) => "tag",
        BodyErrorKind::PaddedZero => "padded_zero",
        BodyErrorKind::CountMismatch { .. } => "count_mismatch",
        BodyErrorKind::Format => "format",
        other => panic!("{other:?} has no name in the vectors"),
    }
}

/// A schema without its documentation.
pub(crate) fn schema(schema: &Schema) -> Value {
    let packets: Vec<Value> = schema
        .packets
        .iter()
        .map(|packet| {
            let mut value = json!({
                "id": packet.id.0,
                "name": &*packet.name,
                "format": &*packet.format,
                "max": packet.max,
                "ignore_extra": packet.ignore_extra,
                "body": ty(&packet.body),
            });
            // Left out where they say nothing.
            if packet.numbered {
                value["numbered"] = true.into();
            }
            if let Some(reply) = packet.reply {
                value["reply"] = reply.0.into();
            }
            value
        })
        .collect();
    json!({ "name": &*schema.name, "packets": packets })
}

fn ty(of: &Type) -> Value {
    match of {
        Type::Opaque => json!({ "kind": "opaque" }),
        Type::Bool => json!({ "kind": "bool" }),
        Type::Int(of) => {
            let mut value = int(*of);
            value["kind"] = "int".into();
            value
        }
        Type::Float { bytes, form: of } => json!({ "kind": "float", "bytes": bytes, "form": form(*of) }),
        Type::Text(of) => json!({ "kind": "text", "len": len(of) }),
        Type::Bytes(of) => json!({ "kind": "bytes", "len": len(of) }),
        Type::List { item, len: of } => json!({ "kind": "list", "len": len(of), "item": ty(item) }),
        Type::Array { item, count } => json!({ "kind": "array", "count": count, "item": ty(item) }),
        Type::Option(value) => json!({ "kind": "option", "value": ty(value) }),
        Type::Map { key, value } => json!({ "kind": "map", "key": ty(key), "value": ty(value) }),
        Type::Struct(of) => {
            let field = |field: &netcore::schema::Field| json!({ "name": &*field.name, "number": field.number, "type": ty(&field.ty) });
            let fields: Vec<Value> = of.fields.iter().map(field).collect();
            json!({ "kind": "struct", "name": &*of.name, "by": by(of.by), "fields": fields })
        }
        Type::Enum(of) => {
            let variant = |variant: &netcore::schema::Variant| json!({ "name": &*variant.name, "tag": variant.tag, "body": ty(&variant.body) });
            let variants: Vec<Value> = of.variants.iter().map(variant).collect();
            json!({ "kind": "enum", "name": &*of.name, "by": by(of.by), "tag": of.tag.map(int), "variants": variants })
        }
        Type::Recursive(name) => json!({ "kind": "recursive", "name": &**name }),
        other => panic!("{other:?} has no form in the vectors"),
    }
}

fn int(of: Int) -> Value {
    json!({ "bytes": of.bytes, "signed": of.signed, "form": form(of.form) })
}

fn form(of: Form) -> &'static str {
    match of {
        Form::Little => "little",
        Form::Big => "big",
        Form::Own => "own",
        Form::Varint => "varint",
        Form::ZigZag => "zigzag",
        other => panic!("{other:?} has no name in the vectors"),
    }
}

fn by(of: By) -> &'static str {
    match of {
        By::Position => "position",
        By::Name => "name",
        By::Number => "number",
        other => panic!("{other:?} has no name in the vectors"),
    }
}

fn len(of: &Len) -> Value {
    match of {
        Len::Own => json!({ "kind": "own" }),
        Len::Fixed(count) => json!({ "kind": "fixed", "count": count }),
        Len::Prefix { int: of, max } => json!({ "kind": "prefix", "int": int(*of), "max": max }),
        Len::Field { name, index, max } => {
            json!({ "kind": "field", "name": &**name, "index": index, "max": max })
        }
        Len::Rest { max } => json!({ "kind": "rest", "max": max }),
        other => panic!("{other:?} has no form in the vectors"),
    }
}
