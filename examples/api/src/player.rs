//! Somebody who is logged in.

use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header::HeaderValue;

use crate::client::escaped;
use crate::{ApiError, Client, Listing, Queue, Seat, Standing, Token, User, Wish};

/// Somebody who is logged in, as [`Client::log_in`] gives them; cheap to clone.
#[derive(Clone, Debug)]
pub struct Player {
    client: Client,
    // Marked as sensitive, so that `Debug` does not show it.
    authorization: HeaderValue,
    user: User,
}

impl Player {
    pub(crate) fn new(client: Client, authorization: HeaderValue, user: User) -> Self {
        Self { client, authorization, user }
    }

    /// Who it is.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// A token for a game server. Cancel-safe.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn token(&self) -> Result<Token, ApiError> {
        self.call(Method::POST, "/v1/tokens", &serde_json::json!({})).await
    }

    /// The servers of a game. Cancel-safe.
    ///
    /// # Errors
    /// [`ApiError`]; with the code `unknown_game` nobody has registered one.
    pub async fn servers(&self, game: &str) -> Result<Listing, ApiError> {
        self.call(Method::GET, &path(game, "servers"), &()).await
    }

    /// A seat on the least loaded server of a game, but on none that is to be avoided. Cancel-safe: a seat that nobody
    /// takes is free again later.
    ///
    /// # Errors
    /// [`ApiError`]; with the code `no_room` everything is full.
    pub async fn seat(&self, game: &str, wish: &Wish) -> Result<Seat, ApiError> {
        self.call(Method::POST, &path(game, "seat"), wish).await
    }

    /// Gives the seat back. Cancel-safe.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn give_back(&self, game: &str) -> Result<(), ApiError> {
        self.call(Method::DELETE, &path(game, "seat"), &()).await
    }

    /// Waits for others, as long as [`Queue::wait_ms`] says. Cancel-safe: asked again within a few seconds, the place in
    /// the queue is still there.
    ///
    /// # Errors
    /// [`ApiError`]; with the code `match_timeout` there was no match in time.
    pub async fn stand(&self, game: &str, queue: &Queue) -> Result<Standing, ApiError> {
        let time = self.client.time() + Duration::from_millis(queue.wait_ms);
        let (path, authorization) = (path(game, "match"), Some(&self.authorization));
        self.client.call_within(time, Method::POST, &path, authorization, queue).await
    }

    /// Waits for others, at most so long: where to play, and with whom. Cancel-safe as [`Player::stand`] is.
    ///
    /// # Errors
    /// [`ApiError`]; with the code `match_timeout` there was no match in time.
    pub async fn find_match(
        &self,
        game: &str,
        wish: &Wish,
        within: Duration,
    ) -> Result<(Seat, Vec<User>), ApiError> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now()).min(LONGEST);
            let wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            match self.stand(game, &Queue { avoid: wish.avoid.clone(), wait_ms }).await? {
                Standing::Matched { seat, users } => return Ok((seat, users)),
                Standing::Waiting { .. } if !left.is_zero() => {}
                Standing::Waiting { .. } => {
                    self.leave_queue(game).await?;
                    let message = "nobody to play with was found in time".to_owned();
                    let code = "match_timeout".to_owned();
                    return Err(ApiError::Refused { status: 410, code, message, retry_after: None });
                }
            }
        }
    }

    /// Waits no longer. Cancel-safe.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn leave_queue(&self, game: &str) -> Result<(), ApiError> {
        self.call(Method::DELETE, &path(game, "match"), &()).await
    }

    /// Ends the session. Cancel-safe.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn log_out(&self) -> Result<(), ApiError> {
        self.call(Method::DELETE, "/v1/sessions", &()).await
    }

    async fn call<B: serde::Serialize, A: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<A, ApiError> {
        self.client.call(method, path, Some(&self.authorization), body).await
    }
}

fn path(game: &str, what: &str) -> String {
    format!("/v1/games/{}/{what}", escaped(game))
}

/// The longest wait for one answer.
const LONGEST: Duration = Duration::from_secs(20);
