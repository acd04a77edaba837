//! Bounds around a serde deserializer: how deep, how long, and how much is made ahead.
//!
//! `rmp_serde` bounds the depth of lists and maps, not of enums, and tells a visitor the length that the peer claims,
//! by which serde makes up to 1 MiB ahead. Both are closed here, for every format that comes through serde.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// What is left to spend. Eight bytes, since it goes along with every value: one register.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Items or bytes of any one value.
    len: u32,
    /// Levels of lists, maps and enums.
    depth: u16,
    /// Options and newtypes around one value: they take no bytes, so that a type made of nothing else has no end.
    transparent: u16,
}

/// How many options and newtypes may lie around one value.
const TRANSPARENT: u16 = 64;

/// Room that a list gets before its items are read.
const MADE_AHEAD: usize = 64;

impl Bounds {
    #[inline]
    pub(crate) fn new(depth: u16, len: usize) -> Self {
        Self { len: u32::try_from(len).unwrap_or(u32::MAX), depth, transparent: TRANSPARENT }
    }

    /// Whether a body of so many bytes could hold anything over the bound of a length.
    #[inline]
    pub(crate) fn may_be_over(self, bytes: usize) -> bool {
        u32::try_from(bytes).map_or(true, |bytes| bytes > self.len)
    }

    #[inline]
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, transparent: TRANSPARENT, ..self }),
            None => Err(E::custom("values lie within each other too deep")),
        }
    }

    #[inline]
    fn transparent<E: Error>(self) -> Result<Self, E> {
        match self.transparent.checked_sub(1) {
            Some(transparent) => Ok(Self { transparent, ..self }),
            None => Err(E::custom("a type of options and newtypes alone has no end")),
        }
    }

    #[inline]
    fn check<E: Error>(self, len: usize) -> Result<(), E> {
        if u32::try_from(len).is_ok_and(|len| len <= self.len) {
            Ok(())
        } else {
            Err(E::custom(format_args!("a length of {len} is over the bound of {}", self.len)))
        }
    }
}

/// Anything of serde's, with bounds: a deserializer, a visitor, a seed or an access.
pub(crate) struct Bounded<T> {
    inner: T,
    bounds: Bounds,
}

impl<T> Bounded<T> {
    #[inline]
    pub(crate) const fn new(inner: T, bounds: Bounds) -> Self {
        Self { inner, bounds }
    }

    #[inline]
    fn wrap<U>(&self, inner: U) -> Bounded<U> {
        Bounded { inner, bounds: self.bounds }
    }
}

/// Numbers hold nothing within: their visitors go through as they are. All others are wrapped.
macro_rules! forward {
    (plain: $($plain:ident)*; wrapped: $($wrapped:ident)*) => {
        $(
            #[inline]
            fn $plain<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
                self.inner.$plain(visitor)
            }
        )*
        $(
            #[inline]
            fn $wrapped<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
                let visitor = self.wrap(visitor);
                self.inner.$wrapped(visitor)
            }
        )*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<D> {
    type Error = D::Error;

    forward! {
        plain: deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
            deserialize_f64;
        wrapped: deserialize_any deserialize_char deserialize_str deserialize_string deserialize_bytes
            deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq deserialize_map
            deserialize_identifier deserialize_ignored_any
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_unit_struct(name, visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_tuple_struct(name, len, visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_struct(name, fields, visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident $ty:ty;)*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $ty) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

macro_rules! visit_long {
    ($($method:ident $ty:ty;)*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $ty) -> Result<V::Value, E> {
            self.bounds.check(value.len())?;
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool bool; visit_i8 i8; visit_i16 i16; visit_i32 i32; visit_i64 i64; visit_i128 i128;
        visit_u8 u8; visit_u16 u16; visit_u32 u32; visit_u64 u64; visit_u128 u128;
        visit_f32 f32; visit_f64 f64; visit_char char;
    }

    visit_long! {
        visit_str &str; visit_borrowed_str &'de str; visit_string String;
        visit_bytes &[u8]; visit_borrowed_bytes &'de [u8]; visit_byte_buf Vec<u8>;
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        let from = Bounded::new(from, self.bounds.transparent()?);
        self.inner.visit_some(from)
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        let from = Bounded::new(from, self.bounds.transparent()?);
        self.inner.visit_newtype_struct(from)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.bounds.check(items.size_hint().unwrap_or(0))?;
        self.inner.visit_seq(Bounded::new(items, self.bounds.deeper()?))
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.bounds.check(items.size_hint().unwrap_or(0))?;
        self.inner.visit_map(Bounded::new(items, self.bounds.deeper()?))
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Bounded::new(variant, self.bounds.deeper()?))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        let from = self.wrap(from);
        self.inner.deserialize(from)
    }
}

// `rmp_serde` tells the claimed length exactly, so that no item needs to be counted.

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.wrap(seed);
        self.inner.next_element_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|claimed| claimed.min(MADE_AHEAD))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.wrap(seed);
        self.inner.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.wrap(seed);
        self.inner.next_value_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|claimed| claimed.min(MADE_AHEAD))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<A> {
    type Error = A::Error;
    type Variant = Bounded<A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (seed, bounds) = (self.wrap(seed), self.bounds);
        let (name, body) = self.inner.variant_seed(seed)?;
        Ok((name, Bounded::new(body, bounds)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.wrap(seed);
        self.inner.newtype_variant_seed(seed)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.wrap(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.wrap(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}
