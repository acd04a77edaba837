//! Sign up, log in, log out.

use std::sync::Arc;

use api::{Credentials, Session, User};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::{From, SignedIn, session_text};
use super::body::Small;
use super::{check, millis};
use crate::app::App;
use crate::refusal::No;
use crate::secret;
use crate::store::Kind;

pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    From(address): From,
    Small(who): Small<Credentials>,
) -> Result<(StatusCode, Json<User>), No> {
    check::credentials(&who)?;
    app.limits.sign_up_by_address.take(address).map_err(No::TooMany)?;
    app.limits.sign_up_by_name.take(&who.name).map_err(No::TooMany)?;
    let hash = app.passwords.hash(who.password).await?;
    let user = app.accounts.add(who.name, hash).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    From(address): From,
    Small(who): Small<Credentials>,
) -> Result<(StatusCode, Json<Session>), No> {
    check::credentials(&who)?;
    app.limits.log_in_by_address.take(address).map_err(No::TooMany)?;
    // Counted before it is known, so that many at once are as many.
    app.limits.log_in_by_name.take(&who.name).map_err(No::TooMany)?;
    let account = app.accounts.by_name(who.name.clone()).await?;
    let (user, hash) = account.map(|account| (account.user, account.hash)).unzip();
    // As slow, and with the same answer, whether there is such a name or not.
    let right = app.passwords.verify(who.password, hash).await?;
    let Some(user) = user.filter(|_| right) else { return Err(No::WrongLogin) };
    app.limits.log_in_by_name.give_back(&who.name);
    let secret = secret::session();
    app.store.issue(Kind::Session, user.id, &secret, app.times.session).await?;
    let session = session_text(user.id, &secret);
    Ok((StatusCode::CREATED, Json(Session { session, user, expires_in_ms: millis(app.times.session) })))
}

pub(super) async fn log_out(State(app): State<Arc<App>>, me: SignedIn) -> Result<StatusCode, No> {
    app.store.take(Kind::Session, me.user.id, &me.secret).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn me(me: SignedIn) -> Json<User> {
    Json(me.user)
}
