//! What the tests share: two small sets of packets, a game made of closures, and a log.

use std::future::Future;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;

use netcore::memory::{MemoryConnector, MemoryStream};
use netcore::{
    Binary, Client, CloseReason, Connection, Context, Door, Fault, Host, Logic, Packet, PacketCodec, Running,
    Server, SessionId, Tick,
};

#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    #[packet(id = 1)]
    Say { n: u32 },
    #[packet(id = 2)]
    Do { what: u32, n: u32 },
}

#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Hear {
    #[packet(id = 101)]
    Said { n: u32 },
    #[packet(id = 102)]
    Note { who: u32, n: u32 },
    #[packet(id = 103)]
    Bye { code: u16 },
    #[packet(id = 104)]
    Long {
        #[raw(len = u16)]
        text: String,
    },
}

pub(crate) const fn said(n: u32) -> Hear {
    Hear::Said { n }
}

/// What a [`Game`] says to itself.
pub(crate) enum Note {
    N(u32),
    Job(Job),
}

pub(crate) fn job(work: impl FnOnce(&mut Context<Game>) + Send + 'static) -> Note {
    Note::Job(Box::new(work))
}

pub(crate) type Ctx = Context<Game>;
type Job = Box<dyn FnOnce(&mut Ctx) + Send>;
type Hook<T> = Box<dyn FnMut(&mut Ctx, T) + Send>;
type On<T> = Box<dyn FnMut(&mut Ctx, SessionId, T) + Send>;

/// A game made of closures. Left alone, it answers `Say` with `Said`, and does what is told of a fault by default.
pub(crate) struct Game {
    packet: On<Ask>,
    opened: On<()>,
    closed: On<CloseReason>,
    arrived: On<Note>,
    fault: Option<On<Fault>>,
    tick: Hook<Tick>,
    message: Hook<u32>,
    stopping: Box<dyn FnMut(&mut Ctx) + Send>,
}

pub(crate) fn game() -> Game {
    Game {
        packet: Box::new(|ctx, session, packet| {
            if let Ask::Say { n } = packet {
                ctx.send(session, &said(n));
            }
        }),
        opened: Box::new(|_, _, ()| {}),
        closed: Box::new(|_, _, _| {}),
        arrived: Box::new(|_, _, _| {}),
        fault: None,
        tick: Box::new(|_, _| {}),
        message: Box::new(|_, _| {}),
        stopping: Box::new(|_| {}),
    }
}

impl Game {
    pub(crate) fn packet(mut self, on: impl FnMut(&mut Ctx, SessionId, Ask) + Send + 'static) -> Self {
        self.packet = Box::new(on);
        self
    }

    pub(crate) fn opened(mut self, mut on: impl FnMut(&mut Ctx, SessionId) + Send + 'static) -> Self {
        self.opened = Box::new(move |ctx, session, ()| on(ctx, session));
        self
    }

    pub(crate) fn closed(
        mut self,
        on: impl FnMut(&mut Ctx, SessionId, CloseReason) + Send + 'static,
    ) -> Self {
        self.closed = Box::new(on);
        self
    }

    pub(crate) fn arrived(mut self, on: impl FnMut(&mut Ctx, SessionId, Note) + Send + 'static) -> Self {
        self.arrived = Box::new(on);
        self
    }

    pub(crate) fn fault(mut self, on: impl FnMut(&mut Ctx, SessionId, Fault) + Send + 'static) -> Self {
        self.fault = Some(Box::new(on));
        self
    }

    pub(crate) fn tick(mut self, on: impl FnMut(&mut Ctx, Tick) + Send + 'static) -> Self {
        self.tick = Box::new(on);
        self
    }

    pub(crate) fn message(mut self, on: impl FnMut(&mut Ctx, u32) + Send + 'static) -> Self {
        self.message = Box::new(on);
        self
    }

    pub(crate) fn stopping(mut self, on: impl FnMut(&mut Ctx) + Send + 'static) -> Self {
        self.stopping = Box::new(on);
        self
    }
}

impl Logic for Game {
    type In = Ask;
    type Out = Hear;
    type Message = Note;

    fn packet(&mut self, ctx: &mut Ctx, session: SessionId, packet: Ask) {
        (self.packet)(ctx, session, packet);
    }

