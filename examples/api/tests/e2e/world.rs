//! A server with its files, its key and its users.

use std::fs::DirEntry;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use serde_json::{Value, json};
use support::testing::Server;

use crate::http::{Answer, call};
use support::testing::RedisServer;

pub(crate) const KEY: &str = "a-key-of-game-servers-0123456789";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A directory of the test's own.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("api-e2e-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with a key in it.
    pub(crate) fn key(&self) -> PathBuf {
        let key = self.file("key");
        std::fs::write(&key, format!("{KEY}\n")).unwrap();
        key
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The names of the files in a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let name = |file: std::io::Result<DirEntry>| file.unwrap().file_name().into_string().unwrap();
    let mut files: Vec<String> = std::fs::read_dir(folder).unwrap().map(name).collect();
    files.sort();
    files
}

/// A server, and what it stands on.
pub(crate) struct World {
    api: Api,
    // Dropped first.
    pub(crate) server: Server,
    pub(crate) redis: Option<RedisServer>,
    pub(crate) dir: Dir,
}

/// Where it is.
#[derive(Clone, Copy)]
pub(crate) struct Api(SocketAddr);

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) session: String,
}

/// Runs a test with both stores.
pub(crate) fn everywhere(flags: &[&str], test: impl Fn(&mut World)) {
    test(&mut World::in_memory(flags));
    if let Some(mut world) = World::in_redis(flags) {
        test(&mut world);
    }
}

/// The binary on a port of the system's choice.
pub(crate) fn api(dir: &Dir, redis: Option<&RedisServer>, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(["--http", "127.0.0.1:0", "--db"]).arg(dir.file("api.db"));
    command.arg("--api-key-file").arg(dir.key());
    if let Some(redis) = redis {
        command.args(["--redis", &redis.url()]);
    }
    command.args(flags);
    command
}

impl World {
    pub(crate) fn in_memory(flags: &[&str]) -> Self {
        Self::on(None, flags)
    }

    pub(crate) fn in_redis(flags: &[&str]) -> Option<Self> {
        Some(Self::on(Some(RedisServer::start()?), flags))
    }

    fn on(redis: Option<RedisServer>, flags: &[&str]) -> Self {
        let dir = Dir::new();
        let server = Server::start(&mut api(&dir, redis.as_ref(), flags), 1);
        Self::of(server, redis, dir)
    }

    pub(crate) fn of(server: Server, redis: Option<RedisServer>, dir: Dir) -> Self {
        Self { api: Api(server.addr()), server, redis, dir }
    }

    /// The server ends in order; another one starts on the same files.
    pub(crate) fn restart(self, flags: &[&str]) -> Self {
        let Self { server, redis, dir, .. } = self;
        assert_eq!(server.terminate().code, Some(0));
        let server = Server::start(&mut api(&dir, redis.as_ref(), flags), 1);
        Self::of(server, redis, dir)
    }

    /// Another server on the same files and the same Redis.
    pub(crate) fn another(&self, flags: &[&str]) -> (Server, Api) {
        let server = Server::start(&mut api(&self.dir, self.redis.as_ref(), flags), 1);
        let api = Api(server.addr());
        (server, api)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }
}

/// What one can ask of it.
impl Api {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.0
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        call(self.0, "GET", path, None, None)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, secret: Option<&str>, body: &Value) -> Answer {
        call(self.0, "POST", path, secret, Some(body))
    }

    /// As a game server does.
    #[track_caller]
    pub(crate) fn with_key(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        call(self.0, method, path, Some(KEY), body)
    }

    /// As somebody who is logged in.
    #[track_caller]
    pub(crate) fn by(&self, who: &Who, method: &str, path: &str, body: Option<&Value>) -> Answer {
        call(self.0, method, path, Some(&who.session), body)
    }

    /// Signs up and logs in.
    #[track_caller]
    pub(crate) fn user(&self, name: &str) -> Who {
        let credentials = json!({"name": name, "password": PASSWORD});
        self.post("/v1/users", None, &credentials).is(201);
        self.log_in(name)
    }

    #[track_caller]
    pub(crate) fn log_in(&self, name: &str) -> Who {
        let credentials = json!({"name": name, "password": PASSWORD});
        let session = self.post("/v1/sessions", None, &credentials).is(201);
        let id = session.json()["user"]["id"].as_u64().unwrap();
        Who { id, name: name.to_owned(), session: session.text_of("session") }
    }

    #[track_caller]
    pub(crate) fn token(&self, who: &Who) -> String {
        self.by(who, "POST", "/v1/tokens", None).is(201).text_of("token")
    }

    #[track_caller]
    pub(crate) fn token_refused(&self, who: &Who, status: u16, code: &str) {
        self.by(who, "POST", "/v1/tokens", None).refused(status, code);
    }

    /// As a game server, with a user's name and token.
    #[track_caller]
    pub(crate) fn redeem(&self, user: &str, token: &str) -> Answer {
        self.with_key("POST", "/v1/tokens/redeem", Some(&json!({"user": user, "token": token})))
    }

    /// A game server at that address: its id.
    #[track_caller]
    pub(crate) fn register(
        &self,
        game: &str,
        address: &str,
        capacity: u32,
        rooms: Option<[u32; 3]>,
    ) -> String {
        let mut server = json!({"doors": {"raw": address}, "capacity": capacity});
        if let Some([first, count, seats]) = rooms {
            server["rooms"] = json!({"first": first, "count": count, "seats": seats});
        }
        let path = format!("/v1/games/{game}/servers");
        self.with_key("POST", &path, Some(&server)).is(201).text_of("server")
    }

    #[track_caller]
    pub(crate) fn report(&self, game: &str, server: &str, load: &Value) -> Answer {
        self.with_key("PUT", &format!("/v1/games/{game}/servers/{server}"), Some(load))
    }

    /// A value of `/metrics`.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").is(200).text;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {name} in {text}"))
    }
}

impl Deref for World {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}
