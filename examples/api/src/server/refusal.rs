//! Everything that is answered with no: what a program reads, what a person reads, and the status, in one place.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::server::accounts::AccountError;
use crate::server::password::PasswordError;
use crate::server::store::StoreError;
use crate::server::world::Denial;
use crate::{Failure, Refusal};

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum No {
    /// The body is not what it should be: where, and why.
    BadBody(String),
    /// A field, or a part of the path, is outside of its bounds.
    BadField(&'static str),
    NotJson,
    TooLarge,
    SlowBody,
    NotFound,
    WrongMethod,
    NotLoggedIn,
    WrongLogin,
    NameTaken,
    /// There is no key that could be right.
    Keyless,
    BadKey,
    BadToken,
    TooMany(Duration),
    Denied(Denial),
    Account(AccountError),
    Password(PasswordError),
    Store(StoreError),
}

impl No {
    /// Status, code, words.
    fn says(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        use StatusCode as S;
        let (status, code, words) = match self {
            Self::BadBody(why) => {
                return (S::BAD_REQUEST, "bad_body", format!("the body does not fit: {why}").into());
            }
            Self::BadField(what) => (S::BAD_REQUEST, "bad_field", *what),
            Self::NotJson => (S::UNSUPPORTED_MEDIA_TYPE, "not_json", "the body has to be application/json"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"),
            Self::SlowBody => (S::REQUEST_TIMEOUT, "slow_body", "the body did not come in time"),
            Self::NotFound => (S::NOT_FOUND, "not_found", "there is nothing at that path"),
            Self::WrongMethod => {
                (S::METHOD_NOT_ALLOWED, "wrong_method", "that path does not take that method")
            }
            Self::NotLoggedIn => {
                (S::UNAUTHORIZED, "no_session", "log in first: the session is missing, wrong or over")
            }
            Self::WrongLogin => (S::UNAUTHORIZED, "wrong_login", "name or password is wrong"),
            Self::NameTaken => (S::CONFLICT, "name_taken", "that name is taken"),
            Self::Keyless => (
                S::FORBIDDEN,
                "no_api_key",
                "this server was started without --api-key-file: no game server is let in",
            ),
            Self::BadKey => {
                (S::UNAUTHORIZED, "bad_key", "that is for game servers: the api key is missing or wrong")
            }
            Self::BadToken => (S::FORBIDDEN, "bad_token", "not a token of that user, or used, or too old"),
            Self::TooMany(_) => (S::TOO_MANY_REQUESTS, "too_many_requests", "too often; try again later"),
            Self::Denied(denial) => match denial {
                Denial::UnknownGame => {
                    (S::NOT_FOUND, "unknown_game", "no server of that game has been there lately")
                }
                Denial::UnknownServer => {
                    (S::NOT_FOUND, "unknown_server", "that server is not in the list: register")
                }
                Denial::TooManyGames => {
                    (S::SERVICE_UNAVAILABLE, "too_many_games", "there are too many games")
                }
                Denial::TooManyServers => {
                    (S::SERVICE_UNAVAILABLE, "too_many_servers", "that game has too many servers")
                }
                Denial::NoRoom => (S::SERVICE_UNAVAILABLE, "no_room", "no server of that game has room"),
                Denial::QueueFull => (S::SERVICE_UNAVAILABLE, "queue_full", "too many wait for a match"),
                Denial::Left => {
                    (S::CONFLICT, "not_waiting", "this user waits no more, or by a newer request")
                }
                Denial::MatchTimeout => (S::GONE, "match_timeout", "nobody to play with was found in time"),
            },
            Self::Account(AccountError::Taken) => return Self::NameTaken.says(),
            Self::Account(AccountError::Busy) => {
                (S::SERVICE_UNAVAILABLE, "database_busy", "the database is busy; try again")
            }
            Self::Account(AccountError::Failed) => {
                (S::SERVICE_UNAVAILABLE, "database_failed", "the database fails")
            }
            Self::Password(PasswordError::Busy) => {
                (S::SERVICE_UNAVAILABLE, "busy", "too many passwords are being checked; try again")
            }
            Self::Password(PasswordError::Failed) => {
                (S::INTERNAL_SERVER_ERROR, "internal", "this should not happen")
            }
            Self::Store(StoreError::Away) => {
                (S::SERVICE_UNAVAILABLE, "store_away", "redis is away; try again")
            }
            Self::Store(StoreError::Busy) => {
                (S::SERVICE_UNAVAILABLE, "store_busy", "too much is going on; try again")
            }
            Self::Store(StoreError::Full) => {
                (S::SERVICE_UNAVAILABLE, "store_full", "too many users are logged in")
            }
        };
        (status, code, words.into())
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let (status, code, message) = self.says();
        let error = Refusal { code: code.to_owned(), message: message.into_owned() };
        let mut answer = (status, Json(Failure { error })).into_response();
        let wait = match self {
            Self::TooMany(wait) => Some(wait.as_secs() + 1),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        };
        if let Some(seconds) = wait {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer.extensions_mut().insert(Code(code));
        answer
    }
}

/// What was refused, for the metrics.
#[derive(Clone, Copy)]
pub(crate) struct Code(pub(crate) &'static str);

impl From<AccountError> for No {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl From<PasswordError> for No {
    fn from(error: PasswordError) -> Self {
        Self::Password(error)
    }
}

impl From<StoreError> for No {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
