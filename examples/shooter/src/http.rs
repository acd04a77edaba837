//! The page, and the WebSocket behind it, on one port.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming as Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use netcore::{Incoming, ServerError, WebSocket};
#[cfg(any(target_os = "linux", target_os = "android"))]
use socket2::SockRef;
use support::{Visitors, accept};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::debug;

#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::doors::UNSENT;

/// An HTTP server that listens: the page at `/`, its WebSocket at `/game`.
#[derive(Debug)]
pub struct Http {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Http {
    /// Listens at an address. Not cancel-safe: what listens is dropped with the future.
    ///
    /// # Errors
    /// When it cannot, in the words of netcore's doors.
    pub async fn bind(address: &str) -> Result<Self, ServerError> {
        let bound = TcpListener::bind(address).await;
        let bound = bound.and_then(|listener| listener.local_addr().map(|addr| Self { listener, addr }));
        bound.map_err(|source| ServerError::Bind {
            door: "http".to_owned(),
            address: address.to_owned(),
            source,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves the page, and hands WebSockets in at their door, until the task is aborted.
    pub fn serve(self, page: String, incoming: Incoming) -> JoinHandle<()> {
        let site = Arc::new(Site {
            page: page.into(),
            websocket: WebSocket::new().path("/game"),
            incoming,
            visitors: Visitors::new(AT_ONCE),
        });
        tokio::spawn(async move {
            loop {
                let (stream, from) = self.next().await;
                // One too many is closed without a word: words cost what we are short of.
                let Some(visit) = site.visitors.enter(from.ip(), AT_ONCE_OF_ONE) else { continue };
                let site = site.clone();
                tokio::spawn(async move {
                    site.connection(stream, from).await;
                    drop(visit);
                });
            }
        })
    }

    /// The next connection, in which no packet waits for the one behind it, and few wait where nothing sees them.
    async fn next(&self) -> (TcpStream, SocketAddr) {
        let (stream, from) = accept(&self.listener).await;
        let _ = stream.set_nodelay(true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        (stream, from)
    }
}

struct Site {
    page: Bytes,
    websocket: WebSocket,
    incoming: Incoming,
    visitors: Arc<Visitors>,
}

impl Site {
    async fn connection(self: Arc<Self>, stream: TcpStream, from: SocketAddr) {
        let service = service_fn(move |request| {
            let answer = self.clone().answer(request, from);
            async move { Ok::<_, Infallible>(answer) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(64).max_buf_size(16 * 1024);
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        // A WebSocket is the door's from its upgrade on, and not bounded by this.
        match timeout(LONGEST, connection).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => debug!(%from, %error, "a connection for the page broke"),
        }
    }

    fn answer(self: Arc<Self>, request: Request<Body>, from: SocketAddr) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/game") => self.upgrade(request, from),
            (&Method::GET | &Method::HEAD, "/") => {
                let mut answer = Response::new(Full::new(self.page.clone()));
                for (name, value) in HEADERS {
                    answer.headers_mut().insert(name, header::HeaderValue::from_static(value));
                }
                answer
            }
            (&Method::GET | &Method::HEAD, _) => words(StatusCode::NOT_FOUND, "the page is at /\n"),
            _ => words(StatusCode::METHOD_NOT_ALLOWED, "only GET\n"),
        }
    }

    fn upgrade(self: Arc<Self>, request: Request<Body>, from: SocketAddr) -> Response<Full<Bytes>> {
        let answer = self.websocket.answer(&request);
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let upgraded = hyper::upgrade::on(request);
            tokio::spawn(async move {
                match upgraded.await {
                    Ok(stream) => {
                        if let Err(error) = self.incoming.enter(TokioIo::new(stream), Some(from)) {
                            debug!(%from, %error, "a WebSocket was not let in");
                        }
                    }
                    Err(error) => debug!(%from, %error, "an upgrade broke"),
                }
            });
        }
        answer.map(|text| Full::new(text.into()))
    }
}

fn words(status: StatusCode, words: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(words.as_bytes())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// The page is made anew with each server, and loads nothing from elsewhere.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self' ws: wss:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
];

/// So many connections at once that are no WebSockets yet.
const AT_ONCE: usize = 256;
/// So many of them from one address.
const AT_ONCE_OF_ONE: usize = 64;
/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(10);
/// How long such a connection may last.
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_packet_waits_for_the_next() {
        let http = Http::bind("127.0.0.1:0").await.unwrap();
        let (client, (stream, from)) = tokio::join!(TcpStream::connect(http.addr()), http.next());
        assert_eq!(from, client.unwrap().local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(SockRef::from(&stream).tcp_notsent_lowat().unwrap(), UNSENT);
    }
}
