//! Who asks: somebody who is logged in, or a game server, and from where.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use support::household;

use super::Peer;
use crate::User;
use crate::server::app::App;
use crate::server::refusal::No;
use crate::server::secret::{self, SESSION};
use crate::server::store::Kind;

/// Somebody who is logged in.
pub(super) struct SignedIn {
    pub(super) user: User,
    /// What is kept of the session.
    pub(super) secret: String,
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, No> {
        let (id, secret) = bearer(&parts.headers).and_then(session).ok_or(No::NotLoggedIn)?;
        if !app.store.check(Kind::Session, id, secret).await? {
            return Err(No::NotLoggedIn);
        }
        app.limits.by_user.take(id).map_err(No::TooMany)?;
        let account = app.accounts.by_id(id).await?.ok_or(No::NotLoggedIn)?;
        Ok(Self { user: account.user, secret: secret.to_owned() })
    }
}

/// What a session looks like: whose it is, and the secret.
pub(super) fn session_text(user: u64, secret: &str) -> String {
    format!("{user}.{secret}")
}

fn session(text: &str) -> Option<(u64, &str)> {
    let (user, secret) = text.split_once('.')?;
    let user = user.bytes().all(|byte| byte.is_ascii_digit()).then(|| user.parse().ok())??;
    secret::is_text(secret, SESSION).then_some((user, secret))
}

/// A game server: somebody who has the key.
pub(super) struct GameServer;

impl FromRequestParts<Arc<App>> for GameServer {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, No> {
        let key = app.key.as_ref().ok_or(No::Keyless)?;
        match bearer(&parts.headers) {
            Some(shown) if key.is(shown) => Ok(Self),
            _ => Err(No::BadKey),
        }
    }
}

/// The names in a path.
pub(super) struct In<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for In<T> {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, No> {
        let path = Path::from_request_parts(parts, app).await;
        path.map(|Path(names)| Self(names)).map_err(|_| No::BadField("the path is not text"))
    }
}

/// From where, for the limits by address.
pub(super) struct From(pub(super) IpAddr);

impl FromRequestParts<Arc<App>> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0; 16]), |peer| peer.0.to_canonical());
        let behind = app.proxies.contains(&peer).then(|| forwarded(&parts.headers)).flatten();
        Ok(Self(household(behind.unwrap_or(peer))))
    }
}

/// The last address in `X-Forwarded-For`: the one that the proxy itself has seen.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    let (scheme, secret) = one.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_bearer_is_one_word_of_one_header() {
        assert_eq!(bearer(&headers(&[("authorization", "Bearer abc")])), Some("abc"));
        assert_eq!(bearer(&headers(&[("authorization", "bearer  abc ")])), Some("abc"));
        for wrong in ["", "abc", "Basic abc", "Bearer"] {
            assert_eq!(bearer(&headers(&[("authorization", wrong)])), None, "{wrong}");
        }
    }

    #[test]
    fn a_session_is_an_id_and_a_secret() {
        let secret = secret::session();
        assert_eq!(session(&session_text(7, &secret)), Some((7, &*secret)));
        for wrong in
            ["", ".", "7.", "7", &format!("+7.{secret}"), &format!("x.{secret}"), &format!(".{secret}")]
        {
            assert_eq!(session(wrong), None, "{wrong}");
        }
        assert_eq!(session(&format!("99999999999999999999.{secret}")), None);
        assert_eq!(session(&format!("7.{secret}x")), None);
    }

    #[test]
    fn of_forwarded_addresses_the_last_counts() {
        let ip = |text: &str| Some(text.parse().unwrap());
        assert_eq!(forwarded(&headers(&[("x-forwarded-for", "1.1.1.1, 10.0.0.9")])), ip("10.0.0.9"));
        assert_eq!(forwarded(&headers(&[("x-forwarded-for", "2001:db8::1")])), ip("2001:db8::1"));
        assert_eq!(forwarded(&headers(&[("x-forwarded-for", "unknown")])), None);
        assert_eq!(forwarded(&headers(&[])), None);
    }
}
