//! The library, as game servers and players use it.

use std::time::{Duration, Instant};

use api::{ApiError, Client, Load, Queue, RedeemError, Registration, Rooms, Standing, Wish};
use tokio::time::timeout;

use crate::world::{KEY, PASSWORD, World};

fn client(world: &World) -> Client {
    Client::new(&format!("http://{}", world.addr())).unwrap().key(KEY).unwrap()
}

/// A guard against hangs, not a wait.
async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), work).await.expect("nothing moves any more")
}

#[tokio::test]
async fn a_player_signs_up_finds_a_seat_and_is_let_in_by_the_game_server() {
    let world = World::in_memory(&["--match-size", "2", "--requests-per-minute", "0"]);
    let client = client(&world);
    let user = client.sign_up("ann", PASSWORD).await.unwrap();
    assert!(client.sign_up("ann", PASSWORD).await.unwrap_err().is("name_taken"));
    assert!(client.log_in("ann", "another password").await.unwrap_err().is("wrong_login"));
    let ann = client.log_in("ann", PASSWORD).await.unwrap();
    assert_eq!(ann.user(), &user);
    assert!(ann.seat("a", &Wish::default()).await.unwrap_err().is("unknown_game"));

    let server = Registration::new(10).door("raw", "a:1").rooms(Rooms { first: 0, count: 9, seats: 4 });
    let mut reporter = client.keep_registered("a", server);
    let id = within(reporter.registered()).await;
    assert_eq!(reporter.id(), Some(id.clone()));
    let seat = ann.seat("a", &Wish::default()).await.unwrap();
    assert_eq!((&seat.server, seat.room), (&id, Some(0)));
    assert_eq!(client.redeem("ann", &seat.token).await.unwrap(), user);
    assert_eq!(client.redeem("ann", &seat.token).await, Err(RedeemError::BadToken));
    assert_eq!(client.redeem("", "no token at all").await, Err(RedeemError::BadToken));
    assert!(!format!("{seat:?} {ann:?} {:?}", ann.token().await.unwrap()).contains(&seat.token));

    // The report says that she has come.
    reporter.load(Load { users: 1, occupied: vec![(0, 1)], entered: Vec::new() });
    reporter.entered(user.id);
    loop {
        let member = ann.servers("a").await.unwrap().servers.remove(0);
        if (member.users, member.reserved, member.occupied_rooms) == (1, 0, 1) {
            break;
        }
        assert_eq!(member.reserved, 1);
    }
    ann.give_back("a").await.unwrap();
    assert!(matches!(ann.stand("a", &Queue::default()).await, Ok(Standing::Waiting { waiting: 1, .. })));
    let error = ann.find_match("a", &Wish::default(), Duration::from_millis(50)).await.unwrap_err();
    assert!(error.is("match_timeout"));
    client.sign_up("ben", PASSWORD).await.unwrap();
    let ben = client.log_in("ben", PASSWORD).await.unwrap();
    let (wish, time) = (Wish::default(), Duration::from_secs(20));
    let (one, two) = tokio::join!(ann.find_match("a", &wish, time), ben.find_match("a", &wish, time));
    assert_eq!(one.unwrap().1, two.unwrap().1);

    within(reporter.end()).await;
    assert!(ann.servers("a").await.unwrap().servers.is_empty());
    ann.log_out().await.unwrap();
    assert!(ann.token().await.unwrap_err().is("no_session"));
}

#[tokio::test]
async fn a_server_that_was_forgotten_is_in_the_list_again_and_so_is_one_that_began_too_early() {
    let world = World::in_memory(&["--server-ms", "600", "--requests-per-minute", "0"]);
    let client = client(&world);
    let mut reporter = client.keep_registered("a", Registration::new(10).door("raw", "a:1"));
    let first = within(reporter.registered()).await;
    client.deregister("a", &first).await.unwrap();
    client.sign_up("ann", PASSWORD).await.unwrap();
    let ann = client.log_in("ann", PASSWORD).await.unwrap();
    let again = within(async {
        loop {
            if let [member] = &ann.servers("a").await.unwrap().servers[..] {
                break member.server.clone();
            }
        }
    })
    .await;
    assert_ne!(again, first);
    // Dropped, it leaves the list by itself.
    drop(reporter);
    within(async { while !ann.servers("a").await.unwrap().servers.is_empty() {} }).await;

    // An API server that is not there yet.
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = holder.local_addr().unwrap();
    drop(holder);
    let early = Client::new(&format!("http://{addr}")).unwrap().key(KEY).unwrap();
    assert!(matches!(
        early.redeem("ann", "AAAAAAAAAAAAAAAA").await,
        Err(RedeemError::Unavailable(ApiError::Away(_)))
    ));
    let mut reporter = early.keep_registered("a", Registration::new(10).door("raw", "a:1"));
    let dir = crate::world::Dir::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(["--http", &addr.to_string(), "--db", ":memory:", "--api-key-file"]).arg(dir.key());
    let _server = support::testing::Server::start(&mut command, 1);
    within(reporter.registered()).await;
    within(reporter.end()).await;
}

#[tokio::test]
async fn a_server_that_was_forgotten_registers_within_seconds_however_long_the_list_keeps_it() {
    let world = World::in_memory(&["--server-ms", "3600000"]);
    let client = client(&world);
    let mut reporter = client.keep_registered("a", Registration::new(10).door("raw", "a:1"));
    let first = within(reporter.registered()).await;
    client.deregister("a", &first).await.unwrap();
    let began = Instant::now();
    within(async {
        while reporter.registered().await == first {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    within(reporter.end()).await;
}

#[tokio::test]
async fn an_api_server_that_says_nothing_or_nonsense_is_an_error_in_words_and_in_time() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let client = client.key(KEY).unwrap().timeout(Duration::from_millis(50));
    let error = client.redeem("ann", "AAAAAAAAAAAAAAAA").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the token cannot be checked: the api server does not answer: not within 50 ms"
    );

    for (says, words) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "that is no answer of an api server"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "status 404 without a reason"),
        ("hello\r\n\r\n", "does not answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "does not answer"),
        ("", "does not answer"),
    ] {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", door.local_addr().unwrap())).unwrap();
        let answering = tokio::spawn(async move {
            let (mut stream, _) = door.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            stream.write_all(says.as_bytes()).await.unwrap();
        });
        let error = within(client.sign_up("ann", PASSWORD)).await.unwrap_err();
        assert!(error.to_string().contains(words), "{says}: {error}");
        assert_eq!(error.is_passing(), words == "does not answer");
        answering.await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_key_is_not_the_users_fault() {
    let world = World::in_memory(&[]);
    let client = Client::new(&format!("http://{}", world.addr())).unwrap();
    for client in [client.clone(), client.key("another-key-0123456789").unwrap()] {
        let Err(RedeemError::Unavailable(error)) = client.redeem("ann", "AAAAAAAAAAAAAAAA").await else {
            panic!()
        };
        assert!(error.is("bad_key") && !error.is_passing());
    }
}
