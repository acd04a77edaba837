//! A seat for one user.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::{In, SignedIn};
use super::body::Small;
use super::{check, millis, tokens};
use crate::server::app::App;
use crate::server::refusal::No;
use crate::server::world::{Answer, Denial, Kept, Op};
use crate::{Seat, Token, Wish};

pub(super) async fn place(
    State(app): State<Arc<App>>,
    In(game): In<String>,
    me: SignedIn,
    Small(wish): Small<Wish>,
) -> Result<(StatusCode, Json<Seat>), No> {
    check::game(&game)?;
    check::avoid(&wish.avoid)?;
    let placed = app.change(&game, Op::Place { user: me.user.id, avoid: wish.avoid }).await;
    // Whoever takes a seat of their own does not wait for a group any more.
    app.waiters.wake(&game, &[me.user.id]);
    match placed? {
        Answer::Seat(kept) => Ok((StatusCode::CREATED, Json(seat(&app, me.user.id, kept).await?))),
        _ => Err(No::Denied(Denial::NoRoom)),
    }
}

pub(super) async fn give_back(
    State(app): State<Arc<App>>,
    In(game): In<String>,
    me: SignedIn,
) -> Result<StatusCode, No> {
    check::game(&game)?;
    app.change(&game, Op::GiveBack { user: me.user.id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A kept seat, and a token to take it.
pub(super) async fn seat(app: &App, user: u64, kept: Kept) -> Result<Seat, No> {
    let Token { token, expires_in_ms } = tokens::new(app, user).await?;
    let Kept { server, doors, room, for_so_long } = kept;
    Ok(Seat {
        server,
        doors,
        room,
        reserved_ms: millis(for_so_long),
        token,
        token_expires_in_ms: expires_in_ms,
    })
}
