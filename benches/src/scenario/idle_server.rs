//! Servers whose sessions hardly ever say something.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use netcore::{Context, Door, Frame, Heartbeat, Limits, Logic, Packet, Server, SessionId};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use super::echo_server::{Echo, each, echo, forwarded};
use super::process;

/// A kind of server.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A task with a socket, and no buffer while there is nothing to read: the limit.
    Bare,
    /// netcore, a task a session.
    Task,
    /// netcore, one worker on a thread of its own.
    Worker,
    /// `Framed` with `LengthDelimitedCodec`.
    Framed,
    /// netcore, one worker, and a heartbeat as often.
    Heartbeat(Duration),
}

impl Kind {
    /// All that differ in memory, the limit first.
    pub const ALL: [Self; 4] = [Self::Bare, Self::Task, Self::Worker, Self::Framed];

    /// As it stands in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare task, no buffer",
            Self::Task => "netcore task a session",
            Self::Worker => "netcore 1 worker",
            Self::Framed => "LengthDelimited forward",
            Self::Heartbeat(_) => "netcore, heartbeats",
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
            Kind::Bare => each(bare).await?,
            Kind::Framed => each(forwarded).await?,
            Kind::Task => running.insert(server::<Frame>(Limits::new()).serve(echo).await?).addr(),
            Kind::Worker => {
                running.insert(server(Limits::new()).logic(Echo::<Frame>::default()).await?).addr()
            }
            Kind::Heartbeat(every) => {
                let heartbeat = Heartbeat::new(Frame::new(PING, ""), PONG).every(every);
                running.insert(server(Limits::new().heartbeat(heartbeat)).logic(Silent).await?).addr()
            }
        };
        process::serve_until_done(address).await
    })
}

fn server<P: Packet + Send + Sync + 'static>(limits: Limits) -> Server<P, P> {
    Server::new().max_per_address(usize::MAX).door(Door::tcp("127.0.0.1:0").limits(limits))
}

/// A game that knows its packets: heartbeats are not among them.
struct Silent;

#[derive(Packet)]
enum Known {
    #[packet(id = 1)]
    Data(#[raw(rest)] Bytes),
}

impl Logic for Silent {
    type In = Known;
    type Out = Known;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: Known) {
        ctx.send(session, &packet);
    }
}

async fn bare(stream: TcpStream) -> io::Result<()> {
    loop {
        stream.readable().await?;
        // Gone before the next await, so it is no part of the task.
        let mut buffer = [0; 4096];
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => drop(stream.try_write(buffer.get(..len).unwrap_or_default())?),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// A heartbeat's ids.
pub const PING: u16 = 65_001;
/// The answer's.
pub const PONG: u16 = 65_002;
