//! A Redis server of the test's own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use futures::StreamExt;
use netcore::cluster::{NodeId, Options, Redis};
use redis::aio::{MultiplexedConnection, PubSub};

use crate::common::{Waiting, Watch, World, within};
use crate::proxy::Proxy;

pub(crate) struct OnRedis {
    server: Server,
    lines: Vec<Proxy>,
}

impl OnRedis {
    /// `None`, with a word, where there is no `redis-server`.
    pub(crate) async fn start() -> Option<Self> {
        let Some(server) = Server::start() else {
            eprintln!("skipped: there is no `redis-server` on this machine");
            return None;
        };
        Some(Self { server, lines: Vec::new() })
    }

    pub(crate) fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        self.server.client().get_multiplexed_async_connection().await.unwrap()
    }
}

impl World for OnRedis {
    fn options(&mut self) -> Options {
        let line = Proxy::to(self.server.addr);
        let redis = Redis::new(&format!("redis://{}", line.addr)).unwrap().prefix(PREFIX);
        self.lines.push(line);
        Options::new(redis).node(NodeId::new(self.lines.len() as u64))
    }

    fn cut(&self, node: usize) {
        self.lines[node - 1].cut();
    }

    fn freeze(&self, node: usize) {
        self.lines[node - 1].freeze();
    }

    fn heal(&self, node: usize) {
        self.lines[node - 1].heal();
    }

    async fn wipe(&mut self) {
        self.server.kill();
        self.server.again();
    }

    async fn watch(&self, name: &str) -> Box<dyn Watch> {
        let mut connection = self.connection().await;
        let set = redis::cmd("CONFIG").arg(&["SET", "notify-keyspace-events", "KA"]).to_owned();
        set.exec_async(&mut connection).await.unwrap();
        let mut events = self.server.client().get_async_pubsub().await.unwrap();
        events.subscribe(format!("__keyspace@0__:{PREFIX}c:{name}")).await.unwrap();
        Box::new(Notified(events))
    }

    async fn age(&self) {
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let client = self.server.client();
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
        // The server answers when it has waited for so many seconds.
        redis::cmd("BLPOP").arg(&["nothing", "0.5"]).exec_async(&mut connection).await.unwrap();
    }

    async fn names(&self) -> usize {
        let mut connection = self.connection().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
        let mut names = 0;
        for key in keys {
            let ttl: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
            assert_ne!(ttl, -1, "{key} would stay for ever");
            names += usize::from(key.starts_with(&format!("{PREFIX}c:")));
            assert!(key.starts_with(PREFIX), "{key}");
        }
        names
    }
}

struct Notified(PubSub);

impl Notified {
    fn until(&mut self, what: &'static str) -> Waiting<'_> {
        Box::pin(within(async move {
            let mut events = self.0.on_message();
            while events.next().await.unwrap().get_payload::<String>().unwrap() != what {}
        }))
    }
}

impl Watch for Notified {
    fn expired(&mut self) -> Waiting<'_> {
        self.until("expired")
    }

    fn renewed(&mut self) -> Waiting<'_> {
        // With a value or without a new one.
        self.until("expire")
    }
}

/// The process. It never outlives its test.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    child: Child,
}

impl Server {
    fn start() -> Option<Self> {
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().ok()?;
        // The system gives ports above these for port 0, so that nobody takes ours between two starts.
        let from = 10_000 + (std::process::id() % 200) as u16 * 100;
        for _ in 0..200 {
            let port = from + NEXT.fetch_add(1, Relaxed) % 2_000;
            if let Some(child) = run(port) {
                return Some(Self { addr: ([127, 0, 0, 1], port).into(), child });
            }
        }
        panic!("no port is free");
    }

    pub(crate) fn client(&self) -> redis::Client {
        redis::Client::open(format!("redis://{}", self.addr)).unwrap()
    }

    /// Ends it as `kill -9` does: nothing is saved.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(crate) fn again(&mut self) {
        self.child = run(self.addr.port()).expect("its port is free");
    }

    /// "STOP" and "CONT".
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server on that port that accepts connections, or `None` if it cannot have it.
fn run(port: u16) -> Option<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // To the end: with nobody to read it, it would stand still one day.
    let mut lines = lines.peekable();
    let ready = lines.by_ref().any(|line| line.contains("Ready to accept connections"));
    if ready {
        std::thread::spawn(move || lines.for_each(drop));
        return Some(child);
    }
    child.wait().unwrap();
    None
}

const PREFIX: &str = "test:";
static NEXT: AtomicU16 = AtomicU16::new(0);
