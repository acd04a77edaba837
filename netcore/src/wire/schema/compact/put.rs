//! Writes it.

use super::super::canonical::{by_code, form_code};
use super::super::{Int, Len, Type};
use super::{MAX_DEPTH, SchemaError, refuse_control};

pub(super) fn put_type(out: &mut Vec<u8>, ty: &Type, depth: usize) -> Result<(), SchemaError> {
    if depth > MAX_DEPTH {
        return Err(SchemaError::TooDeep);
    }
    match ty {
        Type::Opaque => out.push(0),
        Type::Bool => out.push(1),
        Type::Int(int) => {
            out.push(2);
            put_int(out, *int);
        }
        Type::Float { bytes, form } => out.extend([3, *bytes, form_code(*form)]),
        Type::Text(len) => {
            out.push(4);
            put_len(out, len)?;
        }
        Type::Bytes(len) => {
            out.push(5);
            put_len(out, len)?;
        }
        Type::List { item, len } => {
            out.push(6);
            put_len(out, len)?;
            put_type(out, item, depth + 1)?;
        }
        Type::Array { item, count } => {
            out.push(7);
            out.extend(count.to_le_bytes());
            put_type(out, item, depth + 1)?;
        }
        Type::Option(value) => {
            out.push(8);
            put_type(out, value, depth + 1)?;
        }
        Type::Map { key, value } => {
            out.push(9);
            put_type(out, key, depth + 1)?;
            put_type(out, value, depth + 1)?;
        }
        Type::Struct(shape) => {
            out.push(10);
            put_text(out, &shape.name)?;
            out.push(by_code(shape.by));
            put_count(out, shape.fields.len());
            for field in shape.fields.iter() {
                put_text(out, &field.name)?;
                out.extend(field.number.to_le_bytes());
                put_type(out, &field.ty, depth + 1)?;
            }
        }
        Type::Enum(choice) => {
            out.push(11);
            put_text(out, &choice.name)?;
            out.push(by_code(choice.by));
            out.push(u8::from(choice.tag.is_some()));
            if let Some(tag) = choice.tag {
                put_int(out, tag);
            }
            put_count(out, choice.variants.len());
            for variant in choice.variants.iter() {
                put_text(out, &variant.name)?;
                out.extend(variant.tag.to_le_bytes());
                put_type(out, &variant.body, depth + 1)?;
            }
        }
        Type::Recursive(name) => {
            out.push(12);
            put_text(out, name)?;
        }
    }
    Ok(())
}

pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    // More than 65,535 of anything take more than 64 KiB, which the caller refuses.
    out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), SchemaError> {
    refuse_control(text)?;
    put_count(out, text.len());
    out.extend(text.as_bytes());
    Ok(())
}

pub(super) fn put_int(out: &mut Vec<u8>, int: Int) {
    out.extend([int.bytes, u8::from(int.signed), form_code(int.form)]);
}

pub(super) fn put_len(out: &mut Vec<u8>, len: &Len) -> Result<(), SchemaError> {
    match len {
        Len::Own => out.push(0),
        Len::Fixed(count) => {
            out.push(1);
            out.extend(count.to_le_bytes());
        }
        Len::Prefix { int, max } => {
            out.push(2);
            put_int(out, *int);
            out.extend(max.to_le_bytes());
        }
        Len::Field { name, index, max } => {
            out.push(3);
            put_text(out, name)?;
            out.extend(index.to_le_bytes());
            out.extend(max.to_le_bytes());
        }
        Len::Rest { max } => {
            out.push(4);
            out.extend(max.to_le_bytes());
        }
    }
    Ok(())
}
