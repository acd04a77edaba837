//! For those who run it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::Health;
use crate::server::app::App;

pub(super) async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let (database, store) = tokio::join!(app.accounts.ping(), app.store.ping());
    let fine = database.is_ok() && store.is_ok();
    let words = |error: Option<String>| error.unwrap_or_else(|| "ok".to_owned());
    let health = Health {
        status: if fine { "ok" } else { "degraded" }.to_owned(),
        database: words(database.err().map(|error| error.to_string())),
        store: words(store.err().map(|error| error.to_string())),
    };
    (if fine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let text = app.metrics.text(&[
        ("api_open_matches", "Requests for a match that are held open.", app.waiters.count()),
        ("api_passwords_waiting", "Passwords that are being hashed or wait for it.", app.passwords.waiting()),
    ]);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

pub(super) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

pub(super) const OPENAPI: &str = include_str!("../../../openapi.json");
