//! How many writes what a game sends makes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use netcore::{Binary, Client, Door, Host, Incoming, Server};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{Ask, Hear, game, pass, said, within};

/// A socket whose writes are counted.
struct Counted {
    socket: TcpStream,
    writes: Arc<AtomicU32>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Relaxed);
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Relaxed);
        Pin::new(&mut self.socket).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// A client that is connected over TCP, and the count of what is written to it.
async fn connect(incoming: &Incoming) -> (Client<Hear, Ask>, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (socket, from) = listener.accept().await.unwrap();
    let writes = Arc::<AtomicU32>::default();
    incoming.enter(Counted { socket, writes: writes.clone() }, Some(from)).unwrap();
    (Client::options().over(near), writes)
}

/// Each of so many ticks sends a hundred packets to all, and a hundred more to one after the other.
async fn hundreds(host: Host, ticks: u32, wait: impl AsyncFnOnce()) -> Vec<u32> {
    let (door, incoming) = Door::incoming(Binary::new());
    let (mut sessions, mut ticked) = (Vec::new(), 0);
    let (everyone_is_here, go) = (3, Duration::from_millis(10));
    let (came, here) = std::sync::mpsc::channel();
    let game = game().opened(move |_, session| came.send(session).unwrap()).tick(move |ctx, _| {
        sessions.extend(here.try_iter());
        if sessions.len() < everyone_is_here || ticked == ticks {
            return;
        }
        ticked += 1;
        for n in 0..100 {
            ctx.broadcast(&said(n));
            for session in &sessions {
                ctx.send(*session, &said(100 + n));
            }
        }
    });
    let server = Server::new().host(host).door(door).tick(go).logic(game).await.unwrap();
    let mut peers = Vec::new();
    for _ in 0..everyone_is_here {
        peers.push(connect(&incoming).await);
    }
    wait().await;
    let mut counts = Vec::new();
    for (mut client, writes) in peers {
        for _ in 0..ticks {
            for n in 0..100 {
                assert_eq!(within(client.recv()).await, Ok(Some(said(n))));
                assert_eq!(within(client.recv()).await, Ok(Some(said(100 + n))));
            }
        }
        counts.push(writes.load(Relaxed));
    }
    drop(server);
    counts
}

#[tokio::test(start_paused = true)]
async fn what_a_tick_sends_to_a_session_goes_out_in_one_write() {
    let wait = async || {
        for _ in 0..100 {
            pass(1).await;
        }
    };
    assert_eq!(hundreds(Host::Task, 5, wait).await, [5; 3]);
}

#[tokio::test]
async fn a_tick_in_a_thread_of_its_own_makes_no_more_writes_than_one_a_session() {
    let counts = hundreds(Host::Thread, 20, async || {}).await;
    // Fewer, where a session was not run between two ticks.
    assert!(counts.iter().all(|writes| (1..=20).contains(writes)), "{counts:?}");
}
