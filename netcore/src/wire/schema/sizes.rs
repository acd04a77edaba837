//! What can be told from a type alone: how many bytes its values take, whether they may share the read buffer, whether
//! all of it is known.

use super::{By, Enum, Field, Form, Int, Len, Shared, Struct, Type, Variant};

impl Type {
    /// Whether a value of this type may hold a slice of the read buffer: not if bytes occur nowhere in it.
    #[doc(hidden)]
    #[must_use]
    pub const fn may_share(&self) -> bool {
        match self {
            Self::Bool | Self::Int(_) | Self::Float { .. } | Self::Text(_) => false,
            Self::Opaque | Self::Bytes(_) | Self::Recursive(_) => true,
            Self::List { item: Shared::Static(inner), .. }
            | Self::Array { item: Shared::Static(inner), .. }
            | Self::Option(Shared::Static(inner)) => inner.may_share(),
            Self::Map { key: Shared::Static(key), value: Shared::Static(value) } => {
                key.may_share() || value.may_share()
            }
            Self::Struct(Struct { fields: Shared::Static(fields), .. }) => {
                let mut rest: &[Field] = fields;
                while let Some((Field { ty: Shared::Static(ty), .. }, more)) = rest.split_first() {
                    if ty.may_share() {
                        return true;
                    }
                    rest = more;
                }
                !rest.is_empty()
            }
            Self::Enum(Enum { variants: Shared::Static(variants), .. }) => {
                let mut rest: &[Variant] = variants;
                while let Some((Variant { body: Shared::Static(ty), .. }, more)) = rest.split_first() {
                    if ty.may_share() {
                        return true;
                    }
                    rest = more;
                }
                !rest.is_empty()
            }
            // Made at run time: nobody asks then.
            _ => true,
        }
    }

    /// Whether it is opaque, or something in it is.
    #[cfg(feature = "runtime")]
    pub(crate) fn is_opaque_within(&self) -> bool {
        match self {
            Self::Opaque => true,
            Self::List { item: inner, .. } | Self::Array { item: inner, .. } | Self::Option(inner) => {
                inner.is_opaque_within()
            }
            Self::Map { key, value } => key.is_opaque_within() || value.is_opaque_within(),
            Self::Struct(Struct { fields, .. }) => fields.iter().any(|field| field.ty.is_opaque_within()),
            Self::Enum(Enum { variants, .. }) => {
                variants.iter().any(|variant| variant.body.is_opaque_within())
            }
            _ => false,
        }
    }

    /// How many bytes a value always takes, where it always takes the same.
    #[must_use]
    pub fn fixed_size(&self) -> Option<usize> {
        match self.sizes() {
            (min, Some(max)) if min == max => Some(min),
            _ => None,
        }
    }

    /// The fewest and the most bytes a value takes; no most where only the body's size bounds it, or where the format
    /// decides.
    ///
    /// ```
    /// use netcore::Raw;
    /// use netcore::body::RawBody;
    ///
    /// #[derive(Raw)]
    /// struct User {
    ///     id: u64,
    ///     #[raw(len = u8, max = 16)]
    ///     name: String,
    /// }
    ///
    /// assert_eq!(<User as RawBody>::TYPE.sizes(), (9, Some(25)));
    /// assert_eq!(<User as RawBody>::TYPE.fixed_size(), None);
    /// assert_eq!(<[u16; 3] as RawBody>::TYPE.fixed_size(), Some(6));
    /// ```
    #[must_use]
    pub fn sizes(&self) -> (usize, Option<usize>) {
        let sum = |all: &mut dyn Iterator<Item = (usize, Option<usize>)>| {
            all.fold((0usize, Some(0usize)), |(min, max), (a, b)| {
                (min.saturating_add(a), max.zip(b).map(|(max, b)| max.saturating_add(b)))
            })
        };
        match self {
            Self::Bool => (1, Some(1)),
            Self::Int(int) => int.sizes(),
            Self::Float { bytes, form: Form::Little | Form::Big } => {
                (usize::from(*bytes), Some(usize::from(*bytes)))
            }
            Self::Text(len) | Self::Bytes(len) => len.sizes((1, Some(1))),
            Self::List { item, len } => len.sizes(item.sizes()),
            Self::Array { item, count } => {
                let (min, max) = item.sizes();
                let count = *count as usize;
                (min.saturating_mul(count), max.map(|max| max.saturating_mul(count)))
            }
            Self::Option(value) => (1, value.sizes().1.map(|max| max.saturating_add(1))),
            Self::Struct(Struct { by: By::Position, fields, .. }) => {
                sum(&mut fields.iter().map(|field| field.ty.sizes()))
            }
            Self::Enum(Enum { tag: Some(tag), variants, .. }) => {
                let bodies = || variants.iter().map(|variant| variant.body.sizes());
                let min = bodies().map(|(min, _)| min).min().unwrap_or(0);
                let max = bodies().map(|(_, max)| max).try_fold(0, |most, max| Some(most.max(max?)));
                sum(&mut [tag.sizes(), (min, max)].into_iter())
            }
            _ => (0, None),
        }
    }
}

impl Int {
    fn sizes(self) -> (usize, Option<usize>) {
        match self.form {
            Form::Little | Form::Big => (usize::from(self.bytes), Some(usize::from(self.bytes))),
            _ => (0, None),
        }
    }
}

impl Len {
    /// The sizes of so many items, with their prefix.
    fn sizes(&self, (min, max): (usize, Option<usize>)) -> (usize, Option<usize>) {
        let most = |bound: u32| match bound {
            u32::MAX => None,
            bound => max.map(|max| max.saturating_mul(bound as usize)),
        };
        match self {
            Self::Own => (0, None),
            Self::Fixed(count) => {
                (min.saturating_mul(*count as usize), max.map(|max| max.saturating_mul(*count as usize)))
            }
            Self::Prefix { int, max } => {
                let own = usize::from(int.bytes);
                // A bound that the integer cannot even say is its own.
                let bits = (8 * own).saturating_sub(usize::from(int.signed)).min(32);
                let most_said = u32::try_from((1u64 << bits) - 1).unwrap_or(u32::MAX);
                (own, most((*max).min(most_said)).map(|max| max.saturating_add(own)))
            }
            Self::Field { max, .. } | Self::Rest { max } => (0, most(*max)),
        }
    }
}
