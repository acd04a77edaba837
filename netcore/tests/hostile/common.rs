//! The game, the server that it runs in, and peers that are plain sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use netcore::{
    Binary, CloseReason, Connection, Context, Door, Limits, Logic, Packet, Running, SendError, Server,
    SessionId, Snapshot,
};

use crate::healthy::{Probe, beside};

#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    /// Answered by the same number.
    #[packet(id = 1)]
    Say { n: u32 },
    /// Not answered.
    #[packet(id = 2)]
    Nothing,
    /// Answered by so many packets of [`LONG`] bytes.
    #[packet(id = 3)]
    Tell { times: u32 },
}

#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Hear {
    #[packet(id = 101)]
    Said { n: u32 },
    #[packet(id = 102)]
    Long {
        #[raw(rest)]
        filling: Vec<u8>,
    },
}

/// A long answer on the wire, header included.
pub(crate) const LONG: usize = 1024;

/// How the game runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Task,
    Worker,
}

pub(crate) const WAYS: [Way; 2] = [Way::Task, Way::Worker];

/// A server in this process, and what is known of who ought to be there.
pub(crate) struct Stage {
    pub(crate) way: Way,
    running: Running,
    probe: Mutex<Probe>,
    // Last, so that the server is gone when its runtime ends.
    _runtime: tokio::runtime::Runtime,
}

/// Runs a test both ways, with a healthy peer beside the attack.
pub(crate) fn each_way(door: impl Fn() -> Door<Ask, Hear>, attack: impl Fn(&Stage)) {
    // Two attacks at once would spoil what is measured beside each.
    let _alone = alone();
    for way in WAYS {
        let stage = Stage::new(way, Server::new().door(door()));
        beside(stage.address(), way, || attack(&stage));
    }
}

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A door with those limits, which takes packets of up to 1,024 bytes.
pub(crate) fn door(limits: Limits) -> Door<Ask, Hear> {
    Door::tcp_with("127.0.0.1:0", Binary::new().max_in(1024)).limits(limits)
}

impl Stage {
    fn new(way: Way, server: Server<Ask, Hear>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let running = runtime.block_on(serve(way, server));
        let probe = Mutex::new(Probe::connect(running.addr()));
        Self { way, running, probe, _runtime: runtime }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.addr()
    }

    /// A peer.
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address())
    }

    /// Waits until the server has counted what is expected, by going on playing.
    pub(crate) fn until(&self, what: &str, done: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let since = Instant::now();
        loop {
            let stats = self.running.stats();
            if done(&stats) {
                return stats;
            }
            assert!(since.elapsed() < GUARD, "{:?}: never {what}: {stats:?}", self.way);
            self.probe.lock().unwrap().round();
        }
    }

    /// The sessions that have closed are so many for each of those reasons, and no other; the rest is open: the healthy
    /// peer, the probe and `left` of the attackers.
    pub(crate) fn closed(&self, reasons: &[(&str, u64)], left: u64) {
        let total: u64 = reasons.iter().map(|(_, count)| count).sum();
        let stats = self.until(&format!("{reasons:?}"), |stats| stats.closed >= total);
        for (label, count) in reasons {
            assert_eq!(stats.closed_for(label), *count, "{:?} {label}: {stats:?}", self.way);
        }
        assert_eq!((stats.closed, stats.open()), (total, left + 2), "{:?}: {stats:?}", self.way);
    }

    pub(crate) fn stats(&self) -> Snapshot {
        self.running.stats()
    }
}

/// Starts a server with the game.
pub(crate) async fn serve(way: Way, server: Server<Ask, Hear>) -> Running {
    match way {
        Way::Task => server.serve(session).await.unwrap(),
        Way::Worker => server.logic(Game).await.unwrap(),
    }
}

async fn session(mut peer: Connection<Ask, Hear>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    while let Some(ask) = peer.recv().await? {
        match answer(ask, |packet| peer.send(&packet)) {
            Ok(()) | Err(SendError::Dropped) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

struct Game;

impl Logic for Game {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
        let _ = answer(ask, |packet| {
            ctx.send(session, &packet);
            Ok::<_, CloseReason>(())
        });
    }
}

fn answer<E>(ask: Ask, mut send: impl FnMut(Hear) -> Result<(), E>) -> Result<(), E> {
    match ask {
        Ask::Say { n } => send(Hear::Said { n }),
        Ask::Nothing => Ok(()),
        Ask::Tell { times } => {
            (0..times).try_for_each(|_| send(Hear::Long { filling: vec![b'x'; LONG - 5] }))
        }
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream.set_write_timeout(Some(GUARD)).unwrap();
    stream
}

/// A packet's bytes, written down independently of the library.
pub(crate) fn packet(id: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(body.len() + 5).unwrap().to_le_bytes().to_vec();
    bytes.extend(id.to_le_bytes());
    bytes.push(0);
    bytes.extend(body);
    bytes
}

pub(crate) fn say(n: u32) -> Vec<u8> {
    packet(1, &n.to_le_bytes())
}

pub(crate) fn said(n: u32) -> Vec<u8> {
    packet(101, &n.to_le_bytes())
}

pub(crate) fn tell(times: u32) -> Vec<u8> {
    packet(3, &times.to_le_bytes())
}

/// Everything until the server closes, which it must do in order: a reset would be an error.
pub(crate) fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Writes what the peer takes; it may close meanwhile, in whatever manner.
pub(crate) fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    match stream.write_all(bytes) {
        Ok(()) => true,
        Err(error) => {
            assert!(
                !matches!(error.kind(), std::io::ErrorKind::WouldBlock),
                "the server neither reads nor closes"
            );
            false
        }
    }
}

/// A guard against hangs, not a wait.
pub(crate) const GUARD: Duration = Duration::from_secs(30);
