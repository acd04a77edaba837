//! Sign up, log in, log out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::{From, SignedIn, session_text};
use super::body::Small;
use super::{check, millis};
use crate::server::app::App;
use crate::server::refusal::No;
use crate::server::secret;
use crate::server::store::Kind;
use crate::{Credentials, Session, User};

pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    From(address): From,
    Small(who): Small<Credentials>,
) -> Result<(StatusCode, Json<User>), No> {
    check::credentials(&who)?;
    app.spend(&app.limits.sign_up_by_address, &address).await?;
    app.spend(&app.limits.sign_up_by_name, &who.name).await?;
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
    app.spend(&app.limits.log_in_by_address, &address).await?;
    // Counted before it is known, so that many at once are as many.
    app.spend(&app.limits.log_in_by_name, &who.name).await?;
    let account = app.accounts.by_name(who.name.clone()).await?;
    let (user, hash) = account.map(|account| (account.user, account.hash)).unzip();
    // As slow, and with the same answer, whether there is such a name or not.
    let right = app.passwords.verify(who.password, hash).await?;
    let Some(user) = user.filter(|_| right) else { return Err(No::WrongLogin) };
    app.give_back(&app.limits.log_in_by_name, &who.name).await;
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
