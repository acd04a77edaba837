//! Fields that decode although what they hold will be refused: in words then, where a body that does not decode closes.

use std::fmt;

use bytes::Bytes;
use netcore::Describe;
use netcore::schema::Type;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// A text whose bytes need not be UTF-8: an id that is not decodes, and is then refused.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text(pub Bytes);

/// A room number; `None`: one outside of `i32`, which decodes, and is then refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number(pub Option<i32>);

/// An answer to an invitation: 1 or 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accept(pub bool);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Look;
        impl Visitor<'_> for Look {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(text.into())
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(Bytes::copy_from_slice(bytes)))
            }
        }
        from.deserialize_bytes(Look)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.serialize_bytes(&self.0),
        }
    }
}

impl Describe for Text {
    const TYPE: &'static Type = String::TYPE;
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        integer(from).map(|number| Self(i32::try_from(number).ok()))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // One that is outside stays outside.
        to.serialize_i64(self.0.map_or(i64::MAX, i64::from))
    }
}

impl Describe for Number {
    const TYPE: &'static Type = i32::TYPE;
}

impl<'de> Deserialize<'de> for Accept {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match integer(from)? {
            1 => Ok(Self(true)),
            2 => Ok(Self(false)),
            _ => Err(D::Error::custom("an answer is 1 or 2")),
        }
    }
}

impl Serialize for Accept {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(if self.0 { 1 } else { 2 })
    }
}

impl Describe for Accept {
    const TYPE: &'static Type = i8::TYPE;
}

/// An integer of any width.
fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<i128, D::Error> {
    struct Look;
    impl Visitor<'_> for Look {
        type Value = i128;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<i128, E> {
            Ok(number.into())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<i128, E> {
            Ok(number.into())
        }
    }
    from.deserialize_i64(Look)
}
