//! Several servers, whose users are placed by an API server: all of them processes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use clap::Parser;
use support::testing::{PATIENCE, Process, RedisServer, Server};
use tokio::runtime::{Builder, Runtime};

use crate::clients::{bots, client};
use crate::process::{ANYWHERE, baccarat};

const PASSWORD: &str = "correct horse";

/// An API server on a Redis of its own.
struct Api {
    url: String,
    dir: PathBuf,
    runtime: Runtime,
    _process: Process,
    _redis: RedisServer,
}

impl Api {
    /// `None`, with a word, where there is no `redis-server`.
    fn start(name: &str) -> Option<Self> {
        let redis = RedisServer::start()?;
        let dir = std::env::temp_dir().join(format!("baccarat-e2e-{}-{name}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("key"), "a-key-of-game-servers-0123456789\n").unwrap();
        let this = std::env::current_exe().unwrap();
        let mut command = Command::new(this);
        command.args(["--exact", "several::the_api_server_of_the_other_tests", "--ignored", "--nocapture"]);
        command.env(FOLDER, &dir).env(REDIS, redis.url());
        let process = Process::start(&mut command);
        let line = process.logged(&[LISTENS]);
        let url = format!("http://{}", line.trim_start_matches(LISTENS));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Some(Self { url, dir, runtime, _process: process, _redis: redis })
    }

    /// A server in its list, in which nobody waits for the clock: all bet, or the game does not end.
    fn server(&self) -> (Server, String) {
        let key = self.dir.join("key");
        let flags = ["--betting-ms", "3600000", "--next-game-ms", "200", "--workers", "2"];
        let api = ["--api", &self.url, "--api-key-file", key.to_str().unwrap()];
        let server = Server::start(&mut baccarat(&[&ANYWHERE[..], &flags, &api].concat()), 1);
        let _ = server.process.logged(&["in the list of servers"]);
        let door = server.addr().to_string();
        (server, door)
    }

    /// Looks at the list until there is one server, without users.
    fn only_one_is_left(&self, door: &str) {
        let deadline = Instant::now() + PATIENCE;
        self.runtime.block_on(async {
            let client = api::Client::new(&self.url).unwrap();
            let player = client.log_in("bot0", PASSWORD).await.unwrap();
            loop {
                let servers = player.servers("baccarat").await.unwrap().servers;
                if let [one] = &servers[..]
                    && (one.users, one.occupied_rooms) == (0, 0)
                {
                    assert_eq!(one.doors["raw"], door);
                    break;
                }
                assert!(Instant::now() < deadline, "{servers:?}");
            }
        });
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The API server as a process: this program once more, since another crate's is not to be had in a test.
#[test]
#[ignore = "it is a part of the others, which start it"]
fn the_api_server_of_the_other_tests() {
    let (Ok(dir), Ok(redis)) = (std::env::var(FOLDER), std::env::var(REDIS)) else { return };
    let (db, key) = (format!("{dir}/api.db"), format!("{dir}/key"));
    let flags = ["api", "--http", "127.0.0.1:0", "--db", &db, "--api-key-file", &key, "--redis", &redis];
    // A server that was killed is off the list soon, and nothing bounds the crowd from one address.
    let more = ["--server-ms", "2000", "--signups-per-minute", "0", "--requests-per-minute", "0"];
    let flags = api::server::Flags::parse_from([&flags[..], &more].concat());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = api::server::Server::start(&flags).await.unwrap();
        eprintln!("{LISTENS}{}", server.addr().unwrap());
        server.run_until(std::future::pending()).await;
    });
}

#[cfg(unix)]
#[test]
fn when_a_server_is_killed_its_users_go_on_together_on_the_other_and_nobody_waits_for_a_ghost() {
    let Some(api) = Api::start("killed") else { return };
    let [(one, here), (other, there)] = [api.server(), api.server()];
    let eight = ["--bots", "8", "--match", "--rounds", "20", "--think-ms", "20", "--timeout-ms", "15000"];
    let asks = ["--api", &api.url, "--password", PASSWORD, "--json", "--verbose"];
    let bots = bots(&[&eight[..], &asks].concat());
    // Two groups, and each has a server for itself.
    for door in [&here, &there] {
        let _ = bots.logged(&[door, "round"]);
    }
    one.process.signal("KILL");
    assert_eq!(one.process.end().code, None);
    // A person who comes now may be sent where nobody is any more, and is sent on.
    let mut ann = client(&["--api", &api.url, "--name", "ann", "--password", PASSWORD, "--sign-up"]);
    for _ in 0..4 {
        let _ = bots.logged(&["loses", &here]);
    }
    let room = |line: String| line.rsplit_once(", room ").map(|(_, room)| room.to_owned()).unwrap();
    let rooms: Vec<String> = (0..4).map(|_| room(bots.logged(&["goes to", &there]))).collect();
    assert_eq!(rooms, vec![rooms[0].clone(); 4], "they stay together");
    while ann.line() != "you are logged in" {}
    let entered = ann.line();
    assert!(entered.ends_with("as number 1: /start begins a game"), "she has a room for herself: {entered}");
    ann.types("/start").reads(&["* a game begins: /player or /banker"]).types("/banker");
    ann.reads(&["you bet on the banker"]);
    ann.ends();
    let ended = bots.end();
    assert_eq!(ended.code, Some(0), "{:?}", ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout.concat()).unwrap();
    assert_eq!((&report["rounds"], &report["moves"]), (&160.into(), &4.into()), "{report}");
    let rounds = |door: &str| report["rounds_at"][door].as_u64().unwrap();
    assert!(rounds(&here) > 0 && rounds(&there) > 80 && rounds(&here) + rounds(&there) == 160, "{report}");
    api.only_one_is_left(&there);
    assert_eq!(other.terminate().code, Some(0));
}

const FOLDER: &str = "BACCARAT_TEST_API_FOLDER";
const REDIS: &str = "BACCARAT_TEST_API_REDIS";
const LISTENS: &str = "the api server listens at ";
