//! By which name a client asks for its server: the one that it was told to connect to.

use std::time::Duration;

use netcore::{Client, ClientError, ClientEvent, ClientOptions, Door, Server, WebSocket};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpListener;

use crate::certificates::Certificate;
use crate::common::{Ask, Hear, session, within};

fn options(tls: netcore::ClientTls) -> ClientOptions<Hear, Ask> {
    Client::options().tls(tls)
}

#[tokio::test]
async fn a_certificate_for_a_name_is_taken_from_who_was_called_by_that_name() {
    let certificate = Certificate::of(&["localhost"]);
    for websocket in [false, true] {
        let door = Door::tcp("127.0.0.1:0").tls(certificate.server());
        let door = if websocket { door.websocket(WebSocket::new()) } else { door };
        let running = Server::new().door(door).serve(session).await.unwrap();
        let port = running.addr().port();
        let options = |tls| {
            let options = options(tls);
            if websocket { options.websocket(WebSocket::new()) } else { options }
        };
        let named = |name| certificate.client().server_name(name).unwrap();

        let mut client = options(certificate.client()).connect(format!("localhost:{port}")).await.unwrap();
        client.send(&Ask::Say { n: 1 }).unwrap();
        assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n: 1 })));
        let client = options(certificate.client()).reconnect().connect(format!("localhost:{port}"));
        assert!(matches!(within(client.next()).await, Some(ClientEvent::Connected)));

        // What is set comes first, and a name that the certificate is not for is refused.
        options(named("localhost")).connect(running.addr()).await.unwrap();
        for (tls, host) in [(named("other.example"), "localhost"), (certificate.client(), "127.0.0.1")] {
            let error = options(tls).connect(format!("{host}:{port}")).await.unwrap_err();
            assert!(matches!(error, ClientError::Tls(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn that_name_is_asked_for_in_tls_and_in_http() {
    let certificate = Certificate::of(&["localhost"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let port = address.port();
    let named = || certificate.client().server_name("localhost").unwrap();
    for (tls, host, asked_for) in [
        (certificate.client(), "localhost", "localhost"),
        (named(), "127.0.0.1", "localhost"),
        (netcore::ClientTls::danger_accept_any_certificate(), "127.0.0.1", "127.0.0.1"),
    ] {
        let client = options(tls).websocket(WebSocket::new()).connect(format!("{host}:{port}"));
        let client = tokio::spawn(client);
        let (stream, _) = within(listener.accept()).await.unwrap();
        let mut stream = within(certificate.rustls_server().accept(stream)).await.unwrap();
        // RFC 6066 §3: no addresses there.
        let name = Some(asked_for).filter(|name| *name == "localhost");
        assert_eq!(stream.get_ref().1.server_name(), name);
        assert_eq!(host_in(&mut stream).await, format!("{asked_for}:{port}"));
        client.abort();
    }
    for (websocket, asked_for) in [
        (WebSocket::new(), format!("localhost:{port}")),
        (WebSocket::new().host("game.example"), "game.example".to_owned()),
    ] {
        let options = Client::<Hear, Ask>::options().connect_timeout(Duration::from_secs(60));
        let client = tokio::spawn(options.websocket(websocket).connect(format!("localhost:{port}")));
        let (mut stream, _) = within(listener.accept()).await.unwrap();
        assert_eq!(host_in(&mut stream).await, asked_for);
        client.abort();
    }
}

/// The `Host` of a request.
async fn host_in(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap().to_owned()
}
