//! The door: connections, how many there may be and how long they may take, and how they end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use netcore::ServerError;
use support::{Visit, Visitors, accept};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_service::Service;
use tracing::debug;

use crate::server::app::App;
use crate::server::http::Peer;
use crate::server::patient::Patient;

/// How many, and how slow.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) connections: usize,
    pub(crate) per_address: usize,
    /// For a request's head, and between requests.
    pub(crate) head: Duration,
}

/// Listens; the errors are worded as those of a netcore door.
pub(crate) async fn bind(address: &str) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Bind {
        door: "http".to_owned(),
        address: address.to_owned(),
        source,
    })
}

/// Serves until `stopping`, and then until everything under way has its answer, or the time for that is up. Returns how
/// many connections were cut.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    app: Arc<App>,
    bounds: Bounds,
    mut stopping: watch::Receiver<bool>,
) -> usize {
    let seats = Seats { visitors: Visitors::new(bounds.connections), per_address: bounds.per_address, app };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener) => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, address) = accepted;
        // Closed without a word: words cost what we are short of.
        let Some(seat) = seats.take(address) else { continue };
        let (router, stopping) = (router.clone(), stopping.clone());
        connections.spawn(async move {
            let _seat = seat;
            connection(stream, address, router, bounds.head, stopping).await;
        });
    }
    drop(listener);
    let ended = timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_ok() { 0 } else { connections.len() }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    head: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(address.ip()));
        async move { Service::call(&mut router, request).await as Result<Response, Infallible> }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LARGEST_HEAD);
    let connection = http.serve_connection(TokioIo::new(Patient::new(stream, WRITE)), service);
    let mut connection = std::pin::pin!(connection);
    // What it returns is not to be kept: it is a lock.
    let stopped = async { drop(stopping.wait_for(|stopping| *stopping).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            // What is under way is answered; the next request is not taken.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%address, %error, "a connection broke");
    }
}

/// Lets connections in.
struct Seats {
    visitors: Arc<Visitors>,
    per_address: usize,
    app: Arc<App>,
}

/// One connection's place, until it is dropped.
struct Seat {
    _visit: Visit,
    app: Arc<App>,
}

impl Seats {
    fn take(&self, address: SocketAddr) -> Option<Seat> {
        // A proxy stands for many.
        let proxy = self.app.proxies.contains(&address.ip().to_canonical());
        let most = if proxy { usize::MAX } else { self.per_address };
        let metrics = &self.app.metrics;
        let Some(visit) = self.visitors.enter(address.ip(), most) else {
            metrics.turned_away.fetch_add(1, Relaxed);
            return None;
        };
        metrics.connections.fetch_add(1, Relaxed);
        Some(Seat { _visit: visit, app: self.app.clone() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.app.metrics.connections.fetch_sub(1, Relaxed);
    }
}

/// At a shutdown, for what is under way.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);
/// Without taking a byte of an answer.
const WRITE: Duration = Duration::from_secs(10);
const MOST_HEADERS: usize = 64;
/// In bytes; it is the least that hyper takes, twice.
const LARGEST_HEAD: usize = 16 * 1024;
