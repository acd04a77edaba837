//! What a client says when it gets no TLS and no WebSocket: the cause, and what to do.

use std::process::{Command, Stdio};
use std::time::Duration;

use netcore::{Client, ClientTls, Door, Hello, Running, Server, Tls, WebSocket, memory};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::certificates::{Certificate, Folder};
use crate::common::{Ask, Hear, session, within};

async fn serve(door: Door<Ask, Hear>) -> Running {
    Server::new().door(door).serve(session).await.unwrap()
}

async fn tls_error(running: &Running, tls: ClientTls) -> String {
    let address = format!("localhost:{}", running.addr().port());
    let error = within(Client::<Hear, Ask>::options().tls(tls).connect(address)).await.unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn why_a_certificate_is_not_taken_is_said() {
    let certificate = Certificate::of(&["game.example", "192.0.2.7"]);
    let running = serve(Door::tcp("127.0.0.1:0").tls(certificate.server())).await;
    assert_eq!(
        tls_error(&running, certificate.client()).await,
        "no TLS with the server: its certificate is for game.example or 192.0.2.7, not for localhost: connect to it \
         by such a name, or set `ClientTls::server_name`"
    );
    assert_eq!(
        tls_error(&running, Certificate::of_somebody("somebody").client()).await,
        "no TLS with the server: none of the given roots vouches for its certificate (`ClientTls::with_roots_file`)"
    );
    assert_eq!(
        tls_error(&running, Certificate::new().client()).await,
        "no TLS with the server: the given root of that name has not signed its certificate, which may have been made \
         anew (`ClientTls::with_roots_file`)"
    );

    let authority = Certificate::of_authority();
    let running = serve(Door::tcp("127.0.0.1:0").tls(authority.server())).await;
    assert_eq!(
        tls_error(&running, authority.client()).await,
        "no TLS with the server: its certificate is that of an authority (CA), not of a server: make one as `Tls` shows"
    );

    let old = Certificate::of_year(1999);
    let running = serve(Door::tcp("127.0.0.1:0").tls(old.server())).await;
    assert_eq!(
        tls_error(&running, old.client()).await,
        "no TLS with the server: its certificate has expired: renew it, or set this machine's clock"
    );
}

#[tokio::test]
async fn a_certificate_of_many_odd_names_is_not_printed_whole() {
    let names: Vec<_> = (0..500).map(|n| format!("name-{n}.example")).collect();
    let certificate = Certificate::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let running = serve(Door::tcp("127.0.0.1:0").tls(certificate.server())).await;
    let error = tls_error(&running, certificate.client()).await;
    assert!(error.contains("is for name-0.example or name-1.example or ") && error.len() < 400, "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_said_to_be_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (answer, words) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "what it answered is no TLS: has that door TLS (`Door::tls`)?",
        ),
        (b"", "it closed the connection: has that door TLS (`Door::tls`)?"),
    ] {
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let tls = ClientTls::danger_accept_any_certificate();
        let connecting = Client::<Hear, Ask>::options().tls(tls).connect(address);
        let (client, _stream) = within(async { tokio::join!(connecting, answering) }).await;
        assert_eq!(client.unwrap_err().to_string(), format!("no TLS with the server: {words}"));
    }
}

/// As the documentation of [`Tls`] has it.
const MAKE: &str = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout key.pem -out cert.pem -subj /CN=localhost \
                    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";

