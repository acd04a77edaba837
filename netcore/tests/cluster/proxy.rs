//! A line between a node and its server, which can be cut and frozen.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Whole,
    Frozen,
    Cut,
}

/// Ends with its connections when it is dropped.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    line: Arc<watch::Sender<Line>>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let line = Arc::new(watch::Sender::new(Line::Whole));
        let task = tokio::spawn(serve(TcpListener::from_std(listener).unwrap(), server, line.clone()));
        Self { addr, line, task }
    }

    pub(crate) fn cut(&self) {
        self.line.send_replace(Line::Cut);
    }

    pub(crate) fn freeze(&self) {
        self.line.send_replace(Line::Frozen);
    }

    pub(crate) fn heal(&self) {
        self.line.send_replace(Line::Whole);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, server: SocketAddr, line: Arc<watch::Sender<Line>>) {
    let mut open = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        open.spawn(carry(near, server, line.subscribe()));
    }
}

/// Carries bytes both ways while the line is whole.
async fn carry(mut near: TcpStream, server: SocketAddr, mut line: watch::Receiver<Line>) {
    near.set_nodelay(true).unwrap();
    let mut far = None;
    loop {
        let now = *line.borrow_and_update();
        match now {
            Line::Cut => return,
            // What was on its way in here may be lost, so that a connection does not go on after a frost.
            Line::Frozen => {
                let _ = line.wait_for(|line| *line != Line::Frozen).await;
                return;
            }
            Line::Whole => {
                if far.is_none() {
                    let Ok(stream) = TcpStream::connect(server).await else { return };
                    stream.set_nodelay(true).unwrap();
                    far = Some(stream);
                }
                let Some(far) = far.as_mut() else { return };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, far) => return,
                    changed = line.changed() => if changed.is_err() { return },
                }
            }
        }
    }
}

/// A line that keeps what comes over its first connection while it is late, and hands it over when it is not any more and
/// that connection has ended: as a kernel does that sends again what got lost, also after its socket was closed.
pub(crate) struct Tardy {
    pub(crate) addr: SocketAddr,
    pub(crate) late: watch::Sender<bool>,
    /// The server has done what was late.
    pub(crate) done: oneshot::Receiver<()>,
}

impl Tardy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (late, is_late) = watch::channel(false);
        let (tell, done) = oneshot::channel();
        tokio::spawn(async move {
            let (first, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                carry_late(first, server, is_late).await;
                let _ = tell.send(());
            });
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(server).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
            }
        });
        Self { addr, late, done }
    }
}

async fn carry_late(near: TcpStream, server: SocketAddr, mut late: watch::Receiver<bool>) {
    let (mut from, mut to) = near.into_split();
    let (mut answers, mut far) = TcpStream::connect(server).await.unwrap().into_split();
    let answered = tokio::spawn(async move {
        let _ = copy(&mut answers, &mut to).await;
        // Nobody hears the rest of them.
        let _ = copy(&mut answers, &mut sink()).await;
    });
    let (mut kept, mut buf) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = from.read(&mut buf).await {
        if *late.borrow() {
            kept.extend_from_slice(&buf[..n]);
        } else {
            far.write_all(&buf[..n]).await.unwrap();
        }
    }
    let _ = late.wait_for(|late| !late).await;
    far.write_all(&kept).await.unwrap();
    far.shutdown().await.unwrap();
    answered.await.unwrap();
}
