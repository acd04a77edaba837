//! Users whose session at the API server ends while they play, and an API server that starts anew.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use api::{Client, Registration, Rooms};
use baccarat::{Account, GAME, PlaceError};
use clap::Parser;
use support::testing::Process;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clients::client;

/// An API server within this program.
struct Api {
    folder: Folder,
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<usize>,
}

/// With its accounts and its key, which stay when it starts anew.
struct Folder(PathBuf);

impl Api {
    async fn start(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("baccarat-e2e-{}-{test}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("key"), KEY).unwrap();
        Self::at("127.0.0.1:0", Folder(folder)).await
    }

    async fn at(at: &str, folder: Folder) -> Self {
        let [db, key] = ["api.db", "key"].map(|file| folder.0.join(file).to_str().unwrap().to_owned());
        let flags = ["api", "--http", at, "--db", &db, "--api-key-file", &key, "--match-size", "2"];
        let flags = api::server::Flags::parse_from([&flags[..], &["--logins-per-minute", "0"]].concat());
        let server = api::server::Server::start(&flags).await.unwrap();
        let at = server.addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run_until(async move { drop(stopped.await) }));
        Self { folder, at, stop, running }
    }

    /// Ends it, and starts another one in its place: its list, its tokens and its sessions are gone.
    async fn restart(self) -> Self {
        drop(self.stop);
        self.running.await.unwrap();
        Self::at(&self.at.to_string(), self.folder).await
    }

    fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    fn client(&self) -> Client {
        Client::new(&self.url()).unwrap().key(KEY).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn whose_session_is_over_logs_in_again_and_goes_on() {
    let api = Api::start("sessions").await;
    let client = api.client();
    client.register(GAME, &table()).await.unwrap();
    let [mut ann, mut bob] = [open(&api, "ann").await, open(&api, "bob").await];
    end_sessions(&client, "ann").await;
    assert_eq!(ann.seat(PATIENCE).await.unwrap().room, 0);
    for name in ["ann", "bob"] {
        end_sessions(&client, name).await;
    }
    let (ann, bob) = tokio::join!(ann.group(PATIENCE), bob.group(PATIENCE));
    let (ann, bob) = (ann.unwrap(), bob.unwrap());
    assert_eq!((ann.room, ann.with.len()), (bob.room, 2));
}

#[tokio::test]
async fn an_api_server_that_starts_anew_is_asked_until_the_servers_are_in_its_list_again() {
    let api = Api::start("anew").await;
    let mut table = api.client().keep_registered(GAME, table());
    let first = table.registered().await;
    let [mut ann, mut bob, mut kim] =
        [open(&api, "ann").await, open(&api, "bob").await, open(&api, "kim").await];
    assert_eq!(ann.seat(PATIENCE).await.unwrap().server, first);
    let api = api.restart().await;
    // It knows of no server, and of no session.
    let (seat, one, other) = tokio::join!(ann.seat(PATIENCE), bob.group(PATIENCE), kim.group(PATIENCE));
    let seats = [seat.unwrap(), one.unwrap(), other.unwrap()];
    assert!(seats.iter().all(|seat| seat.server != first && seat.server == seats[0].server), "{seats:?}");
    drop(api);
}

#[tokio::test]
async fn where_no_server_comes_it_is_said_so_and_not_waited_for_long() {
    let api = Api::start("nobody").await;
    let mut ann = open(&api, "ann").await;
    let began = Instant::now();
    for nobody in [ann.seat(MOMENT).await.unwrap_err(), ann.group(MOMENT).await.unwrap_err()] {
        assert_eq!(nobody, PlaceError::NoServer);
    }
    assert!(began.elapsed() >= MOMENT, "it was asked on");
    // Who has time to wait for others has none to wait for a server that is not there.
    let began = Instant::now();
    assert_eq!(ann.group(Duration::from_secs(600)).await.unwrap_err(), PlaceError::NoServer);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_that_there_is_no_seat_yet_and_are_sent_on_when_there_is() {
    let api = Api::start("people").await;
    let flags = ["--api", &api.url(), "--name", "ann", "--password", PASSWORD, "--sign-up"];
    let mut ann = client(&flags);
    ann.reads(&["* there is no seat yet: asking on"]);
    api.client().register(GAME, &table()).await.unwrap();
    ann.reads(&["* you are sent to room 0 at 127.0.0.1:1"]);
    drop(ann);

    let nobody = Api::start("nobody-comes").await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_baccarat-client"));
    command.args(["--api", &nobody.url(), "--name", "ann", "--password", PASSWORD, "--sign-up"]);
    let ended = Process::start(&mut command).end();
    let sentence = "no baccarat server is in the api server's list: is there one that runs with --api?";
    assert_eq!((ended.code, ended.stderr), (Some(2), vec![format!("baccarat-client: {sentence}")]));
    assert_eq!(ended.stdout, ["* there is no seat yet: asking on"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_others_do_nothing_to_a_terminal() {
    let api = Api::start("names").await;
    api.client().register(GAME, &table()).await.unwrap();
    let mut eve = open(&api, "\u{1b}[2J\nbob: hi").await;
    let flags = ["--api", &api.url(), "--name", "ann", "--password", PASSWORD, "--sign-up", "--match"];
    let mut ann = client(&flags);
    ann.reads(&["* waiting for others"]);
    let with = eve.group(PATIENCE).await.unwrap().with;
    let shown = |name: &str| if name == "ann" { "ann" } else { "\\u{1b}[2J\\u{a}bob:\\shi" };
    let with: Vec<_> = with.iter().map(|user| shown(&user.name)).collect();
    ann.reads(&[&format!("* you are sent to room 0 at 127.0.0.1:1, with {}", with.join(", "))]);
}

async fn open(api: &Api, name: &str) -> Account {
    Account::open(&api.url(), name, PASSWORD, true, PATIENCE).await.unwrap()
}

fn table() -> Registration {
    Registration::new(40).door("raw", "127.0.0.1:1").rooms(Rooms { first: 0, count: 10, seats: 4 })
}

/// A user has 16 sessions; with one more the oldest ends.
async fn end_sessions(client: &Client, name: &str) {
    for _ in 0..16 {
        let _ = client.log_in(name, PASSWORD).await.unwrap();
    }
}

const KEY: &str = "a-key-of-game-servers-0123456789";
const PASSWORD: &str = "correct horse";
const PATIENCE: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(300);
