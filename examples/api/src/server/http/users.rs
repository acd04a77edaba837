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
    let name = who.name.clone();
    let judged = judge(&app, who).await;
    // Who was right has not guessed; nor has anybody whose password was not looked at, and who is told to try again.
    if !matches!(judged, Err(No::WrongLogin)) {
        app.give_back(&app.limits.log_in_by_name, &name).await;
    }
    let user = judged?;
    let secret = secret::session();
    app.store.issue(Kind::Session, user.id, &secret, app.times.session).await?;
    let session = session_text(user.id, &secret);
    Ok((StatusCode::CREATED, Json(Session { session, user, expires_in_ms: millis(app.times.session) })))
}

/// Whose name and password these are.
async fn judge(app: &App, who: Credentials) -> Result<User, No> {
    let account = app.accounts.by_name(who.name).await?;
    let (user, hash) = account.map(|account| (account.user, account.hash)).unzip();
    // As slow, and with the same answer, whether there is such a name or not.
    let right = app.passwords.verify(who.password, hash).await?;
    user.filter(|_| right).ok_or(No::WrongLogin)
}

pub(super) async fn log_out(State(app): State<Arc<App>>, me: SignedIn) -> Result<StatusCode, No> {
    app.store.take(Kind::Session, me.user.id, &me.secret).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn me(me: SignedIn) -> Json<User> {
    Json(me.user)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tokio::sync::watch;

    use super::*;
    use crate::server::Flags;
    use crate::server::password::PasswordError;

    #[tokio::test]
    async fn a_log_in_that_a_busy_server_did_not_look_at_is_no_wrong_one() {
        let mut flags = Flags::parse_from(["api", "--db", ":memory:", "--failures-per-minute", "3"]);
        // Nobody hashes, so that there is never time for one more.
        flags.hashers = Some(0);
        let app = Arc::new(crate::server::app(&flags, watch::channel(false).1).unwrap());
        for turn in 0..10 {
            let who = Credentials { name: "ann".to_owned(), password: "correct horse".to_owned() };
            let address = From("127.0.0.1".parse().unwrap());
            let answer = log_in(State(app.clone()), address, Small(who)).await;
            assert_eq!(answer.err(), Some(No::Password(PasswordError::Busy)), "{turn}");
        }
    }
}
