//! What an operator finds in the log.

use std::time::Duration;

use super::log::Log;
use netcore::memory::MemoryConnector;
use netcore::{Binary, Client, CloseReason, Connection, Door, Limits, Packet, Running, Server};

#[derive(Packet, Debug)]
enum Word {
    #[packet(id = 1)]
    Is {
        #[raw(len = u8, max = 20)]
        text: String,
    },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Says each word twice over; has no database for one of them.
async fn session(mut peer: Connection<Word, Word>) -> Result<(), Failure> {
    while let Some(Word::Is { text }) = peer.recv().await? {
        if text == "save" {
            return Err("the database is away".into());
        }
        peer.send(&Word::Is { text: text.repeat(2) })?;
    }
    Ok(())
}

async fn serve() -> (Running, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    (Server::new().door(door).serve(session).await.unwrap(), connector)
}

async fn says(connector: &MemoryConnector, text: &str) -> Result<Option<Word>, CloseReason> {
    let mut client = Client::<Word, Word>::options().over(connector.connect().unwrap());
    client.send(&Word::Is { text: text.into() }).unwrap();
    client.recv().await
}

#[tokio::test]
async fn a_packet_of_ours_that_does_not_encode_is_an_error() {
    let log = Log::of_all();
    let (_running, connector) = serve().await;
    assert!(matches!(says(&connector, "eighteen_characters").await, Ok(None)));
    let line = log.wait_for("a packet does not encode").await;
    assert!(
        line.starts_with("ERROR ") && line.contains("Is.text: a length of 38 is over the bound of 20"),
        "{line}"
    );
}

#[tokio::test]
async fn a_tasks_own_error_is_told_and_one_over_a_peer_that_is_gone_is_for_who_looks_for_it() {
    let log = Log::of_all();
    let (_running, connector) = serve().await;
    assert!(matches!(says(&connector, "save").await, Ok(None)));
    let line = log.wait_for("the database is away").await;
    assert!(line.starts_with("INFO "), "{line}");
    let mut raw = connector.connect().unwrap();
    // An id that is not known.
    tokio::io::AsyncWriteExt::write_all(&mut raw, b"\x05\0\x63\0\0").await.unwrap();
    let line = log.wait_for("error=packet id 99").await;
    assert!(line.starts_with("DEBUG "), "{line}");
}

#[tokio::test]
async fn who_was_closed_before_a_cut_keeps_its_reason() {
    let log = Log::of_all();
    let (door, connector) = Door::memory(Binary::new());
    let door = door.limits(Limits::new().linger(Duration::from_secs(60)));
    let closes = async |peer: Connection<Word, Word>| {
        peer.close(CloseReason::Game(4711));
    };
    let running = Server::new().door(door).serve(closes).await.unwrap();
    let mut stays = connector.connect().unwrap();
    assert_eq!(tokio::io::AsyncReadExt::read(&mut stays, &mut [0]).await.unwrap(), 0);
    drop(running);
    let line = log.wait_for("reason=closed by the game, with code 4711").await;
    assert!(line.contains("message=closed"), "{line}");
}

#[tokio::test]
async fn a_games_own_reason_with_a_number_of_netcores_is_its_mistake() {
    let log = Log::of_all();
    let (door, connector) = Door::memory(Binary::new());
    let closes = async |peer: Connection<Word, Word>| {
        peer.close(CloseReason::Game(41));
    };
    let running = Server::new().door(door).serve(closes).await.unwrap();
    let _closed = connector.connect().unwrap();
    let line = log.wait_for("codes begin at 100").await;
    assert!(line.starts_with("ERROR ") && line.contains("reason=closed by the game, with code 41"), "{line}");
    running.shutdown().await;
}

#[tokio::test]
async fn an_end_says_once_which_session_it_is_of() {
    let log = Log::of_all();
    let (running, connector) = serve().await;
    let mut raw = connector.connect().unwrap();
    // A size that is none.
    tokio::io::AsyncWriteExt::write_all(&mut raw, b"\x03\0\x63\0\0").await.unwrap();
    for words in ["task ended with an error error=packet size 3 ", "reason=packet size 3 "] {
        let line = log.wait_for(words).await;
        assert!(
            line.starts_with("DEBUG ") && line.ends_with("in session: id=0.0 door=\"memory\" "),
            "{line}"
        );
        assert_eq!(line.matches("0.0").count(), 1, "{line}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_server_that_is_dropped_with_its_sessions_says_so() {
    let log = Log::of_all();
    let (running, connector) = serve().await;
    assert!(matches!(says(&connector, "hello").await, Ok(Some(_))));
    drop(running);
    let line = log.wait_for("its `Running` was dropped without a `shutdown`").await;
    assert!(line.starts_with("WARN "), "{line}");
}

#[cfg(feature = "msgpack")]
#[tokio::test]
async fn a_hello_says_what_it_does_not_see_into() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Ship {
        x: u8,
    }

    #[derive(Packet)]
    #[packet(format = MsgPack)]
    enum Fleet {
        #[packet(id = 7)]
        Sail(Vec<Ship>),
        #[packet(id = 8)]
        Sink { ships: Vec<Ship> },
    }

    let log = Log::of_all();
    let (door, _connector) = Door::memory(Binary::new());
    let door = door.hello(netcore::Hello::new::<Fleet, Word>());
    let game = async |_: Connection<Fleet, Word>| {};
    let _running = Server::new().door(door).serve(game).await.unwrap();
    for packet in ["name=\"Sail\"", "name=\"Sink\""] {
        let line = log.wait_for(packet).await;
        assert!(line.starts_with("WARN ") && line.contains("derive `Describe`"), "{line}");
    }
}

#[tokio::test]
async fn what_a_client_meets_is_for_who_looks_for_it() {
    let log = Log::of_all();
    let (running, connector) = serve().await;
    running.shutdown().await;
    let options = || Client::<Word, Word>::options();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(options().connect(closed).await.is_err());
    let line = log.wait_for(&format!("address=\"{closed}\"")).await;
    assert!(line.starts_with("DEBUG ") && line.contains("message=not connected"), "{line}");
    let client = options().reconnect().tries(1).dial(move || {
        let connector = connector.clone();
        async move { connector.connect() }
    });
    while client.next().await.is_some() {}
    let line = log.wait_for("no more tries to connect").await;
    assert!(line.starts_with("DEBUG ") && line.contains("tries=1"), "{line}");
}
