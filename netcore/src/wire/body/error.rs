//! What can be wrong with a body.

use std::{error::Error, fmt};

/// A body that does not decode, or does not encode: where and why.
///
/// One pointer in size: a decoded packet travels in a `Result` on the hot path, and an error there is rare.
///
/// ```
/// use netcore::body::{BodyErrorKind, RawBody, Reader};
/// use netcore::{BodyError, Raw};
///
/// #[derive(Raw, Debug)]
/// struct Player {
///     id: u8,
///     #[raw(len = u8, max = 16)]
///     name: String,
/// }
///
/// let error = <Player as RawBody>::read(&mut Reader::new(&[7, 200])).unwrap_err();
/// assert_eq!(error.kind(), BodyErrorKind::TooLong { len: 200, max: 16 });
/// assert_eq!(error.to_string(), "name: a length of 200 is over the bound of 16");
///
/// // A format of one's own says what it does not like, and where.
/// let error = BodyError::new(BodyErrorKind::Tag(9)).within("colour").within("Player");
/// assert_eq!(error.to_string(), "Player.colour: no variant has the tag 9");
/// ```
pub struct BodyError(Box<Inner>);

struct Inner {
    // Outermost last, since an error gathers its path on the way out.
    path: Vec<&'static str>,
    kind: BodyErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Why a body does not decode or encode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BodyErrorKind {
    /// Fewer bytes are left than the value needs.
    Short {
        /// Bytes it needs.
        need: usize,
        /// Bytes that are left.
        have: usize,
    },
    /// Bytes are left behind the value.
    Trailing {
        /// How many.
        extra: usize,
    },
    /// A length or count is over its bound.
    TooLong {
        /// The length in bytes, or the count.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// A signed length or count is below zero.
    NegativeLength,
    /// Text is not UTF-8.
    NotUtf8 {
        /// How many of its bytes are.
        valid: usize,
    },
    /// A bool is neither 0 nor 1.
    Bool(u8),
    /// No variant of an enum has this tag.
    Tag(i128),
    /// Zero-padded text or bytes to encode begin or end with a zero where the reader would take it for padding.
    PaddedZero,
    /// A list to encode does not have the length that another field says.
    CountMismatch {
        /// What the other field says.
        says: usize,
        /// What the list has.
        have: usize,
    },
    /// The format's own library refused it; see [`Error::source`].
    Format,
}

impl BodyError {
    /// An error of this kind.
    #[cold]
    #[must_use]
    pub fn new(kind: BodyErrorKind) -> Self {
        Self(Box::new(Inner { path: Vec::new(), kind, source: None }))
    }

    /// A format's own error.
    #[cold]
    pub fn format(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner { path: Vec::new(), kind: BodyErrorKind::Format, source: Some(source.into()) }))
    }

    /// Says in which field (struct, variant) the error arose; called by each on the way out.
    #[cold]
    #[must_use]
    pub fn within(mut self, name: &'static str) -> Self {
        self.0.path.push(name);
        self
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> BodyErrorKind {
        self.0.kind
    }

    /// Where: the names of the packet and its fields, outermost first, with dots between them; empty where unknown.
    #[must_use]
    pub fn path(&self) -> String {
        self.0.path.iter().rev().copied().collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        self.0.kind.fmt(f)
    }
}

impl fmt::Display for BodyErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { need, have } => write!(f, "{need} bytes are needed, {have} are left"),
            Self::Trailing { extra } => write!(f, "{extra} bytes are left over"),
            Self::TooLong { len, max } => write!(f, "a length of {len} is over the bound of {max}"),
            Self::NegativeLength => f.write_str("a length is below zero"),
            Self::NotUtf8 { valid } => write!(f, "text is not UTF-8 after its first {valid} bytes"),
            Self::Bool(byte) => write!(f, "a bool is {byte}, neither 0 nor 1"),
            Self::Tag(tag) => write!(f, "no variant has the tag {tag}"),
            Self::PaddedZero => f.write_str("a zero at the edge would be read as padding"),
            Self::CountMismatch { says, have } => {
                write!(f, "the length field says {says}, the value has {have}")
            }
            Self::Format => f.write_str("the format refused it"),
        }
    }
}

impl fmt::Debug for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyError")
            .field("path", &self.path())
            .field("kind", &self.0.kind)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
