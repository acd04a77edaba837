//! A handle on the API server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::{
    ApiError, Credentials, Failure, Lease, Load, Player, Redeem, RedeemError, Registration, Reporter,
    Session, UrlError, User,
};

/// A handle on the API server; cheap to clone. Nothing is connected before the first call, and connections are kept for
/// the next one.
#[derive(Clone)]
pub struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    base: Arc<str>,
    key: Option<HeaderValue>,
    timeout: Duration,
}

impl Client {
    /// The API server at `http://HOST[:PORT]`, with a deadline of 5 seconds for each call. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`UrlError::Url`] when that is no such address. TLS is for a proxy before the server.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let base = url.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| UrlError::Url)?;
        let authority = uri.authority().ok_or(UrlError::Url)?;
        let bare =
            uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !bare || authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(UrlError::Url);
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(TIMEOUT));
        let http = Http::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MOST_IDLE)
            .build(connector);
        Ok(Self { http, base: base.into(), key: None, timeout: TIMEOUT })
    }

    /// The key that makes this a game server in the eyes of the API server; white space around it does not count.
    ///
    /// # Errors
    /// [`UrlError::Key`] when no API server has such a key.
    pub fn key(mut self, key: &str) -> Result<Self, UrlError> {
        let key = key.trim();
        if !(16..=256).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UrlError::Key);
        }
        self.key = Some(bearer(key).ok_or(UrlError::Key)?);
        Ok(self)
    }

    /// How long a call may take, 5 seconds unless set. A wait for a match has this on top of its own time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn time(&self) -> Duration {
        self.timeout
    }

    /// Is that token this user's? It is used up by this. Needs the key.
    ///
    /// Not cancel-safe: when the future is dropped, the token may be used up.
    ///
    /// # Errors
    /// [`RedeemError::BadToken`] when the user is not to be let in; [`RedeemError::Unavailable`] when nobody knows.
    pub async fn redeem(&self, user: &str, token: &str) -> Result<User, RedeemError> {
        let body = Redeem { user: user.to_owned(), token: token.to_owned() };
        let answer = self.call(Method::POST, "/v1/tokens/redeem", self.key.as_ref(), &body).await;
        // What could never be a name or a token is bad, too.
        answer.map_err(|error| match error.is("bad_token") || error.is("bad_field") {
            true => RedeemError::BadToken,
            false => RedeemError::Unavailable(error),
        })
    }

    /// Puts a server into the list of a game. Needs the key. [`Client::keep_registered`] does this and the reports.
    ///
    /// Not cancel-safe: the server may be in the list, until its time is up.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn register(&self, game: &str, server: &Registration) -> Result<Lease, ApiError> {
        self.call(Method::POST, &servers(game), self.key.as_ref(), server).await
    }

    /// Says how full a server is. Needs the key. Cancel-safe.
    ///
    /// # Errors
    /// [`ApiError`]; with the code `unknown_server` the server is not in the list any more.
    pub async fn heartbeat(&self, game: &str, server: &str, load: &Load) -> Result<Lease, ApiError> {
        let path = format!("{}/{}", servers(game), escaped(server));
        self.call(Method::PUT, &path, self.key.as_ref(), load).await
    }

    /// Takes a server off the list. Needs the key. Cancel-safe.
    ///
    /// # Errors
    /// [`ApiError`]; a server that is not there is none.
    pub async fn deregister(&self, game: &str, server: &str) -> Result<(), ApiError> {
        let path = format!("{}/{}", servers(game), escaped(server));
        self.call(Method::DELETE, &path, self.key.as_ref(), &()).await
    }

    /// Keeps a server in the list of a game for as long as what it returns is there, by a task of the runtime in which
    /// this is called.
    #[must_use = "the server leaves the list when this is dropped"]
    pub fn keep_registered(&self, game: &str, server: Registration) -> Reporter {
        Reporter::start(self.clone(), game.to_owned(), server)
    }

    /// Makes an account. Not cancel-safe: there may be one afterwards.
    ///
    /// # Errors
    /// [`ApiError`]; with the code `name_taken` there is one of that name.
    pub async fn sign_up(&self, name: &str, password: &str) -> Result<User, ApiError> {
        let body = Credentials { name: name.to_owned(), password: password.to_owned() };
        self.call(Method::POST, "/v1/users", None, &body).await
    }

    /// Logs in. Cancel-safe: a session that nobody uses expires.
    ///
    /// # Errors
    /// [`ApiError`]; with the code `wrong_login`, name or password is wrong.
    pub async fn log_in(&self, name: &str, password: &str) -> Result<Player, ApiError> {
        let body = Credentials { name: name.to_owned(), password: password.to_owned() };
        let session: Session = self.call(Method::POST, "/v1/sessions", None, &body).await?;
        let authorization = bearer(&session.session).ok_or_else(|| garbled("not a session"))?;
        Ok(Player::new(self.clone(), authorization, session.user))
    }

    /// One call, with its deadline.
    pub(crate) async fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        authorization: Option<&HeaderValue>,
        body: &B,
    ) -> Result<A, ApiError> {
        self.call_within(self.timeout, method, path, authorization, body).await
    }

    pub(crate) async fn call_within<B: Serialize, A: DeserializeOwned>(
        &self,
        time: Duration,
        method: Method,
        path: &str,
        authorization: Option<&HeaderValue>,
        body: &B,
    ) -> Result<A, ApiError> {
        let body = serde_json::to_vec(body).map_err(|error| garbled(&error.to_string()))?;
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(ACCEPT, JSON);
        // Nothing to say is no body.
        let body = if body == b"null" { Vec::new() } else { body };
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(body.into())).map_err(|_| garbled("the path is not one"))?;
        match timeout(time, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(ApiError::Away(format!("not within {} ms", time.as_millis()))),
        }
    }

    async fn exchange<A: DeserializeOwned>(&self, request: Request<Full<Bytes>>) -> Result<A, ApiError> {
        let answer = self.http.request(request).await.map_err(|error| ApiError::Away(innermost(&error)))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST).collect().await;
        let body = body.map_err(|error| ApiError::Away(innermost(&*error)))?.to_bytes();
        if !head.status.is_success() {
            return Err(refused(&Response::from_parts(head, body)));
        }
        // No content stands for nothing.
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body).map_err(|error| garbled(&error.to_string()))
    }
}

