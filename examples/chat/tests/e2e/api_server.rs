//! A whole API server, in a runtime that can be ended at any moment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use api::{Client, Member, Player};
use clap::Parser;
use support::testing::{PATIENCE, Server};
use tokio::runtime::{Builder, Runtime};

use crate::process::{ANYWHERE, chat};

pub(crate) const KEY: &str = "a-key-of-game-servers-0123456789";
const PASSWORD: &str = "correct horse";

/// An API server that comes and goes, behind an address that stays: as a proxy's does.
pub(crate) struct Api {
    runtime: Runtime,
    server: Option<(Runtime, SocketAddr)>,
    address: SocketAddr,
    behind: Arc<Mutex<Option<SocketAddr>>>,
    dir: PathBuf,
    server_ms: u64,
}

impl Api {
    pub(crate) fn new(name: &str) -> Self {
        Self::forgetful(name, 15_000)
    }

    /// One whose list forgets a server that has been silent for so long; so a server reports more often.
    pub(crate) fn forgetful(name: &str, server_ms: u64) -> Self {
        let dir = std::env::temp_dir().join(format!("chat-e2e-{}-{name}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("key"), format!("{KEY}\n")).unwrap();
        let runtime = runtime();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let behind: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let server = behind.clone();
        runtime.spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let Some(server) = *server.lock().unwrap() else { continue };
                tokio::spawn(async move {
                    let mut far = tokio::net::TcpStream::connect(server).await?;
                    tokio::io::copy_bidirectional(&mut near, &mut far).await
                });
            }
        });
        let mut api = Self { runtime, server: None, address, behind, dir, server_ms };
        api.comes();
        api
    }

    pub(crate) fn comes(&mut self) {
        let (db, key) = (self.dir.join("api.db"), self.dir.join("key"));
        let [db, key] = [db.to_str().unwrap(), key.to_str().unwrap()];
        let flags = ["api", "--http", "127.0.0.1:0", "--db", db, "--api-key-file", key];
        let more = ["--server-ms", &self.server_ms.to_string(), "--requests-per-minute", "0"];
        let flags = api::server::Flags::parse_from([&flags[..], &more].concat());
        let runtime = runtime();
        let server = runtime.block_on(api::server::Server::start(&flags)).unwrap();
        let addr = server.addr().unwrap();
        runtime.spawn(server.run_until(std::future::pending()));
        *self.behind.lock().unwrap() = Some(addr);
        self.server = Some((runtime, addr));
    }

    /// As if it was killed: connections break, and what is in memory is lost.
    pub(crate) fn goes(&mut self) {
        *self.behind.lock().unwrap() = None;
        let (runtime, _) = self.server.take().unwrap();
        runtime.shutdown_timeout(PATIENCE);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A chat server that lets in whom this one knows.
    pub(crate) fn chat(&self) -> Server {
        self.chat_with(&[], 4)
    }

    /// With more flags, and so many doors, that of the metrics included.
    pub(crate) fn chat_with(&self, more: &[&str], doors: usize) -> Server {
        let key = self.dir.join("key");
        let flags = ["--workers", "2", "--api", &self.url(), "--api-key-file", key.to_str().unwrap()];
        let mut command = chat(&[&ANYWHERE[..], &flags, more].concat());
        // So that what must not be in the logs would be there.
        Server::start(command.env("RUST_LOG", "trace"), doors)
    }

    /// For what the library says.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    fn client(&self) -> Client {
        let (_, addr) = self.server.as_ref().unwrap();
        self.runtime.block_on(async { Client::new(&format!("http://{addr}")).unwrap() })
    }

    pub(crate) fn sign_up(&self, name: &str) -> Player {
        self.wait(self.client().sign_up(name, PASSWORD)).unwrap();
        self.log_in(name)
    }

    pub(crate) fn log_in(&self, name: &str) -> Player {
        self.wait(self.client().log_in(name, PASSWORD)).unwrap()
    }

    pub(crate) fn token(&self, player: &Player) -> String {
        self.wait(player.token()).unwrap().token
    }

    /// Looks at the list until it is as it should be.
    #[track_caller]
    pub(crate) fn list(&self, player: &Player, good: impl Fn(&[Member]) -> bool) -> Vec<Member> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let servers = self.wait(player.servers("chat")).unwrap().servers;
            if good(&servers) {
                return servers;
            }
            assert!(Instant::now() < deadline, "{servers:?}");
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}
