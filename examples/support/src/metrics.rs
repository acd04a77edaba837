//! A Prometheus endpoint beside the server.
//!
//! The exporter's own listener says neither which port it got nor pauses when it cannot accept; what Prometheus needs of
//! HTTP is one request and one answer.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use netcore::ServerError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, timeout};

use crate::{At, Outcome, accept};

/// Collects metrics from now on, and hands them out by HTTP at `at`, under `/metrics`; nothing if that is off. To be
/// called before the server starts. [`run`](crate::run) prints its line: `listening metrics ADDR`.
///
/// # Errors
/// When it cannot listen there, or metrics are being collected already.
pub async fn metrics(at: &At) -> Outcome {
    let Some(address) = at.open(str::to_owned) else { return Ok(()) };
    let bound = match TcpListener::bind(&address).await {
        Ok(listener) => listener.local_addr().map(|addr| (listener, addr)),
        Err(error) => Err(error),
    };
    let (listener, addr) =
        bound.map_err(|source| ServerError::Bind { door: "metrics".to_owned(), address, source })?;
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), &BYTES)?;
    let recorder = builder.install_recorder()?;
    let _ = ADDR.set(addr);
    tokio::spawn(upkeep(recorder.clone()));
    tokio::spawn(serve(listener, recorder));
    Ok(())
}

/// Where metrics are to be had, if they are.
pub(crate) fn addr() -> Option<SocketAddr> {
    ADDR.get().copied()
}

/// What the exporter wants to be done now and then: histograms grow until it is.
async fn upkeep(recorder: PrometheusHandle) {
    let mut each = interval(Duration::from_secs(5));
    loop {
        each.tick().await;
        recorder.run_upkeep();
    }
}

async fn serve(listener: TcpListener, recorder: PrometheusHandle) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let (stream, _) = accept(&listener).await;
        // Above the bound it is closed.
        if let Ok(permit) = room.clone().try_acquire_owned() {
            let recorder = recorder.clone();
            tokio::spawn(async move {
                let _ = timeout(PATIENCE, answer(stream, &recorder)).await;
                drop(permit);
            });
        }
    }
}

/// Answers one request, and closes.
async fn answer(mut stream: TcpStream, recorder: &PrometheusHandle) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= LONGEST || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let (status, body) = match request.split(|byte| *byte == b' ').take(2).collect::<Vec<_>>()[..] {
        [b"GET", b"/metrics"] => ("200 OK", recorder.render()),
        [b"GET", _] => ("404 Not Found", "metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

static ADDR: OnceLock<SocketAddr> = OnceLock::new();

/// From 100 µs to 10 s.
const SECONDS: [f64; 11] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];
/// From an empty queue to 16 MiB.
const BYTES: [f64; 7] = [0.0, 1024.0, 16384.0, 65536.0, 262144.0, 1048576.0, 16777216.0];
/// So many are answered at once.
const AT_ONCE: usize = 16;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest request, in bytes.
const LONGEST: usize = 8 * 1024;