/// Without the key.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("url", &self.base).finish_non_exhaustive()
    }
}

fn refused(answer: &Response<Bytes>) -> ApiError {
    let status = answer.status().as_u16();
    let Ok(Failure { error }) = serde_json::from_slice(answer.body()) else {
        return garbled(&format!("status {status} without a reason"));
    };
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    let retry_after = seconds.map(Duration::from_secs);
    ApiError::Refused { status, code: error.code, message: error.message, retry_after }
}

/// `Authorization`; its value is kept out of logs.
fn bearer(secret: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {secret}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn servers(game: &str) -> String {
    format!("/v1/games/{}/servers", escaped(game))
}

/// As one segment of a path.
pub(crate) fn escaped(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => path.push(byte.into()),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

pub(crate) fn garbled(words: &str) -> ApiError {
    ApiError::Garbled(words.to_owned())
}

/// The last of a chain of reasons: those before it say only that the request failed.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

const JSON: &str = "application/json";
const TIMEOUT: Duration = Duration::from_secs(5);
/// Below the time after which the server closes a connection without requests.
const IDLE: Duration = Duration::from_secs(5);
const MOST_IDLE: usize = 16;
/// The longest answer: a list of all servers of a game.
const LONGEST: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_http_a_host_and_nothing_else() {
        for url in ["http://127.0.0.1:8000", "http://[::1]:8000/", "http://api.example"] {
            assert!(Client::new(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:8000",
            "https://127.0.0.1:8000",
            "http://",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
        ] {
            assert_eq!(Client::new(url).err(), Some(UrlError::Url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_key_has_16_to_256_visible_characters_and_is_not_shown() {
        let client = Client::new("http://127.0.0.1:8000").unwrap();
        for key in ["", "short", "has spaces in it, too", "0123456789abcde\u{7f}", &"x".repeat(257)] {
            assert_eq!(client.clone().key(key).err(), Some(UrlError::Key), "{key}");
        }
        let client = client.key(" 0123456789abcdef\n").unwrap();
        assert!(!format!("{client:?} {:?}", client.key).contains("0123456789abcdef"));
    }

    #[test]
    fn a_path_has_no_room_for_tricks() {
        assert_eq!(escaped("a/../b c%?#"), "a%2F%2E%2E%2Fb%20c%25%3F%23");
        assert_eq!(escaped("baccarat-2_x"), "baccarat-2_x");
    }
}
