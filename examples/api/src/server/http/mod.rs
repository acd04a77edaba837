//! The routes, and what happens around each request.

mod auth;
mod body;
mod check;
mod matches;
mod operations;
mod seats;
mod servers;
mod tokens;
mod users;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use tokio::time::Instant;
use tracing::debug;

use crate::server::app::App;
use crate::server::metrics;
use crate::server::refusal::{Code, No};

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A path, its methods, and what serves them.
type Route = (&'static str, &'static [&'static str], MethodRouter<Arc<App>>);

/// All there are; `openapi.json` has the same.
fn routes() -> Vec<Route> {
    vec![
        ("/health", &["get"], get(operations::health)),
        ("/metrics", &["get"], get(operations::metrics)),
        ("/openapi.json", &["get"], get(operations::openapi)),
        ("/v1/users", &["post"], post(users::sign_up)),
        ("/v1/users/me", &["get"], get(users::me)),
        ("/v1/sessions", &["post", "delete"], post(users::log_in).delete(users::log_out)),
        ("/v1/tokens", &["post"], post(tokens::make)),
        ("/v1/tokens/redeem", &["post"], post(tokens::redeem)),
        ("/v1/games/{game}/servers", &["get", "post"], get(servers::list).post(servers::register)),
        (
            "/v1/games/{game}/servers/{server}",
            &["put", "delete"],
            put(servers::report).delete(servers::remove),
        ),
        ("/v1/games/{game}/seat", &["post", "delete"], post(seats::place).delete(seats::give_back)),
        ("/v1/games/{game}/match", &["post", "delete"], post(matches::stand).delete(matches::leave)),
    ]
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, _, methods)| router.route(path, methods));
    router
        .fallback(async || No::NotFound)
        .method_not_allowed_fallback(async || No::WrongMethod)
        .layer(middleware::from_fn_with_state(app.clone(), around))
        .with_state(app)
}

/// Counts the request, logs it, and adds the headers that every answer has.
async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = metrics::method(request.method().as_str());
    // The route and not the path: what is in a path is the client's.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = route.as_ref().map_or("none", MatchedPath::as_str);
    let mut answer = next.run(request).await;
    let (took, status) = (began.elapsed(), answer.status().as_u16());
    app.metrics.answered(method, path, status, took);
    let code = answer.extensions().get::<Code>().map_or("", |code| code.0);
    if !code.is_empty() {
        app.metrics.refused(code);
    }
    debug!(method, path, status, code, ?took, "answered");
    let headers = answer.headers_mut();
    // Answers have secrets in them, or are old at once.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_openapi_document_has_all_routes_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(operations::OPENAPI).unwrap();
        let mut documented = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
                documented.insert((path.clone(), method.clone()));
            }
        }
        let served = routes().into_iter().flat_map(|(path, methods, _)| {
            methods.iter().map(move |method| (path.to_owned(), (*method).to_owned()))
        });
        assert_eq!(served.collect::<BTreeSet<_>>(), documented);
    }
}
