//! How a body of a self-describing format says what it looks like.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use super::{Form, Int, Len, Shared, Type};

/// Says what a value looks like in a format that names or numbers its fields: MessagePack and other serde formats, and
/// protobuf. `#[derive(Describe)]` implements it, beside serde's or prost's own derive, and reads their attributes.
///
/// It is apart from [`RawBody`](crate::body::RawBody), which describes the raw layout, because one struct may be a body
/// in both: raw for one client, MessagePack for another. A body without it is opaque to the schema.
///
/// ```
/// use netcore::{Describe, schema::Type};
///
/// #[derive(Describe, serde::Serialize, serde::Deserialize)]
/// #[serde(rename_all = "PascalCase")]
/// struct EnterRoom {
///     room_number: i32,
/// }
///
/// let Type::Struct(shape) = EnterRoom::TYPE else { unreachable!() };
/// assert_eq!(&*shape.fields[0].name, "RoomNumber");
/// ```
///
/// A field that leads back to its own type says so, or the description would have no end. It is then described by the type's
/// name, inside the `Box`, `Option`, `Vec`, array, `HashMap` and `BTreeMap` around it, of whose keys the type is none:
///
/// ```
/// use std::collections::HashMap;
/// use netcore::{Describe, schema::Type};
///
/// #[derive(Describe, serde::Serialize, serde::Deserialize)]
/// struct Folder {
///     #[describe(recursive)]
///     folders: HashMap<String, Folder>,
/// }
///
/// let Type::Struct(shape) = Folder::TYPE else { unreachable!() };
/// assert_eq!(shape.fields[0].ty.to_string(), "map of (text) to (Folder again)");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it looks like",
    note = "derive `netcore::Describe` for it, or leave the field out of the schema with `#[describe(opaque)]`"
)]
pub trait Describe {
    /// What it looks like.
    const TYPE: &'static Type;
}

macro_rules! own {
    ($($rust:ty = $ty:expr;)*) => {$(
        impl Describe for $rust {
            const TYPE: &'static Type = &$ty;
        }
    )*};
}

const fn int(bytes: u8, signed: bool) -> Type {
    Type::Int(Int { bytes, signed, form: Form::Own })
}

own! {
    bool = Type::Bool;
    u8 = int(1, false);
    u16 = int(2, false);
    u32 = int(4, false);
    u64 = int(8, false);
    u128 = int(16, false);
    i8 = int(1, true);
    i16 = int(2, true);
    i32 = int(4, true);
    i64 = int(8, true);
    i128 = int(16, true);
    f32 = Type::Float { bytes: 4, form: Form::Own };
    f64 = Type::Float { bytes: 8, form: Form::Own };
    String = Type::Text(Len::Own);
    str = Type::Text(Len::Own);
    char = Type::Text(Len::Own);
    Bytes = Type::Bytes(Len::Own);
}

impl<T: Describe + ?Sized> Describe for &T {
    const TYPE: &'static Type = T::TYPE;
}

impl<T: Describe + ?Sized> Describe for Box<T> {
    const TYPE: &'static Type = T::TYPE;
}

impl<T: Describe> Describe for Option<T> {
    const TYPE: &'static Type = &Type::Option(Shared::Static(T::TYPE));
}

impl<T: Describe> Describe for Vec<T> {
    const TYPE: &'static Type = &Type::List { item: Shared::Static(T::TYPE), len: Len::Own };
}

impl<T: Describe, const N: usize> Describe for [T; N] {
    const TYPE: &'static Type = &Type::Array { item: Shared::Static(T::TYPE), count: N as u32 };
}

impl<K: Describe, V: Describe, S> Describe for HashMap<K, V, S> {
    const TYPE: &'static Type = &Type::Map { key: Shared::Static(K::TYPE), value: Shared::Static(V::TYPE) };
}

impl<K: Describe, V: Describe> Describe for BTreeMap<K, V> {
    const TYPE: &'static Type = &Type::Map { key: Shared::Static(K::TYPE), value: Shared::Static(V::TYPE) };
}

/// Finds [`Describe`] for a type that may not have it: `Probe::<T>::TYPE` is the inherent constant where `T` describes
/// itself, and [`OpaqueBody`]'s where it does not. The derive uses it on types that are known, which is where this works.
#[derive(Debug)]
#[doc(hidden)]
pub struct Probe<T>(std::marker::PhantomData<T>);

impl<T: Describe> Probe<T> {
    /// What it says.
    pub const TYPE: &'static Type = T::TYPE;
}

/// See [`Probe`].
#[doc(hidden)]
pub trait OpaqueBody {
    /// Nothing.
    const TYPE: &'static Type = &Type::Opaque;
}

impl<T> OpaqueBody for Probe<T> {}
