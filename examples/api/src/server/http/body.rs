//! A request's body: a JSON object of a known shape, not too large, not too slow.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::object::Object;
use crate::server::app::App;
use crate::server::refusal::No;

/// The body of a user's request: 4 KiB at most.
pub(super) struct Small<T>(pub(super) T);

/// The body of a game server's request: 512 KiB at most.
pub(super) struct Large<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Small<T> {
    type Rejection = No;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, No> {
        read(request, app, SMALL).await.map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Large<T> {
    type Rejection = No;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, No> {
        read(request, app, LARGE).await.map(Self)
    }
}

async fn read<T: DeserializeOwned>(request: Request, app: &App, most: usize) -> Result<T, No> {
    if !is_json(request.headers()) {
        return Err(No::NotJson);
    }
    let body = Limited::new(request.into_body(), most);
    let body = timeout(app.times.body, body.collect()).await.map_err(|_| No::SlowBody)?;
    let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => No::TooLarge,
        None => No::BadBody("it does not come to its end".to_owned()),
    })?;
    let body = serde_json::from_slice(&body.to_bytes());
    body.map(|Object(value)| value).map_err(|error| No::BadBody(why(&error)))
}

/// `application/json`, with whatever parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// In words; of a long reason the beginning.
fn why(error: &serde_json::Error) -> String {
    let mut words = error.to_string();
    // What serde says of a type is for who writes Rust.
    for (rust, plain) in TYPES {
        words = words.replace(rust, plain);
    }
    words.chars().take(200).collect()
}

const TYPES: [(&str, &str); 4] = [
    ("expected u16", "expected an integer of 0 to 65535"),
    ("expected u32", "expected an integer of 0 to 4294967295"),
    ("expected u64", "expected an integer of 0 or more"),
    ("expected a tuple of size 2", "expected two integers"),
];

const SMALL: usize = 4 * 1024;
const LARGE: usize = 512 * 1024;
