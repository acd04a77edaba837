//! Servers that send what their first peer says to all others.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netcore::{Context, Door, Frame, Host, Limits, Logic, Server, SessionId, Slow};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};

use super::process;

/// A kind of server.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A loop that writes what was read to one socket after the other, and gives up a socket that takes no more. It has no
    /// queues: the limit.
    Loop,
    /// netcore, one worker on a thread of its own.
    Worker,
    /// netcore, one worker as a task of the runtime.
    WorkerTask,
}

impl Kind {
    /// All, the limit first.
    pub const ALL: [Self; 3] = [Self::Loop, Self::Worker, Self::WorkerTask];

    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loop => "one buffer to N sockets",
            Self::Worker => "netcore 1 worker, thread",
            Self::WorkerTask => "netcore 1 worker, task",
        }
    }
}

/// Serves until the process is not needed any more.
///
/// # Errors
/// When it cannot listen.
pub fn run(kind: Kind) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut running = None;
        let address = match kind {
            Kind::Loop => by_hand().await?,
            Kind::Worker | Kind::WorkerTask => {
                let host = if kind == Kind::Worker { Host::Thread } else { Host::Task };
                // Closed by the default policy, those who never read would harm nobody for the rest of the run.
                let limits = Limits::new().stall(Duration::from_secs(600));
                let door = Door::tcp("127.0.0.1:0").buffers(SEND_BUFFER, None).limits(limits);
                let server = Server::new().max_per_address(usize::MAX).slow(|_| Slow::DropNewest).door(door);
                running.insert(server.host(host).logic(Fanout).await?).addr()
            }
        };
        process::serve_until_done(address).await
    })
}

struct Fanout;

impl Logic for Fanout {
    type In = Frame;
    type Out = Frame;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, frame: Frame) {
        ctx.broadcast_but(session, &frame);
    }
}

async fn by_hand() -> io::Result<SocketAddr> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let listener = socket.listen(1024)?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        // A load connects its speaker first; another load may come after it.
        let mut listeners = None;
        while let Ok((stream, _)) = listener.accept().await {
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let listeners: &mut Arc<Mutex<Vec<TcpStream>>> = match &mut listeners {
                Some(known) if Arc::strong_count(known) > 1 => known,
                // The speaker before has gone, and its listeners with it.
                gone => {
                    let fresh = gone.insert(Arc::default());
                    tokio::spawn(speak(stream, fresh.clone()));
                    continue;
                }
            };
            listeners.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        }
    });
    Ok(address)
}

async fn speak(mut speaker: TcpStream, listeners: Arc<Mutex<Vec<TcpStream>>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(len @ 1..) = speaker.read(&mut buffer).await {
        let said = buffer.get(..len).unwrap_or_default();
        let mut listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.try_write(said).is_ok_and(|written| written == len));
    }
}

/// The system would hold megabytes for each peer on the same machine, and hide for long that one does not read.
const SEND_BUFFER: u32 = 32 * 1024;
