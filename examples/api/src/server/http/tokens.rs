//! What lets a user into a game server, once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::{GameServer, SignedIn};
use super::body::Small;
use super::{check, millis};
use crate::server::app::App;
use crate::server::refusal::No;
use crate::server::secret::{self, TOKEN};
use crate::server::store::Kind;
use crate::{Redeem, Token, User};

pub(super) async fn make(State(app): State<Arc<App>>, me: SignedIn) -> Result<(StatusCode, Json<Token>), No> {
    Ok((StatusCode::CREATED, Json(new(&app, me.user.id).await?)))
}

/// A new token for a user.
pub(super) async fn new(app: &App, user: u64) -> Result<Token, No> {
    let token = secret::token();
    app.store.issue(Kind::Token, user, &token, app.times.token).await?;
    Ok(Token { token, expires_in_ms: millis(app.times.token) })
}

pub(super) async fn redeem(
    State(app): State<Arc<App>>,
    _: GameServer,
    Small(what): Small<Redeem>,
) -> Result<Json<User>, No> {
    check::name(&what.user)?;
    // What cannot be a token, such as a password of the user's, need not be looked for.
    if !secret::is_text(&what.token, TOKEN) {
        return Err(No::BadToken);
    }
    let account = app.accounts.by_name(what.user).await?.ok_or(No::BadToken)?;
    if !app.store.take(Kind::Token, account.user.id, &what.token).await? {
        return Err(No::BadToken);
    }
    Ok(Json(account.user))
}
