//! What can go wrong with a call.

use std::time::Duration;

/// Why a call failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// There was no answer: nothing listens there, the line broke, or the time was up. Whether the call took effect is
    /// not known.
    #[error("the api server does not answer: {0}")]
    Away(String),
    /// The answer was no.
    #[error("the api server refuses: {message} ({code})")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// For programs.
        code: String,
        /// For people.
        message: String,
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// What came is no answer of an API server.
    #[error("that is no answer of an api server: {0}")]
    Garbled(String),
}

impl ApiError {
    /// Whether it may help to try again later: nobody answered, or the server is short of something.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Garbled(_) => false,
        }
    }

    /// Whether the answer was no, with this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        matches!(self, Self::Refused { code: found, .. } if found == code)
    }
}

/// Why a token does not let its user in.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedeemError {
    /// It is not, or no longer, a token of that user. It is the user who is to blame.
    #[error("not a token of that user, or used, or too old")]
    BadToken,
    /// The API server could not tell. The user is not to blame.
    #[error("the token cannot be checked: {0}")]
    Unavailable(ApiError),
}

/// That is not where an API server is, or not a key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Not `http://HOST[:PORT]`.
    #[error("not the address of an api server: it takes http://HOST:PORT")]
    Url,
    /// The key does not fit into a header: 16 to 256 visible ASCII characters.
    #[error("not an api key: it takes 16 to 256 visible ascii characters")]
    Key,
}
