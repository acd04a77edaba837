//! Hellos from end to end: doors, clients, and peers that say something else.

use std::time::Duration;

use netcore::memory::MemoryConnector;
use netcore::{
    Binary, Client, ClientError, ClientEvent, ClientOptions, ConnectStage, Connection, Door, Fault, Hello,
    HelloError, HelloFault, HelloIds, Packet, PacketId, Running, SendError, Server, ServerError, Snapshot,
    TryError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::log::Log;

#[derive(Packet, Debug)]
enum ToServer {
    #[packet(id = 721, reply = 722)]
    Enter { room: i32 },
}

#[derive(Packet, Debug, PartialEq)]
enum ToClient {
    #[packet(id = 722)]
    Entered { result: i16, room: i32 },
    #[packet(id = 723)]
    Kicked,
}

/// As both were in an earlier version.
mod old {
    use netcore::Packet;

    #[derive(Packet, Debug)]
    pub(crate) enum ToServer {
        #[packet(id = 721, reply = 722)]
        Enter { room: u32 },
    }

    #[derive(Packet, Debug)]
    pub(crate) enum ToClient {
        #[packet(id = 722)]
        Entered { result: i16, room: i32 },
    }
}

async fn session(mut peer: Connection<ToServer, ToClient>) -> Result<(), SendError> {
    while let Some(ToServer::Enter { room }) = peer.recv().await? {
        peer.send(&ToClient::Entered { result: 1, room })?;
    }
    Ok(())
}

fn server_hello() -> Hello {
    Hello::new::<ToServer, ToClient>()
}

async fn tcp() -> Running {
    let door = Door::tcp("127.0.0.1:0").hello(server_hello());
    Server::new().door(door).serve(session).await.unwrap()
}

async fn memory() -> (Running, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    (Server::new().door(door.hello(server_hello())).serve(session).await.unwrap(), connector)
}

fn options() -> ClientOptions<ToClient, ToServer> {
    Client::options().hello(Hello::new::<ToClient, ToServer>())
}

#[tokio::test]
async fn two_sides_of_one_version_speak_as_without_a_hello() {
    let server = tcp().await;
    let client = options().connect(server.addr()).await.unwrap();
    let answer = client.request(ToServer::Enter { room: 7 }).await.unwrap();
    assert_eq!(answer, ToClient::Entered { result: 1, room: 7 });
    client.close().await;
    let stats = server.stats();
    // The hello is no part of the session's stream.
    assert_eq!((stats.opened, stats.bytes_in, stats.bytes_out), (1, 9, 11));
    server.shutdown().await;
}

#[tokio::test]
async fn what_follows_the_hello_in_the_same_write_is_the_sessions() {
    let (server, connector) = memory().await;
    let mut peer = connector.connect().unwrap();
    let [sends, receives] =
        [ToServer::SCHEMA, ToClient::SCHEMA].map(|schema| schema.fingerprint().to_le_bytes());
    let hello = [&b"\x1a\0\x01\xff\0nchi\x01"[..], &sends, &receives].concat();
    peer.write_all(&[&hello[..], b"\x09\0\xd1\x02\0\x07\0\0\0"].concat()).await.unwrap();
    let mut answer = [0; 21];
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, *b"\x0a\0\x02\xff\0nchi\x01\x0b\0\xd2\x02\0\x01\0\x07\0\0\0");
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_of_an_older_version_is_refused_in_words_on_both_sides() {
    let log = Log::of_all();
    let server = tcp().await;
    let options = Client::<old::ToClient, old::ToServer>::options();
    let options = options.hello(Hello::new::<old::ToClient, old::ToServer>());
    let Err(ClientError::Hello(HelloError::Version(differ))) = options.connect(server.addr()).await else {
        panic!("they differ")
    };
    let difference = differ.difference().unwrap();
    assert_eq!((difference.id, &*difference.field), (PacketId(721), "room"));
    assert_eq!(
        differ.to_string(),
        "the server's packet 721 `Enter` has the field `room: i32`, yours has `room: u32`: rebuild this client with the \
         server's version of the packets"
    );
    log.wait_for(
        "the client's packet 721 `Enter` has the field `room: u32`, ours has `room: i32`: the client must be rebuilt \
         with this server's version of the packets",
    )
    .await;
    let stats = until(&server, |stats| stats.turned_away_for("version") == 1).await;
    assert_eq!((stats.opened, stats.handshakes_failed), (0, 1));
    server.shutdown().await;
}

#[tokio::test]
async fn a_packet_that_only_the_server_sends_is_named_too() {
    let server = tcp().await;
    let options = Client::<old::ToClient, ToServer>::options().hello(Hello::new::<old::ToClient, ToServer>());
    let error = options.connect(server.addr()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the server has a packet 723 `Kicked` that this client does not know: rebuild this client with the server's \
         version of the packets"
    );
    server.shutdown().await;
}

#[tokio::test]
async fn a_mapped_door_greets_with_the_packets_of_its_wire() {
    struct Enter(i64);
    struct Entered(i64);
    let adapter = Binary::new().map(
        |ToServer::Enter { room }| Ok::<_, Fault>(Enter(room.into())),
        |Entered(room): &Entered, send: &mut dyn FnMut(ToClient)| {
            send(ToClient::Entered { result: 1, room: i32::try_from(*room).unwrap_or_default() });
        },
    );
    let door = Door::tcp_with("127.0.0.1:0", adapter).hello(server_hello());
    let server = Server::new()
        .door(door)
        .serve(async |mut peer: Connection<Enter, Entered>| {
            while let Some(Enter(room)) = peer.recv().await? {
                peer.send(&Entered(room + 1))?;
            }
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    let client = options().connect(server.addr()).await.unwrap();
    let answer = client.request(ToServer::Enter { room: 7 }).await.unwrap();
    assert_eq!(answer, ToClient::Entered { result: 1, room: 8 });
    server.shutdown().await;
}

#[tokio::test]
async fn peers_that_say_something_else_are_turned_away_and_the_others_play_on() {
    let server = tcp().await;
    let client = options().connect(server.addr()).await.unwrap();
    let cases: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\0\xc8\x01\0\0\xc4\x03\x03",
        b"\x09\0\xd1\x02\0\x07\0\0\0",
        b"\x04\0\x01\xff\0",
        b"\x1a\0\x01\xff\0HELO\x01aaaaaaaabbbbbbbb",
        b"\x1b\0\x01\xff\0nchi\x01aaaaaaaabbbbbbbbc",
        b"\x1a\0\x01\xff\0nchi\x01aaaaaaaabbbbbbbb\x09\0\x04\xff\0\xff\xff\xff\xff",
    ];
    for bytes in cases {
        let mut peer = TcpStream::connect(server.addr()).await.unwrap();
        peer.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.is_empty(), !bytes.ends_with(b"\xff"), "{answer:?}");
    }
    // One of another version of the hello hears which one the server has.
    let mut peer = TcpStream::connect(server.addr()).await.unwrap();
    peer.write_all(b"\x0b\0\x01\xff\0nchi\x02?").await.unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"\x0a\0\x03\xff\0nchi\x01");

    let answer = client.request(ToServer::Enter { room: 3 }).await.unwrap();
    assert_eq!(answer, ToClient::Entered { result: 1, room: 3 });
    let stats = until(&server, |stats| stats.turned_away_for("hello") == 8).await;
    assert_eq!((stats.opened, stats.panics), (1, 0));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_or_drips_schemas_ends_at_the_handshakes_deadline() {
    let (server, connector) = memory().await;
    let mut silent = connector.connect().unwrap();
    let mut dripping = connector.connect().unwrap();
    dripping.write_all(b"\x1a\0\x01\xff\0nchi\x01aaaaaaaabbbbbbbb").await.unwrap();
    let since = tokio::time::Instant::now();
    let drip = async {
        while dripping.write_all(b"\x06\0\x04\xff\0\0").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    };
    let mut nothing = Vec::new();
    let (read, ()) = tokio::join!(silent.read_to_end(&mut nothing), drip);
    assert_eq!((read.unwrap_or(0), nothing.len()), (0, 0));
    assert!(since.elapsed() <= Duration::from_secs(14), "{:?}", since.elapsed());
    let stats = server.stats();
    assert_eq!((stats.handshakes_timed_out, stats.turned_away_for("handshake")), (2, 2), "{stats:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn types_that_are_swapped_on_one_side_are_said_to_be() {
    let (door, connector) = Door::memory(Binary::new());
    let server =
        Server::new().door(door.hello(Hello::new::<ToServer, ToClient>())).serve(session).await.unwrap();
    let swapped = options().hello(Hello::new::<ToServer, ToClient>());
    let error = swapped.connect_over(connector.connect().unwrap()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "both sides receive the same packets and send the same: the two types of `Hello::new` are swapped on one of them \
         (first what that side receives, then what it sends)"
    );
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_a_hello_is_given_up_in_time() {
    let (mine, _theirs) = tokio::io::duplex(1024);
    let since = tokio::time::Instant::now();
    let error = options().connect_timeout(Duration::from_secs(3)).connect_over(mine).await.err().unwrap();
    assert!(matches!(error, ClientError::Timeout(_, ConnectStage::Hello)), "{error}");
    assert_eq!(since.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn a_client_that_greets_at_a_door_that_does_not_hears_so() {
    let server = Server::new().door(Door::tcp("127.0.0.1:0")).serve(session).await.unwrap();
    let error = options().connect(server.addr()).await.err().unwrap();
    assert!(matches!(error, ClientError::Hello(HelloError::Closed)), "{error}");
    assert!(error.to_string().contains("it may have none (`Door::hello`"), "{error}");
    server.shutdown().await;

    // One that speaks first.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let other = tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"\x05\0\x65\0\0").await.unwrap();
        let mut rest = Vec::new();
        let _ = peer.read_to_end(&mut rest).await;
    });
    let error = options().connect(address).await.err().unwrap();
    let ClientError::Hello(HelloError::Fault(fault)) = error else { panic!("{error}") };
    assert_eq!(fault, HelloFault::NotHello { id: PacketId(101), size: 5 });
    other.await.unwrap();
}

#[tokio::test]
async fn a_client_without_a_hello_at_a_door_that_has_one_is_turned_away() {
    let server = tcp().await;
    let mut client = Client::<ToClient, ToServer>::connect(server.addr()).await.unwrap();
    client.send(&ToServer::Enter { room: 1 }).unwrap();
    assert_eq!(client.recv().await, Ok(None));
    until(&server, |stats| stats.turned_away_for("hello") == 1).await;
    server.shutdown().await;
}

#[tokio::test]
async fn ids_that_the_game_has_are_refused_before_anything_is_opened() {
    let door = Door::tcp("127.0.0.1:0").name("main").hello(server_hello().first_id(720));
    let error = Server::new().door(door).serve(session).await.err().unwrap();
    assert!(matches!(error, ServerError::Hello { source: HelloIds::Taken { .. }, .. }));
    assert_eq!(
        error.to_string(),
        "main: the hello takes the packet ids 720 to 723, and 721 is the game's `Enter`: give it others with \
         `Hello::first_id`"
    );
    let hello = Hello::new::<ToClient, ToServer>().first_id(65_534);
    let error =
        Client::<ToClient, ToServer>::options().hello(hello).connect("127.0.0.1:1").await.err().unwrap();
    assert!(
        matches!(error, ClientError::Hello(HelloError::Ids(HelloIds::TooHigh { first: 65_534 }))),
        "{error}"
    );
}

#[tokio::test]
async fn other_ids_do_as_well_if_both_sides_have_them() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door.hello(server_hello().first_id(1))).serve(session).await.unwrap();
    let hello = Hello::new::<ToClient, ToServer>();
    let options = Client::<ToClient, ToServer>::options().hello(hello.first_id(1));
    let client = options.connect_over(connector.connect().unwrap()).await.unwrap();
    client.request(ToServer::Enter { room: 1 }).await.unwrap();
    let options = Client::<ToClient, ToServer>::options().hello(hello);
    assert!(options.connect_over(connector.connect().unwrap()).await.is_err());
    until(&server, |stats| stats.turned_away_for("hello") == 1).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_reconnects_greets_each_time_and_gives_up_on_another_version() {
    let (server, connector) = memory().await;
    let dial = |connector: MemoryConnector| move || std::future::ready(connector.connect());
    let client = options().reconnect().dial(dial(connector.clone()));
    let answer = client.request(ToServer::Enter { room: 7 }).await.unwrap();
    assert_eq!(answer, ToClient::Entered { result: 1, room: 7 });

    let options = Client::<old::ToClient, old::ToServer>::options();
    let options = options.hello(Hello::new::<old::ToClient, old::ToServer>());
    let client = options.reconnect().dial(dial(connector));
    let failed = client.next().await;
    let Some(ClientEvent::Failed { tries: 1, pause: None, error }) = failed else { panic!("{failed:?}") };
    assert!(matches!(error, TryError::Connect(ClientError::Hello(HelloError::Version(_)))), "{error}");
    assert!(matches!(client.next().await, Some(ClientEvent::GaveUp { tries: 1, .. })));
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_reconnects_gives_up_on_a_server_with_another_version_of_the_hello() {
    let client = options().reconnect().dial(|| async {
        let (client, mut server) = tokio::io::duplex(64);
        server.write_all(b"\x0a\0\x03\xff\0nchi\x02").await?;
        tokio::spawn(async move { tokio::io::copy(&mut server, &mut tokio::io::sink()).await });
        Ok(client)
    });
    let failed = client.next().await;
    let Some(ClientEvent::Failed { tries: 1, pause: None, error }) = failed else { panic!("{failed:?}") };
    let TryError::Connect(ClientError::Hello(error)) = error else { panic!("{error}") };
    assert_eq!(error.to_string(), "the other side has version 2 of the hello, and this one version 1");
}

/// Waits until the server has counted what is expected.
async fn until(server: &Running, done: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let looking = async {
        loop {
            let stats = server.stats();
            if done(&stats) {
                return stats;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect("it is counted")
}
