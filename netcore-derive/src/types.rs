//! What a type is, as far as its name says.

use syn::{GenericArgument, Ident, PathArguments, Type};

/// The type without what another macro's `$ty` puts around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

/// The type's name, without the path in front.
pub(crate) fn last_name(ty: &Type) -> Option<&Ident> {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// Whether it is one number or bool. Of another name for one no more is true than that it is read as a struct is.
pub(crate) fn is_number(ty: &Type) -> bool {
    let names = ["bool", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64"];
    last_name(ty).is_some_and(|last| names.iter().any(|name| last == name))
}

/// Whether it is `u8`, by whatever path.
pub(crate) fn is_byte(ty: &Type) -> bool {
    last_name(ty).is_some_and(|last| last == "u8")
}

/// The `T` of `…::name<T>`.
pub(crate) fn generic<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(args) = &last.arguments else { return None };
    args.args.iter().find_map(|arg| match arg {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}
