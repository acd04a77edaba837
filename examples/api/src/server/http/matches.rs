//! Waiting for others to play with. The request is the wait: it is answered when there is a match, or when its time is up,
//! and then asked again.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::auth::{In, SignedIn};
use super::body::Small;
use super::{check, millis, seats};
use crate::server::app::App;
use crate::server::refusal::No;
use crate::server::waiters::Place;
use crate::server::world::{Answer, Denial, Op, Request};
use crate::{Queue, Standing, User};

pub(super) async fn stand(
    State(app): State<Arc<App>>,
    In(game): In<String>,
    me: SignedIn,
    Small(queue): Small<Queue>,
) -> Result<(StatusCode, Json<Standing>), No> {
    check::game(&game)?;
    check::avoid(&queue.avoid)?;
    let until = Instant::now() + Duration::from_millis(queue.wait_ms.min(LONGEST_MS));
    let user = me.user.id;
    let standing = wait(&app, &game, me.user, &queue.avoid, until).await?;
    match standing {
        Answer::Matched { seat, users } => {
            let seat = seats::seat(&app, user, seat).await?;
            Ok((StatusCode::OK, Json(Standing::Matched { seat, users })))
        }
        Answer::Waiting { waiting, gives_up_in } => {
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let (waiting, size) = (count(waiting), count(app.group));
            let gives_up_in_ms = millis(gives_up_in);
            Ok((StatusCode::ACCEPTED, Json(Standing::Waiting { waiting, size, gives_up_in_ms })))
        }
        // The world answers a wait with one of the two.
        _ => Err(No::NotFound),
    }
}

async fn wait(
    app: &Arc<App>,
    game: &str,
    user: User,
    avoid: &[String],
    until: Instant,
) -> Result<Answer, No> {
    let place = app.waiters.enter(game, user.id);
    let (game, request) = (game.to_owned(), rand::random());
    let held = Held { place: Some(place), app: app.clone(), game, user: user.id, request };
    let answer = held.answer(user, avoid, until).await;
    held.ends();
    answer
}

/// A request that is held open. If its connection breaks, this is dropped, and tells the queue that the user does not hear
/// answers any more.
struct Held {
    /// `None` when it is answered.
    place: Option<Place>,
    app: Arc<App>,
    game: String,
    user: u64,
    request: u64,
}

impl Held {
    async fn answer(&self, user: User, avoid: &[String], until: Instant) -> Result<Answer, No> {
        let mut anew = true;
        loop {
            let now = Instant::now();
            // A server that stops sends everybody away: nobody hears of a match by it any more.
            let stopping = *self.app.stopping.borrow();
            let turn = if stopping { now } else { (now + TURN).min(until) };
            let hears = turn.saturating_duration_since(now);
            let request = Request { id: self.request, hears, anew };
            let op = Op::Wait { user: user.clone(), avoid: avoid.to_vec(), request };
            anew = false;
            let answer = self.app.change(&self.game, op).await;
            let Ok(Answer::Waiting { gives_up_in, .. }) = answer else { return answer };
            if now >= turn {
                return answer;
            }
            let Some(place) = &self.place else { return answer };
            tokio::select! {
                () = place.news() => {}
                () = sleep_until(turn.min(now + gives_up_in)) => {}
                // So that a shutdown need not wait for this; an error means that it has been.
                () = stopped(self.app.stopping.clone()) => {}
            }
            if !place.is_ours() {
                // The newer request speaks for this user now.
                return Err(No::Denied(Denial::Left));
            }
        }
    }

    fn ends(mut self) {
        self.place = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let (app, game) = (self.app.clone(), std::mem::take(&mut self.game));
        let (user, request) = (self.user, self.request);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            // If the store is away, the queue finds out by the clock.
            let _ = app.change(&game, Op::Absent { user, request }).await;
            drop(place);
        });
    }
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    drop(stopping.wait_for(|stopping| *stopping).await);
}

pub(super) async fn leave(
    State(app): State<Arc<App>>,
    In(game): In<String>,
    me: SignedIn,
) -> Result<StatusCode, No> {
    check::game(&game)?;
    app.change(&game, Op::Leave { user: me.user.id }).await?;
    app.waiters.wake(&game, &[me.user.id]);
    Ok(StatusCode::NO_CONTENT)
}

/// The longest that a request is held open: less than proxies have patience.
const LONGEST_MS: u64 = 25_000;
/// So often the queue hears that somebody is still here: if this process dies, it notices as soon.
const TURN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tokio::time::{advance, sleep};

    use super::*;
    use crate::Registration;
    use crate::server::Flags;

    #[tokio::test(start_paused = true)]
    async fn whom_a_server_that_stops_sends_away_is_in_no_group_until_they_ask_again() {
        let flags = Flags::parse_from(["api", "--db", ":memory:", "--match-size", "2"]);
        let (stop, stopping) = watch::channel(false);
        let app = Arc::new(crate::server::app(&flags, stopping).unwrap());
        let server = Registration::new(4).door("raw", "127.0.0.1:1");
        app.change("game", Op::Register { id: "a".to_owned(), server }).await.unwrap();
        let user = |id: u64| User { id, name: format!("user{id}") };
        let until = Instant::now() + Duration::from_secs(20);
        let ask = async |id| wait(&app, "game", user(id), &[], until).await;
        let stops = async {
            sleep(Duration::from_secs(1)).await;
            stop.send_replace(true);
        };
        let (answer, ()) = tokio::join!(ask(1), stops);
        assert!(matches!(answer, Ok(Answer::Waiting { waiting: 1, .. })), "{answer:?}");
        // By then they would have asked again.
        advance(Duration::from_secs(3)).await;
        let other = ask(2).await;
        assert!(matches!(other, Ok(Answer::Waiting { waiting: 2, .. })), "{other:?}");
        assert!(matches!(ask(1).await, Ok(Answer::Matched { .. })));
    }
}
