//! Servers with their doors in memory, on one memory hub, and who is at them.

use std::cell::Cell;
use std::time::Duration;

use chat::{InMemory, Logic, Talk, in_memory};
use lobby::raw::{self, ToClient, ToServer};
use lobby::{Message, Settings, Shared};
use netcore::cluster::{Cluster, Memory, NodeId, Options};
use netcore::memory::MemoryStream;
use netcore::{Client, Host, Running};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// How long a dead node's names stay.
pub(crate) const TTL: Duration = Duration::from_secs(10);

/// The servers of one test, and the hub on which they meet.
pub(crate) struct World {
    memory: Memory,
    nodes: Cell<u64>,
    settings: Settings,
}

/// One server.
pub(crate) struct Node {
    pub(crate) line: Memory,
    pub(crate) cluster: Cluster,
    running: Running<Message<Talk>>,
    pub(crate) shared: Shared,
    doors: InMemory,
}

/// Plays a test with servers of one worker and of three.
pub(crate) async fn with_one_and_three_workers(play: impl AsyncFn(World)) {
    for workers in [1, 3] {
        play(World::new(Settings { workers, room_users: 3, ..Settings::default() })).await;
    }
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { memory: Memory::new(), nodes: Cell::new(0), settings }
    }

    /// One more server, which has met the others.
    pub(crate) async fn node(&self) -> Node {
        let node = self.node_on(self.memory.line()).await;
        node.settle().await;
        node
    }

    pub(crate) fn line(&self) -> Memory {
        self.memory.line()
    }

    pub(crate) async fn node_on(&self, line: Memory) -> Node {
        self.node_with(line, |shared| shared).await
    }

    pub(crate) async fn node_with(&self, line: Memory, more: impl FnOnce(Shared) -> Shared) -> Node {
        // Not by chance: each run is the same.
        self.nodes.set(self.nodes.get() + 1);
        let options = Options::new(line.clone()).node(NodeId::new(self.nodes.get()));
        let (cluster, starter) = options.ttl(TTL).build();
        let (server, shared, doors) = in_memory(more(Shared::new(self.settings.clone()).cluster(&cluster)));
        let (lobby, workers) = (shared.clone(), shared.settings().workers.into());
        let make = move |worker| Logic::new(lobby.clone(), Talk::new(7, worker));
        let running = server.host(Host::Task).workers(workers, make).await.unwrap();
        starter.start(running.teller(), Message::cluster);
        Node { line, cluster, running, shared, doors }
    }

    /// Two servers, and in room 4 one person on each: ann, then bob.
    pub(crate) async fn ann_and_bob(&self) -> ([Node; 2], [Person; 2]) {
        let [a, b] = [self.node().await, self.node().await];
        let mut ann = a.in_room("ann", 4, &[]).await;
        let bob = b.in_room("bob", 4, &["ann"]).await;
        ann.reads(&["* bob (#) came"]).await;
        ([a, b], [ann, bob])
    }

    /// Ends these servers. Nothing is left of them, here or there.
    pub(crate) async fn ends<const N: usize>(self, nodes: [Node; N]) {
        for node in nodes {
            node.ends().await;
        }
        assert_eq!(self.memory.sizes(), (0, 0));
    }
}

impl Node {
    /// Until all that it has said has reached the hub.
    pub(crate) async fn settle(&self) {
        within(self.cluster.settled()).await.unwrap();
    }

    /// Ends in order.
    pub(crate) async fn ends(self) {
        let panics = self.running.stats().panics + self.cluster.stats().panics;
        let report = self.running.shutdown().await;
        let directory = self.shared.directory();
        assert_eq!((report.cut, panics, directory.names(), directory.seats()), (0, 0, 0, 0));
        within(self.cluster.shutdown()).await;
    }

