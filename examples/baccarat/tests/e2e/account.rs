//! Users whose session at the API server ends while they play.

use std::time::Duration;

use api::{Client, Registration, Rooms};
use baccarat::{Account, GAME};
use clap::Parser;

#[tokio::test]
async fn whose_session_is_over_logs_in_again_and_goes_on() {
    let key = std::env::temp_dir().join(format!("baccarat-e2e-{}-sessions", std::process::id()));
    std::fs::write(&key, KEY).unwrap();
    let flags = ["api", "--http", "127.0.0.1:0", "--db", ":memory:", "--match-size", "2"];
    let more = ["--logins-per-minute", "0", "--api-key-file", key.to_str().unwrap()];
    let flags = api::server::Flags::parse_from([&flags[..], &more].concat());
    let server = api::server::Server::start(&flags).await.unwrap();
    std::fs::remove_file(&key).unwrap();
    let url = format!("http://{}", server.addr().unwrap());
    tokio::spawn(server.run_until(std::future::pending()));
    let client = Client::new(&url).unwrap().key(KEY).unwrap();
    let table =
        Registration::new(40).door("raw", "127.0.0.1:1").rooms(Rooms { first: 0, count: 10, seats: 4 });
    client.register(GAME, &table).await.unwrap();

    let [mut ann, mut bob] = [open(&url, "ann").await, open(&url, "bob").await];
    end_sessions(&client, "ann").await;
    assert_eq!(ann.seat(PATIENCE).await.unwrap().room, 0);
    for name in ["ann", "bob"] {
        end_sessions(&client, name).await;
    }
    let (ann, bob) = tokio::join!(ann.group(PATIENCE), bob.group(PATIENCE));
    let (ann, bob) = (ann.unwrap(), bob.unwrap());
    assert_eq!((ann.room, ann.with.len()), (bob.room, 2));
}

async fn open(url: &str, name: &str) -> Account {
    Account::open(url, name, PASSWORD, true, PATIENCE).await.unwrap()
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