#[tokio::test]
async fn the_certificate_that_the_manual_makes_is_taken() {
    let manual = include_str!("../../src/runtime/transport/tls.rs");
    let manual: String = manual.lines().filter_map(|line| line.strip_prefix("/// ")).collect();
    assert!(manual.replace("\\    ", "").contains(MAKE), "the manual has another command");
    let folder = Folder::new();
    let mut words = MAKE.split(' ');
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(status) = command.status() else { return };
    assert!(status.success());
    let (cert, key) = (folder.0.join("cert.pem"), folder.0.join("key.pem"));
    let running = serve(Door::tcp("127.0.0.1:0").tls(Tls::from_files(&cert, key).unwrap())).await;
    for host in ["localhost", "127.0.0.1"] {
        let options = Client::<Hear, Ask>::options().tls(ClientTls::with_roots_file(&cert).unwrap());
        options.connect(format!("{host}:{}", running.addr().port())).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_over_says_what_it_was_over_for() {
    let tls = || ClientTls::danger_accept_any_certificate().server_name("localhost").unwrap();
    let options = || Client::<Hear, Ask>::options().connect_timeout(Duration::from_secs(3));
    for (options, words) in [
        (
            options().tls(tls()),
            "no TLS handshake within 3s (`connect_timeout`): has that door TLS (`Door::tls`)?",
        ),
        (
            options().websocket(WebSocket::new()),
            "no answer to the WebSocket upgrade within 3s (`connect_timeout`): is that door one of WebSocket (`Door::websocket`)?",
        ),
        (
            options().hello(Hello::new::<Hear, Ask>()),
            "no answer to the hello within 3s (`connect_timeout`): has that door one (`Door::hello`)?",
        ),
    ] {
        let (near, _far) = memory::pair(64 * 1024);
        let error = options.connect_over(near).await.unwrap_err();
        assert_eq!(error.to_string(), format!("connected, but {words}"));
    }
    // One in the middle of its handshakes: the time is that of all of them.
    let certificate = Certificate::new();
    let (near, far) = memory::pair(64 * 1024);
    let options =
        options().tls(certificate.client().server_name("localhost").unwrap()).websocket(WebSocket::new());
    let server = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        certificate.rustls_server().accept(far).await.unwrap()
    };
    let begun = tokio::time::Instant::now();
    let (client, _stream) = tokio::join!(options.connect_over(near), server);
    assert!(client.unwrap_err().to_string().contains("no answer to the WebSocket upgrade within 3s"));
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn what_a_web_server_answers_instead_of_a_websocket_is_said() {
    let running = serve(Door::tcp("127.0.0.1:0").websocket(WebSocket::new().path("/game"))).await;
    let options = Client::<Hear, Ask>::options().websocket(WebSocket::new());
    assert_eq!(
        options.connect(running.addr()).await.unwrap_err().to_string(),
        "no WebSocket with the server: it answered 404: no WebSocket at that path (`WebSocket::path`)"
    );
}

#[tokio::test(start_paused = true)]
async fn of_such_an_answer_no_more_is_said_than_fits_a_line() {
    let long = format!(
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n{}",
        "<p>oh\r\n\t".repeat(10_000)
    );
    let cut = format!(": {}…", "<p>oh ".repeat(16) + "<p>o");
    for (answer, words) in [
        ("HTTP/1.1 301 Moved\r\nLocation: https://other/\r\nContent-Length: 0\r\n\r\n", "301"),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nno\x1b[1and",
            "403: no [1",
        ),
        ("HTTP/1.1 500 Oh\r\nContent-Type: application/octet-stream\r\n\r\nbytes", "500"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n\0\r\n\x07", "200"),
        (&long, &format!("502{cut}")),
    ] {
        assert_eq!(answered(answer).await, format!("no WebSocket with the server: it answered {words}"));
    }
    let garbage = answered("\x05\0\x01\0\0").await;
    assert_eq!(garbage, "no WebSocket with the server: what came is no WebSocket upgrade");
}

/// What a client says of a server that answers its request so, and holds the connection open.
async fn answered(answer: &str) -> String {
    let (near, mut far) = memory::pair(1024 * 1024);
    far.write_all(answer.as_bytes()).await.unwrap();
    let options = Client::<Hear, Ask>::options().websocket(WebSocket::new());
    within(options.connect_over(near)).await.unwrap_err().to_string()
}