    fn opened(&mut self, ctx: &mut Ctx, session: SessionId) {
        (self.opened)(ctx, session, ());
    }

    fn closed(&mut self, ctx: &mut Ctx, session: SessionId, reason: CloseReason) {
        (self.closed)(ctx, session, reason);
    }

    fn fault(&mut self, ctx: &mut Ctx, session: SessionId, fault: Fault) {
        match &mut self.fault {
            Some(on) => on(ctx, session, fault),
            None => ctx.refuse(session, &fault),
        }
    }

    fn tick(&mut self, ctx: &mut Ctx, tick: Tick) {
        (self.tick)(ctx, tick);
    }

    fn message(&mut self, ctx: &mut Ctx, message: Note) {
        match message {
            Note::N(n) => (self.message)(ctx, n),
            Note::Job(work) => work(ctx),
        }
    }

    fn arrived(&mut self, ctx: &mut Ctx, session: SessionId, baggage: Note) {
        (self.arrived)(ctx, session, baggage);
    }

    fn stopping(&mut self, ctx: &mut Ctx) {
        (self.stopping)(ctx);
    }
}

/// A worker stands still until what this returns is dropped.
pub(crate) fn stand_still(running: &Running<Note>, worker: usize) -> mpsc::Sender<()> {
    let (go, stands) = mpsc::channel();
    let work = job(move |_| {
        let _ = stands.recv();
    });
    assert!(running.teller().tell(worker, work).is_ok());
    go
}

/// A server with one door in memory, and workers that are tasks.
pub(crate) fn server() -> (Server<Ask, Hear>, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    (Server::new().host(Host::Task).door(door), connector)
}

/// One worker with that game.
pub(crate) async fn one(game: Game) -> (Running<Note>, MemoryConnector) {
    let (server, connector) = server();
    (server.logic(game).await.unwrap(), connector)
}

/// Answers each `Say` with a `Said`.
pub(crate) async fn echo(mut peer: Connection<Ask, Hear>) -> Result<(), CloseReason> {
    while let Some(packet) = peer.recv().await? {
        if let Ask::Say { n } = packet {
            let _ = peer.send(&said(n));
        }
    }
    Ok(())
}

pub(crate) fn client(connector: &MemoryConnector) -> Client<Hear, Ask> {
    Client::options().over(connector.connect().unwrap())
}

/// The next packet, which there must be.
pub(crate) async fn next(client: &mut Client<Hear, Ask>) -> Hear {
    within(client.recv()).await.unwrap().expect("the server closed")
}

/// All packets until the server closes.
pub(crate) async fn rest(client: &mut Client<Hear, Ask>) -> Vec<Hear> {
    let mut all = Vec::new();
    while let Ok(Some(packet)) = within(client.recv()).await {
        all.push(packet);
    }
    all
}

/// Asks and hears the answer: what was sent before has been handled.
pub(crate) async fn round(client: &mut Client<Hear, Ask>, n: u32) {
    client.send(&Ask::Say { n }).unwrap();
    assert_eq!(next(client).await, said(n));
}

pub(crate) fn bytes_of(packets: &[Ask]) -> BytesMut {
    let (codec, mut bytes) = (PacketCodec::<Hear, Ask>::new(), BytesMut::new());
    for packet in packets {
        codec.encode_packet(packet, &mut bytes).unwrap();
    }
    bytes
}

/// Every packet until the stream ends.
pub(crate) async fn read_all(stream: &mut MemoryStream) -> Vec<Hear> {
    let mut bytes = Vec::new();
    within(stream.read_to_end(&mut bytes)).await.unwrap();
    let mut codec = PacketCodec::<Hear, Ask>::new();
    codec.packets(&mut BytesMut::from(&bytes[..])).collect::<Result<_, _>>().unwrap()
}

/// Looks again until it is so.
pub(crate) async fn until(done: impl Fn() -> bool) {
    within(async {
        while !done() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A guard against hangs, not a wait: on a paused clock it is up as soon as nothing moves any more.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("nothing moves any more")
}

/// Lets the paused clock run: all that can happen in that time has happened then.
pub(crate) async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, words: impl ToString) {
        self.0.lock().unwrap().push(words.to_string());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
