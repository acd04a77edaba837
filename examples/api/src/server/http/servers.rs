//! The list of a game's servers, which they keep themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::{GameServer, In, SignedIn};
use super::body::Large;
use super::{check, millis};
use crate::server::app::App;
use crate::server::refusal::No;
use crate::server::secret;
use crate::server::world::{Answer, Op};
use crate::{Lease, Listing, Load, Registration};

pub(super) async fn list(
    State(app): State<Arc<App>>,
    In(game): In<String>,
    _: SignedIn,
) -> Result<Json<Listing>, No> {
    check::game(&game)?;
    match app.change(&game, Op::List).await? {
        Answer::List(listing) => Ok(Json(listing)),
        _ => Ok(Json(Listing { servers: Vec::new() })),
    }
}

pub(super) async fn register(
    State(app): State<Arc<App>>,
    In(game): In<String>,
    _: GameServer,
    Large(server): Large<Registration>,
) -> Result<(StatusCode, Json<Lease>), No> {
    check::game(&game)?;
    check::registration(&server)?;
    let id = secret::token();
    app.change(&game, Op::Register { id: id.clone(), server }).await?;
    Ok((StatusCode::CREATED, Json(lease(&app, id))))
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    In((game, id)): In<(String, String)>,
    _: GameServer,
    Large(load): Large<Load>,
) -> Result<Json<Lease>, No> {
    check::game(&game)?;
    check::load(&load)?;
    app.change(&game, Op::Report { id: id.clone(), load }).await?;
    Ok(Json(lease(&app, id)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    In((game, id)): In<(String, String)>,
    _: GameServer,
) -> Result<StatusCode, No> {
    check::game(&game)?;
    app.change(&game, Op::Remove { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn lease(app: &App, server: String) -> Lease {
    Lease { server, expires_in_ms: millis(app.times.lease) }
}
