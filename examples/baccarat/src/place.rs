//! Where to play, as an API server says it.

use std::time::Duration;

use api::{ApiError, Client, Credentials, Player, Seat, User, Wish};
use tokio::time::{Instant, sleep};

/// Under which name the servers are in the API server's list.
pub const GAME: &str = "baccarat";

/// Somebody with an account at an API server, which sends them to a table. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Account {
    client: Client,
    // A session ends: by its time, or with an API server that keeps it in memory.
    credentials: Credentials,
    player: Player,
    // Servers that could not be reached, the last at the end.
    avoid: Vec<String>,
}

/// A seat that is kept for somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The server's id at the API server.
    pub server: String,
    /// Where its door is.
    pub address: String,
    /// The room.
    pub room: i32,
    /// What lets them in, once, in the password's place.
    pub token: String,
    /// With whom, if they waited for others; themselves included.
    pub with: Vec<User>,
}

/// Why there is no place to play.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The API server cannot be asked, or says no.
    #[error("{0}")]
    Api(ApiError),
    /// That is no address of an API server.
    #[error("{0}")]
    Url(#[from] api::UrlError),
    /// No server is in the API server's list, and none has come while it was waited for.
    #[error("no baccarat server is in the api server's list: is there one that runs with --api?")]
    NoServer,
    /// The server has no door for raw structs, or no such room.
    #[error("the api server names a server that is none of this game's")]
    NoDoor,
}

impl Account {
    /// Logs in at the API server there; with `sign_up`, makes the account first, unless there is one of that name. While
    /// the server is busy, or too many of this address have just logged in, it tries on, at most so long.
    ///
    /// Not cancel-safe: there may be an account afterwards.
    ///
    /// # Errors
    /// [`PlaceError::Url`] and [`PlaceError::Api`].
    pub async fn open(
        url: &str,
        name: &str,
        password: &str,
        sign_up: bool,
        within: Duration,
    ) -> Result<Self, PlaceError> {
        let client = Client::new(url)?;
        if sign_up {
            match patiently(within, is_busy, || client.sign_up(name, password)).await {
                Err(error) if !error.is("name_taken") => return Err(error.into()),
                _ => {}
            }
        }
        let player = patiently(within, is_busy, || client.log_in(name, password)).await?;
        let credentials = Credentials { name: name.to_owned(), password: password.to_owned() };
        Ok(Self { client, credentials, player, avoid: Vec::new() })
    }

    /// A seat beside others, if there are any; whose session is over logs in again. After an API server that keeps its list
    /// in memory has started anew, the servers are waited for: they register again within seconds. Cancel-safe: a seat that
    /// nobody takes is free again later.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub async fn seat(&mut self, within: Duration) -> Result<Place, PlaceError> {
        let ask = |player: Player, wish: Wish| async move { player.seat(GAME, &wish).await };
        let seat = self.ask(within, ask).await?;
        place(seat, Vec::new())
    }

    /// A seat in a room of its own with as many others as make a group, once they are there; whose session is over logs in
    /// again, and servers are waited for as in [`Account::seat`]. Cancel-safe as [`Player::stand`] is.
    ///
    /// # Errors
    /// [`PlaceError`]; of the API server with the code `match_timeout` if nobody came in time.
    pub async fn group(&mut self, within: Duration) -> Result<Place, PlaceError> {
        let ask = |player: Player, wish: Wish| async move { player.find_match(GAME, &wish, within).await };
        let (seat, users) = self.ask(within, ask).await?;
        place(seat, users)
    }

    /// That server cannot be reached: the next place is on another one.
    pub fn avoid(&mut self, server: &str) {
        self.avoid.retain(|avoided| avoided != server);
        if self.avoid.len() >= MOST_AVOIDED {
            self.avoid.remove(0);
        }
        self.avoid.push(server.to_owned());
    }

    async fn ask<T, F>(&mut self, within: Duration, ask: impl Fn(Player, Wish) -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let wish = Wish { avoid: self.avoid.clone() };
        let asked = patiently(within, ApiError::is_passing, || ask(self.player.clone(), wish.clone())).await;
        if !asked.as_ref().is_err_and(|error| error.is("no_session")) {
            return asked;
        }
        let Credentials { name, password } = &self.credentials;
        self.player = patiently(within, ApiError::is_passing, || self.client.log_in(name, password)).await?;
        patiently(within, ApiError::is_passing, || ask(self.player.clone(), wish.clone())).await
    }
}

/// Without the token.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { server, address, room, .. } = self;
        f.debug_struct("Place")
            .field("server", server)
            .field("address", address)
            .field("room", room)
            .finish_non_exhaustive()
    }
}

fn place(mut seat: Seat, with: Vec<User>) -> Result<Place, PlaceError> {
    let address = seat.doors.remove("raw").ok_or(PlaceError::NoDoor)?;
    let room = seat.room.and_then(|room| i32::try_from(room).ok()).ok_or(PlaceError::NoDoor)?;
    Ok(Place { server: seat.server, address, room, token: seat.token, with })
}

/// Asks again for as long as it may help. A game that is unknown may be so because the API server has forgotten it.
async fn patiently<T, F>(
    within: Duration,
    may_pass: fn(&ApiError) -> bool,
    ask: impl Fn() -> F,
) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let end = Instant::now() + within;
    let mut servers_by = None;
    loop {
        let (error, until) = match ask().await {
            Err(error) if may_pass(&error) => (error, end),
            Err(error) if error.is(UNKNOWN_GAME) => {
                (error, end.min(*servers_by.get_or_insert_with(|| Instant::now() + REGISTERING)))
            }
            done => return done,
        };
        let after = match &error {
            ApiError::Refused { retry_after: Some(after), .. } => *after,
            _ => PAUSE,
        };
        // A server may name any time at all.
        if after >= until.saturating_duration_since(Instant::now()) {
            return Err(error);
        }
        sleep(after).await;
    }
}

/// Where nobody answers, nobody may ever have.
fn is_busy(error: &ApiError) -> bool {
    error.is_passing() && !matches!(error, ApiError::Away(_))
}

impl From<ApiError> for PlaceError {
    fn from(error: ApiError) -> Self {
        if error.is(UNKNOWN_GAME) { Self::NoServer } else { Self::Api(error) }
    }
}

/// The code for it.
const UNKNOWN_GAME: &str = "unknown_game";
/// How long servers may take to be in a list again: they report each 5 seconds, and a call may take as long.
const REGISTERING: Duration = Duration::from_secs(15);
/// As many as the API server takes.
const MOST_AVOIDED: usize = 16;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_is_told_to_wait_for_longer_than_they_have_gives_up_at_once() {
        let asked = Cell::new(0);
        let ask = |after: Duration| {
            asked.set(asked.get() + 1);
            let (code, message) = ("busy".to_owned(), String::new());
            async move { Err::<(), _>(ApiError::Refused { status: 503, code, message, retry_after: Some(after) }) }
        };
        let within = Duration::from_secs(10);
        let start = Instant::now();
        for after in [within, Duration::from_secs(u64::MAX), Duration::MAX] {
            assert!(patiently(within, is_busy, || ask(after)).await.is_err());
        }
        assert_eq!((asked.get(), start.elapsed()), (3, Duration::ZERO));
        assert!(patiently(within, is_busy, || ask(Duration::from_secs(4))).await.is_err());
        assert_eq!((asked.get(), start.elapsed()), (6, Duration::from_secs(8)));
    }
}
