//! TLS doors and clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use netcore::memory::{MemoryConnector, MemoryStream};
use netcore::{
    Binary, Client, ClientError, ClientEvent, ClientTls, CloseReason, Connection, Door, Hello, Running,
    Server, Tls,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::certificates::{Certificate, Folder};
use crate::common::{Ask, Hear, bye, packet, rest, round, said, say, session, settled, until, within};

async fn serve(tls: Tls) -> Running {
    let door = Door::tcp("127.0.0.1:0").tls(tls).close_notice(bye);
    Server::new().door(door).serve(session).await.unwrap()
}

async fn connect(running: &Running, tls: ClientTls) -> Result<Client<Hear, Ask>, ClientError> {
    Client::options().tls(tls).connect(running.addr()).await
}

async fn answers(client: &mut Client<Hear, Ask>, n: u32) {
    client.send(&Ask::Say { n }).unwrap();
    assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n })));
}

async fn rustls(running: &Running, certificate: &Certificate) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(running.addr()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    certificate.rustls().connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn packets_go_both_ways_under_tls_to_a_name_and_to_an_address() {
    let certificate = Certificate::new();
    let running = serve(certificate.server()).await;
    for tls in [
        certificate.client(),
        certificate.client().server_name("localhost").unwrap(),
        ClientTls::danger_accept_any_certificate(),
    ] {
        let mut client = connect(&running, tls).await.unwrap();
        answers(&mut client, 1).await;
        client.send(&Ask::Who).unwrap();
        let Ok(Some(Hear::You { address })) = within(client.recv()).await else { panic!("who") };
        assert!(address.starts_with("127.0.0.1:"));
        assert_eq!(within(client.close()).await, CloseReason::Ended);
    }
    until(&running, "closed", |stats| stats.closed_for("peer_closed") == 3).await;
}

#[tokio::test]
async fn a_client_takes_no_certificate_that_nobody_vouches_for_and_the_server_says_why() {
    let certificate = Certificate::new();
    let running = serve(certificate.server()).await;
    let mut healthy = connect(&running, certificate.client()).await.unwrap();
    for tls in [Certificate::new().client(), certificate.client().server_name("other.example").unwrap()] {
        let error = connect(&running, tls).await.unwrap_err();
        assert!(matches!(error, ClientError::Tls(_)), "{error:?}");
    }
    let stats = until(&running, "two", |stats| stats.handshakes_failed == 2).await;
    assert_eq!((stats.turned_away_for("tls"), stats.opened), (2, 1));
    answers(&mut healthy, 2).await;
}

#[tokio::test]
async fn who_does_not_speak_tls_is_closed_with_that_reason_and_others_play_on() {
    let certificate = Certificate::new();
    let running = serve(certificate.server()).await;
    let mut healthy = connect(&running, certificate.client()).await.unwrap();
    for (n, bytes) in
        (1..).zip([&say(1)[..], b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", &[0x16; 64], &[0xff; 4096]])
    {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        // No packet goes out there, only an alert of TLS.
        let heard = rest(&mut stream).await;
        assert!(heard.is_empty() || heard[0] == 21, "{heard:?}");
        until(&running, "turned away", |stats| stats.turned_away_for("tls") == n).await;
        answers(&mut healthy, n as u32).await;
    }
}

#[tokio::test]
async fn one_that_says_nothing_after_half_a_hello_does_not_pass_the_cap_of_its_address() {
    let certificate = Certificate::new();
    let door = Door::<Ask, Hear>::tcp("127.0.0.1:0").tls(certificate.server()).close_notice(bye);
    let running = Server::new().door(door).max_per_address(3).serve(session).await.unwrap();
    let mut halves = Vec::new();
    for begun in [&[][..], &[22, 3, 1], &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]] {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(begun).await.unwrap();
        halves.push(stream);
    }
    // In silence: there is no TLS yet in which something could be said.
    let mut more = TcpStream::connect(running.addr()).await.unwrap();
    assert_eq!(rest(&mut more).await, b"");
    until(&running, "refused", |stats| stats.refused_address == 1).await;
    drop(halves);
    until(&running, "given up", |stats| stats.turned_away_for("peer_closed") == 3).await;
    let mut client = connect(&running, certificate.client()).await.unwrap();
    answers(&mut client, 3).await;
}

async fn in_memory() -> (Running, MemoryConnector, Certificate) {
    let certificate = Certificate::new();
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door.tls(certificate.server()));
    (server.serve(session).await.unwrap(), connector, certificate)
}

async fn over(stream: MemoryStream, certificate: &Certificate) -> TlsStream<MemoryStream> {
    certificate.rustls().connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn half_a_handshake_ends_at_the_deadline() {
    let (running, connector, certificate) = in_memory().await;
    let mut healthy = over(connector.connect().unwrap(), &certificate).await;
    let since = Instant::now();
    let (mut silent, mut half) = (connector.connect().unwrap(), connector.connect().unwrap());
    // The first record, of a hello that goes on in another.
    let record = [&[22, 3, 1, 0, 40, 1, 0, 1, 252, 3, 3][..], &[7; 34]].concat();
    half.write_all(&record).await.unwrap();
    settled().await;
    round(&mut healthy, 1).await;
    assert_eq!((rest(&mut silent).await, rest(&mut half).await), (vec![], vec![]));
    assert_eq!(since.elapsed().as_secs(), 10);
    round(&mut healthy, 2).await;
    assert_eq!((running.stats().handshakes_timed_out, running.stats().turned_away_for("handshake")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_tls_client_at_a_plain_door_ends_with_a_packet_that_is_none() {
    let (door, connector) = Door::memory(Binary::new().max_in(512));
    let running = Server::new().door(door).serve(session).await.unwrap();
    let certificate = Certificate::new();
    let name = ServerName::try_from("localhost").unwrap();
    let error = certificate.rustls().connect(name, connector.connect().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    settled().await;
    // 0x16 0x03: a size of 790.
    assert_eq!(running.stats().closed_for("frame"), 1);

    // Where packets may be that long, it is one that does not end.
    let (door, connector) = Door::memory(Binary::new());
    let running = Server::new().door(door).serve(session).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let since = Instant::now();
    certificate.rustls().connect(name, connector.connect().unwrap()).await.unwrap_err();
    assert_eq!(since.elapsed().as_secs(), 10);
    settled().await;
    assert_eq!(running.stats().closed_for("unfinished"), 1);
}

#[tokio::test]
async fn a_close_says_close_notify_and_one_of_the_peer_is_an_end_in_order() {
    let certificate = Certificate::new();
    let door = Door::tcp("127.0.0.1:0").tls(certificate.server()).close_notice(bye);
    let running = Server::new()
        .door(door)
        .serve(async |mut peer: Connection<Ask, Hear>| {
            let Some(Ask::Say { n }) = peer.recv().await? else { return Ok(()) };
            let _ = peer.send(&Hear::Said { n });
            peer.close(CloseReason::Game(1234));
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    let mut stream = rustls(&running, &certificate).await;
    stream.write_all(&say(1)).await.unwrap();
    let mut heard = Vec::new();
    // An end without close_notify would be an error.
    within(stream.read_to_end(&mut heard)).await.unwrap();
    assert_eq!(heard, [said(1), packet(103, &1234_u16.to_le_bytes())].concat());
    drop(stream);

    let mut stream = rustls(&running, &certificate).await;
    stream.shutdown().await.unwrap();
    within(stream.read_to_end(&mut heard)).await.unwrap();
    let stats = until(&running, "closed", |stats| stats.closed == 2).await;
    assert_eq!((stats.closed_for("game"), stats.closed_for("peer_closed")), (1, 1), "{stats:?}");

    // Cut off instead.
    let stream = rustls(&running, &certificate).await;
    drop(stream.into_inner().0);
    until(&running, "broken", |stats| stats.closed_for("broken") == 1).await;
}

#[tokio::test]
async fn records_that_are_none_close_that_session_with_that_reason() {
    let certificate = Certificate::new();
    let running = serve(certificate.server()).await;
    let mut healthy = connect(&running, certificate.client()).await.unwrap();
    for (n, bytes) in (1..).zip([&[23, 3, 3, 0, 32][..], b"and now something else", &[0; 100]]) {
        let mut stream = rustls(&running, &certificate).await;
        round(&mut stream, 1).await;
        let mut below = stream.into_inner().0;
        below.write_all(&[bytes, &[7; 32]].concat()).await.unwrap();
        rest(&mut below).await;
        until(&running, "closed", |stats| stats.closed_for("tls") == n).await;
        answers(&mut healthy, 5).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_becomes_no_session_hears_a_close_notify_all_the_same() {
    let certificate = Certificate::new();
    let (door, connector) = Door::memory(Binary::new());
    let door = door.tls(certificate.server()).hello(Hello::new::<Ask, Hear>());
    let _running = Server::new().door(door).serve(session).await.unwrap();
    let mut stream = over(connector.connect().unwrap(), &certificate).await;
    // Its hello does not come in time; rustls calls an end without a close_notify an error.
    assert_eq!(within(stream.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn good_records_before_one_that_is_none_are_handled_however_the_stream_was_cut() {
    let certificate = Certificate::new();
    let (door, connector) = Door::memory(Binary::new());
    let heard = Arc::new(AtomicU32::new(0));
    let hears = heard.clone();
    let server = Server::new().door(door.tls(certificate.server()));
    let game = move |mut peer: Connection<Ask, Hear>| {
        let hears = hears.clone();
        async move {
            while peer.recv().await?.is_some() {
                hears.fetch_add(1, Relaxed);
            }
            Ok::<_, CloseReason>(())
        }
    };
    let running = server.serve(game).await.unwrap();
    for (n, apart) in (1..).zip([true, false]) {
        let mut stream = over(connector.connect().unwrap(), &certificate).await;
        settled().await;
        for n in 0..3 {
            stream.write_all(&say(n)).await.unwrap();
            stream.flush().await.unwrap();
        }
        if apart {
            settled().await;
        }
        let mut below = stream.into_inner().0;
        below.write_all(&[&[23, 3, 3, 0, 32][..], &[7; 32]].concat()).await.unwrap();
        rest(&mut below).await;
        settled().await;
        let heard = u64::from(heard.load(Relaxed));
        assert_eq!((heard, running.stats().closed_for("tls")), (3 * n, n), "apart: {apart}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_byte_arrives_however_the_stream_below_is_cut_and_however_slowly_it_is_read() {
    let (_running, connector, certificate) = in_memory().await;
    for (seed, most) in [(1, 1), (2, 7), (3, 4000)] {
        let stream = connector.clone().with_capacity(3000).connect().unwrap();
        stream.faults().cut(seed, most);
        let stream = over(stream, &certificate).await;
        let (mut reads, mut writes) = tokio::io::split(stream);
        let asks: Vec<u8> = (0..2000).flat_map(say).collect();
        let expected: Vec<u8> = (0..2000).flat_map(said).collect();
        let asking = tokio::spawn(async move {
            writes.write_all(&asks).await.unwrap();
            writes.flush().await.unwrap();
            writes
        });
        let mut heard = vec![0; expected.len()];
        for part in heard.chunks_mut(1000) {
            reads.read_exact(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(heard == expected);
        drop(asking.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_closed_for_it() {
    let (running, connector, certificate) = in_memory().await;
    let mut stream = over(connector.clone().with_capacity(1000).connect().unwrap(), &certificate).await;
    let asks: Vec<u8> = (0..1000).flat_map(say).collect();
    // Its own writes end when it is closed, at the latest.
    let _ = stream.write_all(&asks).await;
    let _ = stream.flush().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(running.stats().closed_for("stalled"), 1, "{:?}", running.stats());
}

#[tokio::test]
async fn a_certificate_that_is_read_again_is_shown_from_then_on() {
    let (first, second) = (Certificate::new(), Certificate::new());
    let folder = Folder::new();
    let (cert, key) = (folder.write("cert.pem", &first.pem()), folder.write("key.pem", &first.key_pem()));
    let tls = Tls::from_files(&cert, &key).unwrap();
    let running = serve(tls.clone()).await;
    let roots = |certificate: &Certificate| ClientTls::with_roots_pem(certificate.pem().as_bytes()).unwrap();
    let mut old = connect(&running, roots(&first)).await.unwrap();
    folder.write("cert.pem", &second.pem());
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.ends_with("cannot be used: the key is not that of the certificate"), "{error}");
    connect(&running, roots(&first)).await.expect("all is as it was");
    folder.write("key.pem", &second.key_pem());
    tls.reload().unwrap();
    connect(&running, roots(&first)).await.unwrap_err();
    let mut new = connect(&running, roots(&second)).await.unwrap();
    answers(&mut new, 1).await;
    answers(&mut old, 2).await;
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_in_one_sentence_that_names_the_file() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    let folder = Folder::new();
    let cert = folder.write("cert.pem", &certificate.pem());
    let key = folder.write("key.pem", &certificate.key_pem());
    let empty = folder.write("empty.pem", "");
    let cut = folder.write("cut.pem", &certificate.pem()[..200]);
    let foreign = folder.write("other.pem", &other.key_pem());
    let nowhere = folder.0.join("nowhere.pem");
    let at = |path: &std::path::Path| path.display().to_string();
    let no_certificate = "has no certificate: it must hold PEM with BEGIN CERTIFICATE";
    let no_key = "has no private key: it must hold PEM with BEGIN PRIVATE KEY, and no password";
    for (cert, key, words) in [
        (&nowhere, &key, format!("cannot read {}: there is no such file", at(&nowhere))),
        (&cert, &nowhere, format!("cannot read {}: there is no such file", at(&nowhere))),
        (&empty, &key, format!("{} {no_certificate}", at(&empty))),
        (&key, &key, format!("{} {no_certificate}", at(&key))),
        (&cert, &cert, format!("{} {no_key}", at(&cert))),
        (&cut, &key, format!("{} is not readable as PEM: it ends in the middle of a section", at(&cut))),
        (
            &cert,
            &foreign,
            format!("{} with the key {} cannot be used: the key is not", at(&cert), at(&foreign)),
        ),
    ] {
        let error = Tls::from_files(cert, key).unwrap_err().to_string();
        assert!(error.starts_with(&words), "{error}\n{words}");
        assert!(!error.contains('\n'));
    }
    assert!(ClientTls::with_roots_file(&nowhere).unwrap_err().to_string().contains("there is no such file"));
    assert!(ClientTls::with_roots_der([vec![1, 2, 3]]).is_err());
    assert!(Tls::from_der([vec![1, 2, 3]], vec![4]).is_err());
    assert!(certificate.client().server_name("not a name").is_err());
    assert!(certificate.server().reload().is_err());
}

#[tokio::test]
async fn a_client_with_tls_has_it_over_a_stream_that_was_dialled_too() {
    let certificate = Certificate::new();
    let running = serve(certificate.server()).await;
    let address = running.addr();
    let options = |tls| Client::<Hear, Ask>::options().tls(tls);
    let named = || certificate.client().server_name("localhost").unwrap();

    let client = options(named()).reconnect().dial(move || TcpStream::connect(address));
    client.send(&Ask::Say { n: 1 }).unwrap();
    let heard = async {
        loop {
            if let Some(ClientEvent::Packet(packet)) = client.next().await {
                return packet;
            }
        }
    };
    assert_eq!(within(heard).await, Hear::Said { n: 1 });
    let stream = TcpStream::connect(address).await.unwrap();
    answers(&mut options(named()).connect_over(stream).await.unwrap(), 2).await;

    // Whom to ask for, nobody has said.
    let stream = TcpStream::connect(address).await.unwrap();
    let Err(ClientError::Tls(error)) = options(certificate.client()).connect_over(stream).await else {
        panic!("connected");
    };
    assert!(error.to_string().contains("ClientTls::server_name"), "{error}");
}

#[tokio::test]
#[should_panic = "`ClientOptions::over` speaks without TLS"]
async fn nothing_goes_out_in_the_clear_by_mistake() {
    let (near, _far) = netcore::memory::pair(64);
    let _client = Client::<Hear, Ask>::options().tls(Certificate::new().client()).over(near);
}