    /// Somebody at the text door, under that name.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let mut person = self.guest().await;
        person.types(&format!("/nick {name}")).await.reads(&[&format!("you are {name}")]).await;
        person
    }

    /// Somebody at the text door.
    pub(crate) async fn guest(&self) -> Person {
        let mut person = self.connects();
        let welcome = "welcome, you are guest#: /help says what you can do";
        person.reads(&[welcome, "you are in the lobby: /rooms shows the rooms, /join ROOM enters one"]).await;
        person
    }

    /// Somebody at the text door, who has read nothing yet.
    pub(crate) fn connects(&self) -> Person {
        Person { stream: BufReader::new(self.doors.text.connect().unwrap()), closed: false }
    }

    /// Somebody in a room.
    pub(crate) async fn in_room(&self, name: &str, room: i32, here: &[&str]) -> Person {
        let mut person = self.person(name).await;
        person.joins(room, here).await;
        person
    }

    /// A game client.
    pub(crate) fn client(&self) -> Player {
        Client::options().over(self.doors.raw.connect().unwrap())
    }
}

pub(crate) type Player = Client<ToClient, ToServer>;

pub(crate) fn log_in(name: &str) -> ToServer {
    ToServer::LogIn { id: raw::padded(name), password: raw::padded("secret") }
}

/// Somebody at the text door.
pub(crate) struct Person {
    stream: BufReader<MemoryStream>,
    closed: bool,
}

impl Person {
    pub(crate) async fn types(&mut self, line: &str) -> &mut Self {
        let line = format!("{line}\n");
        // Whom the server has closed finds the end when they read.
        self.closed |= self.stream.get_mut().write_all(line.as_bytes()).await.is_err();
        self
    }

    /// Goes into a room, in which those are.
    pub(crate) async fn joins(&mut self, room: i32, here: &[&str]) -> &mut Self {
        self.types(&format!("/join {room}")).await;
        if !here.is_empty() {
            let here = here.iter().map(|name| format!("{name} (#)")).collect::<Vec<_>>().join(", ");
            self.reads(&[&format!("here: {here}")]).await;
        }
        self.reads(&[&format!("you are in room {room}, as number #")]).await
    }

    /// The next line, as it came.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        within(self.stream.read_line(&mut line)).await.unwrap();
        line.strip_suffix('\n').unwrap_or_else(|| panic!("not a whole line: {line:?}")).to_owned()
    }

    /// The next lines, in which numbers that no test can know are `#`.
    #[track_caller]
    pub(crate) fn reads(&mut self, lines: &[&str]) -> impl Future<Output = &mut Self> {
        let caller = std::panic::Location::caller();
        async move {
            for expected in lines {
                let line = plain(&self.line().await);
                assert_eq!(line, *expected, "{caller}");
            }
            self
        }
    }

    /// All that has come by now, in which numbers that no test can know are `#`.
    pub(crate) async fn so_far(&mut self) -> Vec<String> {
        pass(Duration::from_millis(1)).await;
        self.lines().await.iter().map(|line| plain(line)).collect()
    }

    /// All that has come by now, as it came.
    pub(crate) async fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        while let Ok(read) = timeout(Duration::ZERO, self.stream.read_line(&mut line)).await {
            if read.unwrap() == 0 {
                self.closed = true;
                break;
            }
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        lines
    }

    /// Whether the server is known to have closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The server closes the connection; what came before.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        while within(self.stream.read_line(&mut line)).await.unwrap() > 0 {
            lines.push(plain(std::mem::take(&mut line).trim_end()));
        }
        lines
    }
}

/// Hides room user ids and the numbers of guests: they are unique, and otherwise any.
pub(crate) fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, digits) = rest.split_at(at);
        let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        plain.push_str(before);
        let any = ["guest", "(", "as number "].iter().any(|word| before.ends_with(word));
        plain.push_str(if any { "#" } else { &digits[..end] });
        rest = &digits[end..];
    }
    plain + rest
}

/// A guard against hangs, not a wait: on a paused clock it is up as soon as nothing moves any more.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(3600), work).await.expect("nothing moves any more")
}

/// Lets the paused clock run: all that can happen in that time has happened then.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
